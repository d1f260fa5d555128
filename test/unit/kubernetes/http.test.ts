import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';

import type { KubernetesApi } from '../../../src/adapters/kubernetes/api.ts';
import { createHttpApi } from '../../../src/adapters/kubernetes/http.ts';

/** An API server's place, spoken to over plain HTTP: the vendor's client allows it where TLS checks are off. */
const seen: IncomingMessage[] = [];
let answer: (response: ServerResponse) => void;
const server = createServer((request, response) => {
  seen.push(request);
  answer(response);
});
const root = mkdtempSync(join(tmpdir(), 'holdpoint-http-'));
let api: KubernetesApi;
const call = { callId: 'call-42', signal: new AbortController().signal };
const request = { context: 'x', method: 'GET' as const, path: '/api/v1/pods' };

beforeAll(async () => {
  await new Promise<void>((done) => {
    server.listen(0, '127.0.0.1', done);
  });
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const cluster = (url: string) => `{ server: '${url}', insecure-skip-tls-verify: true }`;
  const kubeconfig = join(root, 'config');
  writeFileSync(
    kubeconfig,
    `clusters: [{ name: x, cluster: ${cluster(address)} }, { name: gone, cluster: ${cluster('http://127.0.0.1:1')} }]
users: [{ name: u, user: { token: planted-token } }]
contexts: [{ name: x, context: { cluster: x, user: u } }, { name: gone, context: { cluster: gone, user: u } }]`,
  );
  api = createHttpApi({ kubeconfig, workspace: import.meta.dirname });
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
  rmSync(root, { recursive: true, force: true });
});
beforeEach(() => {
  seen.length = 0;
});

const reply = (status: number, body: unknown) => (response: ServerResponse) => {
  response
    .writeHead(status, { 'content-type': 'application/json' })
    .end(typeof body === 'string' ? body : JSON.stringify(body));
};

test('the call’s id, the credentials and the query go along; a patch has its type', async () => {
  answer = reply(200, { kind: 'PodList' });
  await expect(api.json({ ...request, query: { limit: '5', labelSelector: 'a=b,c!=d' } }, call)).resolves.toEqual({
    kind: 'PodList',
  });
  expect(seen[0]?.headers).toMatchObject({
    'user-agent': 'holdpoint (call call-42)',
    authorization: 'Bearer planted-token',
    accept: 'application/json',
  });
  expect(new URL(seen[0]?.url ?? '', 'http://x').searchParams.get('labelSelector')).toBe('a=b,c!=d');
  await api.json(
    { ...request, method: 'PATCH', contentType: 'application/strategic-merge-patch+json', body: {} },
    call,
  );
  expect(seen[1]).toMatchObject({
    method: 'PATCH',
    headers: { 'content-type': 'application/strategic-merge-patch+json' },
  });
  expect(await api.verifiesTls('x')).toBe(false);
});

test.each<[number, string]>([
  [401, 'upstream'],
  [403, 'upstream'],
  [404, 'not_found'],
  [409, 'stale'],
  [422, 'invalid_input'],
  [500, 'upstream'],
  [503, 'unavailable'],
])('HTTP %i is %s, without the credentials', async (status, code) => {
  answer = reply(status, { kind: 'Status', message: 'no' });
  const error = await api.json(request, call).catch((caught: unknown) => caught);
  expect(error).toMatchObject({ code, hint: expect.any(String) });
  expect(`${String(error)}${JSON.stringify(error)}`).not.toContain('planted');
});

test('an answer that is no JSON, or too long a log', async () => {
  answer = reply(200, '<html>a proxy</html>');
  await expect(api.json(request, call)).rejects.toMatchObject({ code: 'upstream' });
  answer = reply(200, 'x'.repeat(5000));
  await expect(api.text({ ...request, maxBytes: 1000 }, call)).resolves.toEqual({ text: 'x'.repeat(1000), cut: true });
});

test('no answer in time, a cancelled call, nobody there, an unknown context', async () => {
  answer = () => {};
  await expect(api.json({ ...request, timeout: 50 }, call)).rejects.toMatchObject({
    code: 'timeout',
    message: expect.stringContaining('0.05 s'),
  });
  const cancel = new AbortController();
  const cancelled = api.json(request, { ...call, signal: cancel.signal });
  cancel.abort();
  await expect(cancelled).rejects.toMatchObject({ code: 'timeout', message: 'The call was cancelled.' });
  await expect(api.json({ ...request, context: 'gone' }, call)).rejects.toMatchObject({
    code: 'unavailable',
    hint: expect.stringContaining('VPN'),
  });
  await expect(api.json({ ...request, context: 'nope' }, call)).rejects.toMatchObject({ code: 'not_found' });
});

test.each([301, 302, 307, 308])(
  'a redirect (%i) is not followed: nothing is sent elsewhere, a change least of all',
  async (status) => {
    const elsewhere: IncomingMessage[] = [];
    const other = createServer((got, response) => {
      elsewhere.push(got);
      reply(200, { kind: 'PodList' })(response);
    });
    await new Promise<void>((done) => {
      other.listen(0, '127.0.0.1', done);
    });
    const { port } = other.address() as AddressInfo;
    for (const location of [`http://127.0.0.1:${port}/api/v1/secrets`, '/api/v1/secrets']) {
      seen.length = 0;
      answer = (response) => response.writeHead(status, { location }).end();
      for (const method of ['GET', 'PATCH'] as const) {
        const body =
          method === 'PATCH' ? { body: {}, contentType: 'application/strategic-merge-patch+json' as const } : {};
        await expect(api.json({ ...request, method, ...body }, call)).rejects.toMatchObject({ code: 'upstream' });
      }
      expect(seen).toHaveLength(2);
    }
    expect(elsewhere).toEqual([]);
    other.close();
    answer = reply(200, { kind: 'PodList' });
    await expect(api.json(request, call)).resolves.toEqual({ kind: 'PodList' });
  },
);
