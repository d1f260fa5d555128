import type { Window } from './window.ts';
import { cleanLabels, sharedLabels, withoutLabels, type Redact } from './text.ts';

/** One series as it came: labels, and samples in order, each with its time in seconds. A value may be NaN or infinite. */
export interface Series {
  labels: Record<string, string>;
  samples: [at: number, value: number][];
}

/** One series in figures. Numbers have four significant digits; what is not finite counts in `points` and `special` alone. */
interface SeriesSummary {
  labels: Record<string, string>;
  /** The newest sample: a number, or `NaN`, `+Inf`, `-Inf`. Absent for a series without samples. */
  last?: number | string;
  /** Age of the newest sample in seconds before the range's end, where the series ended earlier. */
  endedBefore?: number;
  min?: number;
  max?: number;
  avg?: number;
  trend?: Trend;
  /** From the first to the last quarter of the range, in percent; absent where the first is 0. */
  change?: number;
  points: number;
  /** Times that samples are missing between the first and the last. */
  gaps?: number;
  /** How many samples are NaN or infinite. */
  special?: number;
  /** Evenly spaced: in each stretch the sample farthest from the average; null where there is none. */
  values?: (number | null)[];
}

export type Trend = 'rising' | 'falling' | 'flat' | 'spiky';

export interface SeriesReport {
  /** Labels that all series share, said once. */
  common: Record<string, string>;
  series: SeriesSummary[];
  /** Series left out. */
  more: number;
  /** Of `values`: seconds between two. */
  every?: number;
}

const MOST_VALUES = 30;
/** Movement below this share of a series' own size is noise. */
const FLAT = 0.05;

/** At most `limit` series, the most telling first: those with the largest last value or change. */
export function reportSeries(
  all: readonly Series[],
  window: Window,
  { limit, points, redact }: { limit: number; points: boolean; redact: Redact },
): SeriesReport {
  const common = sharedLabels(all.map(({ labels }) => labels));
  const ranked = byRelevance(all);
  const stretch = Math.max(1, Math.ceil(((window.end - window.start) / Math.max(1, window.step) + 1) / MOST_VALUES));
  const every = stretch * window.step;
  const series = ranked.slice(0, limit).map((each) => {
    return {
      labels: cleanLabels(withoutLabels(each.labels, common), redact),
      ...figures(each.samples, window),
      ...(points && window.step > 0 ? { values: downsampled(each.samples, window, every) } : {}),
    };
  });
  return {
    common: cleanLabels(common, redact),
    series,
    more: ranked.length - series.length,
    ...(points && window.step > 0 ? { every } : {}),
  };
}

function byRelevance(all: readonly Series[]): Series[] {
  const sizes = all.map(({ samples }) => {
    const values = finite(samples);
    const last = values.at(-1) ?? 0;
    return { last: Math.abs(last), change: Math.abs(last - (values[0] ?? last)) };
  });
  const most = { last: 0, change: 0 };
  for (const { last, change } of sizes) {
    most.last = Math.max(most.last, last);
    most.change = Math.max(most.change, change);
  }
  const share = (value: number, of: number) => (of === 0 ? 0 : value / of);
  return all
    .map((series, index) => {
      const { last, change } = sizes[index] ?? most;
      return { series, last, score: Math.max(share(last, most.last), share(change, most.change)) };
    })
    .sort((a, b) => b.score - a.score || b.last - a.last)
    .map(({ series }) => series);
}

function figures(samples: Series['samples'], { step, end }: Window): Omit<SeriesSummary, 'labels'> {
  const newest = samples.at(-1);
  if (newest === undefined) return { points: 0 };
  const last = said(newest[1]);
  const values = finite(samples);
  if (step === 0) return { last, points: samples.length };
  const special = samples.length - values.length;
  const missing = samples.filter(([at], index) => at - (samples[index - 1]?.[0] ?? at) > step * 1.5).length;
  return {
    last,
    ...(end - newest[0] > step * 1.5 ? { endedBefore: Math.round(end - newest[0]) } : {}),
    ...(values.length === 0 ? {} : spread(values)),
    points: samples.length,
    ...(missing > 0 ? { gaps: missing } : {}),
    ...(special > 0 ? { special } : {}),
  };
}

function spread(values: readonly number[]): Pick<SeriesSummary, 'min' | 'max' | 'avg' | 'trend' | 'change'> {
  const [min, max] = extremes(values);
  // Of the smallest numbers there are, the mean's own rounding would fall outside.
  const avg = Math.min(max, Math.max(min, mean(values)));
  return { min: round(min), max: round(max), avg: round(avg), ...trendOf(values) };
}

/**
 * Compares the first quarter with the last. `rising`, `falling`: the two differ by at least half of the whole range that the
 * values cover; `flat`: the values cover less than 5 % of their own size; `spiky`: they move, and come back.
 */
export function trendOf(values: readonly number[]): { trend: Trend; change?: number } {
  const quarter = Math.max(1, Math.floor(values.length / 4));
  const first = mean(values.slice(0, quarter));
  const last = mean(values.slice(-quarter));
  const [min, max] = extremes(values);
  const range = max - min;
  const size = Math.max(Math.abs(min), Math.abs(max));
  const percent = first === 0 ? undefined : withoutSign(Math.round(((last - first) / Math.abs(first)) * 100));
  const change = percent === undefined || !Number.isFinite(percent) ? {} : { change: percent };
  if (range <= size * FLAT) return { trend: 'flat', ...change };
  if (Math.abs(last - first) >= range / 2) return { trend: last > first ? 'rising' : 'falling', ...change };
  return { trend: 'spiky', ...change };
}

function downsampled(samples: Series['samples'], { start, end }: Window, every: number): (number | null)[] {
  const average = mean(finite(samples));
  const chosen: (number | null)[] = Array.from({ length: Math.floor((end - start) / every) + 1 }, () => null);
  for (const [at, value] of samples) {
    const index = Math.floor((at - start) / every);
    const kept = chosen[index];
    if (!Number.isFinite(value) || kept === undefined) continue;
    if (kept === null || Math.abs(value - average) > Math.abs(kept - average)) chosen[index] = value;
  }
  return chosen.map((value) => (value === null ? null : round(value)));
}

function finite(samples: Series['samples']): number[] {
  return samples.map(([, value]) => value).filter(Number.isFinite);
}

function mean(values: readonly number[]): number {
  // Divided one by one, so that large values do not overflow.
  return values.reduce((sum, value) => sum + value / values.length, 0);
}

function extremes(values: readonly number[]): [min: number, max: number] {
  return values.reduce(([min, max], value) => [Math.min(min, value), Math.max(max, value)], [Infinity, -Infinity]);
}

function said(value: number): number | string {
  if (Number.isNaN(value)) return 'NaN';
  return Number.isFinite(value) ? round(value) : value > 0 ? '+Inf' : '-Inf';
}

/** Four significant digits; whole numbers keep nine. */
function round(value: number): number {
  const rounded = Number(value.toPrecision(Number.isInteger(value) ? 9 : 4));
  // The largest numbers there are round up to infinity, which JSON does not have.
  return withoutSign(Number.isFinite(rounded) ? rounded : value);
}

/** JSON has no negative zero. */
function withoutSign(value: number): number {
  return value === 0 ? 0 : value;
}
