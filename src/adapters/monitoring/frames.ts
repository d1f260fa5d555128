import { z } from 'zod';

import { shaped } from './errors.ts';
import type { SeriesAnswer } from './prometheus.ts';
import type { Series } from './series.ts';

/** What JSON has no numbers for: positions in a column, by what stands there. */
const entities = z.object({
  NaN: z.array(z.number()).default([]),
  Inf: z.array(z.number()).default([]),
  NegInf: z.array(z.number()).default([]),
});

const field = z.object({
  name: z.string().default(''),
  type: z.string().default(''),
  labels: z.record(z.string(), z.string()).nullish(),
});

const frame = z.object({
  schema: z.object({
    meta: z.object({ notices: z.array(z.object({ text: z.string() })).nullish() }).nullish(),
    fields: z.array(field),
  }),
  data: z.object({
    values: z.array(z.array(z.unknown())),
    entities: z.array(entities.nullable()).nullish(),
  }),
});

/** `results.A` of POST /api/ds/query. */
const response = z.object({
  results: z.object({
    A: z.object({ error: z.string().nullish(), status: z.number().nullish(), frames: z.array(frame).nullish() }),
  }),
});

export type FrameAnswer = SeriesAnswer | { error: string; status: number };

/**
 * Grafana's data frames as series: each number column is one, with the labels of its field and the times of the frame's time
 * column. `undefined` for frames with columns of another kind.
 *
 * @throws HoldpointError `upstream` for an answer that is no such response.
 */
export function readFrames(value: unknown): FrameAnswer | undefined {
  const { error, status, frames } = shaped(response, value, 'grafana').results.A;
  if (error) return { error, status: status ?? 500 };
  const all = frames ?? [];
  const found = all.map(seriesIn);
  if (found.some((series) => series === undefined)) return undefined;
  return {
    series: found.flatMap((series) => series ?? []),
    warnings: all.flatMap(({ schema }) => (schema.meta?.notices ?? []).map(({ text }) => text)),
  };
}

function seriesIn({ schema: { fields }, data }: z.output<typeof frame>): Series[] | undefined {
  if (data.values.length === 0) return [];
  const time = fields.findIndex(({ type }) => type === 'time');
  if (time === -1 || fields.some(({ type }) => type !== 'time' && type !== 'number')) return undefined;
  const times = data.values[time] ?? [];
  return fields.flatMap(({ type, name, labels }, column) => {
    if (type !== 'number') return [];
    const special = data.entities?.[column];
    const marks = new Map<number, number>([
      ...(special?.NaN ?? []).map((index): [number, number] => [index, Number.NaN]),
      ...(special?.Inf ?? []).map((index): [number, number] => [index, Infinity]),
      ...(special?.NegInf ?? []).map((index): [number, number] => [index, -Infinity]),
    ]);
    const samples = times.flatMap((at, index): Series['samples'] => {
      const value = marks.get(index) ?? data.values[column]?.[index];
      return typeof at === 'number' && typeof value === 'number' ? [[at / 1000, value]] : [];
    });
    // Newer versions move the metric's name from the labels to the field's name.
    const named = name === 'Value' || name === '' || /[^\w:]/.test(name) ? {} : { __name__: name };
    return [{ labels: { ...named, ...labels }, samples }];
  });
}
