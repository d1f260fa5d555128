import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { createRedactor } from '../../../src/redact/redact.ts';
import { canaries, hits } from '../../canaries.ts';

const redactor = createRedactor(['kn0wn-v4lue-of-the-settings']);
const known = { value: 'kn0wn-v4lue-of-the-settings', form: 'known', text: 'saw kn0wn-v4lue-of-the-settings there' };
const all = [known, ...canaries('stream')];

/** A text in pieces that end at the given places. */
function pieces(text: string, cuts: readonly number[]): string[] {
  const at = [0, ...cuts.map((cut) => cut % (text.length + 1)).toSorted((a, b) => a - b), text.length];
  return at.slice(1).map((end, index) => text.slice(at[index], end));
}

describe('a text that comes in pieces (C3)', () => {
  test('wherever it is cut, no planted secret comes out, no line is lost', () => {
    fc.assert(
      fc.property(
        fc.shuffledSubarray(all, { minLength: 1, maxLength: 6 }),
        fc.array(fc.nat(5000), { maxLength: 12 }),
        (some, cuts) => {
          const text = some.map((canary) => `line\n${canary.text}\n`).join('');
          const stream = redactor.stream();
          const shown = [...pieces(text, cuts).map((piece) => stream.push(piece)), stream.end()].join('');
          expect(hits(Buffer.from(shown), some), shown).toEqual([]);
          expect(shown.split('\n')).toHaveLength(text.split('\n').length);
        },
      ),
      { numRuns: 150 },
    );
  });

  test('a private key printed line by line: not one line of it, then the text goes on', () => {
    const { privateKey } = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    });
    const lines = privateKey.trim().split('\n');
    const stream = redactor.stream();
    const shown = ['before', ...lines, 'after'].map((line) => stream.line(line));
    expect(shown).toEqual(['before', ...lines.map(() => '[redacted]'), 'after']);
    // A line in the middle of which the reader begins, with the end in sight.
    expect(redactor.text([...lines.slice(5), 'after'].join('\n'))).toBe(
      [...lines.slice(5).map(() => '[redacted]'), 'after'].join('\n'),
    );
  });

  test('a line that never ends goes out in the end, and memory has a bound', () => {
    const stream = redactor.stream();
    let out = 0;
    for (let piece = 0; piece < 50; piece += 1) out += stream.push('x'.repeat(10_000)).length;
    expect(out).toBeGreaterThan(400_000);
    expect(out + stream.end().length).toBe(500_000);
  });

  test('text without secrets comes out as it went in', () => {
    fc.assert(
      fc.property(
        fc.lorem({ mode: 'sentences', maxCount: 8 }),
        fc.array(fc.nat(500), { maxLength: 8 }),
        (words, cuts) => {
          const text = words.replaceAll('. ', '.\n');
          const stream = redactor.stream();
          return [...pieces(text, cuts).map((piece) => stream.push(piece)), stream.end()].join('') === text;
        },
      ),
    );
  });
});
