import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';

import { AppsV1Api, CoreV1Api, KubeConfig, PatchStrategy, setHeaderOptions } from '@kubernetes/client-node';
import type { V1Deployment } from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { createFakeDocker } from '../../src/adapters/docker/fake.ts';
import { createKubernetes } from '../../src/adapters/kubernetes/client.ts';
import { readKubeContexts } from '../../src/adapters/kubernetes/contexts.ts';
import { createMonitoring } from '../../src/adapters/monitoring/client.ts';
import type { Plan } from '../../src/core/plan.ts';
import type { RunContext } from '../../src/core/tool.ts';
import get from '../../src/tools/kubernetes/kubectl-get.ts';
import rollout from '../../src/tools/kubernetes/kubectl-rollout.ts';
import { liveServers, podImage } from './servers.ts';

const NAMESPACE = `tta-staging-live-${process.pid}`;
const { kubeconfig } = liveServers();

describe.skipIf(kubeconfig === undefined)('a real Kubernetes', () => {
  const config = new KubeConfig();
  let apps: AppsV1Api;
  let core: CoreV1Api;
  let context: RunContext<'kubernetes' | 'docker' | 'monitoring'>;
  const seen: string[] = [];

  beforeAll(async () => {
    config.loadFromFile(kubeconfig ?? '');
    apps = config.makeApiClient(AppsV1Api);
    core = config.makeApiClient(CoreV1Api);
    await Promise.all([podImage('live-web:1', 'one'), podImage('live-web:2', 'two')]);
    await core.createNamespace({ body: { metadata: { name: NAMESPACE } } });
    context = {
      kubernetes: createKubernetes({ kubeconfig: kubeconfig ?? '', workspace: tmpdir() }),
      docker: createFakeDocker().port,
      monitoring: createMonitoring({}),
      facts: {
        kubernetes: readKubeContexts(readFileSync(kubeconfig ?? '', 'utf8')),
        docker: { host: 'local' },
        github: {},
        monitoring: {},
        programs: {},
      },
      principal: { person: 'p', agent: 'devops', client: 'test' },
      callId: 'live-test',
      signal: new AbortController().signal,
      permits: () => true,
      redact: (text: string) => text,
      progress: (update) => seen.push(update.message),
      stepDone: () => {},
    };
    await make('api', 'local/live-web:1');
    await ready('api');
  });

  afterAll(async () => {
    await core.deleteNamespace({ name: NAMESPACE, gracePeriodSeconds: 0 });
  });

  async function make(name: string, image: string): Promise<void> {
    const labels = { app: name };
    const container = {
      name: 'web',
      image,
      imagePullPolicy: 'Never',
      readinessProbe: { httpGet: { path: '/', port: 8080 as never }, periodSeconds: 1 },
    };
    const body: V1Deployment = {
      metadata: { name },
      spec: {
        replicas: 2,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { terminationGracePeriodSeconds: 1, containers: [container] } },
      },
    };
    await apps.createNamespacedDeployment({ namespace: NAMESPACE, body });
  }

  const ref = (name: string) => ({ context: 'live', namespace: NAMESPACE, kind: 'deployment' as const, name });
  const ready = (name: string) => context.kubernetes.follow(ref(name), 60, () => {}, context);
  const deployment = (name: string) => apps.readNamespacedDeployment({ namespace: NAMESPACE, name });
  const call = (input: object) =>
    rollout.input.parse({ kind: 'deployment', name: 'api', namespace: NAMESPACE, ...input });
  const merge = setHeaderOptions('Content-Type', PatchStrategy.StrategicMergePatch);
  const plan = (input: object) => rollout.plan(call(input), context);
  async function act(input: object) {
    const made = JSON.parse(JSON.stringify(await plan(input))) as Plan<never>;
    return rollout.output.parse(await rollout.run(made, context));
  }
  async function look(input: object) {
    const made = await get.plan(get.input.parse({ namespace: NAMESPACE, ...input }), context);
    return get.output.parse(await get.run(made, context));
  }
  /** A pod's IP answers with the image's text; the tests run on the node's machine. */
  async function images(name: string): Promise<string[]> {
    const { items } = await core.listNamespacedPod({ namespace: NAMESPACE, labelSelector: `app=${name}` });
    return items
      .filter((pod) => pod.metadata?.deletionTimestamp === undefined)
      .map((pod) => pod.spec?.containers[0]?.image ?? '');
  }

  test('D2 restart replaces every pod, follows until ready and marks the template as kubectl does', async () => {
    const before = (await core.listNamespacedPod({ namespace: NAMESPACE })).items.map((pod) => pod.metadata?.uid);
    const result = await act({ action: 'restart' });
    expect(result).toMatchObject({ state: 'ready', replicas: { desired: 2, updated: 2, available: 2 } });
    const { spec, metadata } = await deployment('api');
    expect(spec?.template.metadata?.annotations?.['kubectl.kubernetes.io/restartedAt']).toMatch(
      /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/,
    );
    expect(metadata?.managedFields?.some((entry) => entry.manager === 'holdpoint')).toBe(true);
    const after = (await core.listNamespacedPod({ namespace: NAMESPACE })).items.filter(
      (pod) => pod.metadata?.deletionTimestamp === undefined,
    );
    expect(after).toHaveLength(2);
    expect(after.filter((pod) => before.includes(pod.metadata?.uid))).toEqual([]);
    expect(seen.length).toBeGreaterThan(0);
  });

  test('D2 set-image and undo: there and back', async () => {
    expect(await act({ action: 'set-image', images: { web: 'local/live-web:2' } })).toMatchObject({ state: 'ready' });
    expect(await images('api')).toEqual(['local/live-web:2', 'local/live-web:2']);
    const planned = await plan({ action: 'undo' });
    expect(planned.preview.text).toContain('web: local/live-web:2 → local/live-web:1');
    expect(await act({ action: 'undo' })).toMatchObject({ state: 'ready' });
    expect(await images('api')).toEqual(['local/live-web:1', 'local/live-web:1']);
    const { revisions } = await act({ action: 'history' });
    expect(revisions?.[0]).toMatchObject({ current: true, images: { web: 'local/live-web:1' } });
    expect(revisions?.[1]).toMatchObject({ current: false, images: { web: 'local/live-web:2' } });
  });

  test('D2 pause and resume', async () => {
    expect(await act({ action: 'pause' })).toMatchObject({ state: 'paused' });
    expect((await deployment('api')).spec?.paused).toBe(true);
    await expect(plan({ action: 'restart' })).rejects.toMatchObject({ code: 'conflict' });
    expect(await act({ action: 'resume' })).toMatchObject({ state: 'ready' });
    expect((await deployment('api')).spec?.paused ?? false).toBe(false);
  });

  test('I2 a status update between plan and run does not make it stale', async () => {
    const planned = await plan({ action: 'restart', wait: 0 });
    const patch = [
      {
        op: 'add',
        path: '/status/conditions/-',
        value: { type: 'Progressing', status: 'True', reason: 'Test', lastUpdateTime: null },
      },
    ];
    await apps.patchNamespacedDeploymentStatus({ namespace: NAMESPACE, name: 'api', body: patch });
    const again = await plan({ action: 'restart', wait: 0 });
    expect(again).toEqual(planned);
    await expect(rollout.run(planned, context)).resolves.toMatchObject({ action: 'restart' });
    await ready('api');
  });

  test('I2 a template change between plan and run is stale, and says what moved', async () => {
    const planned = await plan({ action: 'restart', wait: 0 });
    const body = { spec: { template: { metadata: { annotations: { by: 'somebody else' } } } } };
    await apps.patchNamespacedDeployment({ namespace: NAMESPACE, name: 'api', body }, merge);
    const moved = (await plan({ action: 'restart', wait: 0 })).preconditions.filter(
      (p, index) => JSON.stringify(p) !== JSON.stringify(planned.preconditions[index]),
    );
    expect(moved.map(({ id }) => id)).toEqual([`deployment:${NAMESPACE}/api`]);
    const generation = (await deployment('api')).metadata?.generation;
    await expect(rollout.run(planned, context)).rejects.toMatchObject({
      code: 'stale',
      changes: [{ what: expect.stringContaining('pod template') }],
    });
    expect((await deployment('api')).metadata?.generation).toBe(generation);
    await ready('api');
  });

  test('I2 a write in between: 409, then again on what only moved its status', async () => {
    const planned = await plan({ action: 'restart', wait: 0 });
    // Keeps moving the resourceVersion while the run reads and patches.
    const stirring = new AbortController();
    const stir = (async () => {
      for (let count = 0; !stirring.signal.aborted; count += 1) {
        const body = { metadata: { annotations: { stir: String(count) } } };
        await apps.patchNamespacedDeployment({ namespace: NAMESPACE, name: 'api', body }, merge);
      }
    })();
    try {
      const outcome = await rollout.run(planned, context).then(
        () => 'done',
        (error: { code: string }) => error.code,
      );
      // Five attempts may all lose; then it says so and has changed nothing.
      expect(['done', 'stale']).toContain(outcome);
    } finally {
      stirring.abort();
      await stir;
    }
    await ready('api');
  });

  test('D2 an image that is not there: failing within the wait, with the reason and the way back', async () => {
    const result = await act({ action: 'set-image', images: { web: 'local/live-web:missing' } });
    expect(result).toMatchObject({ state: 'failing', replicas: { desired: 2, available: 2 } });
    expect(result.reasons?.join('\n')).toMatch(/ErrImageNeverPull/);
    expect(result.next).toMatch(/undo and toRevision \d+/);
    const described = await look({ kind: 'deploy', name: 'api' });
    expect(described.object?.problems.join('\n')).toMatch(/ErrImageNeverPull/);
    expect(await act({ action: 'undo' })).toMatchObject({ state: 'ready' });
  });

  test('D2 kubectl-get names the cause at a failing pod, lists it, and shows its log', async () => {
    const body = {
      metadata: { name: 'crash' },
      spec: {
        restartPolicy: 'Always',
        containers: [
          {
            name: 'main',
            image: 'local/live-web:1',
            imagePullPolicy: 'Never',
            command: ['/bin/sh', '-c', 'echo out of luck; exit 3'],
          },
        ],
      },
    };
    await core.createNamespacedPod({ namespace: NAMESPACE, body });
    await expect
      .poll(async () => (await look({ kind: 'pods', name: 'crash' })).object?.problems.join('\n') ?? '', {
        timeout: 60_000,
        interval: 1000,
      })
      .toMatch(/exit code 3/);
    const { table } = await look({ kind: 'po' });
    const row = table?.rows.find(([name]) => name === 'crash');
    expect(table?.columns).toEqual(['name', 'ready', 'status', 'restarts', 'image', 'problem', 'age']);
    expect(row?.[5]).toMatch(/exit code 3|CrashLoopBackOff/);
    // Between two starts the kubelet has no log for a moment.
    await expect
      .poll(async () => (await look({ kind: 'pod', name: 'crash', show: 'logs' })).logs?.text, { timeout: 30_000 })
      .toContain('out of luck');
    const events = (await look({ kind: 'pod', name: 'crash', show: 'events' })).events ?? [];
    expect(events.map(({ reason }) => reason)).toContain('Started');
  });

  test('D2 quota: the deployment says why no pod is made', async () => {
    await make('greedy', 'local/live-web:1');
    await ready('greedy');
    const body = { metadata: { name: 'full' }, spec: { hard: { pods: '1' } } };
    await core.createNamespacedResourceQuota({ namespace: NAMESPACE, body });
    try {
      await expect
        .poll(async () => (await look({ kind: 'quota', name: 'full' })).object?.details['status'], {
          timeout: 30_000,
          interval: 500,
        })
        .toHaveProperty('used');
      const result = await act({ action: 'restart', kind: 'deployment', name: 'greedy', wait: 20 });
      expect(result.state).toBe('failing');
      expect(result.reasons?.join('\n')).toMatch(/exceeded quota/);
    } finally {
      await core.deleteNamespacedResourceQuota({ namespace: NAMESPACE, name: 'full' });
    }
  });

  test('C3 Secret values appear in no list, description or event; keys and sizes do', async () => {
    const value = 'planted-7f3a91c2';
    await core.createNamespacedSecret({
      namespace: NAMESPACE,
      body: {
        metadata: {
          name: 'db',
          annotations: {
            'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify({ stringData: { password: value } }),
          },
        },
        stringData: { password: value },
      },
    });
    const answers = await Promise.all([
      look({ kind: 'secrets' }),
      look({ kind: 'Secret', name: 'db' }),
      look({ kind: 'secrets.', name: 'db', show: 'events' }),
    ]);
    const text = JSON.stringify(answers);
    expect(text).not.toContain(value);
    expect(text).not.toContain(Buffer.from(value).toString('base64'));
    expect(answers[1]?.object?.details).toMatchObject({ data: { password: '16 bytes (not shown)' } });
  });

  test('D2 kinds by discovery: what the server serves, its table, its names', async () => {
    const { table } = await look({ kind: 'nodes' });
    expect(table?.columns).toContain('status');
    expect(table?.rows[0]).toContain('Ready');
    const across = await look({ kind: 'deploy', namespace: '*' });
    expect(across.table?.columns[0]).toBe('namespace');
    await expect(look({ kind: 'cronjobs.batch.nowhere' })).rejects.toMatchObject({ code: 'not_found' });
    const paged = await look({ kind: 'deploy', namespace: '*', limit: 1 });
    expect(paged.table).toMatchObject({ rows: [expect.anything()], continue: expect.any(String) });
    await expect(look({ kind: 'deploy', name: 'nothing' })).rejects.toMatchObject({ code: 'not_found' });
  });

  test('D2 stateful and daemon sets: restart, history, undo', async () => {
    const labels = { app: 'ds' };
    const template = {
      metadata: { labels },
      spec: {
        terminationGracePeriodSeconds: 1,
        containers: [{ name: 'web', image: 'local/live-web:1', imagePullPolicy: 'Never' }],
      },
    };
    await apps.createNamespacedDaemonSet({
      namespace: NAMESPACE,
      body: { metadata: { name: 'ds' }, spec: { selector: { matchLabels: labels }, template } },
    });
    const sts = { ...template, metadata: { labels: { app: 'sts' } } };
    await apps.createNamespacedStatefulSet({
      namespace: NAMESPACE,
      body: {
        metadata: { name: 'sts' },
        spec: { serviceName: 'sts', selector: { matchLabels: { app: 'sts' } }, template: sts },
      },
    });
    for (const [kind, name] of [
      ['daemonset', 'ds'],
      ['statefulset', 'sts'],
    ] as const) {
      expect(await act({ kind, name, action: 'status', wait: 40 })).toMatchObject({ state: 'ready' });
      expect(await act({ kind, name, action: 'set-image', images: { web: 'local/live-web:2' } })).toMatchObject({
        state: 'ready',
      });
      expect(await images(name)).toEqual(['local/live-web:2']);
      expect(await act({ kind, name, action: 'undo' })).toMatchObject({ state: 'ready' });
      expect(await images(name)).toEqual(['local/live-web:1']);
      expect((await act({ kind, name, action: 'history' })).revisions?.length).toBeGreaterThanOrEqual(2);
    }
  });
});

describe.skipIf(kubeconfig === undefined)('a Kubernetes that is not there', () => {
  test('D2 unavailable, with what to do', async () => {
    const kubernetes = createKubernetes({ kubeconfig: '/nonexistent/kubeconfig', workspace: tmpdir() });
    await expect(
      kubernetes.cluster('live', { callId: 'x', signal: new AbortController().signal }),
    ).rejects.toMatchObject({ code: 'unavailable', hint: expect.stringContaining('KUBECONFIG') });
  });
});
