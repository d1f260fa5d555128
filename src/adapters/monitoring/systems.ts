import { HoldpointError } from '../../core/errors.ts';
import type { Facts } from '../../core/facts.ts';
import type { Target } from '../../core/target.ts';

export type System = 'grafana' | 'prometheus' | 'alertmanager';

/** What is asked of monitoring, and who answers it: the first of these that is configured. */
const ORDER = {
  query: ['grafana', 'prometheus'],
  firing: ['alertmanager', 'grafana', 'prometheus'],
  rules: ['prometheus', 'grafana'],
  silences: ['alertmanager', 'grafana'],
} as const satisfies Record<string, readonly System[]>;

export type Use = keyof typeof ORDER;

const SETTINGS: Readonly<Record<System, string>> = {
  grafana: 'GRAFANA_URL',
  prometheus: 'PROMETHEUS_URL',
  alertmanager: 'ALERTMANAGER_URL',
};

/** The system that answers `use`; undefined where none that could is configured. */
export function systemFor(use: Use, configured: Partial<Record<System, unknown>>): System | undefined {
  return ORDER[use].find((system) => configured[system] !== undefined);
}

/** @throws HoldpointError `unavailable` that names the settings of what could answer `use`. */
export function requireSystem(use: Use, configured: Partial<Record<System, unknown>>): System {
  const system = systemFor(use, configured);
  if (system !== undefined) return system;
  const variables = ORDER[use].map((each) => SETTINGS[each]);
  throw new HoldpointError('unavailable', `No monitoring that answers this is configured (${ORDER[use].join(', ')}).`, {
    hint: `The operator sets ${variables.join(' or ')} (or monitoring.* in holdpoint.yaml) and restarts Holdpoint.`,
  });
}

/** What comes before an Alertmanager's own paths: Grafana has one inside. */
export function alertmanagerPath(system: System): string {
  return system === 'grafana' ? '/api/alertmanager/grafana' : '';
}

/** The target of reading from whoever answers `use`. `what` says more than the system's name. */
export function readTarget(use: Use, { monitoring }: Facts, what?: string): Target {
  const system = systemFor(use, monitoring);
  const host = system && monitoring[system];
  return {
    kind: 'metric',
    id: [system ?? 'monitoring', what].filter(Boolean).join(' '),
    effect: 'read',
    at: host === undefined ? {} : { host },
  };
}
