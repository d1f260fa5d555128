import { HoldpointError } from '../../core/errors.ts';

/** Seconds since 1970; start and end are multiples of the step. */
export interface Window {
  start: number;
  end: number;
  /** Seconds; 0 for one moment. */
  step: number;
}

export interface WrittenWindow {
  from?: string | undefined;
  to?: string | undefined;
  step?: string | undefined;
}

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };
const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400];
const USUAL_POINTS = 120;
const MAX_POINTS = 1000;
const DURATION = /^(?:\d{1,6}[smhdw])+$/;
const ISO = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?<zone>Z|[+-]\d\d:?\d\d)?)?$/;

/** `1h30m` in seconds; undefined for what is no duration. */
export function seconds(duration: string): number | undefined {
  if (!DURATION.test(duration)) return undefined;
  return [...duration.matchAll(/(\d+)([smhdw])/g)].reduce(
    (sum, [, n, unit]) => sum + Number(n) * (UNITS[unit ?? ''] ?? 0),
    0,
  );
}

/** `5400` as `1h30m`: the two largest units. */
export function durationText(total: number): string {
  const parts: string[] = [];
  let rest = Math.max(0, Math.round(total));
  for (const [unit, size] of [
    ['d', 86_400],
    ['h', 3600],
    ['m', 60],
    ['s', 1],
  ] as const) {
    if (rest >= size && parts.length < 2) parts.push(`${Math.floor(rest / size)}${unit}`);
    rest %= size;
  }
  return parts.join('') || '0s';
}

/**
 * What the range means at `now` (milliseconds): `-1h`, ISO 8601 (UTC where it names no zone) or Unix time; from `now` is one
 * moment. The step is chosen for at most 120 points where none is given.
 *
 * @throws HoldpointError `invalid_input`
 */
export function readWindow({ from = '-1h', to = 'now', step }: WrittenWindow, now: number): Window {
  const start = moment(from, 'from', now);
  const end = moment(to, 'to', now);
  if (from === 'now' || from === to) {
    if (step !== undefined) throw wrong('One moment has no step.', 'Leave step out, or give an earlier from.');
    return { start, end: start, step: 0 };
  }
  if (end <= start) throw wrong('The range ends before it starts.', 'Give a from that is earlier than to.');
  const range = end - start;
  const width = step === undefined ? usualStep(range) : seconds(step);
  if (width === undefined || width === 0) throw wrong(`${shown(step ?? '')} is no step.`, 'Write such as 30s or 5m.');
  if (range / width > MAX_POINTS)
    throw wrong(
      `A step of ${step} makes more than ${MAX_POINTS} points.`,
      `Use ${durationText(usualStep(range))} or more, or a shorter range.`,
    );
  // On the step's own grid, so that the same range asked again has the same points.
  return { start: Math.floor(start / width) * width, end: Math.floor(end / width) * width, step: width };
}

function usualStep(range: number): number {
  return STEPS.find((step) => range / step <= USUAL_POINTS) ?? Math.ceil(range / USUAL_POINTS / 86_400) * 86_400;
}

function moment(text: string, name: string, now: number): number {
  if (text === 'now') return Math.floor(now / 1000);
  const back = /^(?:now)?-(.+)$/.exec(text)?.[1];
  const ago = back === undefined ? undefined : seconds(back);
  if (ago !== undefined) return Math.floor(now / 1000) - ago;
  if (/^\d{9,10}$/.test(text)) return Number(text);
  if (/^\d{12,13}$/.test(text)) return Math.floor(Number(text) / 1000);
  const iso = ISO.exec(text);
  const parsed = iso
    ? Date.parse(text.replace(' ', 'T') + (text.length > 10 && !iso.groups?.['zone'] ? 'Z' : ''))
    : NaN;
  if (!Number.isNaN(parsed)) return Math.floor(parsed / 1000);
  throw wrong(`${shown(text)} is no time (${name}).`, 'Write -1h, 2026-01-31T10:00Z, a Unix time, or now.');
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 60));
}

function wrong(message: string, hint: string): HoldpointError {
  return new HoldpointError('invalid_input', message, { hint });
}
