import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';

import { createMonitoring, type MonitoringSettings } from '../../src/adapters/monitoring/client.ts';
import type { Facts } from '../../src/core/facts.ts';
import type { RunContext } from '../../src/core/tool.ts';
import alertsTool from '../../src/tools/monitoring/alerts.ts';
import queryTool from '../../src/tools/monitoring/grafana-query.ts';
import { ROOT } from '../harness.ts';
import { liveServers } from './servers.ts';

const live = liveServers();
const [prometheus, alertmanager] = [{ url: live.prometheus ?? '' }, { url: live.alertmanager ?? '' }];
const PUSHGATEWAY = live.pushgateway ?? '';
/** Of this run alone, so that what another run pushed does not count. */
const SERVICE = `live-${process.pid}`;
const PUSHED = `${PUSHGATEWAY}/metrics/job/${SERVICE}`;

const WAYS: [name: string, settings: MonitoringSettings][] = [
  ['Prometheus and Alertmanager directly', { prometheus, alertmanager }],
  // The real two again, behind a pass-through that has the shapes of Grafana's API. It is not Grafana.
  ['the shapes of Grafana’s API in front of both', { grafana: { url: live.grafana ?? '' } }],
];

function using(settings: MonitoringSettings) {
  const monitoring = Object.fromEntries(Object.keys(settings).map((system) => [system, '127.0.0.1']));
  const facts: Facts = {
    kubernetes: { contexts: {} },
    docker: { host: 'local' },
    github: {},
    monitoring,
    programs: {},
  };
  const context: RunContext<'monitoring'> = {
    monitoring: createMonitoring(settings),
    facts,
    principal: { person: 'ann', agent: 'devops', client: 'live' },
    callId: 'live-monitoring',
    signal: new AbortController().signal,
    permits: () => true,
    redact: (text) => text,
    progress: () => {},
    stepDone: () => {},
  };
  return {
    query: async (input: object) => {
      const plan = await queryTool.plan(queryTool.input.parse(input), context);
      return queryTool.output.parse(await queryTool.run(JSON.parse(JSON.stringify(plan)) as typeof plan, context));
    },
    alerts: async (input: object) => {
      const plan = await alertsTool.plan(alertsTool.input.parse(input), context);
      return alertsTool.output.parse(await alertsTool.run(JSON.parse(JSON.stringify(plan)) as typeof plan, context));
    },
  };
}

async function push(ratio: number): Promise<void> {
  const body = `# TYPE live_http_errors_ratio gauge\nlive_http_errors_ratio{service="${SERVICE}",namespace="tta-staging"} ${ratio}\n`;
  const answer = await fetch(PUSHED, { method: 'POST', body });
  expect(answer.status).toBe(200);
}

/** The first answer that `is` so; servers scrape, evaluate and notify on clocks of their own. */
async function until<T>(ask: () => Promise<T>, is: (answer: T) => boolean): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (is(answer)) return answer;
    await sleep(250);
  }
}

const mine = [`service=${SERVICE}`, 'alertname=HighErrorRate'];

describe.skipIf(PUSHGATEWAY === '')('real Prometheus and Alertmanager', () => {
  beforeAll(() => push(0.01));
  afterAll(async () => {
    await fetch(PUSHED, { method: 'DELETE' });
  });

  describe.each(WAYS)('through %s', (_name, settings) => {
    const { query, alerts } = using(settings);

    test('F2 the error rate before and after', async () => {
      const ratio = `sum by (service) (live_http_errors_ratio{service="${SERVICE}"})`;
      const now = async () => (await query({ query: ratio, from: 'now' })).series?.[0]?.last;
      await push(0.01);
      await until(now, (last) => last === 0.01);
      await push(0.2);
      await until(now, (last) => last === 0.2);
      const { series } = await query({ query: ratio, from: '-1m', step: '1s' });
      expect(series).toEqual([
        expect.objectContaining({ labels: { service: SERVICE }, min: 0.01, max: 0.2, last: 0.2 }),
      ]);
    });

    test('F2 what fires is found, and is silenced, seen, and not silenced any more', async () => {
      await push(0.2);
      const fires = () => alerts({ action: 'firing', matchers: mine });
      const first = await until(fires, ({ total }) => total === 1);
      expect(first.firing).toEqual([
        expect.objectContaining({
          alert: 'HighErrorRate',
          severity: 'critical',
          labels: { namespace: 'tta-staging', service: SERVICE },
          summary: `${SERVICE} fails more than 5 % of its requests`,
        }),
      ]);
      const matchers = [...mine, 'namespace=tta-staging'];
      const made = await alerts({ action: 'silence', matchers, comment: 'live test', for: '5m' });
      const id = made.silence?.id ?? '';
      await until(fires, ({ total, silenced }) => total === 0 && silenced === 1);
      const seen = await fetch(`${alertmanager.url}/api/v2/silence/${id}`);
      expect(await seen.json()).toMatchObject({
        status: { state: 'active' },
        createdBy: 'ann via holdpoint',
        comment: 'live test',
        matchers: expect.arrayContaining([{ name: 'service', value: SERVICE, isRegex: false, isEqual: true }]),
      });
      const listed = await alerts({ action: 'silences', matchers: [`service=${SERVICE}`] });
      expect(listed.silences?.map((silence) => silence.id)).toEqual([id]);
      await alerts({ action: 'unsilence', id });
      await until(fires, ({ total, silenced }) => total === 1 && silenced === undefined);
      await expect(alerts({ action: 'unsilence', id })).rejects.toMatchObject({ code: 'conflict' });
    });

    test('F2 rules with their state', async () => {
      const { rules } = await alerts({ action: 'rules' });
      expect(rules).toContainEqual(expect.objectContaining({ rule: 'AlwaysFiring', state: 'firing' }));
      expect(rules?.at(-1)).toMatchObject({ rule: 'NeverFires', state: 'inactive', for: '5m', expr: 'up > 1' });
    });

    test('F1 what is wrong with a query, or why it has no series', async () => {
      await expect(query({ query: 'sum(rate(up[5m])) by (job' })).rejects.toMatchObject({
        code: 'invalid_input',
        message: expect.stringContaining('position 26, at its end: unclosed left parenthesis'),
      });
      const note = async (input: object) => (await query(input)).note;
      expect(await note({ query: 'node_loads1' })).toContain('there is no metric node_loads1. Near: node_load1,');
      expect(await note({ query: 'up{job="none"}', from: '-1m' })).toContain('not with these labels');
      expect(await note({ query: 'up', from: '2020-01-01', to: '2020-01-02' })).toContain('no samples');
    });

    test('F1 what is not finite', async () => {
      const { series } = await query({
        query: 'vector(1) / 0 or label_replace(vector(0) / 0, "a", "b", "", "")',
        from: '-1m',
      });
      expect(series?.map(({ last }) => last).sort()).toEqual(['+Inf', 'NaN']);
    });
  });

  test('A4 F2 promtool takes the alert rules for Holdpoint itself, every one', async () => {
    const file = join(ROOT, 'docs/observability/alerts.yaml');
    const { groups } = parse(readFileSync(file, 'utf8')) as { groups: { rules: object[] }[] };
    const rules = groups.flatMap((group) => group.rules).length;
    // Of the package that Prometheus itself comes from.
    const check = async (path: string) => promisify(execFile)('promtool', ['check', 'rules', '--lint-fatal', path]);
    expect((await check(file)).stdout).toContain(`SUCCESS: ${rules} rules found`);
    const wrong = join(mkdtempSync(join(tmpdir(), 'holdpoint-rules-')), 'wrong.yaml');
    onTestFinished(() => rmSync(dirname(wrong), { recursive: true }));
    writeFileSync(wrong, readFileSync(file, 'utf8').replace('holdpoint_ready == 0', 'holdpoint_ready == '));
    await expect(check(wrong)).rejects.toMatchObject({ code: 1 });
  });

  test('F1 both ways give the same answer', async () => {
    // A while ago, so that no sample comes in between the two; and as moments, for "-30s" is another one a second later.
    const end = Date.now() - 5000;
    const [to, from] = [new Date(end), new Date(end - 55_000)].map((at) => at.toISOString()) as [string, string];
    for (const input of [
      { query: 'up', from, step: '1s', points: true },
      { query: '{__name__=~"node_load.*|go_goroutines"}', from, limit: 5 },
      { query: 'count(up)', from: to },
    ]) {
      const [a, b] = await Promise.all(WAYS.map(([, settings]) => using(settings).query({ to, ...input })));
      expect({ ...b, source: '' }).toEqual({ ...a, source: '' });
      expect(a?.series?.length).toBeGreaterThan(0);
    }
  });
});
