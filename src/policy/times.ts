import { localTime, nextOpening, readLocal, type ChangeWindow, type FreezeTime } from '../core/calendar.ts';
import type { FreezeEntry, WindowEntry } from './schema.ts';

const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
const EVERY_DAY = [1, 2, 3, 4, 5, 6, 7];
const DAY = 86_400_000;
/** A freeze that lasts longer is no freeze: the policy denies. */
const LONGEST_FREEZE = 366 * DAY;
const DATE = /^(?:(\d{4})-)?(\d\d)-(\d\d)(?: (\d\d?:\d\d))?$/;

/** What is wrong with a time as it is written, and what to write instead; `key` is where, in the entry. */
export interface TimeProblem {
  says: string;
  key?: PropertyKey[];
  sort?: 'window-never-opens' | 'freeze-never-ends';
}

type Report = (problem: TimeProblem) => void;

/** A window as the policy has it, in our terms; undefined where it cannot be read, which is reported. */
export function windowOf(name: string, entry: WindowEntry, report: Report): ChangeWindow | undefined {
  const { timeZone, times, days, from, to } = entry;
  if (!isTimeZone(timeZone, report)) return undefined;
  if ((times === undefined) === (from === undefined || to === undefined) || (times && (days ?? from ?? to))) {
    report({ says: 'write either from and to (with days), or times, a list of such; both is one too many' });
    return undefined;
  }
  const written = times ?? [{ from: from ?? '', to: to ?? '', ...(days && { days }) }];
  const read = written.map((time, index) => {
    const at = (key: PropertyKey) => (times === undefined ? [key] : ['times', index, key]);
    return DATE.test(time.from) ? onceOf(time, at, report) : weeklyOf(time, at, report);
  });
  const known = read.filter((time) => time !== undefined);
  return known.length === read.length ? { name, timeZone, times: known } : undefined;
}

interface Hours {
  from: string;
  to: string;
  days?: string[] | undefined;
}

type At = (key: PropertyKey) => PropertyKey[];

function weeklyOf({ from, to, days }: Hours, at: At, report: Report) {
  const [begins, ends] = [minutesOf(from), minutesOf(to)];
  for (const [key, value, minutes] of [
    ['from', from, begins],
    ['to', to, ends],
  ] as const)
    if (minutes === undefined)
      report({ says: `${key} is ${JSON.stringify(value)}; write a time such as '09:00', in quotes`, key: at(key) });
  const on = days === undefined ? EVERY_DAY : daysOf(days, at, report);
  if (begins === undefined || ends === undefined || on === undefined) return undefined;
  if (begins !== ends) return { days: on, from: begins, to: ends };
  const says = `it never opens: from and to are both ${from}; write a to after it, or 00:00 to 24:00 for the whole day`;
  report({ says, key: at('to'), sort: 'window-never-opens' });
  return undefined;
}

function onceOf({ from, to, days }: Hours, at: At, report: Report) {
  const [start, end] = [dateOf(from, 'from', at, report), dateOf(to, 'to', at, report)];
  if (start === undefined || end === undefined) return undefined;
  if (days !== undefined || start.length < 16 || end.length < 16) {
    report({
      says: `what is open once has no days and is not yearly; write from: '2026-12-01 22:00', with the year`,
      key: at('from'),
    });
    return undefined;
  }
  if (start < end) return { start, end };
  report({
    says: `it never opens: to (${to}) is not after from (${from}); write a later one`,
    key: at('to'),
    sort: 'window-never-opens',
  });
  return undefined;
}

/** A freeze as the policy has it, in our terms; undefined where it cannot be read, which is reported. */
export function freezeOf({ id, reason, timeZone, ...entry }: FreezeEntry, report: Report): FreezeTime | undefined {
  const at: At = (key) => [key];
  if (!isTimeZone(timeZone, report)) return undefined;
  const [from, to] = [dateOf(entry.from, 'from', at, report), dateOf(entry.to, 'to', at, report)];
  if (from === undefined || to === undefined) return undefined;
  if (from.length !== to.length) {
    report({
      says: 'one of from and to has a year and the other has none; write both with it, or both without for every year',
    });
    return undefined;
  }
  const yearly = from.length < 16;
  const ends = yearly ? from !== to : readLocal(to) - readLocal(from) <= LONGEST_FREEZE;
  if (!ends) {
    const says = `it never ends (${entry.from} to ${entry.to} is a year or more); write a rule with decision: deny if this is meant`;
    report({ says, key: ['to'], sort: 'freeze-never-ends' });
    return undefined;
  }
  if (yearly || from < to) return { id, reason, timeZone, from, to };
  report({ says: `to (${entry.to}) is not after from (${entry.from}); write a later one`, key: ['to'] });
  return undefined;
}

/** A Monday; any other moment would do. */
const SOME_DAY = Date.UTC(2026, 0, 5);

/** Whether windows have a minute in common in any year. Of those that open once, when they do is the present's to say. */
export function everOpenTogether(windows: readonly ChangeWindow[]): boolean {
  const yearly = windows.filter(({ times }) => times.length > 0 && times.every((time) => !('start' in time)));
  return nextOpening(yearly, SOME_DAY) !== undefined;
}

/** `YYYY-MM-DD HH:MM`, or without the year. A day without a time is whole: as `to` it ends with that day. */
function dateOf(written: string, key: 'from' | 'to', at: At, report: Report): string | undefined {
  const [, year, month = '', day = '', time] = DATE.exec(written) ?? [];
  const minutes = time === undefined ? 0 : minutesOf(time);
  // Any leap year has all days that a year can have.
  const date = `${year ?? '2024'}-${month}-${day}`;
  const midnight = Date.parse(`${date}T00:00Z`);
  if (minutes === undefined || !(midnight >= 0) || !new Date(midnight).toISOString().startsWith(date)) {
    const says = `${key} is ${JSON.stringify(written)}; write a date such as 2026-12-18, '2026-12-18 18:00', or 12-18 for every year`;
    report({ says, key: at(key) });
    return undefined;
  }
  const moment = midnight + (time === undefined && key === 'to' ? DAY : minutes * 60_000);
  const text = new Date(moment).toISOString().slice(0, 16).replace('T', ' ');
  return year === undefined ? text.slice('2024-'.length) : text;
}

function daysOf(written: readonly string[], at: At, report: Report): number[] | undefined {
  const days = written.flatMap((text) => {
    const [first = -1, last = first, ...more] = text
      .toLowerCase()
      .split('-')
      .map((name) => DAYS.indexOf(name.slice(0, 3)));
    if (first < 0 || last < 0 || more.length > 0) return [undefined];
    return Array.from({ length: ((last - first + 7) % 7) + 1 }, (_, after) => ((first + after) % 7) + 1);
  });
  const known = days.filter((day) => day !== undefined);
  if (known.length === days.length) return [...new Set(known)].sort((a, b) => a - b);
  report({
    says: `days are ${JSON.stringify(written)}; write ${DAYS.join(', ')}, or a range such as mon-thu`,
    key: at('days'),
  });
  return undefined;
}

/** `09:00` as minutes since midnight, up to `24:00`. */
function minutesOf(text: string): number | undefined {
  const [, hour, minute] = /^(\d\d?):(\d\d)$/.exec(text) ?? [];
  const minutes = Number(hour) * 60 + Number(minute);
  return Number(minute) < 60 && minutes <= 1440 ? minutes : undefined;
}

function isTimeZone(name: string, report: Report): boolean {
  try {
    localTime(name, 0);
    return true;
  } catch {
    const says = `there is no time zone ${JSON.stringify(name)}; write a name such as Europe/Berlin or UTC`;
    report({ says, key: ['timeZone'] });
    return false;
  }
}
