import fc from 'fast-check';
import { expect, test } from 'vitest';

import { bound, cutText } from '../../../src/server/bound.ts';
import type { JsonObject } from '../../../src/core/json.ts';

test('what fits stays as it is (A7)', () => {
  const value = { a: 'x', list: [1, 2, 3] };
  expect(bound(value, 1000)).toEqual({ value, cut: 0 });
});

test('a long text keeps its beginning and its end, and says what is gone (A7)', () => {
  const lines = Array.from({ length: 1000 }, (_, index) => `line ${index}`).join('\n');
  const cut = cutText(lines, 500);
  expect(cut).toMatch(/^line 0\nline 1\n/);
  expect(cut).toMatch(/line 999$/);
  expect(cut).toMatch(/… \d+ bytes left out …/);
  expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(500);
});

test('a long list says how many entries are gone (A7)', () => {
  const { value, cut } = bound({ items: Array.from({ length: 5000 }, (_, index) => ({ index })) }, 2000);
  expect(cut).toBeGreaterThan(0);
  expect((value['items'] as unknown[]).at(-1)).toMatch(/^… \d+ more$/);
});

test('whatever the result, its JSON fits the budget (A7)', () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 })),
      fc.integer({ min: 1024, max: 4096 }),
      (value, budget) => {
        const bounded = bound({ ...(value as JsonObject), text: 'ä'.repeat(3000) }, budget);
        expect(Buffer.byteLength(JSON.stringify(bounded.value))).toBeLessThanOrEqual(budget);
      },
    ),
  );
});
