import { failed, type Check, type Context, type Finding } from './check.ts';
import { get, said, type Answer } from './http.ts';
import { ruling } from './policy.ts';

interface System {
  name: 'grafana' | 'prometheus' | 'alertmanager';
  /** Asks whether it is ready, for its version, and with the token for what needs one. */
  paths: readonly [ready: string, version: string];
  version: (json: unknown) => string | undefined;
  /** Setting that turns it on. */
  fix: string;
}

const SYSTEMS: readonly System[] = [
  {
    name: 'grafana',
    // Health is open to everybody; the organisation is not, and every service account has one.
    paths: ['/api/health', '/api/org'],
    version: (json) => said(json, 'version'),
    fix: 'Set GRAFANA_URL and GRAFANA_SERVICE_ACCOUNT_TOKEN.',
  },
  {
    name: 'prometheus',
    paths: ['/-/ready', '/api/v1/status/buildinfo'],
    version: (json) => said(json, 'data', 'version'),
    fix: 'Set PROMETHEUS_URL.',
  },
  {
    name: 'alertmanager',
    paths: ['/-/ready', '/api/v2/status'],
    version: (json) => said(json, 'versionInfo', 'version'),
    fix: 'Set ALERTMANAGER_URL.',
  },
];

export const monitoring: readonly Check[] = SYSTEMS.map((system) => ({
  what: system.name,
  run: async (context: Context) => [await check(system, context)],
}));

async function check({ name, paths, version, fix }: System, context: Context): Promise<Finding> {
  const settings = context.config.monitoring[name];
  if (settings === undefined) return { level: 'off', what: name, detail: 'not configured', fix };
  const { url, token } = settings;
  try {
    const ask = (path: string) => get(url + path, { token, signal: context.signal });
    const [ready, told] = (await Promise.all(paths.map(ask))) as [Answer, Answer];
    if (ready.status !== 200)
      return {
        level: 'fail',
        what: name,
        detail: `${url} is not ready (HTTP ${ready.status})`,
        fix: `Look at ${name}’s own log.`,
      };
    if (told.status === 401 || told.status === 403)
      return {
        level: 'fail',
        what: name,
        detail: `${url} does not accept the token`,
        fix: `${fix} Or give the token more rights.`,
      };
    const target = { kind: 'metric', id: 'any series', at: { host: new URL(url).hostname } } as const;
    const known = version(ready.json) ?? version(told.json) ?? 'version unknown';
    return {
      level: 'ok',
      what: name,
      detail: `${known}; ${ruling(context, { read: { tool: 'grafana-query', target } })}`,
    };
  } catch (thrown) {
    if (context.signal.aborted) throw thrown;
    return failed(name, thrown, 'fail', 'Check the address, and that a VPN or port-forward is up.');
  }
}
