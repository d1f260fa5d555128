import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';

import { holdpoint } from '../harness.ts';
import {
  BASE_IMAGE,
  get,
  inRegistry,
  live,
  prepareNamespace,
  PRODUCTION,
  pushedVersion,
  ready,
  REPOSITORY,
  STAGING,
  standIns,
  startWorld,
  until,
  written,
  type World,
} from './replay-world.ts';

const OLD = `${REPOSITORY}/tta-api:v0.9.0`;
const TAG = 'v1.0.0';
const NEW = `${REPOSITORY}/tta-api:${TAG}`;
/** Of this run alone. */
const SERVICE = `tta-api-${process.pid}`;
const PUSHED = `${live.pushgateway}/metrics/job/${SERVICE}`;

describe.skipIf(!ready)('S1 scenario 3: production deployment', () => {
  let world: World;
  let request: string;
  /** What staging has run: a tag could move, and what nodes tell of one comes late, which makes a request stale. */
  let digest: string;

  const rollout = (action: string, namespace: string, more: object = {}) => ({
    action,
    kind: 'deployment',
    name: 'tta-api',
    namespace,
    ...more,
  });
  const pinned = () => `${REPOSITORY}/tta-api@${digest}`;
  const toNew = (image: string, namespace: string) => rollout('set-image', namespace, { images: { api: image } });
  const save = (path: string, file: string) => world.done('save-file', { path, content: written(file) });

  beforeAll(async () => {
    world = await startWorld('tta-devops-engineer');
    await standIns(world);
    await pushedVersion(world, 'v0.9.0');
    for (const namespace of [STAGING, PRODUCTION]) await prepareNamespace(world, namespace);
  });
  afterAll(async () => {
    await fetch(PUSHED, { method: 'DELETE' });
    await world?.close();
  });

  test('C1 C6 steps 1–4: manifests with a strategy, health checks and what monitoring scrapes; no errors found in them', async () => {
    const production = written('s1/tta-api.yaml');
    await world.done('save-file', { path: 'kubernetes/production.yaml', content: production });
    const staging = production.replaceAll(PRODUCTION, STAGING).replaceAll('production', 'staging');
    await world.done('save-file', { path: 'kubernetes/staging.yaml', content: staging });
    for (const path of ['kubernetes/production.yaml', 'kubernetes/staging.yaml']) {
      const { findings, total } = await world.done('diagnostics', { path });
      expect(total, JSON.stringify(findings)).toMatchObject({ error: 0, warning: 0 });
    }
    const file = readFileSync(join(world.place.workspace, 'kubernetes/production.yaml'), 'utf8');
    const [deployment] = parseAllDocuments(file).map((document) => document.toJS() as { spec: object });
    expect(deployment?.spec).toMatchObject({
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0 } },
      template: {
        metadata: { annotations: { 'prometheus.io/scrape': 'true' } },
        spec: { containers: [{ livenessProbe: expect.anything(), readinessProbe: expect.anything() as object }] },
      },
    });
  });

  test('C4 no tool of today applies a manifest: it is refused with what to do; a person applies both', async () => {
    const apply = ['apply', '-f', 'kubernetes/production.yaml', '-n', PRODUCTION];
    const refused = await world.denied('launch-process', { program: 'kubectl', args: apply });
    expect(refused).toMatchObject({ rule: 'programs', hint: expect.stringContaining('Hand it over') as string });
    await expect(world.stateOf(PRODUCTION)).rejects.toMatchObject({ code: 404 });
    for (const [file, namespace] of [
      ['staging', STAGING],
      ['production', PRODUCTION],
    ] as const) {
      await world.create(readFileSync(join(world.place.workspace, `kubernetes/${file}.yaml`), 'utf8'));
      await world.rolledOut(namespace);
    }
    await world.serves(PRODUCTION, 'v0.9.0');
  });

  test('C1 step 5: a rollback procedure is written, and rehearsed without changing anything', async () => {
    expect(await save('scripts/deploy/rollback-production.sh', 's1/rollback-production.sh')).toMatchObject({
      did: 'created',
    });
    const before = await world.stateOf(PRODUCTION);
    const { envelope } = await world.agent.call('kubectl-rollout', {
      ...rollout('restart', PRODUCTION),
      dryRun: true,
    });
    expect(envelope).toMatchObject({ status: 'planned' });
    expect(await world.stateOf(PRODUCTION)).toEqual(before);
  });

  test('D1 the new version is built and pushed to a real registry', async () => {
    const built = await world.done('docker-build', {
      context: '.',
      dockerfile: 'docker/Dockerfile',
      tags: [NEW],
      buildArgs: { BASE_IMAGE, VERSION: TAG },
    });
    expect((await world.engine.getImage(NEW).inspect()).Id).toBe(built['id']);
    const push = await world.denied('launch-process', { program: 'docker', args: ['push', NEW] });
    expect(push).toMatchObject({
      rule: 'programs',
      hint: expect.stringContaining('docker-push') as string,
    });
    expect(await inRegistry(TAG)).toBeUndefined();
    const pushed = await world.pushed(NEW);
    digest = (await inRegistry(TAG)) ?? '';
    expect(digest).toMatch(/^sha256:/);
    expect(pushed).toMatchObject({ image: NEW, digest });
  });

  test('D2 standard process, step 7: staging is rolled out at once, from the registry', async () => {
    expect(await world.done('kubectl-rollout', toNew(NEW, STAGING))).toMatchObject({ state: 'ready' });
    expect(await world.imageOf(STAGING)).toBe(NEW);
    await world.serves(STAGING, TAG);
    expect(await world.imageOf(PRODUCTION)).toBe(OLD);
  });

  test('I1 step 6, standard process step 8: production is held; asking again or running it unapproved changes nothing', async () => {
    const before = await world.stateOf(PRODUCTION);
    request = await world.held('kubectl-rollout', toNew(pinned(), PRODUCTION));
    expect(await world.held('kubectl-rollout', toNew(pinned(), PRODUCTION))).toBe(request);
    expect(await world.held('approval', { action: 'run', id: request })).toBe(request);
    expect(await world.stateOf(PRODUCTION)).toEqual(before);
    // Nor through the other way to the cluster.
    const args = ['set', 'image', 'deployment/tta-api', `api=${NEW}`, '-n', PRODUCTION];
    await world.denied('launch-process', { program: 'kubectl', args });
    expect(await world.stateOf(PRODUCTION)).toEqual(before);
  });

  test('D5 I3 S1’s checklist before deployment: with an item open nobody can approve; ticked, a person’s key signs', async () => {
    const before = await world.stateOf(PRODUCTION);
    const { stdout } = await holdpoint(world.place, 'approvals', 'show', request, '--json');
    const { checklist } = JSON.parse(stdout) as { checklist: { id: string; phase: string }[] };
    const phases = (phase: string) =>
      checklist.filter((item) => item.phase === phase).map(({ id }) => id.replace(/^production-deployment\//, ''));
    expect(phases('pre')).toEqual([
      'tests-passing',
      'code-reviewed',
      'backup-created',
      'rollback-tested',
      'monitoring-configured',
      'alerts-configured',
      'window-scheduled',
    ]);
    const unticked = await holdpoint(world.place, 'approvals', 'approve', request, '--as', 'alice');
    expect(unticked.code).not.toBe(0);
    expect(await world.held('approval', { action: 'run', id: request })).toBe(request);
    await world.approve(request);
    expect(await world.stateOf(PRODUCTION)).toEqual(before);
  });

  test('D2 I2 standard process, step 9: approved it runs, once', async () => {
    expect(await world.runApproved(request)).toMatchObject({ state: 'ready' });
    expect(await world.imageOf(PRODUCTION)).toBe(pinned());
    await world.serves(PRODUCTION, TAG);
    const after = await world.stateOf(PRODUCTION);
    const again = await world.agent.call('approval', { action: 'run', id: request });
    expect(again.envelope).toMatchObject({ status: 'error', error: { code: 'conflict' } });
    expect(await world.stateOf(PRODUCTION)).toEqual(after);
  });

  test('C5 D2 F1 verified: rollout, pods, health over HTTP, logs and metrics, all of which production may be asked', async () => {
    const status = await world.done('kubectl-rollout', rollout('status', PRODUCTION));
    expect(status).toMatchObject({ state: 'ready', replicas: { desired: 2, updated: 2, available: 2 } });
    const { table } = (await world.done('kubectl-get', {
      kind: 'pods',
      namespace: PRODUCTION,
      selector: 'app=tta-api',
    })) as {
      table: { rows: string[][] };
    };
    expect(table.rows.filter((row) => row.join(' ').includes('Running'))).toHaveLength(2);

    const port = await world.nodePort(PRODUCTION);
    const url = `http://127.0.0.1:${port}/health`;
    expect(await world.done('web-fetch', { url, expect: TAG })).toMatchObject({ status: 200, ok: true, found: true });
    const read = await world.done('kubectl-get', {
      kind: 'deploy',
      name: 'tta-api',
      namespace: PRODUCTION,
      show: 'logs',
    });
    expect(JSON.stringify(read['logs'])).toContain(TAG);
    expect(JSON.stringify(read['logs'])).not.toContain('"level": "error"');

    // The service's own counters. The shared Prometheus scrapes no pods, so they are carried by the Pushgateway.
    const metrics = (await get(port, '/metrics'))?.body.replaceAll('service="tta-api"', `service="${SERVICE}"`);
    expect((await fetch(PUSHED, { method: 'POST', body: metrics ?? '' })).status).toBe(200);
    const query = `sum by (code) (http_requests_total{service="${SERVICE}"})`;
    const { series } = await until(
      () =>
        world.done('grafana-query', { query, from: 'now' }) as Promise<{ series?: { labels: object; last: number }[] }>,
      (answer) => (answer.series?.length ?? 0) > 0,
    );
    expect(series?.find(({ labels }) => 'code' in labels && labels.code === '500')).toBeUndefined();
  });

  test('D4 I1 rollback: planned and held, approved, run; the version before serves again', async () => {
    const before = await world.stateOf(PRODUCTION);
    await world.reported(OLD);
    const id = await world.held('kubectl-rollout', rollout('undo', PRODUCTION));
    const { stdout } = await holdpoint(world.place, 'approvals', 'show', id);
    expect(stdout).toContain('tta-api:v0.9.0');
    expect(await world.stateOf(PRODUCTION)).toEqual(before);
    await world.approve(id);
    expect(await world.stateOf(PRODUCTION)).toEqual(before);
    expect(await world.runApproved(id)).toMatchObject({ state: 'ready' });
    expect(await world.imageOf(PRODUCTION)).toBe(OLD);
    await world.serves(PRODUCTION, 'v0.9.0');
    const url = `http://127.0.0.1:${await world.nodePort(PRODUCTION)}/health`;
    expect(await world.done('web-fetch', { url, expect: 'v0.9.0' })).toMatchObject({ status: 200, found: true });
    expect((await holdpoint(world.place, 'audit', 'verify')).code).toBe(0);
  });
});
