import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { createMonitoring } from '../../../src/adapters/monitoring/client.ts';
import { readTraffic, trafficText } from '../../../src/adapters/monitoring/traffic.ts';
import { CALL, startUpstream, type Upstream } from './kit.ts';

let upstream: Upstream;
beforeEach(async () => {
  upstream = await startUpstream();
});
afterEach(() => upstream.close());

const vector = (...series: [Record<string, string>, string][]) => ({
  status: 'success',
  data: { resultType: 'vector', result: series.map(([metric, value]) => ({ metric, value: [1, value] })) },
});
const read = () =>
  readTraffic(
    createMonitoring({ prometheus: { url: upstream.url } }),
    { namespace: 'prod', pods: 'a.b' },
    60_000,
    CALL,
  );

describe('I4: the traffic of a workload', () => {
  test('is one query at one moment: requests a second, and how many of them fail', async () => {
    upstream.on(
      'GET /api/v1/query',
      vector(
        [{ metric: 'http_requests_total:status', status: '200' }, '9.5'],
        [{ metric: 'http_requests_total:status', status: '503' }, '0.5'],
        // Another metric counts the same requests once more.
        [{ metric: 'istio_requests_total:response_code', response_code: '200' }, '10'],
      ),
    );
    const traffic = await read();
    expect(traffic).toEqual({ metric: 'http_requests_total', rate: 10, errors: 0.05 });
    expect(trafficText(traffic)).toBe(
      '10 requests/s, 5.0 % of them answered with 5xx (http_requests_total, last 5 minutes)',
    );
    expect(upstream.seen).toHaveLength(1);
    expect(upstream.seen[0]?.query.get('query')).toContain('namespace="prod",pod=~"a\\\\.b-.*"');
    expect(upstream.seen[0]?.query.get('time')).toBe('60');
  });

  test('that nobody counts is not known; none at all is none', async () => {
    upstream.on('GET /api/v1/query', vector());
    await expect(read()).rejects.toMatchObject({
      code: 'not_found',
      message: 'no request metric of pods a.b-… is known',
    });
    upstream.on('GET /api/v1/query', vector([{ metric: 'http_requests_total:code', code: '200' }, '0']));
    expect(trafficText(await read())).toBe('0.00 requests/s (http_requests_total, last 5 minutes)');
  });
});
