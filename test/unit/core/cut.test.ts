import fc from 'fast-check';
import { expect, test } from 'vitest';

import { foldAlike } from '../../../src/core/alike.ts';
import { cutInside } from '../../../src/core/cut.ts';

const folded = (...lines: string[]) => foldAlike(lines).map(({ line }) => line);

test('runs of lines that differ in digits alone are folded to their ends; short runs and others stay', () => {
  const steps = Array.from({ length: 20 }, (_, at) => `${at} of 20`);
  expect(folded('start', ...steps, 'end')).toEqual(['start', '0 of 20', '… 18 lines like it', '19 of 20', 'end']);
  expect(folded('1 a', '2 a', '3 a', '1 b', '2 b')).toEqual(['1 a', '2 a', '3 a', '1 b', '2 b']);
  expect(folded('', '', '', '', 'x')).toEqual(['', '… 2 lines like it', '', 'x']);
});

test('every line is counted, and what is no counter is never lost', () => {
  const line = fc.oneof(fc.string(), fc.nat().map(String), fc.constantFrom('a 1', 'a 2', 'b'));
  fc.assert(
    fc.property(fc.array(line), (lines) => {
      const after = foldAlike(lines);
      expect(after.reduce((sum, { count }) => sum + count, 0)).toBe(lines.length);
      const shapes = new Set(after.map((each) => each.line.replace(/\d+/g, '0')));
      expect(lines.filter((each) => !shapes.has(each.replace(/\d+/g, '0')))).toEqual([]);
    }),
  );
});

test('a text cut inside keeps both ends, whole words of them, and its bound', () => {
  expect(cutInside('short', 10)).toBe('short');
  const words = fc.array(fc.stringMatching(/^[a-z]{1,12}$/), { minLength: 1, maxLength: 80 });
  fc.assert(
    fc.property(words, fc.integer({ min: 20, max: 200 }), (given, max) => {
      const text = given.join(' ');
      const cut = cutInside(text, max);
      expect(cut.length).toBeLessThanOrEqual(max + 3);
      expect(cut.split(' ').filter((word) => word !== '…' && word !== '' && !given.includes(word))).toEqual([]);
    }),
  );
});
