import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { freePorts, startMonitoring, type Monitoring, type Ports } from './replay-monitoring.ts';
import {
  get,
  prepareNamespace,
  PRODUCTION,
  pushedVersion,
  ready,
  STAGING,
  standIns,
  startWorld,
  until,
  written,
  type World,
} from './replay-world.ts';

const FILES = {
  'docker/prometheus/prometheus.yml': 's1/prometheus.yml',
  'docker/prometheus/alerts.yml': 's1/alerts.yml',
  'docker/alertmanager/alertmanager.yml': 's1/alertmanager.yml',
  'docker/grafana/dashboards/tta-api.json': 's1/dashboard.json',
  'docs/memory/monitoring-production.md': 's1/monitoring.md',
} as const;
/** What the recorded Loki tells: lines as the API writes them. */
const LINES = [
  '{"level": "error", "path": "/fail", "status": 500, "version": "v0.9.0"}',
  '{"level": "info", "path": "/scene", "status": 200, "version": "v0.9.0"}',
];

interface Queried {
  source: string;
  series?: { labels: Record<string, string>; last?: number }[];
  logs?: { lines: string[]; levels: Record<string, number> };
  note?: string;
}

describe.skipIf(!ready)('S1 scenario 4: monitoring and alerting', () => {
  let world: World;
  let ports: Ports;
  let monitoring: Monitoring | undefined;
  let api: number;

  const inWorkspace = (path: string) => join(world.place.workspace, path);
  const content = (path: keyof typeof FILES) =>
    written(FILES[path])
      .replaceAll('ALERTMANAGER', `127.0.0.1:${ports.alertmanager}`)
      .replaceAll('TTA_API', `127.0.0.1:${api}`)
      .replaceAll('TEAM_WEBHOOK', `http://127.0.0.1:${ports.webhook}/team`);
  const save = async (path: keyof typeof FILES) => {
    expect(await world.done('save-file', { path, content: content(path) })).toMatchObject({ did: 'created' });
    expect(readFileSync(inWorkspace(path), 'utf8')).toBe(content(path));
  };
  const tool = async (program: string, ...args: string[]) => (await promisify(execFile)(program, args)).stdout;
  const query = (expr: string, more: object = {}) =>
    world.done('grafana-query', { query: expr, from: 'now', ...more }) as unknown as Promise<Queried>;
  const alerts = (args: object) => world.done('use-tool', { name: 'alerts', arguments: args });
  const silences = async () =>
    JSON.parse((await get(ports.alertmanager, '/api/v2/silences'))?.body ?? 'null') as unknown[];

  beforeAll(async () => {
    ports = await freePorts();
    world = await startWorld('tta-devops-engineer', [], {
      PROMETHEUS_URL: `http://127.0.0.1:${ports.prometheus}`,
      ALERTMANAGER_URL: `http://127.0.0.1:${ports.alertmanager}`,
      GRAFANA_URL: `http://127.0.0.1:${ports.grafana}`,
    });
    await standIns(world);
    await pushedVersion(world, 'v0.9.0');
    await prepareNamespace(world, PRODUCTION);
    // One pod, so that its counters only go up.
    await world.create(written('s1/tta-api.yaml').replace('replicas: 2', 'replicas: 1'));
    await world.serves(PRODUCTION, 'v0.9.0');
    api = await world.nodePort(PRODUCTION);
  });
  afterAll(async () => {
    await monitoring?.stop();
    await world?.close();
  });

  test('F2 step 1: Prometheus’ configuration is written, and Prometheus’ own check takes it', async () => {
    await save('docker/prometheus/prometheus.yml');
    await save('docker/prometheus/alerts.yml');
    const path = inWorkspace('docker/prometheus/prometheus.yml');
    expect(await tool('promtool', 'check', 'config', path)).toContain('SUCCESS');
  });

  test('F2 step 4: alert rules are written; promtool takes them, and each has a severity, a summary and a runbook', async () => {
    const path = inWorkspace('docker/prometheus/alerts.yml');
    expect(await tool('promtool', 'check', 'rules', '--lint-fatal', path)).toContain('SUCCESS: 2 rules found');
    const edit = { path: 'docker/prometheus/alerts.yml', oldText: '> 0.05', newText: '> 0.05 and' };
    await world.done('str-replace-editor', edit);
    await expect(tool('promtool', 'check', 'rules', path)).rejects.toMatchObject({ code: 1 });
    await world.done('str-replace-editor', { ...edit, oldText: edit.newText, newText: edit.oldText });
    expect(await tool('promtool', 'check', 'rules', path)).toContain('SUCCESS');
  });

  test('F2 F6 step 5: a notification channel is written into Alertmanager’s file, and its own check takes it', async () => {
    await save('docker/alertmanager/alertmanager.yml');
    expect(await tool('amtool', 'check-config', inWorkspace('docker/alertmanager/alertmanager.yml'))).toContain(
      'SUCCESS',
    );
  });

  test('F1 F2 steps 1 and 2: with these files real servers watch the real service; each panel of the written dashboard has figures (Grafana’s API in recorded shapes)', async () => {
    await save('docker/grafana/dashboards/tta-api.json');
    const data = join(world.place.workspace, '..');
    monitoring = await startMonitoring(
      ports,
      {
        prometheus: inWorkspace('docker/prometheus/prometheus.yml'),
        alertmanager: inWorkspace('docker/alertmanager/alertmanager.yml'),
      },
      data,
      LINES,
    );
    await until(
      () => query('up{job="tta-api"}'),
      ({ series }) => series?.[0]?.last === 1,
    );
    for (let index = 0; index < 5; index++) await get(api, '/fail');
    const dashboard = readFileSync(inWorkspace('docker/grafana/dashboards/tta-api.json'), 'utf8');
    const { panels } = JSON.parse(dashboard) as { panels: { title: string; targets: { expr: string }[] }[] };
    expect(panels.map(({ title }) => title)).toEqual(['Traffic', 'Errors', 'Up']);
    for (const expr of panels.flatMap(({ targets }) => targets.map((target) => target.expr)))
      await until(
        () => query(expr),
        ({ series }) => (series?.length ?? 0) > 0,
      );
    const errors = await query('sum by (code) (http_requests_total{job="tta-api",code="500"})');
    expect(errors.series?.[0]?.last).toBeGreaterThanOrEqual(5);
    const path = `/api/v1/query?query=${encodeURIComponent('http_requests_total{code="500"}')}`;
    expect((await get(ports.prometheus, path))?.body).toContain(`"namespace":"${PRODUCTION}"`);
  });

  test('F1 step 3: logs of the real pods, and a query of aggregated logs (Loki’s answer is recorded)', async () => {
    const read = await world.done('kubectl-get', {
      kind: 'deploy',
      name: 'tta-api',
      namespace: PRODUCTION,
      show: 'logs',
    });
    expect(JSON.stringify(read['logs'])).toContain('/fail');
    const { logs } = await query('{app="tta-api"} |= "error"', { source: 'loki', from: '-15m' });
    expect(logs?.lines.join('\n')).toContain('/fail');
    expect(logs?.levels).toMatchObject({ error: 1 });
  });

  test('F2 F6 steps 4 and 5: the rule fires on real errors, the team’s webhook is told, and the agent sees why', async () => {
    const told = () => monitoring?.notifications.flatMap((each) => each.alerts) ?? [];
    await until(
      async () => {
        await get(api, '/fail');
        return told();
      },
      (all) => all.some(({ labels }) => labels['alertname'] === 'TtaApiErrors'),
    );
    expect(told()).toContainEqual(
      expect.objectContaining({
        labels: expect.objectContaining({ alertname: 'TtaApiErrors', namespace: PRODUCTION }) as object,
        annotations: expect.objectContaining({ summary: expect.stringContaining('More than 5 %') as string }) as object,
      }),
    );
    const { firing } = await alerts({ action: 'firing' });
    expect(firing).toContainEqual(
      expect.objectContaining({ alert: 'TtaApiErrors', severity: 'critical', runbook: expect.anything() as string }),
    );
    const { rules } = (await alerts({ action: 'rules' })) as { rules: { rule: string; state: string }[] };
    expect(rules.map(({ rule }) => rule).sort()).toEqual(['TtaApiDown', 'TtaApiErrors']);
  });

  test('F2 I1 silencing production is held and nothing is silenced; a silence of staging alone is made at once', async () => {
    const silence = (namespace: string) => ({
      action: 'silence',
      matchers: ['alertname=TtaApiErrors', `namespace=${namespace}`],
      comment: 'rollback on its way',
      for: '10m',
    });
    const id = await world.held('use-tool', { name: 'alerts', arguments: silence(PRODUCTION) });
    expect(await silences()).toEqual([]);
    await alerts(silence(STAGING));
    expect(await silences()).toHaveLength(1);
    await world.approve(id);
    expect(await silences()).toHaveLength(1);
    await world.runApproved(id);
    expect(await silences()).toHaveLength(2);
  });

  test('H1 step 6: the monitoring is documented where this persona may; elsewhere in docs it may not', async () => {
    await save('docs/memory/monitoring-production.md');
    await world.denied('save-file', { path: 'docs/MONITORING.md', content: 'x' });
    expect(existsSync(inWorkspace('docs/MONITORING.md'))).toBe(false);
  });
});
