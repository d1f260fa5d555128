import { z } from 'zod';

import { shaped } from './errors.ts';
import { ask, type Call, type Endpoint } from './http.ts';
import { matcherText, plainFilter, type Matcher } from './matchers.ts';
import { alertmanagerPath } from './systems.ts';
import { clean, cleanLabels, labelText, sharedLabels, withoutLabels, type Redact } from './text.ts';
import { durationText } from './window.ts';

/** One alert that is active, wherever it was read. */
export interface Alert {
  labels: Record<string, string>;
  annotations: Record<string, string>;
  /** Milliseconds since 1970. */
  since: number;
}

export interface Firing {
  alerts: Alert[];
  /** Counts of those that are not among `alerts`. */
  silenced: number;
  inhibited: number;
  /** Prometheus only: waiting for their `for`. */
  pending: number;
}

export interface AlertReport {
  /** Labels that all alerts share, said once. */
  common: Record<string, string>;
  groups: AlertGroup[];
}

/** The alerts of one name and severity. */
export interface AlertGroup {
  alert: string;
  severity?: string | undefined;
  /** Of the oldest, to the minute: ISO 8601. */
  since: string;
  age: string;
  count: number;
  /** Labels that all of them share, and not all alerts do. */
  labels: Record<string, string>;
  /** What tells them apart, of the first few. */
  each?: string[] | undefined;
  summary?: string | undefined;
  runbook?: string | undefined;
}

const texts = z.record(z.string(), z.string()).default({});

const gettable = z.array(
  z.object({
    labels: texts,
    annotations: texts,
    startsAt: z.string(),
    status: z.object({
      state: z.string(),
      silencedBy: z.array(z.string()).nullish(),
      inhibitedBy: z.array(z.string()).nullish(),
    }),
  }),
);

const active = z.object({
  data: z.object({
    alerts: z.array(z.object({ labels: texts, annotations: texts, state: z.string(), activeAt: z.string().nullish() })),
  }),
});

/** Of an Alertmanager, or of Grafana's own. The matchers are applied there. */
export async function alertmanagerAlerts(
  endpoint: Endpoint,
  matchers: readonly Matcher[],
  call: Call,
): Promise<Firing> {
  const query = matchers.map((matcher): [string, string] => ['filter', matcherText(matcher)]);
  const value = await ask(endpoint, { path: `${alertmanagerPath(endpoint.system)}/api/v2/alerts`, query }, call);
  const all = shaped(gettable, value, endpoint.system);
  const silenced = all.filter(({ status }) => status.silencedBy?.length);
  const inhibited = all.filter(({ status }) => !status.silencedBy?.length && status.inhibitedBy?.length);
  return {
    alerts: all
      .filter((alert) => !silenced.includes(alert) && !inhibited.includes(alert))
      .map(({ labels, annotations, startsAt }) => ({ labels, annotations, since: Date.parse(startsAt) })),
    silenced: silenced.length,
    inhibited: inhibited.length,
    pending: 0,
  };
}

/** Of Prometheus itself, which knows neither silences nor inhibitions. */
export async function prometheusAlerts(endpoint: Endpoint, matchers: readonly Matcher[], call: Call): Promise<Firing> {
  const wanted = plainFilter(matchers, 'Alerts of Prometheus');
  const value = await ask(endpoint, { path: '/api/v1/alerts' }, call);
  const all = shaped(active, value, endpoint.system).data.alerts.filter(({ labels }) => wanted(labels));
  const firing = all.filter(({ state }) => state === 'firing');
  return {
    alerts: firing.map(({ labels, annotations, activeAt }) => ({
      labels,
      annotations,
      since: Date.parse(activeAt ?? ''),
    })),
    silenced: 0,
    inhibited: 0,
    pending: all.length - firing.length,
  };
}

const SEVERITIES = ['page', 'critical', 'error', 'high', 'warning', 'medium', 'info', 'low', 'none'];
const SHOWN_EACH = 3;

/** Alerts by name and severity, the most severe first, then the oldest; `now` in milliseconds. */
export function groupAlerts(alerts: readonly Alert[], now: number, redact: Redact): AlertReport {
  const common = sharedLabels(alerts.map(telling));
  const groups = Map.groupBy(alerts, ({ labels }) => JSON.stringify([labels['alertname'], labels['severity']]));
  return {
    common: cleanLabels(common, redact),
    groups: [...groups.values()]
      .map((members) => ({ members, since: Math.min(...members.map(({ since }) => since).filter(Number.isFinite)) }))
      .sort((a, b) => rank(a.members) - rank(b.members) || a.since - b.since)
      .map(({ members, since }) => ({ ...groupOf(members, common, redact), ...ageOf(since, now) })),
  };
}

/** Labels but those that are shown otherwise, or that Grafana keeps for itself. */
function telling({ labels }: Alert): Record<string, string> {
  return Object.fromEntries(
    Object.entries(labels).filter(([name]) => name !== 'alertname' && name !== 'severity' && !name.startsWith('__')),
  );
}

function ageOf(since: number, now: number): Pick<AlertGroup, 'since' | 'age'> {
  if (!Number.isFinite(since)) return { since: 'unknown', age: '?' };
  return { since: `${new Date(since).toISOString().slice(0, 16)}Z`, age: durationText((now - since) / 1000) };
}

function rank([first]: readonly Alert[]): number {
  const at = SEVERITIES.indexOf((first?.labels['severity'] ?? '').toLowerCase());
  return at === -1 ? SEVERITIES.indexOf('warning') : at;
}

function groupOf(
  members: readonly Alert[],
  common: Record<string, string>,
  redact: Redact,
): Omit<AlertGroup, 'since' | 'age'> {
  const [first = { labels: {}, annotations: {}, since: 0 }] = members;
  const sets = members.map((alert) => withoutLabels(telling(alert), common));
  const shared = sets.length > 1 ? sharedLabels(sets) : (sets[0] ?? {});
  const note = (max: number, ...keys: string[]) => {
    const text = keys.map((key) => first.annotations[key]).find(Boolean);
    return text === undefined ? undefined : clean(text, max, redact);
  };
  const severity = first.labels['severity'];
  const summary = note(200, 'summary', 'message', 'description');
  const runbook = note(150, 'runbook_url', 'runbook');
  const each = sets
    .slice(0, SHOWN_EACH)
    .map((labels) => labelText(cleanLabels(withoutLabels(labels, shared), redact)))
    .filter(Boolean);
  return {
    alert: clean(first.labels['alertname'] ?? '(unnamed)', 100, redact),
    ...(severity === undefined ? {} : { severity: clean(severity, 40, redact) }),
    count: members.length,
    labels: cleanLabels(shared, redact),
    ...(each.length > 0 ? { each } : {}),
    ...(summary === undefined ? {} : { summary }),
    ...(runbook === undefined ? {} : { runbook }),
  };
}
