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

  test('that differ in digits alone are folded, so that what came before them is still there', () => {
    const log = [at('11', 'applying'), ...Array.from({ length: 500 }, (_, n) => at('12', `${n} of 500 done`))];
    log.push(at('13', '##[error]timed out'));
    expect(failedLines(log.join('\n'), [step('a', '10', '14')], 200)).toBe(
      'applying\n0 of 500 done\n… 498 lines like it\n499 of 500 done\nerror: timed out',
    );
  });

  test('left out at the beginning are counted, folded ones as well', () => {
    const run = (word: string) => Array.from({ length: 100 }, (_, n) => at('12', `${word} ${n}`));
    const log = [...run('first'), ...run('second'), at('13', '##[error]no')].join('\n');
    expect(failedLines(log, [step('a', '10', '14')], 50)).toBe(
      '… 100 lines before\nsecond 0\n… 98 lines like it\nsecond 99\nerror: no',
    );
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
