import { readdirSync } from 'node:fs';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as OldStdio } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport as OldHttp } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

import { SKILLS } from '../../src/config/locations.ts';
import { loadPersona } from '../../src/personas/persona.ts';
import { ROOT, type ClientKind, type Place } from '../harness.ts';

/** A connected client of either SDK as it is, for what `Agent` has no words for. */
export type PlainClient = Client | OldClient;

/** Over stdio, starting the server; `name` is what the client calls itself. */
export async function plainStdio(kind: ClientKind, place: Place, args: string[], name = 'plain'): Promise<PlainClient> {
  const parameters = { command: process.execPath, args, env: place.env, stderr: 'ignore' as const, cwd: ROOT };
  return connect(
    kind,
    name,
    () => new StdioClientTransport(parameters),
    () => new OldStdio(parameters),
  );
}

export async function plainHttp(kind: ClientKind, url: string, token: string): Promise<PlainClient> {
  const options = { requestInit: { headers: { Authorization: `Bearer ${token}` } } };
  return connect(
    kind,
    'plain',
    () => new StreamableHTTPClientTransport(new URL(url), options),
    () => new OldHttp(new URL(url), options),
  );
}

async function connect(
  kind: ClientKind,
  name: string,
  transport: () => Parameters<Client['connect']>[0],
  old: () => Parameters<OldClient['connect']>[0],
): Promise<PlainClient> {
  const info = { name, version: '1.0.0' };
  if (kind === '1.x') {
    const client = new OldClient(info);
    await client.connect(old());
    return client;
  }
  const client = new Client(info, kind === '2.x modern' ? { versionNegotiation: { mode: { pin: '2026-07-28' } } } : {});
  await client.connect(transport());
  return client;
}

/** The JSON of a resource. */
export async function readJson<T>(client: PlainClient, uri: string): Promise<T> {
  const { contents } = (await client.readResource({ uri })) as { contents: { text?: string }[] };
  return JSON.parse(contents[0]?.text ?? '') as T;
}

/** How a request was refused: code and message. */
export async function refusal(asked: Promise<unknown>): Promise<{ code: number; message: string }> {
  try {
    await asked;
  } catch (error) {
    const { code, message } = error as { code: number; message: string };
    return { code, message };
  }
  throw new Error('it was not refused');
}

/** The names of the skills that the default persona is given, in its order. */
export async function skillNames(): Promise<string[]> {
  return (await loadPersona('devops')).skills ?? readdirSync(SKILLS).sort();
}
