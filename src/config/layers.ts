import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

import { HoldpointError } from '../core/errors.ts';
import type { Flags } from './config.ts';
import { schema, type Settings } from './schema.ts';

/** Default address of `--http` without a value. */
export const DEFAULT_ADDRESS = '127.0.0.1:7117';

/** What flags, environment and file say together, not yet checked. */
export function layers(
  flags: Flags,
  environment: Readonly<Record<string, string>>,
  file: string | undefined,
): Record<string, unknown> {
  const fromFile = file === undefined ? {} : readYaml(file);
  const named: Record<string, unknown> = {};
  for (const key of ['workspace', 'state', 'keys', 'persona', 'policy', 'tools', 'log'] as const) {
    const value = (flags as Record<string, unknown>)[key] ?? environment[`HOLDPOINT_${key.toUpperCase()}`];
    if (value !== undefined && value !== '') named[key] = value;
  }
  const http = flags.http ?? (flags.stdio ? undefined : environment['HOLDPOINT_HTTP']);
  if (http !== undefined && http !== '' && http !== false)
    named['http'] = http === true || http === 'true' || http === '1' ? DEFAULT_ADDRESS : http;
  const stdio = flags.stdio ?? (flags.http ? undefined : environment['HOLDPOINT_STDIO']);
  if (stdio !== undefined) named['stdio'] = stdio === true || /^(?:1|true|yes)$/i.test(String(stdio));
  const settings = withEnvironment({ ...fromFile, ...named }, environment);
  return flags.mcpConfig === undefined ? settings : setAt(settings, ['upstreams', 'file'], flags.mcpConfig);
}

/** Settings inside others that have environment variables, the usual names of their systems included; the first that is set. */
const NESTED: readonly (readonly [path: string, ...variables: string[]])[] = [
  ['httpAuth.token', 'HOLDPOINT_TOKEN'],
  ['auth.issuer', 'HOLDPOINT_AUTH_ISSUER'],
  ['auth.audience', 'HOLDPOINT_AUTH_AUDIENCE'],
  ['auth.jwksUri', 'HOLDPOINT_AUTH_JWKS_URI'],
  ['console.url', 'HOLDPOINT_CONSOLE_URL'],
  ['processes.sandbox', 'HOLDPOINT_SANDBOX'],
  ['upstreams.file', 'HOLDPOINT_MCP_CONFIG'],
  ['github.url', 'GITHUB_API_URL'],
  ['github.token', 'HOLDPOINT_GITHUB_TOKEN', 'GH_TOKEN', 'GITHUB_TOKEN'],
  ['github.repository', 'GITHUB_REPOSITORY'],
  ['monitoring.grafana.url', 'GRAFANA_URL'],
  ['monitoring.grafana.token', 'GRAFANA_SERVICE_ACCOUNT_TOKEN', 'GRAFANA_TOKEN'],
  ['monitoring.prometheus.url', 'PROMETHEUS_URL'],
  ['monitoring.alertmanager.url', 'ALERTMANAGER_URL'],
  ['tasks.url', 'BATTRA_API_BASE'],
  ['tasks.key', 'BATTRA_API_KEY'],
];

function withEnvironment(
  settings: Record<string, unknown>,
  environment: Readonly<Record<string, string>>,
): Record<string, unknown> {
  return NESTED.reduce((all, [path, ...variables]) => {
    const value = variables.map((name) => environment[name]).find(Boolean);
    return value === undefined ? all : setAt(all, path.split('.'), value);
  }, settings);
}

function setAt(
  settings: Record<string, unknown>,
  [key = '', ...rest]: string[],
  value: string,
): Record<string, unknown> {
  const inner = settings[key];
  // Where the file holds no mapping, its own value stays, for the schema to refuse.
  if (rest.length > 0 && inner !== undefined && (typeof inner !== 'object' || inner === null)) return settings;
  return { ...settings, [key]: rest.length === 0 ? value : setAt({ ...(inner as object | undefined) }, rest, value) };
}

function readYaml(file: string): Record<string, unknown> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new HoldpointError('invalid_input', `The configuration file ${file} cannot be read.`, {
      hint: 'Check --config or HOLDPOINT_CONFIG.',
      cause,
    });
  }
  const value: unknown = parse(text) ?? {};
  if (typeof value === 'object' && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new HoldpointError('invalid_input', `The configuration file ${file} is no mapping of settings.`, {
    hint: 'Write lines such as "persona: devops".',
  });
}

/** @throws HoldpointError `invalid_input` */
export function parseSettings(raw: Record<string, unknown>, file: string | undefined): Settings {
  const parsed = schema.safeParse(raw);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'settings'}: ${issue.message}`);
  throw new HoldpointError('invalid_input', `The settings are wrong: ${lines.join('; ')}.`, {
    hint: `Look at the flags, the HOLDPOINT_ environment variables${file ? ` and ${file}` : ''}; docs/configuration.md lists every setting.`,
  });
}
