import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { frozen, localText, localTime, nextOpening, openings } from '../../../src/core/calendar.ts';
import type { ChangeWindow } from '../../../src/core/calendar.ts';

const MINUTE = 60_000;
const DAY = 1440 * MINUTE;
const BERLIN = 'Europe/Berlin';
/** Whole and half hours, both hemispheres, clocks set by half an hour, at midnight, and never. */
const ZONES = [
  BERLIN,
  'America/New_York',
  'Australia/Lord_Howe',
  'America/Santiago',
  'Asia/Kolkata',
  'Africa/Cairo',
  'UTC',
];

const hours = (from: string, to: string, days = [1, 2, 3, 4, 5, 6, 7], timeZone = BERLIN): ChangeWindow => ({
  name: 'w',
  timeZone,
  times: [{ days, from: minutes(from), to: minutes(to) }],
});
const minutes = (text: string) => Number(text.slice(0, 2)) * 60 + Number(text.slice(3));
const at = (text: string) => Date.parse(text);
const iso = (ms: number | undefined) => (ms === undefined ? undefined : new Date(ms).toISOString().slice(0, 16));

/** Told from one moment's clock alone, by other means of Intl. */
function slowlyOpen({ timeZone, times }: ChangeWindow, moment: number): boolean {
  const shown = new Date(moment).toLocaleString('en-GB', {
    timeZone,
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
  });
  const day = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'].findIndex((name) => shown.startsWith(name)) + 1;
  const minute = minutes(shown.slice(-5)) % 1440;
  const before = day === 1 ? 7 : day - 1;
  return times.some((time) => {
    if ('start' in time) throw new Error('weekly ones only');
    const { days, from, to } = time;
    if (from < to) return days.includes(day) && minute >= from && minute < to;
    return (days.includes(day) && minute >= from) || (days.includes(before) && minute < to);
  });
}

const weekly = fc
  .record({
    timeZone: fc.constantFrom(...ZONES),
    times: fc.array(
      fc.record({
        days: fc.uniqueArray(fc.integer({ min: 1, max: 7 }), { minLength: 1 }),
        from: fc.integer({ min: 0, max: 1439 }),
        to: fc.integer({ min: 1, max: 1440 }),
      }),
      { minLength: 1, maxLength: 2 },
    ),
  })
  .map((window): ChangeWindow => ({ name: 'w', ...window }));

describe('I3 change windows', () => {
  test('over a year, every moment is in an opening exactly when the clock on the wall is in the window', () => {
    const year = { start: at('2026-01-01T00:00Z'), end: at('2027-01-01T00:00Z') };
    fc.assert(
      fc.property(
        weekly,
        fc.array(fc.integer({ min: 0, max: 525_599 }), { minLength: 300, maxLength: 300 }),
        (window, moments) => {
          const spans = openings([window], year);
          for (const { start, end } of spans) {
            // Just outside and just inside of each opening, then anywhere.
            if (start > year.start) expect(slowlyOpen(window, start - MINUTE), iso(start)).toBe(false);
            expect(slowlyOpen(window, start), iso(start)).toBe(true);
            expect(slowlyOpen(window, end - MINUTE), iso(end)).toBe(true);
            if (end < year.end) expect(slowlyOpen(window, end), iso(end)).toBe(false);
          }
          for (const minute of moments) {
            const moment = year.start + minute * MINUTE;
            const inside = spans.some(({ start, end }) => moment >= start && moment < end);
            expect(inside, iso(moment)).toBe(slowlyOpen(window, moment));
          }
        },
      ),
      { numRuns: 25 },
    );
  });

  test('the next opening of several windows is the first minute that is in all of them', () => {
    const moment = fc.integer({ min: at('2026-01-01T00:00Z') / MINUTE, max: at('2027-01-01T00:00Z') / MINUTE });
    fc.assert(
      fc.property(fc.array(weekly, { minLength: 1, maxLength: 2 }), moment, (windows, minute) => {
        const now = minute * MINUTE;
        const slow = Array.from({ length: 8 * 1440 }, (_, later) => now + later * MINUTE).find((each) =>
          windows.every((window) => slowlyOpen(window, each)),
        );
        const next = nextOpening(windows, now)?.start;
        if (slow !== undefined) expect(iso(next)).toBe(iso(slow));
        else expect(next ?? Infinity).toBeGreaterThan(now + 7 * DAY);
      }),
      { numRuns: 40 },
    );
  });

  test.each([
    ['before the clocks are set forward', '2026-03-28T02:00Z', '2026-03-28T08:00'],
    ['on the day: an hour earlier in UTC', '2026-03-28T20:00Z', '2026-03-29T07:00'],
    ['on the day they are set back', '2026-10-24T20:00Z', '2026-10-25T08:00'],
  ])('09:00 in Berlin %s', (_, now, opens) => {
    expect(iso(nextOpening([hours('09:00', '16:00')], at(now))?.start)).toBe(opens);
  });

  test('an hour that the clocks leave out does not open; one that they show twice opens twice', () => {
    const night = hours('02:15', '02:45');
    const within = (day: string) =>
      openings([night], { start: at(`${day}T00:00Z`) - DAY / 2, end: at(`${day}T12:00Z`) }).map(({ start }) =>
        iso(start),
      );
    expect(within('2026-03-29')).toEqual([]);
    expect(within('2026-10-25')).toEqual(['2026-10-25T00:15', '2026-10-25T01:15']);
  });

  test('asked within a minute, the clocks are still set at the full one', () => {
    const now = at('2026-03-28T20:00:30.500Z');
    expect(nextOpening([hours('03:00', '04:00')], now)?.start).toBe(at('2026-03-29T01:00Z'));
  });

  test('past midnight it belongs to the day it began on', () => {
    const friday = hours('22:00', '04:00', [5], 'UTC');
    expect(nextOpening([friday], at('2026-11-28T03:59Z'))?.start).toBe(at('2026-11-28T03:59Z'));
    expect(iso(nextOpening([friday], at('2026-11-28T04:00Z'))?.start)).toBe('2026-12-04T22:00');
  });

  test('once: from its start to its end, then never', () => {
    const once: ChangeWindow = {
      name: 'w',
      timeZone: BERLIN,
      times: [{ start: '2026-12-01 22:00', end: '2026-12-02 02:00' }],
    };
    expect(nextOpening([once], at('2026-11-01T00:00Z'))).toEqual({
      start: at('2026-12-01T21:00Z'),
      end: at('2026-12-02T01:00Z'),
    });
    expect(nextOpening([once], at('2026-12-02T01:00Z'))).toBeUndefined();
  });

  test('windows that have no minute in common never open', () => {
    expect(nextOpening([hours('09:00', '12:00'), hours('12:00', '16:00')], 0)).toBeUndefined();
  });

  test('no window is always open', () => {
    expect(nextOpening([], 5)?.start).toBe(5);
  });
});

describe('I3 freezes', () => {
  const year = { timeZone: BERLIN, from: '12-18 00:00', to: '01-05 00:00' };
  test.each([
    [year, '2026-12-17T22:59Z', undefined],
    [year, '2026-12-17T23:00Z', '2027-01-04T23:00'],
    [year, '2027-01-04T22:59Z', '2027-01-04T23:00'],
    [year, '2027-01-04T23:00Z', undefined],
    [{ timeZone: 'UTC', from: '02-01 00:00', to: '02-29 00:00' }, '2027-02-28T23:00Z', '2027-03-01T00:00'],
    [{ timeZone: 'UTC', from: '2026-12-01 18:00', to: '2026-12-02 06:00' }, '2026-12-02T05:59Z', '2026-12-02T06:00'],
    [{ timeZone: 'UTC', from: '2026-12-01 18:00', to: '2026-12-02 06:00' }, '2027-12-02T05:59Z', undefined],
    // Set back, it lasts until that hour is shown for the last time; set forward, it begins with the leap.
    [{ timeZone: BERLIN, from: '2026-10-24 00:00', to: '2026-10-25 02:30' }, '2026-10-25T01:29Z', '2026-10-25T01:30'],
    [{ timeZone: BERLIN, from: '2026-03-29 02:30', to: '2026-03-30 00:00' }, '2026-03-29T01:00Z', '2026-03-29T22:00'],
  ])('%j at %s', (freeze, now, ends) => {
    expect(iso(frozen(freeze, at(now))?.end)).toBe(ends);
  });

  test('a whole freeze is a freeze at each of its minutes and at no other', () => {
    fc.assert(
      fc.property(fc.constantFrom(...ZONES), fc.integer({ min: 0, max: 525_599 }), (timeZone, minute) => {
        const moment = at('2026-01-01T00:00Z') + minute * MINUTE;
        const date = localText(timeZone, moment).slice(5, 10);
        expect(frozen({ timeZone, from: '12-18 00:00', to: '01-05 00:00' }, moment) !== undefined).toBe(
          date >= '12-18' || date < '01-05',
        );
      }),
    );
  });

  test('an unknown time zone is an error, not UTC', () => {
    expect(() => localTime('Europe/Nowhere', 0)).toThrow(RangeError);
  });
});
