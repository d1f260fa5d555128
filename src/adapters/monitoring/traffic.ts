import { HoldpointError } from '../../core/errors.ts';
import type { Call } from './http.ts';
import type { MonitoringPort } from './port.ts';
import type { Series } from './series.ts';

/** What pods serve now, by the first request metric below that has series for them. */
export interface Traffic {
  metric: string;
  /** Requests a second, over the last five minutes. */
  rate: number;
  /** Of these the ones answered with 5xx, from 0 to 1; absent where the metric has no code in its labels. */
  errors?: number;
}

/** Metrics that count requests, and the label with the status code: of client libraries, Spring, Istio, ingress-nginx. */
const METRICS = [
  ['http_requests_total', 'code'],
  ['http_requests_total', 'status'],
  ['http_server_requests_seconds_count', 'status'],
  ['http_server_request_duration_seconds_count', 'http_response_status_code'],
  ['istio_requests_total', 'response_code'],
] as const;

/**
 * The traffic of a workload's pods, with one query at one moment.
 *
 * @param pods What their names begin with.
 * @throws HoldpointError as MonitoringPort; `not_found` where none of the metrics has series of these pods.
 */
export async function readTraffic(
  monitoring: MonitoringPort,
  { namespace, pods }: { namespace: string; pods: string },
  now: number,
  call: Call,
): Promise<Traffic> {
  const source = await monitoring.source(undefined, call);
  const moment = Math.floor(now / 1000);
  const query = METRICS.map(([metric, label]) => {
    const of = `namespace=${JSON.stringify(namespace)},pod=~${JSON.stringify(`${pods.replaceAll('.', '\\.')}-.*`)}`;
    const rates = `sum by (${label}) (rate(${metric}{${of},${label}!=""}[5m]))`;
    return `label_replace(${rates}, "metric", "${metric}:${label}", "", "")`;
  }).join(' or ');
  const answer = await monitoring.query(source, query, { start: moment, end: moment, step: 0 }, 100, call);
  const series = 'series' in answer ? answer.series : [];
  for (const [metric, label] of METRICS) {
    const found = series.filter(({ labels }) => labels['metric'] === `${metric}:${label}`);
    if (found.length > 0) return { metric, ...summed(found, label) };
  }
  throw new HoldpointError('not_found', `no request metric of pods ${pods}-… is known`);
}

function summed(series: readonly Series[], label: string): Omit<Traffic, 'metric'> {
  const of = (list: readonly Series[]) =>
    list.reduce((sum, { samples }) => sum + (Number.isFinite(samples.at(-1)?.[1]) ? (samples.at(-1)?.[1] ?? 0) : 0), 0);
  const rate = of(series);
  const failed = of(series.filter(({ labels }) => labels[label]?.startsWith('5')));
  return { rate, ...(rate > 0 ? { errors: failed / rate } : {}) };
}

export function trafficText({ metric, rate, errors }: Traffic): string {
  const share =
    errors === undefined ? '' : `, ${(errors * 100).toFixed(errors < 0.01 ? 2 : 1)} % of them answered with 5xx`;
  return `${rate.toFixed(rate < 10 ? 2 : 0)} requests/s${share} (${metric}, last 5 minutes)`;
}
