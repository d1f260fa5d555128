import { describe, expect, test } from 'vitest';

import type { PlanContext } from '../../../src/core/tool.ts';
import webFetch from '../../../src/tools/web/web-fetch.ts';
import { newWebBench, startAnswer, startService } from './kit.ts';

describe('C5 web-fetch: what a service answers', () => {
  test('status, time and body; the call’s id goes along and nothing of the agent', async () => {
    const service = await startAnswer('{"status":"up"}', { 'content-type': 'application/json', server: 'sample/1' });
    const bench = await newWebBench();
    const url = `http://127.0.0.1:${service.port}/health?full=1`;
    const { ms, ...result } = await bench.result({ url, expect: '"up"' });
    expect(ms).toEqual(expect.any(Number));
    expect(result).toEqual({
      status: 200,
      ok: true,
      type: 'application/json',
      bytes: 15,
      server: 'sample/1',
      body: '{"status":"up"}',
      found: true,
    });
    const [request] = service.seen;
    expect(request).toMatchObject({ method: 'GET', url: '/health?full=1' });
    expect(Object.keys(request?.headers ?? {}).sort()).toEqual([
      'accept',
      'accept-encoding',
      'connection',
      'host',
      'user-agent',
      'x-request-id',
    ]);
    expect(request?.headers).toMatchObject({ 'user-agent': 'holdpoint', 'x-request-id': 'call-1' });
  });

  test('an expectation that is not met is not ok', async () => {
    const service = await startAnswer('degraded');
    const bench = await newWebBench();
    expect(await bench.result({ url: `http://127.0.0.1:${service.port}`, expect: 'healthy' })).toMatchObject({
      status: 200,
      ok: false,
      found: false,
      body: 'degraded',
    });
  });

  test.each([404, 500, 503])('%i is an answer, not ok', async (status) => {
    const service = await startAnswer('no', { 'retry-after': '120' }, status);
    const bench = await newWebBench();
    const result = await bench.result({ url: `http://localhost:${service.port}/x` });
    expect(result).toMatchObject({ status, ok: false, retryAfter: '120', body: 'no' });
  });

  test('HEAD asks for no body and cannot expect one', async () => {
    const service = await startAnswer('body');
    const bench = await newWebBench();
    const url = `http://127.0.0.1:${service.port}`;
    const result = await bench.result({ url, method: 'HEAD' });
    expect(result).toMatchObject({ status: 200, ok: true });
    expect(result).not.toHaveProperty('body');
    expect(service.seen[0]?.method).toBe('HEAD');
    expect(await bench.refusal({ url, method: 'HEAD', expect: 'x' })).toMatchObject({ code: 'invalid_input' });
    expect(service.seen).toHaveLength(1);
  });

  test('targets and plan say the request as it will be sent, and nothing is sent', async () => {
    const service = await startAnswer('body');
    const { services } = await newWebBench();
    const url = `http://LOCALHOST.:${service.port}/a/../b`;
    const host = `localhost:${service.port}`;
    const targets = [{ kind: 'host', id: host, effect: 'read', at: { host: 'localhost' } }];
    expect(webFetch.targets({ url }, services)).toEqual(targets);
    expect(await webFetch.plan({ url }, {} as PlanContext<'web'>)).toMatchObject({
      effect: 'read',
      targets,
      preconditions: [],
      steps: [{ id: 'fetch', call: { method: 'GET', url: `http://${host}/b` } }],
    });
    expect(webFetch.targets({ url: 'https://[::1]:443/' }, services)).toMatchObject([
      { id: '[::1]', at: { host: '::1' } },
    ]);
    expect(service.connections()).toBe(0);
  });

  test('as text: one line of facts, then the body', () => {
    const facts = {
      status: 200,
      ok: false,
      ms: 12,
      type: 'text/plain',
      bytes: 65_536,
      cut: true,
      found: false,
    } as const;
    expect(webFetch.render?.({ ...facts, followed: 1, tls: { daysLeft: 3 }, body: 'hello' })).toBe(
      'not ok: 200 in 12 ms; redirects followed: 1; expected text not found in the first 64 KB; text/plain; ' +
        'over 65536 bytes; certificate ends in 3 days\nbody, as data:\nhello',
    );
  });

  test('hosts that the policy does not allow are not connected to', async () => {
    const bench = await newWebBench();
    for (const host of ['shop.example', 'example.org', '10.0.0.1', '[::1]'])
      expect((await bench.refusal({ url: `http://${host}/` })).code, host).toBe('denied');
  });

  test.each([
    ['ftp://localhost/', 'Only http'],
    ['file:///etc/passwd', 'Only http'],
    ['localhost:80', 'Only http'],
    ['no url', 'spaces'],
    ['http://localhost/\u200B', 'invisible'],
    ['http://user@localhost/', 'user info'],
    ['http://:pw@localhost/', 'user info'],
    ['http://localhost/#a', 'fragment'],
    ['http://localhost../', 'empty part'],
  ])('%s is no address to fetch', async (url, says) => {
    const bench = await newWebBench();
    const error = await bench.refusal({ url });
    expect(error.code).toBe('invalid_input');
    expect(error.reason).toContain(says);
  });

  test('URLs have at most 2,000 characters, as written and as sent', async () => {
    const bench = await newWebBench();
    for (const path of ['a'.repeat(2000), 'é'.repeat(900)])
      expect((await bench.refusal({ url: `http://localhost/${path}` })).reason).toContain('longer');
  });
});

describe('C5 web-fetch: bodies are data', () => {
  test('at most 64 KB are read and 1,500 characters shown', async () => {
    const service = await startAnswer(`start ${'0123456789 '.repeat(200_000)} end`);
    const bench = await newWebBench();
    const result = await bench.result({ url: `http://127.0.0.1:${service.port}`, expect: ' end' });
    expect(result).toMatchObject({ status: 200, ok: false, found: false, cut: true, bytes: 65_536 });
    expect(String(result['body'])).toMatch(/^start 0123.*…$/);
    expect(String(result['body'])).toHaveLength(1500);
  });

  test('an endless body is given up after 64 KB', async () => {
    const service = await startService((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/plain' });
      const more = () => void (response.destroyed || (response.write('x '.repeat(1000)), setImmediate(more)));
      more();
    });
    const bench = await newWebBench();
    const result = await bench.result({ url: `http://127.0.0.1:${service.port}` });
    expect(result).toMatchObject({ ok: true, cut: true });
  });

  test.each(['image/png', 'application/octet-stream', ''])(
    'binary bodies (%s) are counted, not shown',
    async (type) => {
      const service = await startAnswer(Buffer.from([0, 1, 2, 255]), type === '' ? {} : { 'content-type': type });
      const bench = await newWebBench();
      const url = `http://127.0.0.1:${service.port}`;
      const result = await bench.result({ url });
      expect(result).toMatchObject({ ok: true, bytes: 4 });
      expect(result).not.toHaveProperty('body');
      expect(await bench.result({ url, expect: 'a' })).toMatchObject({ ok: false, found: false });
    },
  );

  test('a coding that nobody asked for is named and not shown', async () => {
    const service = await startAnswer('zzz', { 'content-type': 'text/html', 'content-encoding': 'br' });
    const bench = await newWebBench();
    const result = await bench.result({ url: `http://127.0.0.1:${service.port}` });
    expect(result).toMatchObject({ type: 'text/html (br)', bytes: 3 });
    expect(result).not.toHaveProperty('body');
  });

  test('text without a type is shown, control and invisible characters are not', async () => {
    const service = await startAnswer('o\u200Bk\nnext\u202E', {});
    const bench = await newWebBench();
    expect(await bench.result({ url: `http://127.0.0.1:${service.port}` })).toMatchObject({ body: 'ok\nnext' });
    const escapes = await startAnswer('a\u001B[31mb\u0000c', { 'content-type': 'text/plain' });
    expect(await bench.result({ url: `http://127.0.0.1:${escapes.port}` })).toMatchObject({ body: 'a[31mbc' });
  });

  test('of a page the title and the visible text', async () => {
    const page = `<!doctype html><html><head><title>Shop &amp; more</title><style>p{}</style></head><body>
      <!-- hidden --><script>if (a < b) run("</p>")</script><h1>All <b>good</b></h1><p>1 &lt; 2 &#x41;&#66;</p></body>`;
    const service = await startAnswer(page, { 'content-type': 'text/html; charset=utf-8' });
    const bench = await newWebBench();
    expect(await bench.result({ url: `http://127.0.0.1:${service.port}`, expect: 'All good' })).toMatchObject({
      ok: true,
      type: 'text/html',
      body: 'title: Shop & more\nAll good\n1 < 2 AB',
    });
  });

  test('the charset of the type counts; one that is unknown is UTF-8', async () => {
    const bench = await newWebBench();
    const latin = await startAnswer(Buffer.from('Gr\u00FCn', 'latin1'), {
      'content-type': 'text/plain; charset=iso-8859-1',
    });
    expect(await bench.result({ url: `http://127.0.0.1:${latin.port}` })).toMatchObject({ body: 'Grün' });
    const unknown = await startAnswer('Grün', { 'content-type': 'text/plain; charset=nonsense' });
    expect(await bench.result({ url: `http://127.0.0.1:${unknown.port}` })).toMatchObject({ body: 'Grün' });
  });

  test('secrets are masked before the cut, and cannot be guessed with expect', async () => {
    const text = `${'x'.repeat(1490)} hunter2-known`;
    const service = await startAnswer(text, { 'content-type': 'text/plain', server: 'hunter2-known' });
    const bench = await newWebBench();
    const result = await bench.result({ url: `http://127.0.0.1:${service.port}`, expect: 'hunter2' });
    expect(result).toMatchObject({ ok: false, found: false });
    expect(JSON.stringify(result)).not.toContain('hunter');
    const page = await startAnswer(`<p>${text}`, { 'content-type': 'text/html' });
    expect(JSON.stringify(await bench.result({ url: `http://127.0.0.1:${page.port}` }))).not.toContain('hunter');
  });

  test.each([
    ['with invisible characters', 'a hunter2\u200B-known', 'text/plain'],
    ['with entities', '<p title="hunter2&#45;known">', 'text/html'],
    ['cut in half by the bound on what is read', `${'x '.repeat(32_765)}hunter2-known`, 'text/plain'],
  ])('a secret %s cannot be guessed with expect', async (_what, text, type) => {
    const service = await startAnswer(text, { 'content-type': type });
    const bench = await newWebBench();
    const result = await bench.result({ url: `http://127.0.0.1:${service.port}`, expect: 'hunter' });
    expect(result).toMatchObject({ ok: false, found: false });
  });

  test('a secret spelled with entities or invisible characters is masked as well', async () => {
    const page = '<p>hunter2&#45;known hunter2\u200B-known</p>';
    const service = await startAnswer(page, { 'content-type': 'text/html' });
    const bench = await newWebBench();
    const result = await bench.result({ url: `http://127.0.0.1:${service.port}` });
    expect(result).toMatchObject({ body: '[redacted] [redacted]' });
  });
});
