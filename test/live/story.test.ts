import { execFile } from 'node:child_process';
import { appendFileSync, copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { AppsV1Api, CoreV1Api, KubeConfig, PatchStrategy, setHeaderOptions } from '@kubernetes/client-node';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import {
  approveTicking,
  CLIENTS,
  holdpoint,
  newPlace,
  overHttp,
  overStdio,
  ROOT,
  serverArgs,
  startHttp,
} from '../harness.ts';
import type { Agent, ClientKind, Place, RunningHttp } from '../harness.ts';
import { app, baseImage, dockerTag, liveServers, podImage } from './servers.ts';

const { kubeconfig, dockerHost } = liveServers();
const PROD = `tta-prod-${process.pid}`;
const STAGING = `tta-staging-${process.pid}`;

describe.skipIf(!kubeconfig || !dockerHost)('the main job on a real cluster and a real Engine', () => {
  const config = new KubeConfig();
  let apps: AppsV1Api;
  let core: CoreV1Api;
  let place: Place;
  let agent: Agent | undefined;
  let http: RunningHttp | undefined;

  beforeAll(async () => {
    config.loadFromFile(kubeconfig ?? '');
    apps = config.makeApiClient(AppsV1Api);
    core = config.makeApiClient(CoreV1Api);
    await podImage('story:1', 'one');
    await podImage('story:2', 'two');
    for (const namespace of [PROD, STAGING]) await app(namespace, 'api', 'story:1', 2);
  });
  afterAll(async () => {
    for (const name of [PROD, STAGING]) await core.deleteNamespace({ name, gracePeriodSeconds: 0 });
  });
  beforeEach(async () => {
    place = newPlace({ KUBECONFIG: kubeconfig ?? '', DOCKER_HOST: dockerHost ?? '' });
    await holdpoint(place, 'approver', 'add', 'alice');
  });
  afterEach(async () => {
    await agent?.close();
    await http?.stop();
    agent = http = undefined;
    place.remove();
  });

  async function connect(kind: ClientKind, transport: 'stdio' | 'http', extra: string[] = []): Promise<Agent> {
    if (transport === 'stdio') agent = await overStdio(kind, place, serverArgs(place, ['--stdio', ...extra]));
    else {
      http = await startHttp(place, serverArgs(place, ['--http', '127.0.0.1:0', ...extra]));
      agent = await overHttp(kind, http.url, http.token);
    }
    return agent;
  }

  /** How often the template was changed: every restart counts one. */
  const generation = async (namespace: string) =>
    (await apps.readNamespacedDeployment({ namespace, name: 'api' })).metadata?.generation ?? 0;
  const restart = (namespace: string) => ({ action: 'restart', kind: 'deployment', name: 'api', namespace });
  const approve = (id: string) => approveTicking(place, id, '--as', 'alice', '--reason', 'agreed');

  /** Makes a held call and lets alice approve it. */
  async function approved({ call }: Agent, tool: string, args: Record<string, unknown>): Promise<string> {
    const { envelope } = await call(tool, args);
    expect(envelope.status).toBe('approval_required');
    const id = envelope.approval?.id ?? '';
    expect((await approve(id)).code).toBe(0);
    return id;
  }

  const pairs = CLIENTS.flatMap((kind) => (['stdio', 'http'] as const).map((transport) => [kind, transport] as const));
  test.each(pairs)(
    'D2 I1 I2 the %s client over %s: production is held, approved, run once; staging runs at once',
    async (kind, transport) => {
      const live = await connect(kind, transport);
      const before = { prod: await generation(PROD), staging: await generation(STAGING) };
      expect((await live.call('kubectl-rollout', restart(STAGING))).envelope).toMatchObject({
        status: 'done',
        result: { state: 'ready' },
      });
      expect(await generation(STAGING)).toBe(before.staging + 1);

      const { envelope, isError } = await live.call('kubectl-rollout', restart(PROD));
      expect({ isError, envelope }).toMatchObject({ isError: false, envelope: { status: 'approval_required' } });
      const id = envelope.approval?.id ?? '';
      expect((await live.call('approval', { action: 'run', id })).envelope.status).toBe('approval_required');
      expect(await generation(PROD)).toBe(before.prod);

      expect((await approve(id)).code).toBe(0);
      expect(await generation(PROD)).toBe(before.prod);
      expect((await live.call('approval', { action: 'run', id })).envelope).toMatchObject({
        status: 'done',
        result: { state: 'ready' },
      });
      expect(await generation(PROD)).toBe(before.prod + 1);
      expect((await live.call('approval', { action: 'run', id })).envelope).toMatchObject({
        status: 'error',
        error: { code: 'conflict' },
      });
      expect(await generation(PROD)).toBe(before.prod + 1);
      expect((await holdpoint(place, 'audit', 'verify')).code).toBe(0);
    },
  );

  test('I1 production is told by the context as well: a staging namespace in a production context is held', async () => {
    const live = await connect('2.x', 'stdio');
    const { envelope } = await live.call('kubectl-rollout', { ...restart(STAGING), context: 'prod-live' });
    expect(envelope.status).toBe('approval_required');
  });

  test('I2 a row set to approved by hand runs nothing', async () => {
    const live = await connect('2.x', 'stdio');
    const before = await generation(PROD);
    const { envelope } = await live.call('kubectl-rollout', restart(PROD));
    const database = new DatabaseSync(join(place.state, 'holdpoint.db'), { timeout: 5000 });
    const id = envelope.approval?.id ?? '';
    expect(
      database
        .prepare(`UPDATE approval_requests SET state = 'approved', run_by = ? WHERE id = ?`)
        .run(Date.now() + 600_000, id).changes,
    ).toBe(1);
    database.close();
    expect((await live.call('approval', { action: 'run', id })).envelope.status).toBe('denied');
    expect(await generation(PROD)).toBe(before);
  });

  test('I9 a status update between approval and run is no matter; a changed template is stale, with what changed', async () => {
    const live = await connect('2.x', 'stdio');
    const merge = setHeaderOptions('Content-Type', PatchStrategy.MergePatch);
    const { items } = await core.listNamespacedPod({ namespace: PROD });
    const pod = items.find(({ metadata }) => metadata?.deletionTimestamp === undefined)?.metadata?.name ?? '';

    const first = await approved(live, 'kubectl-rollout', restart(PROD));
    const condition = { type: 'example.com/Noted', status: 'True', lastTransitionTime: new Date() };
    await core.patchNamespacedPodStatus(
      { namespace: PROD, name: pod, body: { status: { conditions: [condition] } } },
      merge,
    );
    await apps.patchNamespacedDeployment(
      { namespace: PROD, name: 'api', body: { metadata: { annotations: { note: 'x' } } } },
      merge,
    );
    expect((await live.call('approval', { action: 'run', id: first })).envelope.status).toBe('done');

    const second = await approved(live, 'kubectl-rollout', restart(PROD));
    const template = { metadata: { annotations: { changed: 'by somebody' } } };
    await apps.patchNamespacedDeployment({ namespace: PROD, name: 'api', body: { spec: { template } } }, merge);
    const before = await generation(PROD);
    const { envelope } = await live.call('approval', { action: 'run', id: second });
    expect(envelope).toMatchObject({ status: 'stale', error: { code: 'stale' } });
    expect(envelope.error?.changes?.length).toBeGreaterThan(0);
    expect(await generation(PROD)).toBe(before);
  });

  test('I9 moving the tag on the Engine between approval and run is stale; nothing is rolled out', async () => {
    const live = await connect('2.x', 'stdio');
    await Promise.all([baseImage('story-a:1'), baseImage('story-b:1')]);
    await dockerTag('story-a:1', 'story-moving:1');
    const before = await generation(PROD);
    const id = await approved(live, 'kubectl-rollout', {
      ...restart(PROD),
      action: 'set-image',
      images: { api: 'story-moving:1' },
    });
    await promisify(execFile)(join(ROOT, 'scripts/live/docker'), ['image', 'story-c:1', 'echo', 'another']);
    await dockerTag('story-c:1', 'story-moving:1');
    const { envelope } = await live.call('approval', { action: 'run', id });
    expect(envelope).toMatchObject({
      status: 'stale',
      error: { changes: [{ what: expect.stringContaining('story-moving:1') as string }] },
    });
    expect(await generation(PROD)).toBe(before);
  });

  test('I2 editing the policy between approval and run is stale, and a broken policy stops every call', async () => {
    const policy = join(place.workspace, '..', 'policy.yaml');
    copyFileSync(join(ROOT, 'policies/devops.yaml'), policy);
    const live = await connect('2.x', 'stdio', ['--policy', policy]);
    const id = await approved(live, 'kubectl-rollout', restart(PROD));
    writeFileSync(policy, readFileSync(policy, 'utf8').replace('approveWithin: 1h', 'approveWithin: 2h'));
    expect((await live.call('approval', { action: 'run', id })).envelope).toMatchObject({
      status: 'stale',
      error: { changes: [{ what: 'the policy devops' }] },
    });
    appendFileSync(policy, '\n  - id: broken\n');
    expect((await live.call('view', { path: 'docker' })).envelope).toMatchObject({
      status: 'error',
      error: { code: 'unavailable' },
    });
  });

  test('C2 I9 one byte changed in a file that waits for its deletion is stale; the file stays', async () => {
    const live = await connect('2.x', 'stdio');
    const path = 'docker/old-compose.yml';
    const id = await approved(live, 'remove-files', { paths: [path] });
    appendFileSync(join(place.workspace, path), '#');
    expect((await live.call('approval', { action: 'run', id })).envelope.status).toBe('stale');
    expect(existsSync(join(place.workspace, path))).toBe(true);
  });
});
