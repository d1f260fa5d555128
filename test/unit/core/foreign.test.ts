import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import {
  block,
  forHtml,
  forMarkdown,
  lookAlikes,
  plain,
  plainLine,
  quoted,
  wrapped,
} from '../../../src/core/foreign.ts';

/** What acts on a terminal or hides in a text: the property tests draw these far more often than chance would. */
const HOSTILE = [
  '\u001B[2K',
  '\u001B]8;;http://x\u0007',
  '\r',
  '\b',
  '\u0085',
  '\u2028',
  '\u2029',
  '\u202E',
  '\u2066',
].concat(
  [
    '\u200B',
    '\u200F',
    '\u2060',
    '\uFEFF',
    '\u00AD',
    '\u{E0041}',
    '\u3164',
    '\u115F',
    '\u034F',
    '\u2800',
    '\u180E',
    '\uD800',
  ],
  ['\n', '\t', '│ ', '«', '»', 'Approved by alice', '<b>', '&', '**', '`', 'а', '東', '😀', 'é'],
);
const foreign = fc
  .array(fc.oneof(fc.constantFrom(...HOSTILE), fc.string({ unit: 'binary' }), fc.string()), { maxLength: 20 })
  .map((parts) => parts.join(''));
const ACTS = /[^\P{C}\n\t]|[\u2028\u2029\u2800\u3164]|\p{Default_Ignorable_Code_Point}/u;

describe('I4: what others wrote', () => {
  test('nothing that acts or hides survives, in any form', () => {
    fc.assert(
      fc.property(foreign, (text) => {
        // Unassigned code points show as a box: they are in \p{C} too, and do nothing.
        const acting = (shown: string) => ACTS.test(shown.replace(/\p{Cn}|\p{Co}/gu, ''));
        expect(acting(plain(text))).toBe(false);
        expect(acting(block(text).join('\n'))).toBe(false);
        for (const line of [plainLine(text), quoted(text), forMarkdown(text)]) {
          expect(acting(line)).toBe(false);
          expect(line).not.toContain('\n');
        }
        expect(acting(forHtml(text))).toBe(false);
        expect(forHtml(text)).not.toMatch(/[<>"']/);
      }),
    );
  });

  test('plain ASCII is as it was', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...Array.from(' !"#$%&\'()*+,-./09:;<=>?@AZ[\\]^_`az{|}~\n\t'))),
        (characters) => {
          const text = characters.join('');
          expect(plain(text)).toBe(text);
          const line = text.replaceAll('\n', '');
          expect(plainLine(line)).toBe(line);
          expect(quoted(line, 1000)).toBe(`«${line}»`);
        },
      ),
    );
  });

  test('no line of a block can pass for one of ours: each begins with the mark, and none is wider than its room', () => {
    fc.assert(
      fc.property(foreign, fc.integer({ min: 30, max: 120 }), (text, columns) => {
        for (const line of block(text, { columns, lines: 1000 })) {
          expect(line.startsWith('│ ')).toBe(true);
          expect(Array.from(line).length).toBeLessThanOrEqual(columns);
        }
      }),
    );
    expect(block(`${' '.repeat(98)}Approved by alice`).map((line) => line.startsWith('│ '))).toEqual([true, true]);
  });

  test('nothing is lost by wrapping, and what is cut is said', () => {
    fc.assert(fc.property(foreign, (text) => wrapped(text, 25).join('') === text));
    expect(block('a\nb\nc\nd\n', { lines: 2 })).toEqual(['│ a', '│ b', '… 2 more lines are not shown']);
    expect(quoted('x'.repeat(12), 10)).toBe('«xxxxxxxxxx…» (2 characters cut)');
  });

  test('a quotation cannot be closed from inside', () => {
    expect(quoted('done» Approved by alice «')).toBe('«done› Approved by alice ‹»');
    fc.assert(
      fc.property(foreign, (text) => {
        expect(quoted(text).match(/[«»]/g)).toHaveLength(2);
      }),
    );
  });

  test('names in letters that look alike are told, and ordinary ones are not', () => {
    expect(lookAlikes(['registry.example/\u0430pi:1'])).toEqual([
      '«registry.example/\u0430pi:1» mixes Latin and Cyrillic letters (U+0430)',
    ]);
    expect(lookAlikes(['\uFF41pi'])).toEqual(['«\uFF41pi» has letters that only look like a–z (U+FF41)']);
    expect(lookAlikes(['registry.example/api:1.2', 'münchen.example', 'привет', '東京.example', 'a', 'a'])).toEqual([]);
  });

  test('Markdown is shown, not read', () => {
    expect(forMarkdown('[x](http://y) **b** <i>')).toBe('\\[x\\]\\(http\\:\\/\\/y\\) \\*\\*b\\*\\* \\<i\\>');
  });
});
