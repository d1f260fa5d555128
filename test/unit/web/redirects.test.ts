import { describe, expect, test } from 'vitest';

import { createWeb } from '../../../src/adapters/web/client.ts';
import { redirectFrom } from '../../../src/adapters/web/redirects.ts';
import { CALL, newLookup, newWebBench, startAnswer, startService } from './kit.ts';

describe('C5 web-fetch: redirects', () => {
  test('within the same host and port they are followed, at most three', async () => {
    const service = await startService(({ url }, response) => {
      const step = Number(url?.slice(1));
      if (step === 0) response.writeHead(200, { 'content-type': 'text/plain' }).end('there');
      else response.writeHead(302, { location: `/${step - 1}` }).end('moved');
    });
    const bench = await newWebBench();
    const origin = `http://127.0.0.1:${service.port}`;
    expect(await bench.result({ url: `${origin}/3` })).toMatchObject({
      status: 200,
      ok: true,
      followed: 3,
      body: 'there',
    });
    expect(service.seen.map(({ url }) => url)).toEqual(['/3', '/2', '/1', '/0']);
    expect(await bench.result({ url: `${origin}/4` })).toMatchObject({
      status: 302,
      ok: false,
      followed: 3,
      redirect: { status: 302, to: origin },
    });
  });

  test('to another port or host they are not; only the origin is told', async () => {
    const other = await startAnswer('secret');
    const bench = await newWebBench();
    for (const host of ['127.0.0.1', 'localhost']) {
      const location = `http://${host}:${other.port}/path?token=abc`;
      const service = await startAnswer('', { location }, 307);
      const result = await bench.result({ url: `http://127.0.0.1:${service.port}` });
      expect(result).toMatchObject({ ok: false, redirect: { status: 307, to: `http://${host}:${other.port}` } });
      expect(JSON.stringify(result)).not.toContain('token');
    }
    expect(other.connections()).toBe(0);
  });

  test('a redirect resolves nothing again', async () => {
    const service = await startService(({ url }, response) =>
      url === '/' ? response.writeHead(301, { location: '/next' }).end() : response.end('ok'),
    );
    const { lookup, asked } = newLookup(['127.0.0.1'], ['169.254.169.254']);
    const web = createWeb({ lookup, privateHosts: ['app.test'] });
    const reply = await web.fetch({ url: `http://app.test:${service.port}/`, method: 'GET' }, CALL);
    expect(reply).toMatchObject({ ok: true, followed: 1 });
    expect(asked).toEqual(['app.test']);
  });

  test.each([
    ['http://a.test/', 'https://a.test/x', { next: 'https://a.test/x' }],
    ['http://a.test/', 'https://A.TEST.:443/x#y', { next: 'https://a.test/x' }],
    ['http://a.test/', '//a.test/y', { next: 'http://a.test/y' }],
    ['https://a.test/', 'http://a.test/', { to: 'http://a.test' }],
    ['http://a.test/', 'https://a.test:8443/', { to: 'https://a.test:8443' }],
    ['http://a.test:8080/', 'https://a.test/', { to: 'https://a.test' }],
    ['http://a.test:443/', 'https://a.test/', { to: 'https://a.test' }],
    ['http://a.test/', 'http://b.a.test/', { to: 'http://b.a.test' }],
    ['http://a.test/', '//evil.test/', { to: 'http://evil.test' }],
    ['http://a.test/', '\\\\evil.test\\', { to: 'http://evil.test' }],
    ['http://a.test/', 'http://a.test@evil.test/', { to: 'http://evil.test' }],
    ['http://a.test/', 'http://user@a.test/', { to: 'http://a.test' }],
    ['http://a.test/', 'file:///etc/passwd', { to: 'file:' }],
    ['http://a.test/', 'javascript:alert(1)', { to: 'javascript:' }],
    ['http://a.test/', 'http://[', { to: 'no valid address' }],
  ])('from %s to %s', (from, location, expected) => {
    const redirect = redirectFrom(new URL(from), location);
    expect('next' in redirect ? { next: redirect.next.href } : redirect).toEqual(expected);
  });
});
