import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { HoldpointError } from '../../../src/core/errors.ts';
import { createMalformed } from '../../../src/server/malformed.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function recording(append: (data: unknown) => void) {
  const logged: string[] = [];
  const parts = {
    audit: { append: ({ data }: { data: unknown }) => append(data) },
    redactor: { text: (text: string) => text.replace('secret', '***') },
    log: (_level: string, _fields: unknown, message: string) => void logged.push(message),
  } as unknown as Parameters<typeof createMalformed>[0];
  return { malformed: createMalformed(parts), logged };
}

test('A3: a flood of what is no message is recorded up to a bound, and the rest by its count', () => {
  const records: unknown[] = [];
  const { malformed } = recording((data) => void records.push(data));
  for (let at = 0; at < 2700; at++) malformed('no JSON', 'x secret');
  const counted = (leftOut: number) => ({ malformed: 'more than are recorded one by one', leftOut });
  expect(records[0]).toEqual({ malformed: 'no JSON', begins: 'x ***' });
  expect(records.slice(200)).toEqual([counted(1000), counted(1000)]);
  vi.advanceTimersByTime(60_000);
  expect(records.slice(202)).toEqual([counted(500)]);
  malformed('no JSON', 'again');
  vi.advanceTimersByTime(60_000);
  expect(records.slice(203)).toEqual([{ malformed: 'no JSON', begins: 'again' }]);
});

test('A3: a log that takes nothing ends nobody’s process, and what was not recorded is counted', () => {
  let full = true;
  const records: unknown[] = [];
  const { malformed, logged } = recording((data) => {
    if (full) throw new HoldpointError('unavailable', 'Too many audit records wait to be written.');
    records.push(data);
  });
  malformed('no JSON', 'x');
  expect(logged).toHaveLength(1);
  full = false;
  vi.advanceTimersByTime(60_000);
  expect(records).toEqual([{ malformed: 'more than are recorded one by one', leftOut: 1 }]);
});
