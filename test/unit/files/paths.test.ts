import { posix } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { globTarget, viewTarget, withReal, workspacePath } from '../../../src/core/paths.ts';
import { pieces, PROPERTY, readOf, TIMEOUT, writtenOf } from './oracle.ts';

function answer(written: string): string | undefined {
  try {
    return workspacePath(written);
  } catch {
    return undefined;
  }
}

describe('workspacePath (C1)', () => {
  test('agrees with a slow and obvious oracle', { timeout: TIMEOUT }, () => {
    let accepted = 0;
    fc.assert(
      fc.property(pieces(8), (chosen) => {
        const result = answer(writtenOf(chosen));
        if (result !== undefined) accepted++;
        expect(result).toBe(readOf(chosen));
      }),
      PROPERTY,
    );
    expect(accepted).toBeGreaterThan(1000);
  });

  test(
    'what is accepted stays below the workspace, reads the same again, and names one file',
    { timeout: TIMEOUT },
    () => {
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
        PROPERTY,
      );
    },
  );

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
