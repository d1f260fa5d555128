import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as OldStdio } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport as OldHttp } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

import type { Envelope } from '../src/core/envelope.ts';

export const ROOT = resolve(import.meta.dirname, '..');
/** As it is published, which starts four times as fast as from source: see test/built.ts. */
const MAIN = join(ROOT, 'dist/main.js');

/** Folders of one test: a copy of the sample workspace, a state and a keys directory; removed by `remove`. */
export interface Place {
  workspace: string;
  state: string;
  keys: string;
  env: Record<string, string>;
  remove: () => void;
}

export function newPlace(env: Record<string, string> = {}): Place {
  const root = mkdtempSync(join(tmpdir(), 'holdpoint-test-'));
  const workspace = join(root, 'workspace');
  cpSync(join(ROOT, 'fixtures/workspace'), workspace, { recursive: true });
  const place = { workspace, state: join(root, 'state'), keys: join(root, 'state.keys') };
  return {
    ...place,
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: root,
      // Compiled code, and sources without their types, are kept between the tests' processes.
      NODE_COMPILE_CACHE: join(tmpdir(), 'holdpoint-test-compiled'),
      USER: 'tester',
      HOLDPOINT_APPROVER_PASSPHRASE: '',
      KUBECONFIG: join(root, 'no-kubeconfig'),
      ...env,
    },
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}

export interface CommandResult {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs `holdpoint` as a person would, on a place's state. */
export async function holdpoint(place: Place, ...args: string[]): Promise<CommandResult> {
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [MAIN, ...args, '--state', place.state], {
      env: place.env,
      cwd: ROOT,
    });
    return { code: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as CommandResult;
    return { code, stdout, stderr };
  }
}

/** Approves on the command line as somebody who has done everything on the checklist that they may speak for. */
export async function approveTicking(place: Place, id: string, ...more: string[]): Promise<CommandResult> {
  const { stdout } = await holdpoint(place, 'approvals', 'show', id, '--json');
  const { checklist = [] } = JSON.parse(stdout) as { checklist?: { id: string; phase: string; mayTick: boolean }[] };
  const items = checklist.filter(({ phase, mayTick }) => phase === 'pre' && mayTick).map((item) => item.id);
  return holdpoint(place, 'approvals', 'approve', id, ...more, ...(items.length > 0 ? ['--tick', ...items] : []));
}

/** What a test calls tools with, whichever SDK and transport are behind it. */
export interface Agent {
  call: (
    tool: string,
    args?: Record<string, unknown>,
  ) => Promise<{ envelope: Envelope; isError: boolean; text: string }>;
  list: () => Promise<
    {
      name: string;
      description?: string | undefined;
      inputSchema: unknown;
      annotations?: Record<string, unknown> | undefined;
    }[]
  >;
  read: (uri: string) => Promise<string>;
  version: () => string | undefined;
  instructions: () => string | undefined;
  close: () => Promise<void>;
}

/** The client generations: the 2.x client in either protocol era, and the 1.x client. */
export const CLIENTS = ['2.x', '2.x modern', '1.x'] as const;
export type ClientKind = (typeof CLIENTS)[number];

const INFO = { name: 'holdpoint-tests', version: '1.0.0' };

/** The server's own entry, or another with the same command line (a test's server with fakes). */
export function serverArgs(place: Place, extra: readonly string[] = [], entry = MAIN): string[] {
  return [entry, 'serve', '--workspace', place.workspace, '--state', place.state, ...extra];
}

export async function overStdio(
  kind: ClientKind,
  place: Place,
  args: string[] = serverArgs(place, ['--stdio']),
): Promise<Agent> {
  const parameters = {
    command: process.execPath,
    args,
    env: place.env,
    stderr: 'ignore' as const,
    cwd: ROOT,
    maxBufferSize: 33_554_432,
  };
  if (kind === '1.x') {
    const client = new OldClient(INFO);
    await client.connect(new OldStdio(parameters));
    return agentOf(client, () => '2025-11-25');
  }
  const client = new Client(INFO, kind === '2.x modern' ? { versionNegotiation: { mode: { pin: '2026-07-28' } } } : {});
  const transport = new StdioClientTransport(parameters);
  await client.connect(transport);
  return agentOf(client, () => client.getNegotiatedProtocolVersion());
}

export async function overHttp(kind: ClientKind, url: string, token: string): Promise<Agent> {
  const options = { requestInit: { headers: { Authorization: `Bearer ${token}` } } };
  if (kind === '1.x') {
    const client = new OldClient(INFO);
    // Its type says that sessionId is never undefined, which exactOptionalPropertyTypes holds against it.
    await client.connect(new OldHttp(new URL(url), options));
    return agentOf(client, () => '2025-11-25');
  }
  const client = new Client(INFO, kind === '2.x modern' ? { versionNegotiation: { mode: { pin: '2026-07-28' } } } : {});
  await client.connect(new StreamableHTTPClientTransport(new URL(url), options));
  return agentOf(client, () => client.getNegotiatedProtocolVersion());
}

function agentOf(client: Client | OldClient, version: () => string | undefined): Agent {
  return {
    async call(tool, args = {}) {
      const result = (await client.callTool({ name: tool, arguments: args })) as {
        structuredContent?: unknown;
        isError?: boolean;
        content: { text?: string }[];
      };
      return {
        envelope: result.structuredContent as Envelope,
        isError: result.isError ?? false,
        text: result.content.map((part) => part.text ?? '').join('\n'),
      };
    },
    list: async () => (await client.listTools()).tools,
    async read(uri) {
      const { contents } = (await client.readResource({ uri })) as { contents: { text?: string }[] };
      return contents.map((part) => part.text ?? '').join('');
    },
    version,
    instructions: () => client.getInstructions(),
    close: () => client.close(),
  };
}

export interface RunningHttp {
  url: string;
  token: string;
  process: ChildProcess;
  output(): string;
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** Starts a server over HTTP on a free port and waits until it says where it listens. */
export async function startHttp(
  place: Place,
  args: string[] = serverArgs(place, ['--http', '127.0.0.1:0']),
): Promise<RunningHttp> {
  const child = spawn(process.execPath, args, { env: place.env, cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const ended = new Promise<number | null>((done) => child.once('exit', (code) => done(code)));
  const found = await new Promise<RegExpExecArray>((done, fail) => {
    const take = (chunk: Buffer) => {
      output += chunk.toString();
      const match = /serves MCP at (\S+\/mcp)[\s\S]*Token: (\S+)/.exec(output);
      if (match) done(match);
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    void ended.then((code) => fail(new Error(`the server ended with ${code}: ${output}`)));
  });
  return {
    url: found[1] ?? '',
    token: found[2] ?? '',
    process: child,
    output: () => output,
    stop(signal = 'SIGTERM') {
      child.kill(signal);
      return ended;
    },
  };
}
