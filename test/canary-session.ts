/** One server under a real client, with every byte kept that left the process. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';

import type { Envelope } from '../src/core/envelope.ts';
import { holdpoint, ROOT, serverArgs, startHttp, type Place } from './harness.ts';

export interface Session {
  /** Calls a tool, reads the whole of a result that was cut, and gives the envelope. */
  call(tool: string, args?: Record<string, unknown>): Promise<Envelope>;
  /** Everything that has left the process up to now. */
  left(): Buffer;
  close(): Promise<void>;
}

export async function openSession(transport: 'stdio' | 'http', place: Place, entry?: string): Promise<Session> {
  return transport === 'stdio' ? overStdio(place, entry) : overHttp(place, entry);
}

async function overStdio(place: Place, entry?: string): Promise<Session> {
  const folder = mkdtempSync(join(tmpdir(), 'holdpoint-left-'));
  const [out, err] = [join(folder, 'out'), join(folder, 'err')];
  const client = new Client({ name: 'canaries', version: '1' });
  await client.connect(
    new StdioClientTransport({
      command: 'sh',
      args: [
        '-c',
        `"${process.execPath}" "$@" 2>"${err}" | tee "${out}"`,
        'sh',
        ...serverArgs(place, ['--stdio'], entry),
      ],
      env: place.env,
      stderr: 'ignore',
      cwd: ROOT,
      maxBufferSize: 33_554_432,
    }),
  );
  let kept: Buffer | undefined;
  const read = () => Buffer.concat([readFileSync(out), readFileSync(err)]);
  return {
    call: callWith(client),
    left: () => kept ?? read(),
    async close() {
      await client.close();
      kept = read();
      rmSync(folder, { recursive: true });
    },
  };
}

async function overHttp(place: Place, entry?: string): Promise<Session> {
  const server = await startHttp(place, serverArgs(place, ['--http', '127.0.0.1:0'], entry));
  const bodies: Buffer[] = [];
  const recording: typeof fetch = async (url, init) => {
    const response = await fetch(url, init);
    bodies.push(Buffer.from(JSON.stringify([...response.headers])));
    if (response.body === null) return response;
    const [shown, kept] = response.body.tee();
    void (async () => {
      for await (const chunk of kept) bodies.push(Buffer.from(chunk));
    })().catch(() => {});
    return new Response(shown, response);
  };
  const client = new Client({ name: 'canaries', version: '1' });
  await client.connect(
    new StreamableHTTPClientTransport(new URL(server.url), {
      fetch: recording,
      requestInit: { headers: { Authorization: `Bearer ${server.token}` } },
    }),
  );
  return {
    call: callWith(client),
    left: () => Buffer.concat([...bodies, Buffer.from(server.output())]),
    async close() {
      for (const path of ['/metrics', '/health', '/ready', '/nowhere'])
        bodies.push(Buffer.from(await (await fetch(server.url.replace('/mcp', path))).text()));
      await client.close();
      await server.stop();
    },
  };
}

function callWith(client: Client): Session['call'] {
  return async (name, args = {}) => {
    const answer = await client.callTool({ name, arguments: args }, { onprogress: () => {} });
    const envelope = answer.structuredContent as Envelope;
    const uri = /holdpoint:\/\/results\/[\w-]+/.exec(JSON.stringify(envelope))?.[0];
    if (uri !== undefined) await client.readResource({ uri });
    return envelope;
  };
}

/** What the commands say of a place's state: everything a person can look at there. */
export async function commandsOutput(place: Place, approvals: readonly string[]): Promise<Buffer> {
  const commands = [
    ['approvals', 'list', '--in', 'all'],
    ['approvals', 'list', '--in', 'all', '--json'],
    ...approvals.flatMap((id) => [
      ['approvals', 'show', id],
      ['approvals', 'show', id, '--json'],
    ]),
    ['audit', 'tail', '-n', '10000'],
    ['audit', 'tail', '-n', '10000', '--json'],
    ['audit', 'export'],
    ['audit', 'verify'],
    ['doctor'],
  ];
  const outputs: string[] = [];
  for (const command of commands) {
    const { stdout, stderr } = await holdpoint(place, ...command);
    outputs.push(stdout, stderr);
  }
  return Buffer.from(outputs.join('\n'));
}

/** Every byte of every file below a folder. */
export function bytesBelow(folder: string): Buffer {
  return Buffer.concat(
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .map((name) => join(folder, name))
      .filter((path) => statSync(path).isFile())
      .map((path) => readFileSync(path)),
  );
}
