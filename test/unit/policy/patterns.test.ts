import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { expandBraces, PatternError } from '../../../src/policy/braces.ts';
import { fold, namePattern, pathPattern } from '../../../src/policy/patterns.ts';

const names = (path: string) => (path === '.' ? [] : path.split('/'));
const allows = (pattern: string, path: string) => pathPattern(pattern, false)(names(path));
const restricts = (pattern: string, path: string) => pathPattern(pattern, true)(names(fold(path)));

describe('patterns of rules that allow', () => {
  it.each([
    ['docker/**/*', 'docker/Dockerfile', true],
    ['docker/**/*', 'docker/.dockerignore', true],
    ['docker/**/*', 'docker/a/b/c', true],
    ['docker/**/*', 'docker', false],
    ['docker/**/*', 'docker-evil/x', false],
    ['kubernetes/**/*.{yml,yaml}', 'kubernetes/deployment.yaml', true],
    ['kubernetes/**/*.{yml,yaml}', 'kubernetes/a/b.yml', true],
    ['kubernetes/**/*.{yml,yaml}', 'kubernetes/a.yamlx', false],
    ['kubernetes/**/*.{yml,yaml}', 'Kubernetes/a.yaml', false],
    ['Dockerfile', 'Dockerfile', true],
    ['Dockerfile', 'src/Dockerfile', false],
    ['Dockerfile', 'Dockerfile/x', false],
    ['{a/b,c}/d', 'a/b/d', true],
    ['{a/b,c}/d', 'c/d', true],
    ['{x{a,b}/c,d}/e', 'xb/c/e', true],
    ['*.tf', '.tf', true],
    ['a?c/[a-c]x', 'abc/bx', true],
    ['a?c/[a-c]x', 'abc/dx', false],
    ['**', '.', true],
    ['docker/', 'docker/x', true],
    ['caf\u00e9/**', 'caf\u00e9/x', true],
  ])('%s on %s: %s', (pattern, path, expected) => expect(allows(pattern, path)).toBe(expected));

  it('compares after NFC, so that a decomposed pattern means the same', () => {
    expect(allows('cafe\u0301/**', 'caf\u00e9/x')).toBe(true);
  });
});

describe('C3 patterns of rules that restrict cover more than they say', () => {
  it.each([
    ['secrets/**', 'secrets/.env'],
    ['secrets/**', 'secrets'],
    ['secrets', 'secrets/a/b'],
    ['secrets/', 'secrets/a/b'],
    ['secrets/', 'secrets'],
    ['secrets', 'deep/secrets/a'],
    ['.env', 'a/.env'],
    ['**/.env', '.env'],
    ['**/.env', 'a/b/.env'],
    ['**/.env', 'A/.ENV'],
    ['**/secrets/**', 'secrets/x'],
    ['**/secrets/**', 'a/SECRETS/x'],
    ['**/*.pem', 'certs.pem/inner'],
    ['**/.env', 'a/.env/b'],
    ['**/secrets/**', '\u017fecrets/x'],
    ['**/Caf\u00e9', 'CAFE\u0301'],
    ['./tests/**', 'tests/x'],
    ['secrets/**/*', 'secrets'],
    ['secrets/**/*', 'secrets/a/b'],
  ])('%s covers %s', (pattern, path) => expect(restricts(pattern, path)).toBe(true));

  it.each([
    ['secrets/**', 'secrets-evil/x'],
    ['secrets/**', 'a/secrets/x'],
    ['**/.env', 'a/.envx'],
    ['./tests/**', 'docker/tests/x'],
    ['./package.json', 'docker/package.json'],
    ['**/id_rsa', 'id_rsa.pub'],
  ])('%s does not cover %s', (pattern, path) => expect(restricts(pattern, path)).toBe(false));
});

describe('patterns that are refused at load', () => {
  it.each([
    ['!secrets/**', 'rule of its own'],
    ['[a', 'character class'],
    ['a]', 'character class'],
    ['[!a]', 'character class'],
    ['[a]+', 'character class'],
    ['+(a|b)', '{a,b}'],
    ['(a+)+$', '{a,b}'],
    ['*a*a*a*a*a*a*ab', 'at most 3 *'],
    ['a**/b', '** alone'],
    ['{1..900}{1..900}', '{a,b}'],
    ['{a,b', 'never closes'],
    ['a,b}', 'never opens'],
    ['{a/b', 'never closes'],
    ['{a,b,c,d,e}'.repeat(4), 'several patterns'],
    [`${'**/a/'.repeat(9)}b`, 'at most 8 **'],
    ['/etc/passwd', 'from the workspace'],
    ['a//b', 'doubled slash'],
    ['a/../b', 'without . and ..'],
    ['{a,..}/b', 'without . and ..'],
    ['a\\b', 'write /'],
    ['a\nb', 'control'],
    ['', 'empty'],
    ['a'.repeat(513), 'longer than'],
  ])('%j', (pattern, says) => {
    for (const restricting of [false, true]) {
      expect(() => pathPattern(pattern, restricting)).toThrow(PatternError);
      expect(() => pathPattern(pattern, restricting)).toThrow(says);
    }
  });
});

describe('names', () => {
  it.each([
    ['tta.dev', 'tta.dev', true],
    ['tta.dev', 'staging.tta.dev', false],
    ['tta.dev', 'ttaxdev', false],
    ['prod*', 'prod-eu', true],
    ['prod*', 'nonprod', false],
    ['*-prod*', 'arn:aws:eks:eu:1:cluster/shop-prod', true],
    ['feature/*', 'feature/a/b', true],
    ['*', '', true],
    ['a*b*a', 'aba', true],
    ['aba*aba', 'aba', false],
    ['{dev,test}-*', 'test-1', true],
  ])('%s on %s: %s', (pattern, value, expected) => expect(namePattern(pattern, false)(value)).toBe(expected));

  it('folds letter case only where told to', () => {
    expect(namePattern('prod*', true)('PROD-eu')).toBe(true);
    expect(namePattern('dev*', false)('DEV')).toBe(false);
  });

  it.each(['a?', '[ab]', '!a'])('refuses %s', (pattern) =>
    expect(() => namePattern(pattern, false)).toThrow(PatternError),
  );
});

describe('properties', () => {
  const part = fc.constantFrom('a', 'b', '.env', '*', '**', '*.x', 'a?', '[ab]', '{a,b}');
  const pattern = fc.array(part, { minLength: 1, maxLength: 5 }).map((parts) => parts.join('/'));
  const path = fc.array(fc.constantFrom('a', 'b', '.env', 'a.x', 'ab', 'A'), { minLength: 1, maxLength: 6 });

  it('a pattern restricts at least what it would allow, and everything below it (C3)', () => {
    fc.assert(
      fc.property(pattern, path, path, (glob, at, below) => {
        if (!pathPattern(glob, false)(at)) return;
        const covers = pathPattern(glob, true);
        expect(covers(at.map(fold))).toBe(true);
        expect(covers([...at, ...below].map(fold))).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  it('a literal path matches itself and nothing else', () => {
    fc.assert(
      fc.property(path, path, (one, other) => {
        expect(pathPattern(one.join('/'), false)(other)).toBe(one.join('/') === other.join('/'));
      }),
    );
  });

  it('a name with stars is its pieces in turn, whatever else it is made of', () => {
    const piece = fc.string({ maxLength: 4, unit: fc.constantFrom(...Array.from("ab.-+$^@#~%&,;=':<>` ")) });
    const pieces = fc.array(piece, { minLength: 2, maxLength: 4 });
    fc.assert(
      fc.property(pieces, fc.array(piece, { maxLength: 5 }), (wanted, given) => {
        const name = given.join('') || 'x';
        fc.pre(name !== '.' && name !== '..' && wanted.join('') !== '' && !wanted.join('*').includes('**'));
        const escaped = wanted.map((text) => text.replaceAll(/[.+$^]/g, String.raw`\$&`)).join('.*');
        expect(pathPattern(wanted.join('*'), false)([name])).toBe(new RegExp(`^${escaped}$`).test(name));
      }),
      { numRuns: 5000 },
    );
  });

  it('compiling any text either works or is a PatternError', () => {
    fc.assert(
      fc.property(
        fc.string({ maxLength: 60, unit: fc.constantFrom(...Array.from('ab/*?[]{},.!()|+\\-"^$')) }),
        fc.boolean(),
        (text, flag) => {
          try {
            expect(typeof pathPattern(text, flag)(['a', 'b'])).toBe('boolean');
          } catch (error) {
            expect(error).toBeInstanceOf(PatternError);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('expands nested braces', () => {
    expect(expandBraces('a{b,c{d,e}}f')).toEqual(['abf', 'acdf', 'acef']);
    expect(expandBraces('x{,.y}')).toEqual(['x', 'x.y']);
  });
});
