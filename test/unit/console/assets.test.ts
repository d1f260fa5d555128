import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';

import { loadAssets } from '../../../src/console/assets.ts';
import { pieces } from '../../../src/console/page/plain.ts';

const PAGE = resolve(import.meta.dirname, '../../../src/console/page');

test('I5 the whole page is less than 60 KB, compressed', async () => {
  const sizes = [...(await loadAssets()).values()].map(({ text }) => gzipSync(text).length);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(60 * 1024);
});

test('I5 what the page imports is served, as JavaScript without types', async () => {
  const assets = await loadAssets();
  const wanted = new Set(['main.js']);
  for (const name of wanted) {
    const { text, type } = assets.get(name) ?? { text: 'missing', type: name };
    expect(type).toBe('text/javascript; charset=utf-8');
    expect(text).not.toMatch(/\binterface \w+ \{|: string\b/);
    for (const [, from = ''] of text.matchAll(/\bfrom '([^']+)'/g)) {
      expect(from, name).toMatch(/^\.\/[\w-]+\.js$/);
      wanted.add(from.slice(2));
    }
  }
  expect(wanted.size).toBeGreaterThan(10);
  expect([...assets.keys()].filter((name) => name.endsWith('.js') && !wanted.has(name))).toEqual(['answers.js']);
});

test('I5 nothing in the page makes HTML or script of text', () => {
  const sources = readdirSync(PAGE).filter((name) => /\.(?:ts|html)$/.test(name));
  const sinks =
    /innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|\beval\b|new Function|srcdoc|\.style\b/;
  for (const name of sources) expect(readFileSync(resolve(PAGE, name), 'utf8'), name).not.toMatch(sinks);
});

test('I5 what acts or shows as nothing is cut out as its code point; all else stays as it is', () => {
  expect(pieces('a\u202Eb\n\tc\u200B\u200Dd\x1b[31m')).toEqual([
    { text: 'a', acts: false },
    { text: '\\u{202e}', acts: true },
    { text: 'b\n\tc', acts: false },
    { text: '\\u{200b}\\u{200d}', acts: true },
    { text: 'd', acts: false },
    { text: '\\u{1b}', acts: true },
    { text: '[31m', acts: false },
  ]);
  expect(pieces('**<b>ä漢🙂</b>**')).toEqual([{ text: '**<b>ä漢🙂</b>**', acts: false }]);
});
