import { createServer, type AddressInfo, type Server } from 'node:net';
import { describe, expect, onTestFinished, test, vi } from 'vitest';

import { createWeb } from '../../../src/adapters/web/client.ts';
import { newCertificate } from './certificate.ts';
import { CALL, codeOf, newLookup, newWebBench, startAnswer, startService } from './kit.ts';

/** A TCP server that greets with `says` and hangs up; with nothing to say it keeps the line silent. */
async function startRaw(says: string | undefined): Promise<{ port: number; server: Server }> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    if (says !== undefined) socket.once('data', () => socket.end(says));
  });
  await new Promise<void>((done) => {
    server.listen(0, '127.0.0.1', done);
  });
  onTestFinished(() => void server.close());
  return { port: (server.address() as AddressInfo).port, server };
}

describe('C5 web-fetch: what a failure means for the service', () => {
  test('a refused connection', async () => {
    const { port, server } = await startRaw(undefined);
    await new Promise((done) => {
      server.close(done);
    });
    const bench = await newWebBench();
    expect(await bench.refusal({ url: `http://127.0.0.1:${port}` })).toMatchObject({
      code: 'unavailable',
      reason: `127.0.0.1:${port} refuses the connection.`,
      hint: expect.stringContaining('Nothing listens'),
    });
    expect((await bench.refusal({ url: `http://localhost:${port}` })).reason).toContain('refuses the connection');
  });

  test.each([
    ['ENOTFOUND', 'no address in DNS'],
    ['EAI_AGAIN', 'DNS does not answer'],
  ])('a name that DNS does not know (%s)', async (code, says) => {
    const lookup = async () => Promise.reject(Object.assign(new Error('dns'), { code }));
    const bench = await newWebBench({ lookup });
    const error = await bench.refusal({ url: 'http://app.test/' });
    expect(error).toMatchObject({ code: 'unavailable', reason: expect.stringContaining(says) });
  });

  test('a name without addresses', async () => {
    const bench = await newWebBench(newLookup([]));
    expect((await bench.refusal({ url: 'http://app.test/' })).reason).toContain('no address in DNS');
  });

  test.each([
    ['nothing', '', 'closed the connection'],
    ['half a body', 'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc', 'closed the connection'],
    ['another protocol', '220 mail ready\r\n', 'does not answer in HTTP'],
    ['long headers', `HTTP/1.1 200 OK\r\na: ${'b'.repeat(20_000)}\r\n\r\n`, 'more than 16 KB of headers'],
  ])('an answer that is none: %s', async (_what, says, reason) => {
    const { port } = await startRaw(says);
    const bench = await newWebBench();
    const error = await bench.refusal({ url: `http://127.0.0.1:${port}` });
    expect(error).toMatchObject({ code: 'unavailable', reason: expect.stringContaining(reason) });
  });

  test('no answer, no resolver and a body without end are timeouts', async () => {
    const { port } = await startRaw(undefined);
    const bench = await newWebBench({ limit: 100, lookup: async () => new Promise(() => {}) });
    expect(await bench.refusal({ url: `http://127.0.0.1:${port}` })).toMatchObject({
      code: 'timeout',
      reason: `127.0.0.1:${port} did not answer within 0.1 s.`,
    });
    expect((await bench.refusal({ url: 'http://app.test/' })).code).toBe('timeout');
    const slow = await startService((_request, response) => void response.writeHead(200).write('x'));
    expect((await bench.refusal({ url: `http://127.0.0.1:${slow.port}` })).reason).toContain(
      'answered 200, but its body',
    );
  });

  test('a call that is cancelled closes its connection', async () => {
    const closed = vi.fn<() => void>();
    const controller = new AbortController();
    const service = await startService((request, response) => {
      request.on('close', closed);
      response.writeHead(200).write('x', () => controller.abort());
    });
    const request = { url: `http://127.0.0.1:${service.port}`, method: 'GET' } as const;
    expect(await codeOf(createWeb().fetch(request, { ...CALL, signal: controller.signal }))).toBe('timeout');
    await vi.waitFor(() => expect(closed).toHaveBeenCalled());
  });

  test('nothing stays open after an answer', async () => {
    const closed = vi.fn<() => void>();
    const service = await startService((request, response) => {
      request.socket.on('close', closed);
      response.end('ok');
    });
    const bench = await newWebBench();
    expect(await bench.result({ url: `http://127.0.0.1:${service.port}` })).toMatchObject({ ok: true });
    await vi.waitFor(() => expect(closed).toHaveBeenCalled());
  });

  test('proxies of the environment are not asked', async () => {
    const proxy = await startAnswer('proxied');
    const service = await startAnswer('direct');
    for (const name of ['HTTP_PROXY', 'http_proxy', 'ALL_PROXY']) vi.stubEnv(name, `http://127.0.0.1:${proxy.port}`);
    onTestFinished(() => void vi.unstubAllEnvs());
    const bench = await newWebBench();
    expect(await bench.result({ url: `http://127.0.0.1:${service.port}` })).toMatchObject({ body: 'direct' });
    expect(proxy.connections()).toBe(0);
  });
});

describe('C5 web-fetch: TLS', () => {
  test('the days that the certificate is still good for', async () => {
    const pair = newCertificate('127.0.0.1', 30.5);
    const service = await startService((_request, response) => response.end('ok'), pair);
    const bench = await newWebBench({ ca: pair.cert });
    const url = `https://127.0.0.1:${service.port}`;
    expect(await bench.result({ url })).toMatchObject({ ok: true, tls: { daysLeft: 30 } });
  });

  test('a second connection, after a redirect, shows its certificate as well', async () => {
    const pair = newCertificate('127.0.0.1', 30.5);
    const service = await startService(({ url }, response) => {
      response.writeHead(url === '/' ? 302 : 200, { location: '/next', connection: 'close' }).end('ok');
    }, pair);
    const bench = await newWebBench({ ca: pair.cert });
    const result = await bench.result({ url: `https://127.0.0.1:${service.port}` });
    expect(result).toMatchObject({ ok: true, followed: 1, tls: { daysLeft: 30 } });
    expect(service.connections()).toBe(2);
  });

  test('the name is verified though the address is pinned', async () => {
    const pair = newCertificate('app.test', 30.5);
    const service = await startService((_request, response) => response.end('ok'), pair);
    const settings = { ca: pair.cert, privateHosts: ['*.test'], ...newLookup(['127.0.0.1']) };
    const bench = await newWebBench(settings);
    expect(await bench.result({ url: `https://app.test:${service.port}` })).toMatchObject({ tls: { daysLeft: 30 } });
    expect(await bench.refusal({ url: `https://other.test:${service.port}` })).toMatchObject({
      code: 'unavailable',
      reason: expect.stringContaining('is for another name'),
    });
    expect(service.seen).toHaveLength(1);
  });

  test('self-signed and expired certificates are refused before anything is sent, also where the environment would not', async () => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
    onTestFinished(() => void vi.unstubAllEnvs());
    const good = newCertificate('127.0.0.1', 30);
    const service = await startService((_request, response) => response.end('ok'), good);
    const bench = await newWebBench();
    expect(await bench.refusal({ url: `https://127.0.0.1:${service.port}` })).toMatchObject({
      code: 'unavailable',
      reason: expect.stringContaining('is self-signed'),
    });
    const old = newCertificate('127.0.0.1', -1);
    const expired = await startService((_request, response) => response.end('ok'), old);
    const trusting = await newWebBench({ ca: old.cert });
    expect((await trusting.refusal({ url: `https://127.0.0.1:${expired.port}` })).reason).toContain('has expired');
    expect([...service.seen, ...expired.seen]).toEqual([]);
  });

  test('https asked of a port of plain http, and the other way round', async () => {
    const plain = await startAnswer('ok');
    const bench = await newWebBench();
    expect((await bench.refusal({ url: `https://127.0.0.1:${plain.port}` })).reason).toMatch(/^TLS with .* fails/);
    const tls = await startService((_request, response) => response.end('ok'), newCertificate('127.0.0.1', 30));
    expect((await bench.refusal({ url: `http://127.0.0.1:${tls.port}` })).code).toBe('unavailable');
  });
});
