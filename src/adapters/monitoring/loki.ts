import { z } from 'zod';

import { shaped } from './errors.ts';
import type { Call, Endpoint } from './http.ts';
import { askQuery, resultData, seriesOf } from './prometheus.ts';
import type { Series } from './series.ts';
import { clean } from './text.ts';
import type { Window } from './window.ts';

/** Lines of logs, the newest last. */
export interface LogReport {
  lines: string[];
  /** How many of the lines fetched have each level; lines of which none is known are not counted. */
  levels: Record<string, number>;
  /** Whether there may be more lines in the range than were fetched. */
  more: boolean;
}

const MAX_LINE = 300;
/** Lines that are looked at for counts, however few are shown. */
const FETCHED = 500;

const streams = z.object({
  resultType: z.literal('streams'),
  result: z.array(
    z.object({
      stream: z.record(z.string(), z.string()),
      // A line may have structured metadata behind it.
      values: z.array(z.tuple([z.string(), z.string()]).rest(z.unknown())),
    }),
  ),
});
const answer = z.object({ data: z.union([streams, resultData]) });

/**
 * A LogQL query through Grafana's data-source proxy: lines, or series where it computes numbers.
 *
 * @throws HoldpointError `invalid_input` where it does not parse.
 */
export async function queryLoki(
  grafana: Endpoint,
  uid: string,
  query: string,
  window: Window,
  limit: number,
  call: Call,
): Promise<{ logs: LogReport } | { series: Series[] }> {
  const { start, end, step } = window;
  const moment = step === 0;
  const path = `/api/datasources/proxy/uid/${uid}/loki/api/v1/${moment ? 'query' : 'query_range'}`;
  const range: [string, string][] = moment
    ? [['time', String(end)]]
    : [
        ['start', String(start)],
        // The end is not part of the range, and what was just written is wanted.
        ['end', String(end + step)],
        ['step', String(step)],
      ];
  const parameters: [string, string][] = [
    ['query', query],
    ...range,
    ['limit', String(Math.max(limit, FETCHED))],
    ['direction', 'backward'],
  ];
  const value = await askQuery(grafana, { path, query: parameters }, query, call);
  const { data } = shaped(answer, value, 'grafana');
  return data.resultType === 'streams' ? { logs: linesOf(data, limit, call) } : { series: seriesOf(data) };
}

function linesOf({ result }: z.output<typeof streams>, limit: number, { redact }: Call): LogReport {
  const all = result.flatMap(({ stream, values }) =>
    values.map(([at, line]) => ({ at: BigInt(/^\d{1,20}$/.test(at) ? at : 0), line, level: levelOf(stream, line) })),
  );
  all.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
  const levels: Record<string, number> = {};
  for (const { level } of all) if (level !== undefined) levels[level] = (levels[level] ?? 0) + 1;
  return {
    lines: all.slice(-limit).map(({ at, line }) => `${timeOf(at)} ${clean(line, MAX_LINE, redact)}`),
    levels,
    more: all.length > limit || all.length >= Math.max(limit, FETCHED),
  };
}

const LEVELS: readonly (readonly [level: string, words: RegExp])[] = [
  ['fatal', /\b(?:fatal|panic|emerg\w*)\b/i],
  ['error', /\b(?:error|err|crit\w*|exception)\b/i],
  ['warn', /\bwarn(?:ing)?\b/i],
  ['info', /\b(?:info|notice)\b/i],
  ['debug', /\b(?:debug|trace)\b/i],
];

/** By the stream's label, else by the most severe word in the line's beginning that is one. */
function levelOf(stream: Readonly<Record<string, string>>, line: string): string | undefined {
  const said = stream['level'] ?? stream['detected_level'] ?? stream['severity'] ?? line.slice(0, 200);
  return LEVELS.find(([, words]) => words.test(said))?.[0];
}

function timeOf(nanoseconds: bigint): string {
  const milliseconds = Number(nanoseconds / 1_000_000n);
  return milliseconds < 8.64e15 ? new Date(milliseconds).toISOString().slice(11, 23) : '?';
}
