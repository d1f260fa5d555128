import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';

import { newWebBench, startAnswer, startService } from './kit.ts';

describe('C5 web-fetch: services that mean harm', () => {
  test.each(['gzip', 'deflate', 'br', 'gzip, gzip'])(
    'a body that would unpack to 20 MB stays packed (%s)',
    async (coding) => {
      const bomb = gzipSync(Buffer.alloc(20_000_000));
      const service = await startAnswer(bomb, { 'content-type': 'text/plain', 'content-encoding': coding });
      const bench = await newWebBench();
      const result = await bench.result({ url: `http://127.0.0.1:${service.port}` });
      expect(result).toMatchObject({ bytes: bomb.byteLength, type: `text/plain (${coding})` });
      expect(result).not.toHaveProperty('body');
      expect(service.seen[0]?.headers['accept-encoding']).toBe('identity');
      const plain = await startAnswer('fine');
      expect(await bench.result({ url: `http://127.0.0.1:${plain.port}` })).toMatchObject({ ok: true, body: 'fine' });
    },
  );

  test.each([
    ['http://169.254.169.254/latest/meta-data/iam/', 'http://169.254.169.254'],
    ['http://metadata.google.internal/computeMetadata/v1/', 'http://metadata.google.internal'],
    ['http://[fd00:ec2::254]/', 'http://[fd00:ec2::254]'],
    ['http://2852039166/', 'http://169.254.169.254'],
    ['file:///etc/passwd', 'file:'],
    ['gopher://127.0.0.1:6379/_FLUSHALL', 'gopher:'],
    ['data:text/html,hello', 'data:'],
  ])('a redirect to %s is told, not followed', async (location, to) => {
    const service = await startService(({ url }, response) => {
      response.writeHead(url === '/' ? 302 : 200, url === '/' ? { location } : {}).end('there');
    });
    const bench = await newWebBench();
    const origin = `http://127.0.0.1:${service.port}`;
    expect(await bench.result({ url: `${origin}/` })).toMatchObject({ ok: false, redirect: { status: 302, to } });
    expect(service.seen).toHaveLength(1);
    expect(await bench.result({ url: `${origin}/next` })).toMatchObject({ ok: true, body: 'there' });
  });

  test('an answer’s cookies and challenges are not sent back', async () => {
    const service = await startService(({ url }, response) => {
      const headers = { location: '/again', 'set-cookie': 'a=b', 'www-authenticate': 'Basic realm="x"' };
      response.writeHead(url === '/' ? 302 : 200, headers).end('there');
    });
    const bench = await newWebBench();
    await bench.result({ url: `http://127.0.0.1:${service.port}/` });
    expect(service.seen).toHaveLength(2);
    expect(service.seen[1]?.headers).not.toHaveProperty('cookie');
    expect(service.seen[1]?.headers).not.toHaveProperty('authorization');
  });

  test('a rule may name the port: others of the same host are not connected to', async () => {
    const allowed = await startAnswer('ok');
    const other = await startAnswer('secret');
    const bench = await newWebBench();
    bench.setPolicy(`
version: 1
name: ports
environments:
  production: { hosts: [shop.example] }
  development: { hosts: [127.0.0.1] }
rules:
  - id: one-port
    decision: allow
    when: { kind: host, id: '127.0.0.1:${allowed.port}' }
    reason: This service alone.
    examples: [{ tool: web-fetch, targets: [{ kind: host, id: '127.0.0.1:${allowed.port}', effect: read, at: { host: 127.0.0.1 } }], expect: allow }]
`);
    expect(await bench.result({ url: `http://127.0.0.1:${allowed.port}` })).toMatchObject({ body: 'ok' });
    for (const host of ['127.0.0.1', '0177.0.0.1', '2130706433'])
      expect((await bench.refusal({ url: `http://${host}:${other.port}` })).code).toBe('denied');
    expect(other.connections()).toBe(0);
  });
});
