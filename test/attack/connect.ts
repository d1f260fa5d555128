import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';

import type { ServerMap } from './server-map.ts';
import type { World } from './world.ts';

export type Transport = 'stdio' | 'http';

export interface Answer {
  /** What Holdpoint says became of it; of another server `done` or `error`. */
  status: string;
  /** The approval request's id, where one was made. */
  id: string | undefined;
  /** Everything that the client was sent for this call. */
  text: string;
}

/** A real MCP client on a server started for one case. */
export interface Connection {
  call: (tool: string, input: Record<string, unknown>) => Promise<Answer>;
  /** Where and with which token the HTTP server is reached. */
  http: { url: string; token: string } | undefined;
  /** What the server wrote to stderr, and what the client got besides answers. */
  said: () => string;
  close: () => Promise<void>;
}

const INFO = { name: 'attacker', version: '1.0.0' };

/** Command, arguments and environment of the server for a world. */
function launchOf(map: ServerMap, transport: Transport, world: World) {
  const [command = '', ...args] = [...map.command, ...(map.transports[transport] ?? [])].map((word) =>
    world.fill(word.replace('{config}', world.config)),
  );
  const environment = Object.entries(map.environment).map(([name, value]) => [name, world.fill(value)] as const);
  return {
    command: command === 'node' ? process.execPath : command,
    args,
    env: {
      ...world.env,
      ...(map.recordingPrograms ? {} : { PATH: process.env['PATH'] ?? '' }),
      ...Object.fromEntries(environment),
    },
  };
}

export async function connect(map: ServerMap, transport: Transport, world: World): Promise<Connection> {
  const launch = launchOf(map, transport, world);
  let said = '';
  if (transport === 'stdio') {
    const client = new Client(INFO);
    const pipe = new StdioClientTransport({ ...launch, cwd: world.root, stderr: 'pipe', maxBufferSize: 67_108_864 });
    pipe.stderr?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    await client.connect(pipe);
    return connection(
      client,
      map,
      undefined,
      () => said,
      async () => {},
    );
  }
  const child = spawn(launch.command, launch.args, {
    cwd: world.root,
    env: launch.env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const found = await new Promise<RegExpExecArray>((done, fail) => {
    const take = (chunk: Buffer) => {
      said += chunk.toString();
      const match = /serves MCP at (\S+\/mcp)[\s\S]*Token: (\S+)/.exec(said);
      if (match) done(match);
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.once('exit', (code) => fail(new Error(`the server ended with ${code}: ${said}`)));
  });
  const [, url = '', token = ''] = found;
  const client = await overHttp(url, token);
  return connection(
    client,
    map,
    { url, token },
    () => said,
    () => ended(child),
  );
}

export async function overHttp(url: string, token: string): Promise<Client> {
  const client = new Client(INFO);
  await client.connect(
    new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers: { Authorization: `Bearer ${token}` } } }),
  );
  return client;
}

function connection(
  client: Client,
  map: ServerMap,
  http: Connection['http'],
  said: () => string,
  end: () => Promise<void>,
): Connection {
  return {
    async call(tool, input) {
      try {
        const result = await client.callTool({ name: tool, arguments: input }, { timeout: 60_000 });
        return answerOf(result, map.envelope);
      } catch (error) {
        return { status: 'error', id: undefined, text: String(error) };
      }
    },
    http,
    said,
    async close() {
      await client.close();
      await end();
    },
  };
}

function answerOf(result: unknown, envelope: boolean): Answer {
  const { structuredContent, isError } = result as {
    structuredContent?: { status?: string; approval?: { id?: string } };
    isError?: boolean;
  };
  const plain = isError === true ? 'error' : 'done';
  return {
    status: envelope ? (structuredContent?.status ?? plain) : plain,
    id: structuredContent?.approval?.id,
    text: JSON.stringify(result),
  };
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const gone = new Promise((done) => child.once('exit', done));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
  await gone;
  clearTimeout(timer);
}

/** Sends lines to a server of its own, after `initialize`, and says what it wrote; it must end by itself when its input does. */
export async function frames(
  map: ServerMap,
  world: World,
  lines: Iterable<Buffer>,
): Promise<{ text: string; code: number | null }> {
  const launch = launchOf(map, 'stdio', world);
  const child = spawn(launch.command, launch.args, { cwd: world.root, env: launch.env, stdio: 'pipe' });
  let text = '';
  const exited = new Promise<number | null>((done) => child.once('exit', done));
  child.stderr.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  const answered = new Promise<void>((done) => {
    const reader = createInterface({ input: child.stdout });
    reader.on('line', (line) => {
      text += `${line}\n`;
      if (line.includes('"last"')) done();
    });
    reader.on('close', done);
  });
  child.stdin.on('error', () => {});
  const message = (body: object) => Buffer.from(`${JSON.stringify({ jsonrpc: '2.0', ...body })}\n`);
  const write = (chunk: Buffer) =>
    child.stdin.write(chunk) ? undefined : new Promise((done) => child.stdin.once('drain', done));
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: INFO };
  await write(message({ id: 'first', method: 'initialize', params }));
  await write(message({ method: 'notifications/initialized' }));
  for (const line of lines) await write(line);
  await write(message({ id: 'last', method: 'tools/list', params: {} }));
  const timer = setTimeout(() => child.kill('SIGKILL'), 60_000);
  await answered;
  child.stdin.end();
  const code = await exited;
  clearTimeout(timer);
  return { text, code };
}
