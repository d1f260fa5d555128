import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import canonicalize from 'canonicalize';
import { z } from 'zod';

import { HoldpointError } from '../../core/errors.ts';
import { quoted } from '../../core/foreign.ts';
import { isSecretName } from '../../core/secret-names.ts';
import { serverNameProblem } from './names.ts';

const entry = z.looseObject({
  type: z.enum(['stdio', 'http', 'streamable-http', 'sse']).optional(),
  command: z.string().min(1).optional(),
  args: z.array(z.string()).optional(),
  env: z.record(z.string(), z.string()).optional(),
  cwd: z.string().optional(),
  url: z.string().optional(),
  headers: z.record(z.string(), z.string()).optional(),
});

const file = z.looseObject({ mcpServers: z.record(z.string(), z.unknown()) });

export type Launch =
  | { kind: 'stdio'; command: string; args: string[]; env: Record<string, string>; cwd?: string }
  | { kind: 'http'; url: string; headers: Record<string, string> };

/** One server of an mcp.json, its variables filled in. */
export interface UpstreamServer {
  key: string;
  /** The file that names it. */
  file: string;
  /** How it is started or reached; undefined where `problem` says why it cannot be. */
  launch?: Launch;
  problem?: string;
  /** In one line for people, variables as they are written. */
  says: string;
  /** SHA-256 of what is started or reached, as written: another command is another server. */
  fingerprint: string;
  /** Values that must not come out. */
  secrets: string[];
}

/**
 * The servers of an mcp.json, in its order. What is wrong with one of them is its own `problem`.
 *
 * @param environment For `${NAME}` and `${NAME:-otherwise}`.
 * @throws HoldpointError `invalid_input` for a file that cannot be read or is no such file.
 */
export function readServers(path: string, environment: Readonly<Record<string, string>>): UpstreamServer[] {
  const wrong = (why: string, cause?: unknown) =>
    new HoldpointError('invalid_input', `The file of upstream servers ${path} ${why}.`, {
      hint: 'Write { "mcpServers": { "NAME": { "command": "…", "args": [] } } }; docs/upstreams.md shows every key.',
      ...(cause === undefined ? {} : { cause }),
    });
  let raw: unknown;
  try {
    raw = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw wrong(cause instanceof SyntaxError ? 'is no JSON' : 'cannot be read', cause);
  }
  const parsed = file.safeParse(raw);
  if (!parsed.success) throw wrong('has no "mcpServers"');
  return Object.entries(parsed.data.mcpServers).map(([key, value]) => readServer(key, value, path, environment));
}

function readServer(
  key: string,
  raw: unknown,
  path: string,
  environment: Readonly<Record<string, string>>,
): UpstreamServer {
  const fingerprint = createHash('sha256')
    .update(canonicalize(raw) ?? '')
    .digest('hex');
  const parsed = entry.safeParse(raw);
  const base = { key, file: path, fingerprint, says: says(parsed.data), secrets: [] as string[] };
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'the entry'}: ${issue.message}`);
    return { ...base, problem: problems.join('; ') };
  }
  const fill = filler(environment);
  const { launch, problem } = launchOf(parsed.data, fill.text);
  const named = serverNameProblem(key) ?? problem ?? missingProblem(fill.missing);
  return {
    ...base,
    secrets: [...new Set([...fill.secrets, ...secretsOf(launch)])],
    ...(named === undefined && launch ? { launch } : { problem: named ?? 'names neither a command nor a url' }),
  };
}

function launchOf(
  { type, command, args = [], env = {}, cwd, url, headers = {} }: z.output<typeof entry>,
  fill: (text: string) => string,
): { launch?: Launch; problem?: string } {
  if (type === 'sse')
    return { problem: 'its type sse is the older transport, which is not spoken; use its http address' };
  if (command !== undefined && url !== undefined) return { problem: 'it has both a command and a url' };
  const each = (map: Record<string, string>) =>
    Object.fromEntries(Object.entries(map).map(([name, value]) => [name, fill(value)]));
  if (url !== undefined) {
    if (type === 'stdio') return { problem: 'its type is stdio, and it has a url' };
    const address = fill(url);
    const launch: Launch = { kind: 'http', url: address, headers: each(headers) };
    const problem = addressProblem(address);
    return problem === undefined ? { launch } : { launch, problem };
  }
  if (command === undefined) return {};
  if (type !== undefined && type !== 'stdio') return { problem: `its type is ${type}, and it has no url` };
  return {
    launch: {
      kind: 'stdio',
      command: fill(command),
      args: args.map(fill),
      env: each(env),
      ...(cwd === undefined ? {} : { cwd: fill(cwd) }),
    },
  };
}

/** Credentials and calls in the clear stay on this machine. */
function addressProblem(url: string): string | undefined {
  if (!URL.canParse(url)) return 'its url is no address';
  const { protocol, hostname, username, password } = new URL(url);
  if (username !== '' || password !== '') return 'its url has a user or password; use headers';
  if (protocol === 'https:') return undefined;
  if (protocol !== 'http:') return 'its url is neither https nor http';
  return ['localhost', '127.0.0.1', '[::1]'].includes(hostname)
    ? undefined
    : 'its url is http beyond this machine; use https';
}

function filler(environment: Readonly<Record<string, string>>) {
  const missing: string[] = [];
  const secrets: string[] = [];
  const text = (written: string) =>
    written.replaceAll(/\$\{(\w+)(?::-([^}]*))?\}/g, (_whole, name: string, otherwise: string | undefined) => {
      const value = (Object.hasOwn(environment, name) ? environment[name] : undefined) ?? otherwise;
      if (value === undefined) missing.push(name);
      else if (isSecretName(name)) secrets.push(value);
      return value ?? '';
    });
  return { text, missing, secrets };
}

function missingProblem(missing: readonly string[]): string | undefined {
  const names = [...new Set(missing)];
  return names.length === 0 ? undefined : `${names.join(', ')} ${names.length > 1 ? 'are' : 'is'} not set`;
}

/** Headers that say nothing secret. */
const OPEN_HEADERS = new Set(['accept', 'accept-language', 'content-type', 'user-agent']);

function secretsOf(launch: Launch | undefined): string[] {
  if (launch === undefined) return [];
  if (launch.kind === 'stdio')
    return Object.entries(launch.env).flatMap(([name, value]) => (isSecretName(name) ? [value] : []));
  const inAddress = URL.canParse(launch.url)
    ? [...new URL(launch.url).searchParams].flatMap(([name, value]) => (isSecretName(name) ? [value] : []))
    : [];
  const inHeaders = Object.entries(launch.headers).flatMap(([name, value]) =>
    OPEN_HEADERS.has(name.toLowerCase()) ? [] : [value, ...value.split(' ').slice(1)],
  );
  return [...inAddress, ...inHeaders];
}

function says(entry: { command?: string | undefined; args?: string[] | undefined; url?: string | undefined } = {}) {
  const { command, args = [], url } = entry;
  return quoted(url ?? [command ?? '', ...args].join(' '), 300);
}
