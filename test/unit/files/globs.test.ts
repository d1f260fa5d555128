import * as fc from 'fast-check';
import ignore from 'ignore';
import micromatch from 'micromatch';
import { describe, expect, test } from 'vitest';

import { globTest } from '../../../src/adapters/files/globs.ts';
import { ignoreTest } from '../../../src/adapters/files/ignored.ts';

const POLICY_OPTIONS = { dot: true, nonegate: true, noextglob: true, strictBrackets: true };

const name = fc
  .string({ unit: fc.constantFrom('a', 'b', '.', 'c'), minLength: 1, maxLength: 4 })
  .filter((text) => !text.endsWith('.'));
const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => names.join('/'));
const wildName = fc
  .string({ unit: fc.constantFrom('a', 'b', '.', '*', '?', '[ab]', '{a,bc}'), minLength: 1, maxLength: 4 })
  .filter((text) => !/^\.+$/.test(text) && !text.includes('**'));
const glob = fc
  .array(fc.oneof({ weight: 1, arbitrary: fc.constant('**') }, { weight: 3, arbitrary: wildName }), {
    minLength: 1,
    maxLength: 4,
  })
  .map((names) => names.join('/'));

describe('globs (C1)', () => {
  test('mean what they mean in policies', () => {
    let matched = 0;
    fc.assert(
      fc.property(glob, path, (pattern, candidate) => {
        // A trailing /** also means the folder itself to micromatch; only files are matched here, and nothing is below a file.
        if (pattern.endsWith('/**') && micromatch.isMatch(candidate, pattern.slice(0, -3), POLICY_OPTIONS)) return;
        const expected = micromatch.isMatch(candidate, pattern, POLICY_OPTIONS);
        if (expected) matched++;
        expect(globTest(pattern)(candidate)).toBe(expected);
      }),
      { numRuns: 5000 },
    );
    expect(matched).toBeGreaterThan(100);
  });

  test.each([
    ['**/*.yaml', 'a.yaml', true], ['**/*.yaml', 'x/y/a.yaml', true], ['*.yaml', 'x/a.yaml', false], ['kubernetes/**', 'kubernetes/a/b', true],
    ['kubernetes/**', 'kubernetes-evil/a', false], ['**/.env', 'a/.env', true], ['.github/**/*.{yml,yaml}', '.github/workflows/ci.yml', true],
    ['[a-c]x', 'bx', true], ['[!a-c]x', 'bx', false], ['[!a-c]x', 'dx', true], ['a?c', 'a/c', false], ['{docker,k8s}/*', 'k8s/x', true], ['cafe\u0301/*', 'café/x', true],
    ['a.b', 'axb', false], ['a+b', 'a+b', true], ['$^', '$^', true],
  ])('%s on %s: %s', (pattern, candidate, expected) => {
    expect(globTest(pattern)(candidate)).toBe(expected);
  }); // prettier-ignore

  test.each([
    '', '!a', '[', 'a[b', '[a/b]', '{a', 'a}', '{a}', '{1..900}{1..900}', '@(a|b)', '(a|b)*', 'a\\*', '/etc/*', 'a\nb', 'x'.repeat(513), '[z-a]', '[[:alpha:]]', '{'.repeat(9) + 'a,b' + '}'.repeat(9),
  ])('refuses %j with what to write instead', (pattern) => {
    expect(() => globTest(pattern)).toThrow(expect.objectContaining({ code: 'invalid_input', hint: expect.stringMatching(/\w/) }));
  }); // prettier-ignore

  test('no glob makes matching expensive: patterns that take micromatch’s expressions minutes and more', () => {
    const candidate = `${'a'.repeat(255)}/${'a/'.repeat(500)}${'a'.repeat(255)}`;
    for (const pattern of [
      '*a*a*a*a*a*a*a*a*b',
      '**/'.repeat(60) + 'b',
      '*a'.repeat(200) + 'b',
      '**/a/'.repeat(50) + 'b',
      '{a,aa}'.repeat(80) + 'b',
      '{*a,a*}'.repeat(70) + 'b',
    ])
      expect(globTest(pattern)(candidate)).toBe(false);
  });
});

describe('.gitignore', () => {
  const line = fc.oneof(
    fc
      .tuple(
        fc.constantFrom('', '!'),
        fc.constantFrom('', '/'),
        glob.filter((text) => !text.includes('{')),
        fc.constantFrom('', '/'),
      )
      .map((parts) => parts.join('')),
    fc.constantFrom('', '# a', '#', '   ', '\\#a', '\\!a', 'a  ', '*', '!a/', '/'),
  );

  test('means what it means to the library that many tools use', () => {
    let ignored = 0;
    fc.assert(
      fc.property(fc.array(line, { maxLength: 5 }), path, fc.boolean(), (lines, candidate, isFolder) => {
        const text = lines.join('\n');
        // The walk never goes into ignored folders, so only the path itself is asked about.
        const parents = candidate.split('/').slice(0, -1).map((_, index, names) => `${names.slice(0, index + 1).join('/')}/`); // prettier-ignore
        const oracle = ignore({ ignorecase: false }).add(text);
        if (parents.some((parent) => oracle.ignores(parent))) return;
        const expected = oracle.ignores(isFolder ? `${candidate}/` : candidate);
        if (expected) ignored++;
        expect({ text, candidate, isFolder, ignored: ignoreTest(text)(candidate, isFolder) ?? false }).toEqual({
          text,
          candidate,
          isFolder,
          ignored: expected,
        });
      }),
      { numRuns: 5000 },
    );
    expect(ignored).toBeGreaterThan(100);
  });

  test('hostile lines cost little and are read as far as they can be', () => {
    const test = ignoreTest(
      [`${'*a'.repeat(100)}b`, '**/'.repeat(100), '[', 'a\\*b', 'x'.repeat(10_000), 'build/'].join('\n'),
    );
    expect(test('a'.repeat(255), false)).toBeUndefined();
    expect(test('build', true)).toBe(true);
  });
});
