import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Server } from '@modelcontextprotocol/server';

import { startStdio } from '../../src/transports/stdio.ts';
import { holdpoint, newPlace, ROOT, serverArgs, type Place } from '../harness.ts';

interface Message {
  id?: number | string | null;
  result?: { isError?: boolean; structuredContent?: { status: string; error?: { code: string } } };
  error?: { code: number; message: string };
}

let place: Place;
let child: ChildProcess;
let received: Message[];
let watchers: (() => void)[];

function start(env: Record<string, string> = {}): void {
  child = spawn(process.execPath, serverArgs(place, ['--stdio']), {
    env: { ...place.env, ...env },
    cwd: ROOT,
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  createInterface({ input: child.stdout as NonNullable<ChildProcess['stdout']> }).on('line', (line) => {
    received.push(JSON.parse(line) as Message);
    for (const look of watchers) look();
  });
}
beforeEach(() => {
  place = newPlace();
  received = [];
  watchers = [];
  start();
});
afterEach(() => {
  child.kill('SIGKILL');
  place.remove();
});

const write = (bytes: string | Buffer) => child.stdin?.write(bytes);

/** The first message that fits, whenever it comes. */
function find(fits: (message: Message) => boolean): Promise<Message> {
  return new Promise((done) => {
    const look = () => {
      const found = received.find(fits);
      if (found) done(found);
    };
    watchers.push(look);
    look();
  });
}
const answer = (id: number | string) => find((message) => message.id === id);

const initialize = `${JSON.stringify({
  jsonrpc: '2.0',
  id: 'init',
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'raw', version: '1' } },
})}\n`;
const call = (id: unknown, name: string, args: unknown) =>
  `${JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: args } })}\n`;
const view = (id: unknown) => call(id, 'view', { path: 'docker/Dockerfile' });

async function works(id: string): Promise<void> {
  write(view(id));
  expect((await answer(id)).result?.structuredContent?.status).toBe('done');
}

const audit = async (records = 50) => (await holdpoint(place, 'audit', 'tail', '--json', '-n', `${records}`)).stdout;

describe('stdio with a client that is broken or hostile (A3)', () => {
  test('10,000 malformed frames: each is answered, nothing is kept, the log stays small, and a good call still works', async () => {
    write(initialize);
    await answer('init');
    const kinds = ['{"n":', '[]', 'null', '{"jsonrpc":"2.0","id":{},"method":"ping"}', '{"a":1,"a":2}', '\uFEFF{}'];
    const memory = () => Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]);
    const batch = async (from: number, to: number) => {
      const lines = Array.from({ length: to - from }, (_, at) => `${kinds[at % kinds.length]}${' '.repeat(500)}\n`);
      write(lines.join(''));
      await find(() => received.length > to);
    };
    await batch(0, 2000);
    const before = memory();
    await batch(2000, 10_000);
    expect(received.filter(({ error }) => error)).toHaveLength(10_000);
    expect(memory() - before).toBeLessThan(100_000);
    await works('after');
    child.stdin?.end();
    await new Promise((done) => child.once('exit', done));
    const counted = [...(await audit(1000)).matchAll(/"leftOut":\s*(\d+)/g)].map(([, count]) => Number(count));
    expect(counted).toEqual(Array(9).fill(1000));
  });

  test.each([
    ['a key twice', '{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"view","name":"save-file"}}', 5],
    ['__proto__', '{"jsonrpc":"2.0","id":5,"method":"ping","params":{"__proto__":{}}}', 5],
    ['100,000 levels', `{"jsonrpc":"2.0","id":5,"method":"ping","params":${'['.repeat(100_000)}`, null],
    ['bytes that are no UTF-8', Buffer.from('{"jsonrpc":"2.0","id":5,"method":"p\xff"}', 'latin1'), null],
    ['NUL', '{"jsonrpc":"2.0","id":5,"method":"ping"}\0', null],
    ['a batch', '[{"jsonrpc":"2.0","id":5,"method":"ping"}]', null],
    ['an id that is true', '{"jsonrpc":"2.0","id":true,"method":"ping"}', null],
    ['an id beyond what is exact', '{"jsonrpc":"2.0","id":1e300,"method":"ping"}', null],
  ])('%s is refused and recorded, and the next call works', async (_what, line, id) => {
    write(initialize);
    await answer('init');
    write(line);
    write('\n');
    expect((await find(({ error }) => error !== undefined)).id).toBe(id);
    await works('after');
    expect(await audit()).toContain('malformed');
  });

  test('unknown methods get -32601; ids of either type come back as they were', async () => {
    write(initialize);
    await answer('init');
    write('{"jsonrpc":"2.0","id":"7","method":"tools/destroy"}\n{"jsonrpc":"2.0","id":7,"method":"no/such"}\n');
    expect((await answer('7')).error?.code).toBe(-32601);
    expect((await answer(7)).error?.code).toBe(-32601);
    await works('');
  });

  test('an id that is still being answered is not taken again; afterwards it is', async () => {
    write(initialize);
    await answer('init');
    write(call('held', 'remove-files', { paths: ['docker/old-compose.yml'] }));
    const id = ((await answer('held')).result?.structuredContent as { approval?: { id: string } })?.approval?.id;
    const wait = call('same', 'approval', { action: 'wait', id, waitSeconds: 2 });
    write(wait);
    write(view('same'));
    expect((await find(({ error }) => error !== undefined)).error?.message).toContain('use another id');
    expect((await answer('same')).result?.structuredContent?.status).toBe('done');
    expect(received.filter((message) => message.id === 'same')).toHaveLength(1);
    write(view('same'));
    await find(() => received.filter((message) => message.id === 'same').length === 2);
  });

  test('a call that is taken back frees its id; taking back what never was does nothing', async () => {
    write(initialize);
    await answer('init');
    write(call('held', 'remove-files', { paths: ['docker/old-compose.yml'] }));
    const id = ((await answer('held')).result?.structuredContent as { approval?: { id: string } })?.approval?.id;
    const cancel = (requestId: unknown) =>
      write(`${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId } })}\n`);
    write(call('gone', 'approval', { action: 'wait', id, waitSeconds: 45 }));
    cancel('gone');
    for (const odd of ['never', 7, null, {}, [], 'gone']) cancel(odd);
    await works('gone');
  });

  test('the end of the input lets what was asked be answered, a last line without a break included', async () => {
    const ended = new Promise<number | null>((done) => child.once('exit', done));
    child.stdin?.end(`${initialize}${view(1)}${view(2)}${view(3).trimEnd()}`);
    expect(await ended).toBe(0);
    await Promise.all([answer('init'), answer(1), answer(2), answer(3)]);
    expect(received).toHaveLength(4);
  });
});

describe('stdio: limits of a principal', () => {
  test('too many calls get rate_limited with when to come again, nothing runs, and it is recorded once', async () => {
    child.kill('SIGKILL');
    const config = `${place.env['HOME']}/limits.yaml`;
    writeFileSync(config, 'limits: { callsPerMinute: 3 }\n');
    received = [];
    start({ HOLDPOINT_CONFIG: config });
    write(initialize);
    await answer('init');
    for (let at = 0; at < 8; at++) write(call(at, 'save-file', { path: `docker/${at}.txt`, content: 'x' }));
    await Promise.all(Array.from({ length: 8 }, (_, at) => answer(at)));
    const states = received.map(({ result }) => result?.structuredContent?.status);
    expect(states.filter((status) => status === 'done')).toHaveLength(3);
    const refused = received.filter(({ result }) => result?.structuredContent?.error?.code === 'rate_limited');
    expect(refused).toHaveLength(5);
    expect(JSON.stringify(refused[0])).toMatch(/Call again after (?:1?\d|20) s/);
    expect((await audit()).match(/"refused":\s*"rate_limited"/g)).toHaveLength(1);
  });
});

describe('stdio: answers after the end of the input', () => {
  test('one that does not come in time is not waited for', async () => {
    const stdin = new PassThrough();
    const stdout = new PassThrough();
    const closed = Promise.withResolvers<void>();
    startStdio({
      factory: () => {
        const server = new Server({ name: 'slow', version: '1' }, { capabilities: { tools: {} } });
        server.setRequestHandler('tools/call', () => new Promise(() => {}));
        return server;
      },
      stdin,
      stdout,
      malformed: () => {},
      onerror: () => {},
      onclose: closed.resolve,
      lastAnswers: 50,
    });
    stdin.end(`${initialize}${view(1)}`);
    await closed.promise;
    expect(String(stdout.read())).toContain('"id":"init"');
    expect(String(stdout.read() ?? '')).not.toContain('"id":1');
  });
});
