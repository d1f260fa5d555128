import { readFileSync, realpathSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { isAbsolute, join, relative, resolve } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';

import { HoldpointError } from '../core/errors.ts';
import { parseDuration } from './duration.ts';

/** Flags of the command line, as given; each also has an environment variable of its name (`--state` is HOLDPOINT_STATE). */
export interface Flags {
  stdio?: boolean;
  /** `HOST:PORT`, or true for the default address. */
  http?: string | boolean;
  workspace?: string;
  persona?: string;
  policy?: string;
  state?: string;
  keys?: string;
  tools?: string;
  config?: string;
}

const duration = z.string().transform((text, context) => {
  const ms = parseDuration(text);
  if (ms !== undefined) return ms;
  context.addIssue({
    code: 'custom',
    message: `"${text}" is no duration; write a number and a unit, such as 30s, 10m, 24h or 7d`,
  });
  return z.NEVER;
});

const address = z.string().transform((text, context) => {
  const match = /^(?:(?<host>\[[0-9a-fA-F:]+\]|[^:]*):)?(?<port>\d{1,5})$/.exec(text.trim());
  const port = Number(match?.groups?.['port']);
  if (match && port <= 65_535) return { host: (match.groups?.['host'] || '127.0.0.1').replace(/^\[|\]$/g, ''), port };
  context.addIssue({ code: 'custom', message: `"${text}" is no address; write HOST:PORT, such as 127.0.0.1:7117` });
  return z.NEVER;
});

/** What `holdpoint.yaml` may hold. Everything has a default; flags win over environment variables, these over the file. */
const schema = z.strictObject({
  workspace: z.string().optional(),
  state: z.string().optional(),
  keys: z.string().optional(),
  persona: z.string().default('devops'),
  policy: z.string().optional(),
  tools: z.enum(['persona', 'all']).default('persona'),
  stdio: z.boolean().optional(),
  http: address.optional(),
  httpAuth: z
    .strictObject({ token: z.string().min(16).optional(), allowedHosts: z.array(z.string()).default([]) })
    .prefault({}),
  kubernetes: z.strictObject({ kubeconfig: z.string().optional() }).prefault({}),
  docker: z.strictObject({ host: z.string().optional() }).prefault({}),
  results: z.strictObject({ maxBytes: z.int().min(1024).max(1_048_576).default(8192) }).prefault({}),
  approvals: z
    .strictObject({
      lease: duration.default(60_000),
      refuseAfterDenial: duration.default(600_000),
      pendingPerPrincipal: z.int().min(1).default(20),
      requestsPerMinute: z.int().min(1).default(10),
    })
    .prefault({}),
  log: z.enum(['silent', 'error', 'warn', 'info', 'debug']).default('info'),
});

type Settings = z.output<typeof schema>;

export type Config = Readonly<
  Omit<Settings, 'workspace' | 'state' | 'keys' | 'http' | 'stdio'> & {
    workspace: string;
    /** Which of these somebody set; the others are defaults. */
    given: { workspace: boolean; state: boolean; http: boolean };
    /** The settings file, where there is one. */
    file: string | undefined;
    /** Database, undo copies; people's and servers' shared state. Mode 0700. */
    state: string;
    /** Approvers' keys, the sealing key, HTTP tokens: apart from `state`, so that a copy of the state opens nothing. Mode 0700. */
    keys: string;
    transport: { kind: 'stdio' } | { kind: 'http'; host: string; port: number } | { kind: 'unset' };
    /** The operating system's user: the person on stdio. */
    user: string;
    /** Of the approver, for commands run without a terminal. */
    passphrase: string | undefined;
    /** A copy of the environment: what programs get is picked from it by name, and its secret values are redacted. */
    environment: Readonly<Record<string, string>>;
  }
>;

/**
 * Flags, environment and file as one frozen Config.
 *
 * @throws HoldpointError `invalid_input`, naming the setting, where it came from and what to write.
 */
export function loadConfig(flags: Flags = {}, env: NodeJS.ProcessEnv = process.env): Config {
  const environment = Object.freeze(
    Object.fromEntries(Object.entries(env).filter((pair): pair is [string, string] => pair[1] !== undefined)),
  );
  const file = flags.config ?? environment['HOLDPOINT_CONFIG'];
  const settings = parseSettings(layers(flags, environment, file), file);
  const home = environment['HOME'] ?? homedir();
  const state = resolve(
    settings.state ?? join(environment['XDG_STATE_HOME'] ?? join(home, '.local/state'), 'holdpoint'),
  );
  const keys = resolve(
    settings.keys ??
      (settings.state
        ? `${state}.keys`
        : join(environment['XDG_CONFIG_HOME'] ?? join(home, '.config'), 'holdpoint/keys')),
  );
  const workspace = resolve(settings.workspace ?? '.');
  const { stdio, http, ...rest } = settings;
  if (stdio && http)
    throw new HoldpointError('invalid_input', 'Both stdio and HTTP are asked for.', {
      hint: 'Give --stdio or --http, not both; check HOLDPOINT_STDIO and HOLDPOINT_HTTP.',
    });
  return deepFreeze({
    ...rest,
    workspace,
    given: {
      workspace: settings.workspace !== undefined,
      state: settings.state !== undefined,
      http: http !== undefined,
    },
    file: file === undefined ? undefined : resolve(file),
    state,
    keys,
    transport: stdio ? { kind: 'stdio' } : http ? { kind: 'http', ...http } : { kind: 'unset' },
    kubernetes: { kubeconfig: settings.kubernetes.kubeconfig ?? kubeconfigOf(environment, home) },
    docker: { host: settings.docker.host ?? environment['DOCKER_HOST'] },
    user: operatingSystemUser(environment),
    passphrase: environment['HOLDPOINT_APPROVER_PASSPHRASE'],
    environment,
  });
}

/**
 * What an agent must not reach may not lie where it works.
 *
 * @throws HoldpointError `invalid_input` for a state or keys directory inside the workspace.
 */
export function refuseExposed({ workspace, state, keys }: Pick<Config, 'workspace' | 'state' | 'keys'>): void {
  for (const [what, folder] of Object.entries({ state, keys })) {
    if (!isInside(realOf(workspace), realOf(folder))) continue;
    throw new HoldpointError(
      'invalid_input',
      `The ${what} directory ${folder} lies inside the workspace ${workspace}, where the agent works.`,
      {
        hint: `Give another folder with --${what} (or HOLDPOINT_${what.toUpperCase()}), or another --workspace.`,
      },
    );
  }
}

/** Default address of `--http` without a value. */
export const DEFAULT_ADDRESS = '127.0.0.1:7117';

export const DEFAULT_HTTP = { kind: 'http', host: '127.0.0.1', port: 7117 } as const;

function layers(
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
  const token = environment['HOLDPOINT_TOKEN'];
  const auth = token ? { httpAuth: { ...(fromFile['httpAuth'] as object | undefined), token } } : {};
  return { ...fromFile, ...named, ...auth };
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

function parseSettings(raw: Record<string, unknown>, file: string | undefined): Settings {
  const parsed = schema.safeParse(raw);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'settings'}: ${issue.message}`);
  throw new HoldpointError('invalid_input', `The settings are wrong: ${lines.join('; ')}.`, {
    hint: `Look at the flags, the HOLDPOINT_ environment variables${file ? ` and ${file}` : ''}; docs/configuration.md lists every setting.`,
  });
}

/** By the user id, which nobody's environment can change; by name only where the system knows no name for the id. */
function operatingSystemUser(environment: Readonly<Record<string, string>>): string {
  try {
    return userInfo().username;
  } catch {
    return environment['USER'] || `uid-${process.getuid?.() ?? 'unknown'}`;
  }
}

function kubeconfigOf(environment: Readonly<Record<string, string>>, home: string): string {
  return environment['KUBECONFIG'] || join(home, '.kube/config');
}

/** The real path of the nearest folder that exists, with the rest appended: comparable even before a folder is made. */
function realOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const parent = resolve(path, '..');
    return parent === path ? path : join(realOf(parent), relative(parent, path));
  }
}

function isInside(folder: string, path: string): boolean {
  const rest = relative(folder, path);
  return rest === '' || (!rest.startsWith('..') && !isAbsolute(rest));
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) deepFreeze(inner);
  }
  return value;
}
