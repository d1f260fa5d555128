import { array, assert, property, stringMatching } from 'fast-check';
import { describe, expect, test } from 'vitest';

import { contextRules, pathPattern } from '../../../src/adapters/docker/dockerignore.ts';

describe('D1 .dockerignore by Docker’s rules', () => {
  test.each<[rules: string, path: string, leftOut: boolean]>([
    ['*.log', 'a.log', true],
    ['*.log', 'logs/a.log', false],
    ['**/*.log', 'a.log', true],
    ['**/*.log', 'x/y/a.log', true],
    ['node_modules', 'node_modules/x/y.js', true],
    ['node_modules', 'app/node_modules/y.js', false],
    ['**/node_modules', 'app/node_modules/y.js', true],
    ['/dist/', 'dist/a', true],
    ['./dist', 'dist/a', true],
    ['a/../b', 'b/c', true],
    ['*\n!keep.txt', 'keep.txt', false],
    ['*\n!keep.txt', 'other.txt', true],
    // Unlike in a .gitignore, what is below a folder that is left out can come back.
    ['docs\n!docs/README.md', 'docs/README.md', false],
    ['docs\n!docs/README.md', 'docs/other.md', true],
    ['!a\na', 'a', true],
    ['*.md\n!README*.md\nREADME-secret.md', 'README-secret.md', true],
    ['*/temp*', 'somedir/temporary.txt', true],
    ['*/*/temp*', 'somedir/temporary.txt', false],
    ['temp?', 'tempa', true],
    ['temp?', 'temp/a', false],
    ['a[0-9].txt', 'a5.txt', true],
    ['a[^0-9].txt', 'a5.txt', false],
    [String.raw`a\*b`, 'a*b', true],
    [String.raw`a\*b`, 'axb', false],
    ['# comment\n\n  b  ', 'b', true],
    ['\uFEFFa', 'a', true],
    ['a\r\nb', 'b', true],
    ['a.b+(c)', 'a.b+(c)', true],
    ['a.b', 'axb', false],
    ['**', 'any/thing', true],
    ['.', 'anything', false],
    ['foo/**', 'foo/a/b', true],
    ['foo/**/bar', 'foo/bar', true],
    ['foo/**/bar', 'foo/x/y/bar/z', true],
  ])('%j and %s: %s', (rules, path, leftOut) => {
    expect(contextRules(rules)(path)).toBe(leftOut);
  });

  test.each(['!', 'a[', '[z-a]'])('refuses the malformed %j', (rules) => {
    expect(() => contextRules(rules)).toThrow(expect.objectContaining({ code: 'invalid_input' }));
  });

  test('D1 patterns without wildcards leave out exactly that path and what is below it', () => {
    const name = stringMatching(/^[a-z.+(){}$|]{1,8}$/).filter((text) => !/^\.+$/.test(text));
    assert(
      property(array(name, { minLength: 1, maxLength: 4 }), name, (parts, other) => {
        const path = parts.join('/');
        const leftOut = contextRules(path);
        expect(leftOut(path)).toBe(true);
        expect(leftOut(`${path}/${other}`)).toBe(true);
        expect(leftOut(`${path}x`)).toBe(false);
      }),
    );
  });

  test('patterns made to be slow are not: many wildcards on a long path', () => {
    const leftOut = contextRules(`${'*a'.repeat(30)}b\n${'**/'.repeat(30)}z`);
    expect(leftOut('a'.repeat(250))).toBe(false);
    expect(leftOut(Array.from({ length: 100 }, () => 'a').join('/'))).toBe(false);
  });
});

test('pathPattern: COPY’s patterns; null for a malformed one', () => {
  expect(pathPattern('./.env*')?.('.env.local')).toBe(true);
  expect(pathPattern('*.txt')?.('a/b.txt')).toBe(false);
  expect(pathPattern('a[')).toBeNull();
});
