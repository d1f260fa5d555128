import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { holdpoint, newPlace, overHttp, serverArgs, startHttp, type Place, type RunningHttp } from '../harness.ts';

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

interface Answer {
  status: number;
  body: string;
}

/** A request as any program could send it, its Host header included. */
function send(path: string, headers: Record<string, string> = {}, body?: string): Promise<Answer> {
  const url = new URL(path, http.url);
  return new Promise((done, fail) => {
    const sent = request(
      {
        host: url.hostname,
        port: url.port,
        path,
        method: body === undefined ? 'GET' : 'POST',
        headers: { ...(body === undefined ? {} : { 'Content-Type': 'application/json' }), ...headers },
      },
      (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => {
          text += chunk.toString();
        });
        response.on('end', () => done({ status: response.statusCode ?? 0, body: text }));
      },
    );
    sent.on('error', fail);
    sent.end(body);
  });
}

const list = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} });
const bearer = () => ({ Authorization: `Bearer ${http.token}`, Accept: 'application/json, text/event-stream' });

describe('HTTP (A3)', () => {
  test.each(['/mcp', '/health', '/ready', '/metrics', '/elsewhere'])(
    '%s refuses a foreign Host and a foreign Origin',
    async (path) => {
      expect((await send(path, { ...bearer(), Host: 'evil.example' })).status).toBe(403);
      expect((await send(path, { ...bearer(), Origin: 'https://evil.example' })).status).toBe(403);
      expect((await send(path, { ...bearer(), Origin: 'null' })).status).toBe(403);
      expect((await send(path, { ...bearer(), Host: 'localhost', Origin: 'http://localhost:3000' })).status).not.toBe(
        403,
      );
    },
  );

  test('/mcp wants the token; nothing else will do', async () => {
    expect((await send('/mcp', {}, list)).status).toBe(401);
    expect((await send('/mcp', { Authorization: 'Bearer wrong-token-of-some-length' }, list)).status).toBe(401);
    expect((await send('/mcp', { Authorization: `Basic ${http.token}` }, list)).status).toBe(401);
    expect((await send('/mcp', bearer(), list)).status).toBe(200);
  });

  test('/health, /ready and /metrics answer', async () => {
    expect(await send('/health')).toEqual({ status: 200, body: '{"status":"ok"}' });
    expect(await send('/ready')).toEqual({ status: 200, body: '{"status":"ok"}' });
    const agent = await overHttp('2.x', http.url, http.token);
    await agent.call('view', { path: '.env' });
    await agent.close();
    const metrics = await send('/metrics');
    expect(metrics.status).toBe(200);
    expect(metrics.body).toMatch(/holdpoint_calls_total\{tool="view",status="denied",code="denied"\} 1/);
    expect(metrics.body).toMatch(/holdpoint_approvals\{state="pending"\} 0/);
  });

  test.each([
    ['broken JSON', '{"jsonrpc": "2.0", ', 400, -32700],
    ['a JSON-RPC call without params', '{"jsonrpc":"2.0","id":7,"method":"tools/call"}', 200, -32602],
    [
      'arguments that are no object',
      '{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"view","arguments":"x"}}',
      200,
      -32602,
    ],
  ])('%s gets a clear error and an audit record', async (_name, body, status, code) => {
    const answer = await send('/mcp', bearer(), body);
    expect(answer.status).toBe(status);
    expect(answer.body).toContain(String(code));
    const { stdout } = await holdpoint(place, 'audit', 'tail', '--json');
    expect(stdout).toContain('malformed');
    expect((await send('/mcp', bearer(), list)).status).toBe(200);
  });

  test('another content type is refused', async () => {
    expect((await send('/mcp', { ...bearer(), 'Content-Type': 'text/plain' }, list)).status).toBe(415);
  });

  test('an address beyond loopback without a configured token is refused, with what to do', async () => {
    const refused = await holdpoint(place, ...serverArgs(place, ['--http', '0.0.0.0:0']).slice(1));
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('HOLDPOINT_TOKEN');
  });

  test('SIGTERM ends it in order, a call that only waits included', async () => {
    const another = newPlace();
    const server = await startHttp(another);
    const agent = await overHttp('2.x', server.url, server.token);
    const { envelope } = await agent.call('remove-files', { paths: ['docker/old-compose.yml'] });
    const waiting = agent
      .call('approval', { action: 'wait', id: envelope.approval?.id, waitSeconds: 45 })
      .catch(() => 'cut off');
    await holdpoint(another, 'approvals', 'list');
    expect(await server.stop('SIGTERM')).toBe(0);
    await waiting;
    await agent.close();
    const { stdout } = await holdpoint(another, 'audit', 'tail', '--json');
    expect(stdout).toContain('server.stopped');
    another.remove();
  });
});
