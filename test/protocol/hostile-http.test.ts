import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { startHttp as startTransport, type HttpServer } from '../../src/transports/http.ts';
import { holdpoint, newPlace, startHttp, type Place, type RunningHttp } from '../harness.ts';
import { open, sendRaw } from './raw.ts';

let place: Place;
let http: RunningHttp;
beforeAll(async () => {
  place = newPlace();
  http = await startHttp(place);
});
afterAll(async () => {
  await http.stop();
  place.remove();
});

const list = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} });

/** The start of a request to `/mcp` with the right token and what else is given. */
function head(lines: readonly string[], path = '/mcp', method = 'POST'): string {
  const all = [
    `${method} ${path} HTTP/1.1`,
    'Host: localhost',
    `Authorization: Bearer ${http.token}`,
    'Content-Type: application/json',
    'Accept: application/json, text/event-stream',
    'Connection: close',
    ...lines,
  ];
  return `${all.join('\r\n')}\r\n\r\n`;
}

const post = (body: string | Buffer, ...lines: string[]) =>
  sendRaw(http.url, head([`Content-Length: ${Buffer.byteLength(body)}`, ...lines]), body);

const audit = async () => (await holdpoint(place, 'audit', 'tail', '--json')).stdout;

const call = (args: string) =>
  `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"view","arguments":${args}}}`;
const nested = (levels: number) => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;

describe('bodies that are no clear message (A3)', () => {
  test.each([
    ['a key twice', call('{"path":"docker/Dockerfile","path":".env"}'), -32600, 'is there twice'],
    ['a key twice, once escaped', call('{"path":"docker/Dockerfile","p\\u0061th":".env"}'), -32600, 'is there twice'],
    ['a method twice', '{"jsonrpc":"2.0","id":7,"method":"ping","method":"tools/call"}', -32600, 'is there twice'],
    ['__proto__', call('{"__proto__":{"path":".env"},"path":"docker/Dockerfile"}'), -32600, '__proto__'],
    ['1,000 levels', call(nested(1000)), -32600, 'levels deep'],
    ['a million levels', call('['.repeat(1_000_000)), -32600, 'levels deep'],
    ['a million values', call(`{"path":[${'0,'.repeat(1_000_000)}0]}`), -32600, 'values'],
    ['a batch', `[${list},${list}]`, -32600, 'batches'],
    ['an empty batch', '[]', -32600, 'batches'],
    ['a byte order mark', `\uFEFF${list}`, -32700, 'byte order mark'],
    ['bytes that are no UTF-8', Buffer.from(call('{"path":"a\xffb"}'), 'latin1'), -32700, 'UTF-8'],
    ['NUL', `${list}\0`, -32700, 'no JSON'],
    ['nothing', '', -32600, 'empty'],
    ['a number', '7', -32600, 'no JSON-RPC'],
    ['an id that is no whole number', list.replace('"id":1', '"id":1.5'), -32600, 'an id is'],
    ['an id beyond what is exact', list.replace('"id":1', '"id":9007199254740993'), -32600, 'an id is'],
    ['an id without end', list.replace('"id":1', '"id":1e999'), -32600, 'an id is'],
    ['an id that is an object', list.replace('"id":1', '"id":{}'), -32600, 'an id is'],
    ['an id that is null', list.replace('"id":1', '"id":null'), -32600, 'an id is'],
    ['a long id', list.replace('"id":1', `"id":"${'x'.repeat(300)}"`), -32600, 'an id is'],
  ])('%s: 400, a record, and the next one is answered', async (_what, body, code, says) => {
    const answer = await post(body);
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.text)).toMatchObject({ error: { code, message: expect.stringContaining(says) } });
    expect(await audit()).toContain(says.replaceAll('"', '\\"'));
    expect((await post(list)).status).toBe(200);
  });

  test('the id is given back where it is certain, so that the client need not wait', async () => {
    const certain = await post(call('{"path":"a","path":"b"}'));
    expect(JSON.parse(certain.text)).toMatchObject({ id: 7 });
    const not = await post('{"jsonrpc":"2.0","id":7,"id":8,"method":"ping"}');
    expect(JSON.parse(not.text)).toMatchObject({ id: null });
  });

  test.each([
    ['constructor', '{"constructor":{"prototype":{"x":1}},"path":"docker/Dockerfile"}', 'not allowed'],
    ['33 levels', `{"path":${nested(33)}}`, 'levels deep'],
    ['10 MB', `{"path":"${'x'.repeat(10_000_000)}"}`, 'larger than 2 MiB'],
    ['a number beyond all', '{"path":"docker/Dockerfile","startLine":1e999}', 'invalid_input'],
  ])('arguments with %s get a result that says so', async (_what, args, says) => {
    const answer = await post(call(args));
    expect(answer.status).toBe(200);
    expect(answer.text).toContain(says);
    expect(answer.text).toContain('invalid_input');
  });

  test('keys may repeat in different objects, and texts may hold anything', async () => {
    const query = '{"path":1,"path":2} "path": \\" __proto__ \u0000 [[[[';
    const params = { name: 'find-tools', arguments: { query }, _meta: { name: 'x', arguments: {} } };
    const answer = await post(JSON.stringify({ jsonrpc: '2.0', id: 7, method: 'tools/call', params }));
    expect(answer.status).toBe(200);
    expect(answer.text).toContain('"status":"done"');
  });
});

describe('framing (A3)', () => {
  const chunked = (body: string) => `${Buffer.byteLength(body).toString(16)}\r\n${body}\r\n0\r\n\r\n`;

  test.each([
    ['both lengths', [`Content-Length: ${list.length}`, 'Transfer-Encoding: chunked'], chunked(list), 400],
    ['two lengths', [`Content-Length: ${list.length}`, 'Content-Length: 3'], list, 400],
    ['the same length twice', [`Content-Length: ${list.length}`, `Content-Length: ${list.length}`], list, 400],
    ['a coding that is hidden', ['Transfer-Encoding: xchunked'], chunked(list), 400],
    ['a coding with a tab', ['Transfer-Encoding:\tchunked', 'Transfer-Encoding: identity'], chunked(list), 400],
    ['a space before the colon', [`Content-Length : ${list.length}`], list, 400],
    ['a length that is none', ['Content-Length: 1e3'], list, 400],
    ['a folded header', [`Content-Length: ${list.length}`, 'X-A: b', ' c'], list, 400],
    ['a bare line feed in a header', [`Content-Length: ${list.length}`, 'X-A: b\nX-B: c'], list, 400],
    ['another Host', ['Host: evil.example', `Content-Length: ${list.length}`], list, 400],
    ['another token', ['Authorization: Bearer x', `Content-Length: ${list.length}`], list, 400],
    ['an expectation', ['Expect: the-moon', `Content-Length: ${list.length}`], list, 400],
    ['a compressed body', ['Content-Encoding: gzip', `Content-Length: ${list.length}`], list, 415],
    ['20 KB of headers', [`X-A: ${'a'.repeat(20_000)}`], list, 431],
    ['a chunk that is no chunk', ['Transfer-Encoding: chunked'], 'zz\r\n', 400],
  ])(
    '%s: refused, with the headers of every answer, and the next one is answered',
    async (_what, lines, body, status) => {
      const answer = await sendRaw(http.url, head(lines), body);
      expect(answer.status).toBe(status);
      expect(answer.headers).toMatchObject(SECURITY);
      expect((await post(list)).status).toBe(200);
    },
  );

  test('a chunked body is read', async () => {
    expect((await sendRaw(http.url, head(['Transfer-Encoding: chunked']), chunked(list))).status).toBe(200);
  });

  test.each([
    ['GET', '/mcp', 405],
    ['PUT', '/mcp', 405],
    ['DELETE', '/mcp', 405],
    ['TRACE', '/mcp', 405],
    ['OPTIONS', '/mcp', 405],
    ['POST', '/health', 405],
    ['DELETE', '/metrics', 405],
    ['GET', 'http://evil.example/health', 400],
    ['GET', '//evil.example/health', 400],
    ['OPTIONS', '*', 400],
    ['GET', '/health/../mcp', 404],
    ['GET', '/%68ealth', 404],
    ['GET', '/health?x=1', 200],
    ['HEAD', '/health', 200],
  ])('%s %s: %i', async (method, path, status) => {
    const answer = await sendRaw(http.url, head([], path, method));
    expect(answer.status).toBe(status);
    expect(answer.headers).toMatchObject(SECURITY);
    if (status === 405) expect(answer.headers['allow']).toMatch(/POST|GET, HEAD/);
  });

  test('CONNECT and upgrades lead nowhere', async () => {
    expect((await sendRaw(http.url, head([], 'evil.example:443', 'CONNECT'))).status).toBe(0);
    const upgrade = head([], '/mcp', 'GET').replace(
      'Connection: close',
      'Connection: close, Upgrade\r\nUpgrade: websocket',
    );
    expect((await sendRaw(http.url, upgrade)).status).toBe(405);
  });
});

const SECURITY = {
  'cache-control': expect.stringContaining('no-store'),
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

describe('headers of answers', () => {
  test.each([
    ['/health', 'GET', {}, 200],
    ['/metrics', 'GET', {}, 200],
    ['/nowhere', 'GET', {}, 404],
    ['/mcp', 'POST', {}, 401],
    ['/health', 'GET', { Origin: 'https://evil.example' }, 403],
    ['/mcp', 'POST', { token: true }, 200],
  ])('%s %s %j', async (path, method, { token, ...extra }: Record<string, unknown>, status) => {
    const headers = {
      'Content-Type': 'application/json',
      Accept: 'application/json, text/event-stream',
      ...(token ? { Authorization: `Bearer ${http.token}` } : {}),
      ...extra,
    } as Record<string, string>;
    const response = await fetch(new URL(path, http.url), {
      method,
      headers,
      ...(method === 'POST' ? { body: list } : {}),
    });
    expect(response.status).toBe(status);
    expect(Object.fromEntries(response.headers)).toMatchObject(SECURITY);
    for (const name of ['server', 'x-powered-by', 'access-control-allow-origin'])
      expect(response.headers.has(name)).toBe(false);
    await response.body?.cancel();
  });
});

describe('clients that take their time, or too much (A3)', () => {
  let slow: HttpServer;
  const malformed: string[] = [];
  const headers = (...lines: string[]) =>
    `POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer slow-token-of-the-tests\r\nContent-Type: application/json\r\n${lines.join('\r\n')}\r\n\r\n`;
  beforeAll(async () => {
    slow = await startTransport({
      host: '127.0.0.1',
      port: 0,
      tokens: [{ name: 'slow', value: 'slow-token-of-the-tests', scopes: ['tools:read'] }],
      tokensConfigured: true,
      allowedHosts: [],
      factory: () => {
        throw new Error('nothing gets so far');
      },
      ready: async () => undefined,
      metrics: async () => '',
      malformed: (reason) => malformed.push(reason),
      onerror: () => {},
      patience: { headers: 300, request: 600, every: 50 },
    });
  });
  afterAll(() => slow.close());

  test.each([
    ['nothing', ''],
    ['half a line', 'POST /mc'],
    ['headers without end', 'GET /health HTTP/1.1\r\nHost: localhost\r\nX-A: b\r\n'],
    ['half a body', headers('Content-Length: 100') + '{"a":'],
    ['chunks without end', headers('Transfer-Encoding: chunked') + '5\r\n{"a":\r\n'],
  ])('%s and then silence: 408, and the connection is closed', async (_what, bytes) => {
    expect([408, 0]).toContain((await sendRaw(slow.url, bytes)).status);
    expect((await fetch(`${slow.url}/health`)).status).toBe(200);
  });

  test('a body that was not ended is recorded, also when its sender hangs up', async () => {
    malformed.length = 0;
    const socket = open(slow.url);
    socket.write(headers('Content-Length: 100') + '{"a":');
    await once(socket, 'connect');
    socket.end();
    await once(socket.resume(), 'close');
    await expect.poll(() => malformed).toContain('The body did not come to its end.');
  });

  test('a body beyond the limit is refused before it has come whole', async () => {
    const socket = open(http.url).on('error', () => {});
    const closed = new Promise<void>((done) => {
      socket.once('close', () => done());
    });
    const chunk = Buffer.concat([Buffer.from('100000\r\n'), Buffer.alloc(0x10_0000, 0x20), Buffer.from('\r\n')]);
    socket.write(head(['Transfer-Encoding: chunked']));
    let sent = 0;
    for (; sent < 200 && !socket.destroyed; sent++)
      await Promise.race([closed, new Promise<void>((done) => socket.write(chunk, () => done()))]);
    expect(sent).toBeLessThan(200);
    expect(await audit()).toContain('larger than 32 MiB');
    expect((await post(list)).status).toBe(200);
  });

  test('a connection that sends far ahead of its answers is closed; two in a row are answered', async () => {
    const one = 'GET /ready HTTP/1.1\r\nHost: localhost\r\n\r\n';
    const last = 'GET /ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';
    const flood = await sendRaw(http.url, one.repeat(500)).catch(() => ({ text: '' }));
    expect(flood.text.split('HTTP/1.1 200').length).toBeLessThan(100);
    expect((await sendRaw(http.url, one + last)).text.split('HTTP/1.1 200')).toHaveLength(2);
  });

  test('200 connections that say nothing do not keep others out', async () => {
    const idle = Array.from({ length: 200 }, () => open(http.url).on('error', () => {}));
    await Promise.all(idle.map((socket) => once(socket, 'connect')));
    expect((await post(list)).status).toBe(200);
    for (const socket of idle) socket.destroy();
  });

  test('a reader that goes away in the middle of an answer leaves the server as it was', async () => {
    for (let each = 0; each < 20; each++) {
      const socket = open(http.url).on('error', () => {});
      socket.write(head([`Content-Length: ${list.length}`]) + list);
      await once(socket, 'data');
      socket.destroy();
    }
    expect((await post(list)).status).toBe(200);
  });
});
