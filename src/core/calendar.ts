const MINUTE = 60_000;
const DAY = 1440 * MINUTE;
/** How far ahead an opening is looked for. */
const HORIZON = 400 * DAY;
/** At once; most windows open within it. */
const STRETCH = 9 * DAY;

/** When a window is open, on the clocks of its time zone. All are inside it while one of its times is. */
export interface ChangeWindow {
  name: string;
  /** IANA name, such as `Europe/Berlin`. */
  timeZone: string;
  times: readonly (WeeklyTime | OneTime)[];
}

/** Every week. A `to` that is not after `from` is on the next day, which belongs to the day it began on. */
interface WeeklyTime {
  /** 1 is Monday, 7 is Sunday. */
  days: readonly number[];
  /** Minutes since midnight; `to` is the first that is outside. */
  from: number;
  to: number;
}

/** Once. `YYYY-MM-DD HH:MM`; `end` is the first minute that is outside. */
interface OneTime {
  start: string;
  end: string;
}

/** A time without changes, from the beginning of `from` up to `to`: `YYYY-MM-DD HH:MM`, or `MM-DD HH:MM` for every year. */
export interface FreezeTime {
  id: string;
  reason: string;
  timeZone: string;
  from: string;
  to: string;
}

/** Milliseconds since 1970; `end` is the first that is outside. */
export interface Span {
  start: number;
  end: number;
}

const clocks = new Map<string, Intl.DateTimeFormat>();

/** What the clocks of a place show, as milliseconds since 1970 as if that were UTC. @throws RangeError for no time zone. */
export function localTime(timeZone: string, at: number): number {
  let clock = clocks.get(timeZone);
  if (clock === undefined) {
    const two = '2-digit';
    clock = new Intl.DateTimeFormat('en-US', {
      timeZone,
      calendar: 'gregory',
      numberingSystem: 'latn',
      hourCycle: 'h23',
      year: 'numeric',
      month: two,
      day: two,
      hour: two,
      minute: two,
      second: two,
    });
    clocks.set(timeZone, clock);
  }
  const parts: Record<string, number> = {};
  for (const { type, value } of clock.formatToParts(at)) parts[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

/** `2026-11-23 09:00 Europe/Berlin`. */
export function localText(timeZone: string, at: number): string {
  return `${new Date(localTime(timeZone, at)).toISOString().slice(0, 16).replace('T', ' ')} ${timeZone}`;
}

function offsetAt(timeZone: string, at: number): number {
  const whole = Math.floor(at / MINUTE) * MINUTE;
  return localTime(timeZone, whole) - whole;
}

/**
 * The earliest and the latest moment at which the clocks show `local`: two where they are set back over it. Where they are set
 * forward over it, the moments at which it would have been by the clocks before and after.
 */
function momentsOf(timeZone: string, local: number): Span {
  const moments = [offsetAt(timeZone, local - DAY), offsetAt(timeZone, local + DAY)].map((offset) => local - offset);
  const shown = moments.filter((at) => localTime(timeZone, at) === local);
  const either = shown.length > 0 ? shown : moments;
  return { start: Math.min(...either), end: Math.max(...either) };
}

/** The parts of a span in which the clocks are neither set forward nor back, each with how far they are ahead of UTC. */
function steadyParts(timeZone: string, { start, end }: Span): (Span & { offset: number })[] {
  const parts: (Span & { offset: number })[] = [];
  for (let at = start; at < end;) {
    const offset = offsetAt(timeZone, at);
    let [same, other] = [at, Math.min(at + DAY, end)];
    if (offsetAt(timeZone, other) === offset) same = other;
    else
      while (other - same > MINUTE) {
        const middle = same + Math.floor((other - same) / (2 * MINUTE)) * MINUTE;
        if (offsetAt(timeZone, middle) === offset) same = middle;
        else other = middle;
      }
    const next = same === other ? other : Math.floor(other / MINUTE) * MINUTE;
    const last = parts.at(-1);
    if (last?.offset === offset) last.end = Math.min(next, end);
    else parts.push({ start: at, end: Math.min(next, end), offset });
    at = next;
  }
  return parts;
}

/** When one window is open within a span: whenever its clocks show one of its times. */
function opensWithin({ timeZone, times }: ChangeWindow, span: Span): Span[] {
  const parts = steadyParts(timeZone, span);
  const found = times.flatMap((time) => {
    if ('start' in time) {
      const [start, end] = [momentsOf(timeZone, readLocal(time.start)), momentsOf(timeZone, readLocal(time.end))];
      return [{ start: start.start, end: end.end }];
    }
    const length = ((time.to - time.from + 1439) % 1440) + 1;
    return parts.flatMap((part) => {
      const [first, last] = [part.start + part.offset, part.end + part.offset];
      const spans: Span[] = [];
      for (let day = Math.floor(first / DAY) * DAY - DAY; day < last; day += DAY) {
        if (!time.days.includes(((day / DAY + 3) % 7) + 1)) continue;
        const [from, to] = [day + time.from * MINUTE, day + (time.from + length) * MINUTE];
        spans.push({ start: Math.max(from, first) - part.offset, end: Math.min(to, last) - part.offset });
      }
      return spans;
    });
  });
  return united(found.map(({ start, end }) => ({ start: Math.max(start, span.start), end: Math.min(end, span.end) })));
}

function united(spans: readonly Span[]): Span[] {
  const whole: Span[] = [];
  for (const { start, end } of spans.filter((each) => each.start < each.end).toSorted((a, b) => a.start - b.start)) {
    const last = whole.at(-1);
    if (last !== undefined && start <= last.end) last.end = Math.max(last.end, end);
    else whole.push({ start, end });
  }
  return whole;
}

function both(a: readonly Span[], b: readonly Span[]): Span[] {
  return united(
    a.flatMap((one) =>
      b.map((other) => ({ start: Math.max(one.start, other.start), end: Math.min(one.end, other.end) })),
    ),
  );
}

/** When all of these windows are open within a span, in order. Without a window: always. */
export function openings(windows: readonly ChangeWindow[], span: Span): Span[] {
  return windows.reduce<Span[]>((open, window) => both(open, opensWithin(window, span)), [span]);
}

/**
 * The first time from `now` on at which all of these windows are open: now itself, if they are. Undefined where they never are
 * within 400 days. `end` is when the first of them closes, or a time at least nine days ahead.
 */
export function nextOpening(windows: readonly ChangeWindow[], now: number): Span | undefined {
  for (let start = now; start < now + HORIZON; start += STRETCH) {
    const [first] = openings(windows, { start, end: start + 2 * STRETCH });
    if (first !== undefined) return first;
  }
  return undefined;
}

/** The time of a freeze that `now` is in, or undefined. Where clocks are set back or forward at its ends, the longer time. */
export function frozen(
  { timeZone, from, to }: Pick<FreezeTime, 'timeZone' | 'from' | 'to'>,
  now: number,
): Span | undefined {
  const year = new Date(localTime(timeZone, now)).getUTCFullYear();
  // One that is every year may have begun in the last one.
  const spans = /^\d{4}-/.test(from)
    ? [[from, to]]
    : [year - 1, year].map((begins) => [`${begins}-${from}`, `${from < to ? begins : begins + 1}-${to}`]);
  return spans
    .map(([begin = '', end = '']) => ({
      start: momentsOf(timeZone, readLocal(begin)).start,
      end: momentsOf(timeZone, readLocal(end)).end,
    }))
    .find(({ start, end }) => now >= start && now < end);
}

/** `YYYY-MM-DD HH:MM` as if it were UTC; the 29th of February of another year is the 1st of March. */
export function readLocal(text: string): number {
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0] = text.split(/[- :]/).map(Number);
  return Date.UTC(year, month - 1, day, hour, minute);
}
