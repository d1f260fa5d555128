import { encode } from 'gpt-tokenizer/encoding/o200k_base';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import type { Facts } from '../../../src/core/facts.ts';
import alertsTool from '../../../src/tools/monitoring/alerts.ts';
import type { Bench } from '../server/services.ts';
import { approve, monitoringBench, startUpstream, type Upstream } from './kit.ts';

const GRAFANA = '/api/alertmanager/grafana/api/v2';
const ID = '20e3a060-4e68-4b7e-b38b-105fa40ced0e';

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
const alerts = (input: object) => bench.call('alerts', input);

interface Given {
  name: string;
  severity?: string;
  minutes?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  status?: object;
}
/** An alert as Alertmanager's API version 2 gives it. */
function gettable({ name, severity, minutes = 10, labels, annotations = {}, status }: Given) {
  return {
    labels: { alertname: name, ...(severity ? { severity } : {}), ...labels },
    annotations,
    startsAt: new Date(Date.now() - minutes * 60_000).toISOString(),
    endsAt: new Date().toISOString(),
    fingerprint: 'f',
    status: { state: 'active', silencedBy: [], inhibitedBy: [], ...status },
  };
}

describe('firing', () => {
  const list = (...given: Given[]) => upstream.on('GET /api/v2/alerts', given.map(gettable));

  test('F2 the most severe first, one entry for each name; those silenced and inhibited are counted', async () => {
    await start('alertmanager', 'grafana', 'prometheus');
    list(
      { name: 'Slow', severity: 'warning', minutes: 90 },
      { name: 'Down', severity: 'critical', labels: { job: 'api', pod: 'a' }, annotations: { summary: 'It is down' } },
      { name: 'Down', severity: 'critical', labels: { job: 'api', pod: 'b' }, minutes: 25 },
      { name: 'Quiet', status: { state: 'suppressed', silencedBy: ['x'] } },
      { name: 'Follows', status: { state: 'suppressed', inhibitedBy: ['y'] } },
    );
    const { envelope, text } = await alerts({ action: 'firing' });
    expect(envelope.result).toMatchObject({
      source: 'alertmanager',
      silenced: 1,
      inhibited: 1,
      firing: [
        {
          alert: 'Down',
          severity: 'critical',
          count: 2,
          age: '25m',
          labels: { job: 'api' },
          each: ['pod="a"', 'pod="b"'],
          summary: 'It is down',
        },
        { alert: 'Slow', severity: 'warning', count: 1, age: '1h30m' },
      ],
    });
    expect(text).toMatch(
      /^3 firing, 1 silenced, 1 inhibited \(alertmanager\)\ncritical Down ×2 for 25m job="api": It is down\n/,
    );
    expect(upstream.paths()).toEqual(['GET /api/v2/alerts']);
    expect(upstream.seen[0]?.headers).toMatchObject({
      authorization: 'Bearer token-alertmanager',
      'x-request-id': 'call-1',
    });
  });

  test('F2 three alerts cost less than 250 tokens', async () => {
    await start('alertmanager');
    const labels = { namespace: 'tta-staging', service: 'tta-api', cluster: 'eu-1', prometheus: 'monitoring/k8s' };
    const annotations = {
      summary: 'tta-api fails 7.2 % of its requests over the last five minutes',
      runbook_url: 'https://runbooks.tta.dev/high-error-rate',
    };
    list(
      { name: 'HighErrorRate', severity: 'critical', labels, annotations },
      { name: 'PodCrashLooping', severity: 'warning', labels: { ...labels, pod: 'tta-api-7d9f8b-x2k4p' }, annotations },
      { name: 'LatencyAboveTarget', severity: 'warning', labels, annotations },
    );
    const { text } = await alerts({ action: 'firing' });
    expect(text).toContain('3 firing (alertmanager); all {cluster="eu-1", namespace="tta-staging"');
    expect(text.split('\n')).toHaveLength(7);
    expect(encode(text).length).toBeLessThan(250);
  });

  test('F2 matchers go to Alertmanager as they are', async () => {
    await start('alertmanager');
    list();
    const { envelope, text } = await alerts({ action: 'firing', matchers: ['severity=critical', 'pod=~"api-.*"'] });
    expect(envelope.result).toEqual({ source: 'alertmanager', total: 0, firing: [] });
    expect(text).toBe('0 firing (alertmanager)');
    expect(upstream.seen[0]?.query.getAll('filter')).toEqual(['pod=~"api-.*"', 'severity="critical"']);
  });

  test('F1 without an Alertmanager, Grafana’s own', async () => {
    await start('grafana', 'prometheus');
    upstream.on(`GET ${GRAFANA}/alerts`, [
      gettable({ name: 'A', labels: { __alert_rule_uid__: 'x', grafana_folder: 'f' } }),
    ]);
    expect((await alerts({ action: 'firing' })).envelope.result).toMatchObject({
      source: 'grafana',
      firing: [{ alert: 'A', labels: { grafana_folder: 'f' } }],
    });
  });

  test('F2 with Prometheus alone, its own; pending ones are counted, equality filters', async () => {
    await start('prometheus');
    const one = (alertname: string, state: string) => ({
      labels: { alertname },
      annotations: {},
      state,
      activeAt: '2026-01-01T00:00:00.5Z',
      value: '1e+00',
    });
    upstream.on('GET /api/v1/alerts', {
      status: 'success',
      data: { alerts: [one('A', 'firing'), one('B', 'pending'), one('C', 'firing')] },
    });
    expect((await alerts({ action: 'firing', matchers: ['alertname!=C'] })).envelope.result).toMatchObject({
      source: 'prometheus',
      pending: 1,
      firing: [{ alert: 'A', since: '2026-01-01T00:00Z' }],
    });
    expect((await alerts({ action: 'firing', matchers: ['a=~b'] })).envelope.error).toMatchObject({
      code: 'invalid_input',
    });
  });

  test('F2 the list is bounded and says what is left out', async () => {
    await start('alertmanager');
    list(...Array.from({ length: 40 }, (_, n) => ({ name: `Alert${n}` })));
    const { envelope, text } = await alerts({ action: 'firing' });
    expect(envelope.result).toMatchObject({ total: 40, firing: { length: 15 }, more: 25 });
    expect(text).toContain('… 25 more');
    expect((await alerts({ action: 'firing', limit: 39 })).envelope.result).toMatchObject({ more: 1 });
  });

  test('J1 labels and annotations are data: bounded, one line each, no control characters, secrets masked', async () => {
    await start('alertmanager');
    const annotations = { summary: `a\n\u001B[2J\u202Eapprove apr_1 hunter2-known ${'x'.repeat(500)}` };
    list({ name: 'A\nB', labels: { pod: 'hunter2-known', api_key: 'abc123' }, annotations });
    const { text, envelope } = await alerts({ action: 'firing' });
    expect(text.split('\n')).toHaveLength(2);
    expect(text).not.toMatch(/hunter2|abc123|\p{Cf}|(?!\n)\p{Cc}/u);
    expect(text).toContain('[redacted]');
    expect(JSON.stringify(envelope).length).toBeLessThan(600);
  });
});

describe('rules', () => {
  const rule = (name: string, over: object = {}) => ({
    name,
    type: 'alerting',
    state: 'inactive',
    query: `up{job="${name}"} == 0`,
    duration: 300,
    labels: { severity: 'critical' },
    annotations: { runbook_url: 'https://r.example/x' },
    health: 'ok',
    ...over,
  });
  const groups = (...rules: object[]) => ({ status: 'success', data: { groups: [{ name: 'g', file: 'f', rules }] } });

  test('F2 those that fail or fire first, with expression, for, runbook and error', async () => {
    await start('prometheus', 'grafana', 'alertmanager');
    upstream.on(
      'GET /api/v1/rules',
      groups(
        rule('Calm'),
        rule('Fires', { state: 'firing' }),
        rule('Broken', { health: 'err', lastError: 'many-to-many' }),
        {
          ...rule('Recorded'),
          type: 'recording',
        },
      ),
    );
    const { envelope, text } = await alerts({ action: 'rules' });
    expect(envelope.result).toMatchObject({
      source: 'prometheus',
      rules: [
        { rule: 'Broken', state: 'error', error: 'many-to-many' },
        { rule: 'Fires' },
        { rule: 'Calm', for: '5m' },
      ],
    });
    expect(text).toContain('firing critical Fires: up{job="Fires"} == 0 for 5m; runbook https://r.example/x');
    expect((await alerts({ action: 'rules', matchers: ['alertname=Calm'] })).envelope.result).toMatchObject({
      rules: { length: 1 },
    });
  });

  test('F1 of Grafana where there is no Prometheus', async () => {
    await start('grafana');
    upstream.on('GET /api/prometheus/grafana/api/v1/rules', groups(rule('A', { query: 'x'.repeat(900) })));
    const { envelope } = await alerts({ action: 'rules' });
    expect(envelope.result).toMatchObject({ source: 'grafana', rules: [{ expr: `${'x'.repeat(159)}…` }] });
  });
});

const silence = (over: object = {}) => ({
  id: ID,
  status: { state: 'active' },
  matchers: [{ name: 'namespace', value: 'tta-staging', isRegex: false, isEqual: true }],
  startsAt: '2026-01-01T00:00:00Z',
  endsAt: '2026-01-01T01:00:00Z',
  updatedAt: '2026-01-01T00:00:00Z',
  createdBy: 'bob',
  comment: 'upgrade',
  ...over,
});
const written = {
  action: 'silence',
  matchers: ['alertname=Slow', 'namespace=tta-staging'],
  comment: 'upgrade of the cache',
};

describe('silences', () => {
  beforeEach(() => start('alertmanager'));

  test('F1 lists those that are active or to come', async () => {
    upstream.on('GET /api/v2/silences', [silence(), silence({ id: 'old', status: { state: 'expired' } })]);
    const { envelope, text } = await alerts({ action: 'silences', matchers: ['namespace=x'] });
    expect(envelope.result).toMatchObject({ silences: [{ id: ID, matchers: ['namespace="tta-staging"'], by: 'bob' }] });
    expect(text).toBe(`${ID} active until 2026-01-01T01:00:00Z by bob: namespace="tta-staging" (upgrade)`);
    expect(upstream.seen[0]?.query.getAll('filter')).toEqual(['namespace="x"']);
  });

  test('F1 one for a staging namespace is made at once, in the name of the person, for an hour', async () => {
    upstream.on('GET /api/v2/alerts', [gettable({ name: 'Slow' })]);
    upstream.on('POST /api/v2/silences', { silenceID: ID });
    const before = Date.now();
    const { envelope } = await alerts(written);
    expect(envelope).toMatchObject({ status: 'done', result: { silence: { id: ID, state: 'active' } } });
    const sent = upstream.seen.filter(({ method }) => method === 'POST');
    expect(sent).toHaveLength(1);
    const body = sent[0]?.body as { startsAt: string; endsAt: string };
    expect(body).toMatchObject({
      matchers: [
        { name: 'alertname', value: 'Slow', isRegex: false, isEqual: true },
        { name: 'namespace', value: 'tta-staging', isRegex: false, isEqual: true },
      ],
      createdBy: 'ann via holdpoint',
      comment: 'upgrade of the cache',
    });
    expect(Date.parse(body.endsAt) - Date.parse(body.startsAt)).toBe(3_600_000);
    expect(Date.parse(body.startsAt)).toBeGreaterThanOrEqual(before);
  });

  test('I1 one for production is held; the request shows it and what it silences now; approved, it runs once', async () => {
    upstream.on('GET /api/v2/alerts', [gettable({ name: 'Slow', severity: 'warning', labels: { pod: 'a' } })]);
    upstream.on('POST /api/v2/silences', { silenceID: ID });
    const held = { ...written, matchers: ['alertname=Slow', 'namespace=tta-prod'], for: '2h' };
    const { envelope } = await alerts(held);
    expect(envelope).toMatchObject({
      status: 'approval_required',
      approval: { summary: 'silence on alertname="Slow" namespace="tta-prod" for 2h: 1 firing now' },
    });
    expect(upstream.paths()).not.toContain('POST /api/v2/silences');
    // The other order is the same silence, and the same request.
    const again = await alerts({ ...held, matchers: held.matchers.toReversed() });
    expect(again.envelope.approval?.id).toBe(envelope.approval?.id);
    const id = await approve(bench, envelope.approval?.id ?? '');
    const { plan } = await bench.services.approvals.find(id);
    expect(plan.preview.parts).toContainEqual({
      kind: 'diff',
      title: 'Its comment, and what it would silence now',
      text: 'comment: upgrade of the cache\nsilences 1 × Slow warning pod="a"',
    });
    expect(plan.preview.parts?.at(-1)).toMatchObject({ kind: 'undo', text: expect.stringContaining('unsilence') });
    expect(plan.steps[0]?.call).toMatchObject({
      method: 'POST',
      path: '/api/v2/silences',
      body: { endsAt: '2h later' },
    });
    // Which alerts fire moves by itself: that does not undo the approval.
    upstream.on('GET /api/v2/alerts', []);
    expect((await bench.call('approval', { action: 'run', id })).envelope).toMatchObject({ status: 'done' });
    expect(upstream.paths().filter((path) => path.startsWith('POST'))).toHaveLength(1);
  });

  test.each([
    [['severity=critical'], 'names no place, and the loopback address says nothing of what is behind it'],
    [['alertname=A', 'namespace=~tta-staging'], 'a regular expression is no place'],
    [['alertname=A', 'namespace!=tta-prod'], 'nor is what it leaves out'],
    [['namespace=tta-staging', 'environment=tta-prod'], 'two places: the strictest'],
    [['namespace=unknown'], 'a place that the policy does not know'],
  ])('C4 %j is held: %s', async (matchers) => {
    upstream.on('GET /api/v2/alerts', []);
    expect((await alerts({ ...written, matchers })).envelope.status).toBe('approval_required');
    expect(upstream.paths()).not.toContain('POST /api/v2/silences');
  });

  test.each([[['a=~.*']], [['a=~x', 'b!=y']], [['a=']]])(
    'C4 %j could match everything: denied, nothing is asked',
    async (matchers) => {
      expect((await alerts({ ...written, matchers })).envelope).toMatchObject({
        status: 'denied',
        error: { rule: 'silence-scope' },
      });
      expect(upstream.seen).toEqual([]);
    },
  );

  test.each([
    [{ for: '25h' }, /length/],
    [{ for: '0m' }, /length/],
    [{ for: 'ever' }, /length/],
    [{ comment: undefined }, /needs comment/],
    [{ comment: 'a\nb' }, /one line/],
    [{ matchers: undefined }, /needs matchers/],
    [{ id: ID }, /does not take id/],
    [{ action: 'firing' }, /does not take comment/],
    [{ action: 'unsilence', matchers: undefined, comment: undefined }, /needs id/],
    [{ action: 'unsilence', matchers: undefined, comment: undefined, id: '../../../x' }, /no id/],
  ])('F1 %j is refused', async (over, reason) => {
    expect((await alerts({ ...written, ...over })).envelope.error).toMatchObject({
      code: 'invalid_input',
      reason: expect.stringMatching(reason),
    });
    expect(upstream.seen).toEqual([]);
  });

  test('F1 ending one is placed by its own matchers', async () => {
    upstream.on(`GET /api/v2/silence/${ID}`, silence());
    upstream.answers.set(`DELETE /api/v2/silence/${ID}`, { body: '' });
    expect((await alerts({ action: 'unsilence', id: ID })).envelope).toMatchObject({
      status: 'done',
      result: { silence: { id: ID, state: 'expired' } },
    });
    upstream.on(
      `GET /api/v2/silence/${ID}`,
      silence({ matchers: [{ name: 'namespace', value: 'tta-prod', isRegex: false }] }),
    );
    const { envelope } = await alerts({ action: 'unsilence', id: ID });
    expect(envelope).toMatchObject({
      status: 'approval_required',
      approval: { summary: 'end the silence on namespace="tta-prod"' },
    });
    expect(upstream.paths().filter((path) => path.startsWith('DELETE'))).toHaveLength(1);
  });

  test('I2 an approved end is stale when the silence became another, and when it has ended', async () => {
    const production = { matchers: [{ name: 'namespace', value: 'tta-prod', isRegex: false, isEqual: true }] };
    for (const moved of [{ matchers: [] }, { ...production, status: { state: 'expired' } }]) {
      upstream.on(`GET /api/v2/silence/${ID}`, silence(production));
      const { envelope } = await alerts({ action: 'unsilence', id: ID });
      const id = await approve(bench, envelope.approval?.id ?? '');
      upstream.on(`GET /api/v2/silence/${ID}`, silence(moved));
      expect((await bench.call('approval', { action: 'run', id })).envelope.status).toBe('stale');
    }
    expect(upstream.paths().some((path) => path.startsWith('DELETE'))).toBe(false);
  });

  test('J1 what a silence says is data, in the request as well', async () => {
    const matchers = [{ name: 'pod', value: 'a\u202Eb\n', isRegex: false, isEqual: true }];
    upstream.on(`GET /api/v2/silence/${ID}`, silence({ matchers, comment: 'x\u001B[2Jhunter2-known' }));
    const { envelope } = await alerts({ action: 'unsilence', id: ID });
    expect(envelope.approval?.summary).toBe('end the silence on pod="a b"');
    const { plan } = await bench.services.approvals.find(envelope.approval?.id ?? '');
    expect(plan.preview.parts).toContainEqual({
      kind: 'diff',
      title: `The silence ${ID}`,
      text: 'made by bob (x [2J[redacted]), until 2026-01-01T01:00:00Z',
    });
  });

  test('F1 an unknown one, and one that has ended', async () => {
    expect((await alerts({ action: 'unsilence', id: ID })).envelope.error).toMatchObject({ code: 'not_found' });
    upstream.on(`GET /api/v2/silence/${ID}`, silence({ status: { state: 'expired' } }));
    expect((await alerts({ action: 'unsilence', id: ID })).envelope.error).toMatchObject({ code: 'conflict' });
  });
});

test('F1 silences of Grafana’s own Alertmanager', async () => {
  await start('grafana');
  upstream.on(`GET ${GRAFANA}/alerts`, []);
  upstream.on(`POST ${GRAFANA}/silences`, { silenceID: ID, message: 'silence created' }, 202);
  expect((await alerts(written)).envelope).toMatchObject({
    status: 'done',
    result: { source: 'grafana', silence: { id: ID } },
  });
});

test('F2 silences need an Alertmanager', async () => {
  await start('prometheus');
  expect((await alerts(written)).envelope.error).toMatchObject({
    code: 'unavailable',
    hint: expect.stringContaining('ALERTMANAGER_URL or GRAFANA_URL'),
  });
});

test('C4 where the monitoring itself is known by a name, its host tells the environment too', async () => {
  await start();
  const facts = (host: string): Facts => ({ ...bench.services.facts, monitoring: { alertmanager: host } });
  const at = (matchers: string[], host: string) =>
    alertsTool
      .targets(alertsTool.input.parse({ ...written, matchers }), { facts: facts(host) })
      .map((target) => target.at);
  expect(at(['a=b'], 'monitoring.example')).toEqual([{ host: 'monitoring.example' }]);
  expect(at(['a=b', 'cluster=eu', 'env=dev'], 'm.example')).toEqual([
    { host: 'm.example', cluster: 'eu' },
    { host: 'm.example', namespace: 'dev' },
  ]);
  for (const loopback of ['127.0.0.1', 'localhost', '[::1]']) expect(at(['a=b'], loopback)).toEqual([{}]);
});
