import { HoldpointError } from '../../core/errors.ts';
import { alertmanagerAlerts, prometheusAlerts } from './alerts.ts';
import { explainNothing, NOTHING } from './absent.ts';
import { parseError, refusal } from './errors.ts';
import { readFrames } from './frames.ts';
import { send, type Call, type Endpoint } from './http.ts';
import { queryLoki } from './loki.ts';
import type { MonitoringPort } from './port.ts';
import { queryPrometheus, type PrometheusApi, type SeriesAnswer } from './prometheus.ts';
import { alertRules } from './rules.ts';
import { createSilence, expireSilence, listSilences, readSilence } from './silences.ts';
import { directSource, grafanaSource, type Source } from './sources.ts';
import { requireSystem, type System, type Use } from './systems.ts';
import { clean } from './text.ts';
import type { Window } from './window.ts';

/** Addresses without a slash at the end, and tokens that go into `Authorization: Bearer`. */
export type MonitoringSettings = Partial<Record<System, { url: string; token?: string | undefined } | undefined>>;

const MAX_WARNING = 200;

/** Grafana, Prometheus and Alertmanager, whichever are configured. Nothing is sent before the first call. */
export function createMonitoring(settings: MonitoringSettings): MonitoringPort {
  function endpoint(use: Use): Endpoint {
    const system = requireSystem(use, settings);
    const { url = '', token } = settings[system] ?? {};
    return { system, url, ...(token ? { token } : {}) };
  }

  return {
    async source(name, call) {
      const found = endpoint('query');
      return found.system === 'grafana' ? grafanaSource(found, name, call) : directSource(name);
    },

    async query(source, query, window, limit, call) {
      const found = endpoint('query');
      if (source.language === 'logql') {
        const answer = await queryLoki(found, source.uid, query, window, limit, call);
        if ('logs' in answer) return answer;
        return { ...answer, warnings: [], note: answer.series.length === 0 ? NOTHING : undefined };
      }
      const api = { endpoint: found, prefix: proxyPath(source) };
      const viaFrames =
        source.system === 'grafana' ? await queryGrafana(found, source, query, window, call) : undefined;
      const { series, warnings } = viaFrames ?? (await queryPrometheus(api, query, window, call));
      const shown = warnings.slice(0, 2).map((text) => clean(text, MAX_WARNING, call.redact));
      const note = series.length === 0 ? await explained(api, query, window, call) : undefined;
      return { series, warnings: shown, note };
    },

    async firing(matchers, call) {
      const found = endpoint('firing');
      const read = found.system === 'prometheus' ? prometheusAlerts : alertmanagerAlerts;
      return read(found, matchers, call);
    },

    async rules(matchers, call) {
      const found = endpoint('rules');
      const before = found.system === 'grafana' ? '/api/prometheus/grafana' : '';
      return alertRules(found, `${before}/api/v1/rules`, matchers, call);
    },

    silences: async (matchers, call) => listSilences(endpoint('silences'), matchers, call),
    silence: async (id, call) => readSilence(endpoint('silences'), id, call),
    createSilence: async (body, call) => createSilence(endpoint('silences'), body, call),
    expireSilence: async (id, call) => expireSilence(endpoint('silences'), id, call),
  };
}

function proxyPath({ system, uid }: Source): string {
  return system === 'grafana' ? `/api/datasources/proxy/uid/${uid}` : '';
}

/** Through Grafana's query API; undefined where this Grafana does not have it, or answers in columns of another kind. */
async function queryGrafana(
  endpoint: Endpoint,
  { uid, type }: Source,
  query: string,
  { start, end, step }: Window,
  call: Call,
): Promise<SeriesAnswer | undefined> {
  const instant = step === 0;
  const body = {
    from: String(start * 1000),
    to: String(end * 1000),
    queries: [
      {
        refId: 'A',
        datasource: { uid, type },
        expr: query,
        instant,
        range: !instant,
        format: 'time_series',
        // The step as it is: the least interval, and more points allowed than it makes.
        ...(instant ? {} : { interval: `${step}s`, intervalMs: step * 1000, maxDataPoints: 11_000 }),
      },
    ],
  };
  const { status, value } = await send(endpoint, { method: 'POST', path: '/api/ds/query', body }, call);
  if (status === 404 || status === 405) return undefined;
  const isResult = typeof value === 'object' && value !== null && 'results' in value;
  if ((status < 200 || status > 299) && !isResult) throw refusal('grafana', status, value, call.redact);
  const answer = readFrames(value);
  if (answer === undefined || !('error' in answer)) return answer;
  const said = clean(answer.error, 400, call.redact);
  throw parseError(query, said) ?? refusal('grafana', answer.status, { error: said }, call.redact);
}

/** Says why there is nothing; that it could not be found out is no reason to fail the query. */
async function explained(api: PrometheusApi, query: string, window: Window, call: Call): Promise<string> {
  try {
    return await explainNothing(api, query, window, call);
  } catch (error) {
    if (call.signal.aborted || !(error instanceof HoldpointError)) throw error;
    return NOTHING;
  }
}
