import { realpathSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { isAbsolute, join, relative, resolve } from 'node:path';

import { HoldpointError } from '../core/errors.ts';
import { layers, parseSettings } from './layers.ts';
import { schema, secretsIn, type Settings } from './schema.ts';

export { DEFAULT_ADDRESS } from './layers.ts';

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
  mcpConfig?: string;
}

export type Config = Readonly<
  Omit<Settings, 'workspace' | 'state' | 'keys' | 'http' | 'stdio'> & {
    workspace: string;
    /** Which of these somebody set; the others are defaults. */
    given: { workspace: boolean; state: boolean; http: boolean };
    /** The document that the persona was made from, where it was. */
    document?: string;
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
    /** Where OpenTelemetry traces go, as OTLP over HTTP; undefined: nowhere. */
    otlp: string | undefined;
    /** Every setting that is marked secret and given. */
    secrets: readonly string[];
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
    upstreams: {
      ...settings.upstreams,
      ...(settings.upstreams.file === undefined ? {} : { file: resolve(settings.upstreams.file) }),
    },
    docker: { ...settings.docker, host: settings.docker.host ?? environment['DOCKER_HOST'] },
    user: operatingSystemUser(environment),
    passphrase: environment['HOLDPOINT_APPROVER_PASSPHRASE'],
    otlp: environment['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'] || environment['OTEL_EXPORTER_OTLP_ENDPOINT'] || undefined,
    secrets: secretsIn(schema, settings),
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

/** Whether a file or folder lies where the agent works, by its real path. */
export function isInWorkspace({ workspace }: Pick<Config, 'workspace'>, path: string): boolean {
  return isInside(realOf(workspace), realOf(path)) || isInside(resolve(workspace), resolve(path));
}

export const DEFAULT_HTTP = { kind: 'http', host: '127.0.0.1', port: 7117 } as const;

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
