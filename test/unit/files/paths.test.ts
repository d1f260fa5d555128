import { posix } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { globTarget, viewTarget, withReal, workspacePath } from '../../../src/core/paths.ts';

/** Pieces of paths, each with what the oracle knows of it: the text in NFC, or that it may be nowhere. */
const PIECES: readonly (readonly [written: string, reads: string | undefined])[] = [
  ['/', '/'], ['/', '/'], ['/', '/'], ['.', '.'], ['..', '..'], ['a', 'a'], ['.env', '.env'], ['secrets', 'secrets'],
  ['A', 'A'], [' ', ' '], ['~', '~'], ['é', 'é'], ['e\u0301', 'é'], ['*', '*'], ['!', '!'], ['-', '-'], [':', ':'],
  ['%2g', '%2g'], ['\u00a0', '\u00a0'], ['日', '日'],
  ['\\', undefined], ['%2e', undefined], ['%2F', undefined], ['%5C', undefined], ['%252e', undefined], ['%c0%af', undefined],
  ['\n', undefined], ['\0', undefined], ['\u200b', undefined], ['\u202e', undefined], ['\ufeff', undefined], ['\u2028', undefined],
  ['\ud800', undefined], ['\u115f', undefined], ['\u{e0061}', undefined], ['／', undefined], ['＼', undefined],
]; // prettier-ignore

/** The rule in the plainest words there are: walk name by name, and refuse at the first doubt. Undefined: refused. */
function oracle(pieces: typeof PIECES): string | undefined {
  if (pieces.some(([, reads]) => reads === undefined)) return undefined;
  let rest = pieces.map(([, reads]) => reads).join('');
  if (rest.startsWith('/') || rest.startsWith('~')) return undefined;
  const walked: string[] = [];
  while (rest !== '') {
    const slash = rest.indexOf('/');
    const name = slash === -1 ? rest : rest.slice(0, slash);
    rest = slash === -1 ? '' : rest.slice(slash + 1);
    if (name === '' || name === '.') continue;
    if (name === '..') {
      if (walked.length === 0) return undefined;
      walked.pop();
      continue;
    }
    const first = name.charAt(0);
    const last = name.charAt(name.length - 1);
    if ([' ', '\u00a0'].includes(first) || [' ', '\u00a0', '.'].includes(last)) return undefined;
    walked.push(name);
  }
  if (walked.length > 0 && walked[0]?.charAt(0) === '~') return undefined;
  return walked.length === 0 ? '.' : walked.join('/');
}

function answer(written: string): string | undefined {
  try {
    return workspacePath(written);
  } catch {
    return undefined;
  }
}

describe('workspacePath (C1)', () => {
  test('agrees with a slow and obvious oracle on 20,000 paths', () => {
    let accepted = 0;
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...PIECES), { maxLength: 8 }), (pieces) => {
        const result = answer(pieces.map(([written]) => written).join(''));
        if (result !== undefined) accepted++;
        expect(result).toBe(oracle(pieces));
      }),
      { numRuns: 20_000 },
    );
    expect(accepted).toBeGreaterThan(1000);
  });

  test('what is accepted stays below the workspace, reads the same again, and names one file', () => {
    fc.assert(
      fc.property(
        fc.string({
          unit: fc.oneof(
            fc.constantFrom('/', '.', '..', 'a', '~', '%', '2', 'e'),
            fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
          ),
          maxLength: 12,
        }),
        (written) => {
          const path = answer(written);
          if (path === undefined) return;
          expect(workspacePath(path)).toBe(path);
          expect(posix.resolve('/w', path)).toBe(path === '.' ? '/w' : `/w/${path}`);
          expect(posix.resolve('/w', written.normalize('NFC'))).toBe(posix.resolve('/w', path));
          expect(path.normalize('NFC')).toBe(path);
        },
      ),
      { numRuns: 20_000 },
    );
  });

  test.each([
    ['..'], ['a/../..'], ['/etc/passwd'], ['~/x'], ['a/../~x'], ['a\\b'], ['a%2fb'], ['%2e%2e/x'], ['a%252fb'], ['..%c0%af'],
    ['.env '], ['.env.'], [' .env'], ['.env\u00a0'], ['.env\u3000'], ['a/.env\n'], ['a\0b'], ['\u202egpj.env'], ['.e\u200bnv'], ['.env\ufe0f'],
    ['‥/x'], ['a／b'], ['a…'], ['x'.repeat(256)], ['é'.repeat(128)], ['a/'.repeat(2100)],
  ])('refuses %j', (written) => {
    expect(() => workspacePath(written)).toThrow(expect.objectContaining({ code: 'denied', rule: 'paths' }));
  }); // prettier-ignore

  test.each([
    ['', '.'], ['.', '.'], ['./', '.'], ['a/..', '.'], ['a//b/./c/', 'a/b/c'], ['a/x/../b', 'a/b'], ['.github/workflows/ci.yml', '.github/workflows/ci.yml'],
    ['a b.txt', 'a b.txt'], ['...a', '...a'], ['a..b', 'a..b'], ['100%', '100%'], ['cafe\u0301', 'café'], ['日本/語.md', '日本/語.md'], ['x~', 'x~'], ['a:b', 'a:b'],
    ['x'.repeat(255), 'x'.repeat(255)],
  ])('reads %j as %j', (written, path) => {
    expect(workspacePath(written)).toBe(path);
  }); // prettier-ignore
});

describe('targets of paths and globs (C1)', () => {
  test.each([
    ['secrets/api-keys.yaml', 'file', 'secrets/api-keys.yaml'], ['./a/../.env', 'file', '.env'], ['kubernetes/**/*.yaml', 'folder', 'kubernetes'],
    ['**', 'folder', '.'], ['*.md', 'folder', '.'], ['secrets/*', 'folder', 'secrets'], ['a/{b,c}/d', 'folder', 'a'], ['.en[v]', 'folder', '.'],
  ])('a search of %s touches the %s %s', (glob, kind, path) => {
    expect(globTarget(glob)).toMatchObject({ kind, path, effect: 'read' });
  }); // prettier-ignore

  test.each([['../**'], ['/etc/*'], ['**/../..'], ['a/*/../../..'], ['~/*']])('a search of %s is refused', (glob) => {
    expect(() => globTarget(glob)).toThrow(expect.objectContaining({ code: 'denied' }));
  });

  test.each([
    ['README.md', 'file'], ['.env.local', 'file'], ['docker', 'folder'], ['.github', 'folder'], ['docker/Dockerfile', 'folder'], ['v1.2/', 'folder'], ['.', 'folder'],
  ])('before looking, %s is taken for a %s', (path, kind) => {
    expect(viewTarget(path).kind).toBe(kind);
  }); // prettier-ignore

  test('a link adds where it leads', () => {
    const target = globTarget('a');
    expect(withReal(target, 'a')).toEqual([target]);
    expect(withReal(target, 'secrets/b').map(({ path, id }) => [path, id])).toEqual([['a', 'a'], ['secrets/b', 'secrets/b']]); // prettier-ignore
  });
});
