import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { holdpoint, newPlace, ROOT, serverArgs, type Place } from '../harness.ts';

interface Message {
  id?: number | null;
  result?: Record<string, unknown>;
  error?: { code: number; message: string };
}

let place: Place;
let child: ChildProcess;
let lines: string[];
let waiting: { done: (message: Message) => void; fail: (error: Error) => void }[];

beforeEach(() => {
  place = newPlace();
  lines = [];
  const pending: typeof waiting = [];
  waiting = pending;
  child = spawn(process.execPath, serverArgs(place, ['--stdio']), {
    env: place.env,
    cwd: ROOT,
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  createInterface({ input: child.stdout as NonNullable<ChildProcess['stdout']> }).on('line', (line) => {
    lines.push(line);
    pending.shift()?.done(JSON.parse(line) as Message);
  });
  child.once('exit', (code) => {
    for (const { fail } of pending) fail(new Error(`the server ended with ${code}`));
  });
});
afterEach(() => {
  child.kill('SIGKILL');
  place.remove();
});

/** Writes one line and gives the next message that comes. */
function exchange(line: string): Promise<Message> {
  return new Promise((done, fail) => {
    waiting.push({ done, fail });
    child.stdin?.write(`${line}\n`);
  });
}

const initialize = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'raw', version: '1' } },
});
const call = (id: number, name: unknown, args: unknown) =>
  JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: args } });

describe('stdio', () => {
  test('what is no message is answered, recorded, and the connection goes on', async () => {
    expect((await exchange('{broken')).error?.code).toBe(-32700);
    expect((await exchange(initialize)).result).toMatchObject({
      protocolVersion: '2025-11-25',
      serverInfo: { name: 'holdpoint' },
    });
    for (const bad of ['[]', '"text"', '{"jsonrpc":"1.0","id":3,"method":"ping"}', '\u0000\u0001', '{"a":'])
      expect((await exchange(bad)).error?.code).toBeLessThan(-32000);
    expect((await exchange(call(2, 'view', 'no object'))).error?.code).toBe(-32602);
    expect((await exchange(call(3, 7, {}))).error?.code).toBe(-32602);
    expect((await exchange(call(4, 'view', { path: '.env' }))).result).toMatchObject({
      isError: true,
      structuredContent: { status: 'denied' },
    });
    const { stdout } = await holdpoint(place, 'audit', 'tail', '--json');
    expect(stdout.match(/malformed/g)?.length).toBeGreaterThanOrEqual(8);
  });

  test('a line beyond the limit is refused without being kept, and the next one is answered', async () => {
    await exchange(initialize);
    expect((await exchange(`{"x":"${'y'.repeat(34_000_000)}"}`)).error?.message).toMatch(/larger than 32 MiB/);
    expect((await exchange(call(2, 'view', { path: '.env' }))).result).toMatchObject({ isError: true });
  });

  test('500 malformed lines in a row: each is answered, nothing else is on stdout', async () => {
    await exchange(initialize);
    const answers = await Promise.all(Array.from({ length: 500 }, (_, index) => exchange(`{"n":${index},`)));
    expect(answers.every(({ error }) => error?.code === -32700)).toBe(true);
    expect((await exchange(call(9, 'view', { path: '.env' }))).result).toMatchObject({ isError: true });
    expect(lines).toHaveLength(502);
  });

  test('the end of its input ends it', async () => {
    await exchange(initialize);
    const ended = new Promise((done) => child.once('exit', done));
    child.stdin?.end();
    expect(await ended).toBe(0);
  });
});
