import { z } from 'zod';

import { HoldpointError } from '../../core/errors.ts';
import { parseError, refusal, saidBy, shaped } from './errors.ts';
import { send, type Call, type Endpoint, type Request } from './http.ts';
import type { Series } from './series.ts';
import type { Window } from './window.ts';

/** Prometheus' HTTP API at an address of its own, or behind Grafana's data-source proxy. */
export interface PrometheusApi {
  endpoint: Endpoint;
  /** Before `/api/v1`. */
  prefix: string;
}

export interface SeriesAnswer {
  series: Series[];
  warnings: string[];
}

const sample = z.tuple([z.number(), z.string()]);
const labels = z.record(z.string(), z.string()).default({});
const matrix = z.object({
  resultType: z.literal('matrix'),
  // Native histograms come as `histograms` instead.
  result: z.array(z.object({ metric: labels, values: z.array(sample).default([]) })),
});
const vector = z.object({
  resultType: z.literal('vector'),
  result: z.array(z.object({ metric: labels, value: sample.optional() })),
});
const scalar = z.object({ resultType: z.literal('scalar'), result: sample });
const text = z.object({ resultType: z.literal('string'), result: z.tuple([z.number(), z.string()]) });

export const resultData = z.discriminatedUnion('resultType', [matrix, vector, scalar, text]);

const answer = z.object({ status: z.literal('success'), data: resultData, warnings: z.array(z.string()).default([]) });

/** A PromQL query over a range, or at one moment. @throws HoldpointError `invalid_input` where it does not parse. */
export async function queryPrometheus(
  api: PrometheusApi,
  query: string,
  window: Window,
  call: Call,
): Promise<SeriesAnswer> {
  const { start, end, step } = window;
  const parameters: [string, string][] =
    step === 0
      ? [
          ['query', query],
          ['time', String(end)],
        ]
      : [
          ['query', query],
          ['start', String(start)],
          ['end', String(end)],
          ['step', String(step)],
        ];
  const path = `${api.prefix}/api/v1/${step === 0 ? 'query' : 'query_range'}`;
  const value = await askQuery(api.endpoint, { path, query: parameters }, query, call);
  const { data, warnings } = shaped(answer, value, api.endpoint.system);
  return { series: seriesOf(data), warnings };
}

/** As `ask`, but an error about the query itself says where. */
export async function askQuery(endpoint: Endpoint, request: Request, query: string, call: Call): Promise<unknown> {
  const { status, value } = await send(endpoint, request, call);
  if (status >= 200 && status < 300) return value;
  throw parseError(query, saidBy(value, call.redact)) ?? refusal(endpoint.system, status, value, call.redact);
}

/** What a query gave, as series. */
export function seriesOf(data: z.output<typeof resultData>): Series[] {
  switch (data.resultType) {
    case 'matrix':
      return data.result.map(({ metric, values }) => ({ labels: metric, samples: values.map(numbered) }));
    case 'vector':
      return data.result.map(({ metric, value }) => ({ labels: metric, samples: value ? [numbered(value)] : [] }));
    case 'scalar':
      return [{ labels: {}, samples: [numbered(data.result)] }];
    case 'string':
      throw new HoldpointError('invalid_input', 'The query is a text, not numbers.', { hint: 'Query a metric.' });
  }
}

function numbered([at, value]: [number, string]): [number, number] {
  const infinite = /^([+-]?)Inf$/.exec(value);
  return [at, infinite ? (infinite[1] === '-' ? -Infinity : Infinity) : Number(value)];
}
