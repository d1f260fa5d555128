import type { Firing } from './alerts.ts';
import type { Call } from './http.ts';
import type { LogReport } from './loki.ts';
import type { Matcher } from './matchers.ts';
import type { Rule } from './rules.ts';
import type { Series } from './series.ts';
import type { Silence, SilenceBody } from './silences.ts';
import type { Source } from './sources.ts';
import type { Window } from './window.ts';

/** What a query gave. `note` says why there is nothing, where there is nothing. */
type QueryAnswer = { series: Series[]; warnings: string[]; note: string | undefined } | { logs: LogReport };

/**
 * The monitoring that is configured. Throws HoldpointError: `unavailable` where nothing that could answer is configured, where
 * it cannot be reached or refuses the token; `invalid_input` for what it rejects; `timeout`; `not_found`; `upstream` otherwise.
 */
export interface MonitoringPort {
  /** The data source of that uid, name or type; the default Prometheus without one. */
  source(name: string | undefined, call: Call): Promise<Source>;
  /** `limit` bounds lines of logs; series come whole. */
  query(source: Source, query: string, window: Window, limit: number, call: Call): Promise<QueryAnswer>;
  firing(matchers: readonly Matcher[], call: Call): Promise<Firing>;
  rules(matchers: readonly Matcher[], call: Call): Promise<Rule[]>;
  silences(matchers: readonly Matcher[], call: Call): Promise<Silence[]>;
  silence(id: string, call: Call): Promise<Silence>;
  /** Gives the id. */
  createSilence(body: SilenceBody, call: Call): Promise<string>;
  expireSilence(id: string, call: Call): Promise<void>;
}

export { groupAlerts } from './alerts.ts';
export { alertLine, ruleLine } from './lines.ts';
export { matcherText, readMatchers, refuseBroad, silenceTargets, sorted } from './matchers.ts';
export type { Matcher } from './matchers.ts';
export { reportSeries } from './series.ts';
export type { Silence } from './silences.ts';
export { plannedEnd, plannedSilence, silenceBody, silenceName, silenceParts } from './silencing.ts';
export type { WantedSilence } from './silencing.ts';
export type { Source } from './sources.ts';
export { readTarget, requireSystem } from './systems.ts';
export { labelText } from './text.ts';
export { readTraffic, trafficText } from './traffic.ts';
export { durationText, readWindow } from './window.ts';

declare module '../../core/tool.ts' {
  interface Ports {
    monitoring: MonitoringPort;
  }
}
