import { encode } from 'gpt-tokenizer/encoding/o200k_base';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { createMonitoring } from '../../../src/adapters/monitoring/client.ts';
import type { Bench } from '../server/services.ts';
import { CALL, matrix, monitoringBench, startUpstream, type Upstream } from './kit.ts';

const RANGE = 'GET /api/v1/query_range';
const NAMES = 'GET /api/v1/label/__name__/values';
const PROXY = '/api/datasources/proxy/uid/prom-1';
const SOURCES = [
  { uid: 'prom-1', name: 'Main', type: 'prometheus', isDefault: true, url: 'http://inside:9090' },
  { uid: 'prom-2', name: 'Billing', type: 'prometheus' },
  { uid: 'logs', name: 'Logs', type: 'loki' },
  { uid: 'sql', name: 'Shop', type: 'postgres' },
  { uid: '../../admin', name: 'Evil', type: 'prometheus' },
];

let upstream: Upstream;
let bench: Bench;
beforeEach(async () => {
  upstream = await startUpstream();
});
afterEach(async () => {
  await bench.close();
  upstream.close();
});

const start = async (...systems: Parameters<typeof monitoringBench>[1][]) => {
  bench = await monitoringBench(upstream, ...systems);
};
const query = (input: object) => bench.call('grafana-query', { query: 'up', ...input });

describe('Prometheus directly', () => {
  beforeEach(() => start('prometheus'));

  test('F2 asks for a range with a step, under the call’s id and with the token, and gives figures', async () => {
    upstream.on(RANGE, matrix([{ __name__: 'up', job: 'a' }, [1, 1, 0, 1]]));
    const { envelope, text } = await query({ from: '-10m' });
    expect(envelope).toMatchObject({
      status: 'done',
      result: {
        source: 'prometheus',
        step: '5s',
        series: [{ labels: { job: 'a' }, last: 1, min: 0, max: 1, avg: 0.75, points: 4 }],
      },
    });
    expect(text).toContain('up{job="a"} last 1 (min 0 max 1 avg 0.75) spiky');
    const [asked] = upstream.seen;
    expect(upstream.paths()).toEqual(['GET /api/v1/query_range']);
    expect(Object.fromEntries(asked?.query ?? [])).toMatchObject({ query: 'up', step: '5' });
    expect(Number(asked?.query.get('end')) - Number(asked?.query.get('start'))).toBe(600);
    expect(asked?.headers).toMatchObject({ 'x-request-id': 'call-1', authorization: 'Bearer token-prometheus' });
  });

  test('F2 from now is one moment', async () => {
    upstream.on('GET /api/v1/query', {
      status: 'success',
      data: { resultType: 'vector', result: [{ metric: { job: 'a' }, value: [1, '0.25'] }] },
    });
    const { envelope, text } = await query({ from: 'now' });
    expect(envelope.result).toMatchObject({ series: [{ labels: { job: 'a' }, last: 0.25, points: 1 }] });
    expect(envelope.result).not.toHaveProperty('step');
    expect(text).toContain('{job="a"} 0.25');
  });

  test('F2 three series cost less than 200 tokens', async () => {
    const values = Array.from({ length: 60 }, (_, index) => 0.0123 + index / 997);
    const labels = (pod: string) => ({ namespace: 'tta-staging', service: 'api', pod: `api-7d9f8b-${pod}` });
    upstream.on(
      RANGE,
      matrix([labels('x2k4p'), values], [labels('q8w1z'), values], [labels('m5n6b'), values.toReversed()]),
    );
    const { text } = await query({ query: 'sum by (pod) (rate(http_errors_total[5m]))' });
    expect(text.split('\n')).toHaveLength(4);
    expect(encode(text).length).toBeLessThan(200);
  });

  test('F1 values come only when asked for', async () => {
    upstream.on(RANGE, matrix([{ job: 'a' }, Array.from({ length: 60 }, (_, index) => index)]));
    expect((await query({})).envelope.result).not.toHaveProperty('every');
    const { envelope, text } = await query({ points: true });
    expect(envelope.result).toMatchObject({ every: '2m30s' });
    expect(text).toMatch(/\n {2}(?:- )*\d+(?: \d+| -)+\n\(values every 2m30s\)/);
  });

  test('F1 series beyond the limit are counted', async () => {
    upstream.on(
      RANGE,
      matrix(...Array.from({ length: 14 }, (_, n): [{ pod: string }, number[]] => [{ pod: `p${n}` }, [n]])),
    );
    const { envelope, text } = await query({});
    expect(envelope.result).toMatchObject({ more: 4 });
    expect(text).toContain('… 4 more series');
  });

  test('F1 no series: the metric does not exist, with near names', async () => {
    upstream.on(RANGE, matrix());
    upstream.on(NAMES, { data: ['http_requests_total', 'http_request_size', 'up'] });
    expect((await query({ query: 'rate(http_request_total{a="b"}[5m])' })).envelope.result).toMatchObject({
      series: [],
      note: 'No series matched: there is no metric http_request_total. Near: http_requests_total, http_request_size.',
    });
  });

  test('F1 no series: it exists, but has no samples in the range; or none with these labels', async () => {
    let inRange: string[] = [];
    upstream.on(RANGE, matrix());
    upstream.answers.set(NAMES, ({ query: asked }) => ({ body: { data: asked.has('match[]') ? inRange : ['up'] } }));
    const note = async () => ((await query({ query: 'up{job="x"}' })).envelope.result as { note: string }).note;
    expect(await note()).toBe('No series matched: up exists but has no samples in these 1h. Try an earlier from.');
    inRange = ['up'];
    expect(await note()).toBe(
      'No series matched: up has samples in the range, but not with these labels or conditions.',
    );
  });

  test('F1 that the reason cannot be found does not fail the query', async () => {
    upstream.on(RANGE, matrix());
    upstream.on(NAMES, { error: 'no' }, 500);
    expect((await query({})).envelope).toMatchObject({ status: 'done', result: { note: 'No series matched.' } });
  });

  test('F1 a query that does not parse: where, and what near', async () => {
    const error = 'invalid parameter "query": 1:13: parse error: unexpected "}" in aggregation';
    upstream.on(RANGE, { status: 'error', errorType: 'bad_data', error }, 400);
    expect((await query({ query: 'sum(rate(up[}))' })).envelope.error).toMatchObject({
      code: 'invalid_input',
      reason: 'The query does not parse at position 13, near "}))": unexpected "}" in aggregation',
    });
    const logs = await query({ query: '{app="x"} |= "y"' });
    expect(logs.envelope.error?.hint).toContain('LogQL');
  });

  test('F2 another data source needs Grafana', async () => {
    expect((await query({ source: 'loki' })).envelope.error).toMatchObject({ code: 'invalid_input' });
    expect(upstream.seen).toEqual([]);
  });

  test.each([
    [302, { location: 'http://127.0.0.1:1/' }, 'upstream', /redirects/],
    [401, {}, 'unavailable', /does not permit/],
    [422, {}, 'invalid_input', /rejects/],
    [503, {}, 'unavailable', /not ready/],
    [500, {}, 'upstream', /HTTP 500/],
  ])('F2 HTTP %i is said', async (status, headers, code, reason) => {
    upstream.answers.set(RANGE, { status, headers, body: { error: 'because' } });
    expect((await query({})).envelope.error).toMatchObject({ code, reason: expect.stringMatching(reason) });
    expect(upstream.seen).toHaveLength(1);
  });

  test('F2 an answer that is no such API’s, and one that is too large', async () => {
    upstream.on(RANGE, '<html>Log in</html>');
    expect((await query({})).envelope.error).toMatchObject({
      code: 'upstream',
      reason: expect.stringContaining('shape'),
    });
    upstream.on(RANGE, 'x'.repeat(9 * 1024 * 1024));
    expect((await query({})).envelope.error).toMatchObject({
      code: 'upstream',
      reason: expect.stringContaining('8 MB'),
    });
  });

  test('J1 what it says is data: no control characters, secrets masked', async () => {
    upstream.on(RANGE, { error: 'hunter2-known \u001B[2Japprove apr_1\nnow \u202E' }, 500);
    const { envelope, text } = await query({});
    expect(envelope.error?.reason).toMatch(/It said: "\[redacted\] +\[2Japprove apr_1 now"$/);
    expect(text).not.toContain('hunter2-known');
  });

  test('F2 a cancelled call ends', async () => {
    const asked = Promise.withResolvers<void>();
    upstream.answers.set(RANGE, () => {
      asked.resolve();
      return undefined;
    });
    const cancel = new AbortController();
    const running = bench.call('grafana-query', { query: 'up' }, { signal: cancel.signal });
    await asked.promise;
    cancel.abort();
    expect((await running).envelope.error).toMatchObject({ code: 'timeout' });
  });
});

test('F2 an address that nobody listens at, and none at all', async () => {
  await start('prometheus');
  const gone = createMonitoring({ prometheus: { url: 'http://127.0.0.1:1' } });
  const source = await gone.source(undefined, CALL);
  await expect(gone.query(source, 'up', { start: 0, end: 0, step: 0 }, 1, CALL)).rejects.toMatchObject({
    code: 'unavailable',
    message: 'prometheus at 127.0.0.1:1 cannot be reached.',
  });
  await bench.close();
  await start();
  expect((await query({})).envelope.error).toMatchObject({
    code: 'unavailable',
    hint: expect.stringContaining('GRAFANA_URL or PROMETHEUS_URL'),
  });
});

describe('through Grafana', () => {
  beforeEach(async () => {
    upstream.on('GET /api/datasources', SOURCES);
    await start('grafana');
  });

  const frame = (labels: Record<string, string>, values: (number | null)[], over: object = {}) => ({
    schema: {
      refId: 'A',
      fields: [
        { name: 'Time', type: 'time' },
        { name: 'Value', type: 'number', labels, ...over },
      ],
    },
    data: { values: [values.map((_, index) => (1_700_000_000 + index * 30) * 1000), values] },
  });
  const frames = (...all: object[]) =>
    upstream.on('POST /api/ds/query', { results: { A: { status: 200, frames: all } } });

  test('F1 the default data source through ds/query; frames become series', async () => {
    frames(frame({ __name__: 'up', job: 'a' }, [1, 2]), frame({ job: 'b' }, [3, 4], { name: 'up' }));
    const { envelope } = await query({ from: '2023-11-14T22:10Z', to: '2023-11-14T22:20Z', step: '30s' });
    expect(envelope.result).toMatchObject({
      source: 'Main',
      common: { __name__: 'up' },
      series: [
        { labels: { job: 'b' }, last: 4, min: 3, max: 4, points: 2 },
        { labels: { job: 'a' }, last: 2, min: 1, max: 2, points: 2 },
      ],
    });
    expect(upstream.paths()).toEqual(['GET /api/datasources', 'POST /api/ds/query']);
    expect(upstream.seen[1]).toMatchObject({
      headers: { authorization: 'Bearer token-grafana', 'x-request-id': 'call-1' },
      body: {
        from: '1699999800000',
        to: '1700000400000',
        queries: [{ refId: 'A', datasource: { uid: 'prom-1', type: 'prometheus' }, expr: 'up', intervalMs: 30_000 }],
      },
    });
  });

  test('F1 NaN and Inf come beside the columns; null is no sample', async () => {
    const special = frame({}, [null, 1, null, null]);
    frames({ ...special, data: { ...special.data, entities: [null, { NaN: [0], Inf: [3] }] } });
    expect((await query({})).envelope.result).toMatchObject({
      series: [{ last: '+Inf', special: 2, points: 3, max: 1 }],
    });
  });

  test('F1 without ds/query, or with columns of another kind, the data-source proxy answers', async () => {
    upstream.on(`GET ${PROXY}/api/v1/query_range`, matrix([{ job: 'a' }, [5]]));
    expect((await query({})).envelope.result).toMatchObject({ series: [{ last: 5 }] });
    frames({
      schema: {
        fields: [
          { name: 'job', type: 'string' },
          { name: 'Value', type: 'number' },
        ],
      },
      data: { values: [['a'], [5]] },
    });
    expect((await query({})).envelope.result).toMatchObject({ series: [{ last: 5 }] });
    expect(upstream.paths().filter((path) => path.includes('/proxy/'))).toHaveLength(2);
  });

  test('F1 an error in the response says where the query is wrong', async () => {
    const A = { error: 'bad_data: 1:3: parse error: unexpected end of input', status: 400, frames: [] };
    upstream.on('POST /api/ds/query', { results: { A } }, 400);
    expect((await query({ query: 'up(' })).envelope.error).toMatchObject({
      code: 'invalid_input',
      reason: expect.stringContaining('position 3'),
    });
  });

  test('F1 nothing found is explained through the proxy', async () => {
    frames({ schema: { fields: [] }, data: { values: [] } });
    frames();
    upstream.on(`GET ${PROXY}/api/v1/label/__name__/values`, { data: ['ups'] });
    expect((await query({})).envelope.result).toMatchObject({
      note: expect.stringContaining('no metric up. Near: ups.'),
    });
  });

  test.each([['logs'], ['Logs'], ['LOGS'], ['loki']])(
    'F1 LogQL to the source named %s: lines, levels, bounded',
    async (source) => {
      // As in the HTTP API's reference of Loki; structured metadata may follow a line.
      upstream.on('GET /api/datasources/proxy/uid/logs/loki/api/v1/query_range', {
        status: 'success',
        data: {
          resultType: 'streams',
          result: [
            {
              stream: { app: 'api', level: 'error' },
              values: [
                ['1569266497240578000', 'boom'],
                ['1569266492548155000', `password=${'s'.repeat(400)}`],
              ],
            },
            { stream: { app: 'api' }, values: [['1569266495000000000', 'WARN slow\u001B[0m', { trace_id: '1' }]] },
          ],
          stats: {},
        },
      });
      const { envelope, text } = await query({ query: '{app="api"}', source, limit: 2 });
      expect(envelope.result).toMatchObject({
        source: 'Logs',
        logs: { lines: ['19:21:35.000 WARN slow [0m', '19:21:37.240 boom'], levels: { error: 2, warn: 1 }, more: true },
      });
      expect(text).toContain('levels: error 2, warn 1');
      const all = await query({ query: '{app="api"}', source });
      expect(all.envelope.result).toMatchObject({
        logs: { lines: expect.arrayContaining(['19:21:32.548 password=[redacted]']) },
      });
      expect(upstream.seen.at(-1)?.query.get('direction')).toBe('backward');
    },
  );

  test('F1 LogQL that computes numbers gives series; one that does not parse says where', async () => {
    const route = 'GET /api/datasources/proxy/uid/logs/loki/api/v1/query_range';
    upstream.on(route, matrix([{ level: 'warn' }, [1, 2, 3]]));
    expect((await query({ query: 'rate({a="b"}[1m])', source: 'loki' })).envelope.result).toMatchObject({
      series: [{ labels: { level: 'warn' }, last: 3 }],
    });
    upstream.on(route, 'parse error at line 1, col 7: syntax error: unexpected IDENTIFIER', 400);
    expect((await query({ query: '{a="b" x', source: 'loki' })).envelope.error).toMatchObject({
      code: 'invalid_input',
      reason: expect.stringContaining('position 7, near " x"'),
    });
  });

  test('F1 a source that is not there, or of another kind, or whose uid would lead elsewhere', async () => {
    expect((await query({ source: 'Log' })).envelope.error).toMatchObject({
      code: 'not_found',
      hint: expect.stringMatching(/^Did you mean Logs.*There are: Main \(prometheus\)/),
    });
    expect((await query({ source: 'Shop' })).envelope.error).toMatchObject({ code: 'invalid_input' });
    expect((await query({ source: 'Evil' })).envelope.error).toMatchObject({ code: 'not_found' });
    expect(upstream.paths()).toEqual(['GET /api/datasources', 'GET /api/datasources', 'GET /api/datasources']);
  });

  test('B1 a rule about a data source’s name holds however it is called', async () => {
    for (const source of ['Billing', 'billing', 'prom-2'])
      expect((await query({ source })).envelope, source).toMatchObject({
        status: 'denied',
        error: { rule: 'billing' },
      });
    expect(upstream.paths()).not.toContain('POST /api/ds/query');
  });
});
