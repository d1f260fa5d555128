import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { holdpoint, newPlace, overHttp, serverArgs, startHttp, type Place, type RunningHttp } from '../harness.ts';

const FIRST = 'first-token-of-the-tests';
const SECOND = 'second-token-of-the-tests';
const THIRD = 'third-token-of-the-tests';

let place: Place;
let http: RunningHttp;
beforeAll(async () => {
  place = newPlace();
  const config = join(place.env['HOME'] ?? '', 'holdpoint.yaml');
  const tokens = Object.entries({ first: FIRST, second: SECOND, third: THIRD }).map(([name, token]) => ({
    name,
    token,
  }));
  writeFileSync(config, JSON.stringify({ httpAuth: { tokens }, limits: { callsPerMinute: 20, concurrentCalls: 2 } }));
  http = await startHttp(place, serverArgs(place, ['--http', '127.0.0.1:0', '--config', config]));
});
afterAll(async () => {
  await http.stop();
  place.remove();
});

function post(token: string, params: object, method = 'tools/call') {
  return fetch(http.url, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      Accept: 'application/json, text/event-stream',
      Authorization: `Bearer ${token}`,
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  });
}
const view = (token: string) => post(token, { name: 'view', arguments: { path: 'docker/Dockerfile' } });
const metric = async () => {
  const text = await (await fetch(new URL('/metrics', http.url))).text();
  return Number(/holdpoint_rate_limited_total\{transport="http"\} (\d+)/.exec(text)?.[1] ?? 0);
};

describe('a flood over HTTP (A3)', () => {
  test('beyond the limit 429 says when to come again; others are not kept waiting', async () => {
    const before = await metric();
    const answers: Response[] = [];
    for (let at = 0; at < 40; at++) {
      const answer = await view(FIRST);
      await answer.text();
      answers.push(answer);
    }
    expect(answers.slice(0, 20).map(({ status }) => status)).toEqual(Array(20).fill(200));
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThan(0);
    for (const { headers } of refused) {
      expect(Number(headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
      expect(Number(headers.get('retry-after'))).toBeLessThanOrEqual(3);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
    }
    expect((await metric()) - before).toBe(refused.length);
    expect((await post(FIRST, {}, 'tools/list')).status).toBe(429);
    expect((await view(SECOND)).status).toBe(200);
    const { stdout } = await holdpoint(place, 'audit', 'tail', '--json', '-n', '500');
    expect(stdout.match(/"refused":\s*"rate_limited"/g)).toHaveLength(1);
  });

  test('calls that wait take the places of their principal alone', async () => {
    const agent = await overHttp('2.x modern', http.url, THIRD);
    const { envelope } = await agent.call('remove-files', { paths: ['docker/old-compose.yml'] });
    const id = envelope.approval?.id;
    const stop = new AbortController();
    const wait = () =>
      fetch(http.url, {
        method: 'POST',
        signal: stop.signal,
        headers: {
          'Content-Type': 'application/json',
          Accept: 'application/json, text/event-stream',
          Authorization: `Bearer ${THIRD}`,
        },
        body: JSON.stringify({
          jsonrpc: '2.0',
          id: 1,
          method: 'tools/call',
          params: { name: 'approval', arguments: { action: 'wait', id, waitSeconds: 45 } },
        }),
      });
    // Its head has come when the request has its place.
    const waiting = await Promise.all([wait(), wait()]);
    expect(waiting.map(({ status }) => status)).toEqual([200, 200]);
    const refused = await view(THIRD);
    expect(refused.status).toBe(429);
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(await refused.text()).toContain('are running');
    expect((await view(SECOND)).status).toBe(200);
    stop.abort();
    await expect.poll(async () => (await view(THIRD)).status).toBe(200);
    await agent.close();
  });
});
