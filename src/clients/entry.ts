import { realpathSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';

import type { Config } from '../config/config.ts';
import { HoldpointError } from '../core/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../core/json.ts';
import type { Client, HttpEntry, Run } from './client.ts';

/** The name of Holdpoint's entry in every client's file. */
export const ENTRY = 'holdpoint';

/** Variables that `init` sets, and takes away where they are no longer asked for. */
const MANAGED = ['WORKSPACE', 'PERSONA', 'POLICY', 'STATE', 'KEYS', 'CONFIG', 'TOOLS'].map((key) => `HOLDPOINT_${key}`);

/** Where systems are, which clients do not hand on from the shell they were started from. None of these is a secret. */
const HANDED_ON = [
  'KUBECONFIG',
  'DOCKER_HOST',
  'GITHUB_API_URL',
  'GITHUB_REPOSITORY',
  'GRAFANA_URL',
  'PROMETHEUS_URL',
  'ALERTMANAGER_URL',
  'BATTRA_API_BASE',
];

/** Secrets that Holdpoint takes from its environment: named to people, never written. */
const SECRETS = [
  'HOLDPOINT_GITHUB_TOKEN',
  'GH_TOKEN',
  'GITHUB_TOKEN',
  'GRAFANA_SERVICE_ACCOUNT_TOKEN',
  'GRAFANA_TOKEN',
  'BATTRA_API_KEY',
];

/** What starts this very installation: this Node and this script, by absolute paths; or the words of `--command`. */
export function runOf(config: Config, { script, command }: { script: string; command?: string | undefined }): Run {
  const [program, ...args] =
    command === undefined ? [process.execPath, realpathSync(script), 'serve', '--stdio'] : words(command);
  if (program === undefined)
    throw new HoldpointError('invalid_input', '--command names no program.', {
      hint: 'Write it as one text, such as --command "npx -y pnpm@12 --dir /path/to/holdpoint start".',
    });
  return { command: program, args, env: environmentOf(config) };
}

/** Secrets set here that a server started by the client will lack. */
export function secretsLeftOut(config: Config): string[] {
  return SECRETS.filter((name) => config.environment[name]);
}

/** The entry as it shall be: the one found with ours laid over it, so that what a person added to it stays. */
export function mergedEntry(found: Json | undefined, wanted: JsonObject): JsonObject {
  const kept = isJsonObject(found) ? { ...found } : {};
  // Of the other transport nothing may be left.
  for (const key of ['type', 'url', 'headers', 'command', 'args', 'env'])
    if (!(key in wanted) && !(key === 'headers' && 'url' in wanted)) delete kept[key];
  if (!isJsonObject(wanted['env'])) return { ...kept, ...wanted };
  const environment = isJsonObject(kept['env']) ? { ...kept['env'] } : {};
  for (const key of MANAGED) if (!(key in wanted['env'])) delete environment[key];
  return { ...kept, ...wanted, env: { ...environment, ...wanted['env'] } };
}

/** Whether `init` may replace it: nothing there, or what an earlier `init` or the README's snippet made. */
export function isOurs(found: Json | undefined): boolean {
  if (found === undefined) return true;
  if (!isJsonObject(found)) return false;
  if (typeof found['url'] === 'string') return /^https?:\/\/[^/]+\/mcp$/.test(found['url']) && !('command' in found);
  return isJsonObject(found['env']) && typeof found['env']['HOLDPOINT_WORKSPACE'] === 'string';
}

/** Whether the entry says the same already; the order of keys does not count. */
export function sameEntry(found: Json | undefined, wanted: JsonObject): boolean {
  return isDeepStrictEqual(found, wanted);
}

/**
 * The entry for a client, and what else its file needs.
 *
 * @throws HoldpointError `invalid_input` for HTTP where the client's file takes none.
 */
export function entryOf(
  client: Client,
  run: Run,
  url: string | undefined,
): Omit<HttpEntry, 'token'> & { token?: string } {
  if (url === undefined) return { entry: client.stdio(run) };
  if (client.http) return client.http(url);
  throw new HoldpointError('invalid_input', `${client.title} takes no server behind HTTP from its file.`, {
    hint: 'Leave --http out: it then starts Holdpoint itself.',
  });
}

function environmentOf({
  workspace,
  persona,
  policy,
  file,
  given,
  state,
  keys,
  environment,
  tools,
}: Config): Run['env'] {
  const env: Run['env'] = { HOLDPOINT_WORKSPACE: workspace, HOLDPOINT_PERSONA: persona };
  if (policy !== undefined) env['HOLDPOINT_POLICY'] = policy;
  if (file !== undefined) env['HOLDPOINT_CONFIG'] = file;
  if (given.state) Object.assign(env, { HOLDPOINT_STATE: state, HOLDPOINT_KEYS: keys });
  if (tools === 'all') env['HOLDPOINT_TOOLS'] = tools;
  for (const name of HANDED_ON) {
    const value = environment[name];
    if (value) env[name] = value;
  }
  return env;
}

/** Words at spaces, or a JSON list of them where one has spaces in it. */
function words(command: string): string[] {
  if (!command.trimStart().startsWith('[')) return command.trim().split(/\s+/).filter(Boolean);
  try {
    const list: unknown = JSON.parse(command);
    if (Array.isArray(list) && list.every((word) => typeof word === 'string')) return list;
  } catch {
    // Said below.
  }
  throw new HoldpointError('invalid_input', '--command is no list of words.', {
    hint: `Write --command '["npx", "-y", "pnpm@12", "--dir", "/path/with spaces/holdpoint", "start"]'.`,
  });
}
