import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { failedLines } from '../../../src/adapters/github/logs.ts';

const step = (name: string, started: string, completed: string) => ({
  name,
  status: 'completed',
  conclusion: 'failure',
  started: `2026-05-04T12:00:${started}Z`,
  completed: `2026-05-04T12:00:${completed}Z`,
});
const at = (second: string, text: string) => `2026-05-04T12:00:${second}.1234567Z ${text}`;

describe('E1 lines of a failed job', () => {
  test('are those of its failed steps, up to a little after the last error', () => {
    const log = [
      at('01', 'earlier'),
      at('10', '##[group]Run make'),
      at('10', 'env: SECRETS'),
      at('10', '##[endgroup]'),
      at('11', 'cc main.c'),
      at('12', '##[error]exit 2'),
      at('12', 'a'),
      at('13', 'b'),
      at('13', 'c'),
      at('13', 'd'),
      at('30', 'cleaning up'),
    ].join('\n');
    expect(failedLines(log, [step('make', '10', '14')], 1000)).toBe('$ make\ncc main.c\nerror: exit 2\na\nb\nc');
  });

  test('without known steps all of the log counts, without marks its end', () => {
    expect(failedLines(`${at('01', 'x')}\n${at('02', 'y')}`, [], 1000)).toBe('x\ny');
    expect(failedLines('', [], 1000)).toBe('');
  });

  test('a line of several parts keeps its step, and an endless line is cut at its beginning', () => {
    expect(failedLines(`${at('10', 'first')}\nsecond`, [step('a', '10', '10')], 1000)).toBe('first\nsecond');
    expect(failedLines(at('10', `${'x'.repeat(5000)}end`), [step('a', '10', '10')], 100)).toMatch(/^x{97}end$/);
  });

  test('no control characters come out, and never more than is asked for', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' })), fc.integer({ min: 100, max: 500 }), (lines, max) => {
        const text = failedLines(lines.map((line) => at('10', line)).join('\n'), [step('a', '10', '10')], max);
        expect(text).not.toMatch(/(?![\n\t])\p{Cc}/u);
        expect(text.length).toBeLessThanOrEqual(max + 40);
      }),
    );
  });
});
