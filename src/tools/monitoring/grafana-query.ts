import { z } from 'zod';

import {
  labelText,
  durationText,
  readTarget,
  readWindow,
  reportSeries,
  requireSystem,
} from '../../adapters/monitoring/port.ts';
import type { Source } from '../../adapters/monitoring/port.ts';
import type { Plan } from '../../core/plan.ts';
import { defineTool } from '../../core/tool.ts';

const MAX_QUERY = 4000;
const MAX_LIMIT = 100;
/** Series; lines of logs. */
const DEFAULT_LIMIT = { promql: 10, logql: 30 };

// Patterns and bounds are refinements, for in the advertised schema every agent would pay for them in tokens.
const input = z.strictObject({
  query: z
    .string()
    .refine(
      (query) => query.trim() !== '' && query.length <= MAX_QUERY,
      `Write a query of at most ${MAX_QUERY} characters.`,
    ),
  source: z.string().optional(),
  from: z.string().describe('-1h, ISO, unix, now').optional(),
  to: z.string().optional(),
  step: z.string().optional(),
  limit: z
    .int()
    .refine((limit) => limit > 0 && limit <= MAX_LIMIT, `Between 1 and ${MAX_LIMIT}.`)
    .optional(),
  points: z.boolean().optional(),
});

type QueryData = {
  source: Source;
  query: string;
  from: string | null;
  to: string | null;
  step: string | null;
  limit: number;
  points: boolean;
};

const labels = z.record(z.string(), z.string());
const series = z.strictObject({
  labels,
  /** A number, or NaN, +Inf, -Inf. */
  last: z.union([z.number(), z.string()]).optional(),
  /** Seconds between the newest sample and the range's end, where the series ended. */
  endedBefore: z.number().optional(),
  min: z.number().optional(),
  max: z.number().optional(),
  avg: z.number().optional(),
  trend: z.enum(['rising', 'falling', 'flat', 'spiky']).optional(),
  /** Percent, first quarter of the range to the last. */
  change: z.number().optional(),
  points: z.number(),
  gaps: z.number().optional(),
  special: z.number().optional(),
  values: z.array(z.number().nullable()).optional(),
});

export default defineTool({
  name: 'grafana-query',
  title: 'Query metrics and logs',
  description: 'PromQL, or LogQL of a Loki source: figures and trend of each series; points adds values.',
  keywords: [
    'prometheus',
    'loki',
    'error rate',
    'latency',
    'cpu',
    'memory',
    'grafana',
    'metric',
    'log',
    'promql',
    'monitoring',
  ],
  effect: 'read',
  needs: ['monitoring'],
  input,
  output: z.strictObject({
    source: z.string(),
    from: z.string(),
    /** Absent for one moment, as is `step`. */
    to: z.string().optional(),
    step: z.string().optional(),
    /** Labels that all series share. */
    common: labels.optional(),
    series: z.array(series).optional(),
    /** Series left out. */
    more: z.number().optional(),
    /** Between two of `values`. */
    every: z.string().optional(),
    logs: z
      .strictObject({ lines: z.array(z.string()), levels: z.record(z.string(), z.number()), more: z.boolean() })
      .optional(),
    note: z.string().optional(),
    warnings: z.array(z.string()).optional(),
  }),

  targets({ source }, { facts }) {
    return [readTarget('query', facts, source)];
  },

  async plan(written, call): Promise<Plan<QueryData>> {
    requireSystem('query', call.facts.monitoring);
    readWindow(written, Date.now());
    const source = await call.monitoring.source(written.source, call);
    const does = `query ${source.name}`;
    const asNamed = readTarget('query', call.facts, source.name);
    return {
      effect: 'read',
      // A data source has a uid, a name and a type: a rule about its name must hold however it was called.
      targets: [readTarget('query', call.facts, written.source), asNamed],
      preconditions: [],
      steps: [{ id: 'query', does, call: { query: written.query } }],
      preview: { summary: does },
      data: {
        source,
        query: written.query,
        from: written.from ?? null,
        to: written.to ?? null,
        step: written.step ?? null,
        limit: written.limit ?? DEFAULT_LIMIT[source.language],
        points: written.points ?? false,
      },
    };
  },

  async run({ data }, call) {
    const { source, query, limit, points } = data;
    const window = readWindow(
      { from: data.from ?? undefined, to: data.to ?? undefined, step: data.step ?? undefined },
      Date.now(),
    );
    const head = {
      source: source.name,
      from: iso(window.start),
      ...(window.step === 0 ? {} : { to: iso(window.end), step: durationText(window.step) }),
    };
    const answer = await call.monitoring.query(source, query, window, limit, call);
    if ('logs' in answer) return { ...head, logs: answer.logs };
    const report = reportSeries(answer.series, window, { limit, points, redact: call.redact });
    return {
      ...head,
      ...(Object.keys(report.common).length === 0 ? {} : { common: report.common }),
      series: report.series,
      ...(report.more === 0 ? {} : { more: report.more }),
      ...(report.every === undefined ? {} : { every: durationText(report.every) }),
      ...(answer.note === undefined ? {} : { note: answer.note }),
      ...(answer.warnings.length === 0 ? {} : { warnings: answer.warnings }),
    };
  },

  render({ source, from, to, step, common, series: list, more, every, logs, note, warnings }) {
    const length = durationText((Date.parse(to ?? from) - Date.parse(from)) / 1000);
    const range = to === undefined ? `at ${from}` : `${from} and ${length} on, step ${step}`;
    const shared = common === undefined ? '' : `; all ${seriesName(common)}`;
    const [first, ...others] = (list ?? []).map(({ points }) => points);
    const each = step !== undefined && others.every((points) => points === first) ? first : undefined;
    return [
      `${source}, ${range}${each === undefined ? '' : `, ${each} points`}${shared}`,
      ...(list ?? []).map((one) => seriesLine(one, each === undefined)),
      ...(every === undefined ? [] : [`(values every ${every})`]),
      ...(more === undefined ? [] : [`… ${more} more series: raise limit, or use sum by (…) or topk(10, …)`]),
      ...(logs === undefined ? [] : logLines(logs)),
      ...(note === undefined ? [] : [note]),
      ...(warnings ?? []).map((text) => `warning: ${text}`),
    ].join('\n');
  },
});

function iso(at: number): string {
  return new Date(at * 1000).toISOString().replace(/:00\.000Z$|\.000Z$/, 'Z');
}

/** As PromQL writes it. */
function seriesName({ __name__ = '', ...others }: Record<string, string>): string {
  return __name__ !== '' && Object.keys(others).length === 0 ? __name__ : `${__name__}{${labelText(others)}}`;
}

function seriesLine(one: z.output<typeof series>, counted: boolean): string {
  const { labels: own, last, endedBefore, min, max, avg, trend, change, points, gaps, special, values } = one;
  const name = seriesName(own);
  if (trend === undefined && special === undefined) return `${name} ${last ?? 'no samples'}`;
  const figures = trend === undefined ? '' : ` (min ${min} max ${max} avg ${avg}) ${trendText(trend, change)}`;
  const parts = [
    `last ${last}${figures}`,
    ...(counted ? [`${points} points`] : []),
    ...(gaps === undefined ? [] : [`${gaps} gaps`]),
    ...(special === undefined ? [] : [`${special} NaN or Inf`]),
    ...(endedBefore === undefined ? [] : [`ended ${durationText(endedBefore)} before the end`]),
  ];
  const written = values === undefined ? '' : `\n  ${values.map((value) => value ?? '-').join(' ')}`;
  return `${name} ${parts.join(', ')}${written}`;
}

function trendText(trend: string, change: number | undefined): string {
  return change === undefined || change === 0 ? trend : `${trend} ${change > 0 ? '+' : ''}${change}%`;
}

function logLines({
  lines,
  levels,
  more,
}: {
  lines: string[];
  levels: Record<string, number>;
  more: boolean;
}): string[] {
  if (lines.length === 0) return ['No lines matched in this range.'];
  const counts = Object.entries(levels).map(([level, count]) => `${level} ${count}`);
  return [
    ...(counts.length === 0 ? [] : [`levels: ${counts.join(', ')}`]),
    ...lines,
    ...(more ? ['(older lines are left out: raise limit, narrow the query, or end earlier with to)'] : []),
  ];
}
