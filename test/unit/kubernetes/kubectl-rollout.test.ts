import { beforeEach, describe, expect, test } from 'vitest';

import { createFakeDocker } from '../../../src/adapters/docker/fake.ts';
import type { FakeDocker } from '../../../src/adapters/docker/fake.ts';
import { createFakeKubernetes } from '../../../src/adapters/kubernetes/fake.ts';
import type { FakeKubernetes } from '../../../src/adapters/kubernetes/fake.ts';
import type { KubeObject } from '../../../src/adapters/kubernetes/objects.ts';
import { createMonitoring } from '../../../src/adapters/monitoring/client.ts';
import type { Facts } from '../../../src/core/facts.ts';
import type { RunContext } from '../../../src/core/tool.ts';
import rollout from '../../../src/tools/kubernetes/kubectl-rollout.ts';

let cluster: FakeKubernetes;
let engine: FakeDocker;
let context: RunContext<'kubernetes' | 'docker' | 'monitoring'>;
const outcomes: string[] = [];

beforeEach(() => {
  cluster = createFakeKubernetes(['prod-eu', 'kind-x']);
  cluster.deploy({ name: 'api', namespace: 'tta-prod', image: 'api:1' });
  engine = createFakeDocker({ 'api:2': 'sha256:two' });
  outcomes.length = 0;
  context = {
    kubernetes: cluster.port,
    docker: engine.port,
    monitoring: createMonitoring({}),
    facts: { kubernetes: cluster.facts, docker: { host: 'local' }, github: {}, monitoring: {}, programs: {} },
    principal: { person: 'p', agent: 'a', client: 'c' },
    callId: 'call-1',
    signal: new AbortController().signal,
    permits: () => true,
    redact: (text: string) => text,
    progress: () => {},
    stepDone: (id) => outcomes.push(id),
  };
});

const input = (more: object) =>
  rollout.input.parse({ kind: 'deployment', name: 'api', namespace: 'tta-prod', ...more });
const plan = (more: object) => rollout.plan(input(more), context);
const run = async (planned: Awaited<ReturnType<typeof plan>>) =>
  rollout.output.parse(await rollout.run(JSON.parse(JSON.stringify(planned)) as typeof planned, context));
const act = async (more: object) => run(await plan(more));
const writes = () => cluster.requests.filter((request) => request.method === 'PATCH');
interface Spec {
  spec: {
    paused?: boolean;
    template: { metadata?: { annotations?: Record<string, string> }; spec: { containers: { image: string }[] } };
  };
}
const deployment = () => cluster.get('apps/v1', 'deployments', 'tta-prod', 'api') as KubeObject & Spec;

describe('targets', () => {
  const facts: Facts = {
    kubernetes: {
      current: 'a',
      contexts: { a: { cluster: 'c-a', namespace: 'team' }, prod: { cluster: 'c-p', namespace: 'default' } },
    },
    docker: { host: 'local' },
    github: {},
    monitoring: {},
    programs: {},
  };

  test('I1 name context, cluster and namespace, defaults filled in; reading is read', () => {
    const parsed = (more: object) =>
      rollout.input.parse({ kind: 'deployment', name: 'api', action: 'restart', ...more });
    expect(rollout.targets(parsed({}), { facts })).toEqual([
      {
        kind: 'workload',
        id: 'deployment/api in team (context a)',
        effect: 'write',
        resource: 'deployment',
        at: { kubeContext: 'a', cluster: 'c-a', namespace: 'team' },
      },
    ]);
    expect(rollout.targets(parsed({ action: 'status', context: 'prod' }), { facts })[0]).toMatchObject({
      effect: 'read',
      at: { kubeContext: 'prod', cluster: 'c-p', namespace: 'default' },
    });
    expect(() => rollout.targets(parsed({ context: 'constructor' }), { facts })).toThrow(
      expect.objectContaining({ code: 'not_found', hint: 'Known contexts: a, prod.' }),
    );
  });

  test('I1 without a kubeconfig the policy still sees the namespace', () => {
    const none = { ...facts, kubernetes: { contexts: {} } };
    expect(rollout.targets(input({ action: 'restart' }), { facts: none })[0]?.at).toEqual({ namespace: 'tta-prod' });
  });
});

describe('restart', () => {
  test('D2 planning changes nothing, is the same again, and says what hangs on the workload', async () => {
    cluster.add('v1', 'services', {
      metadata: { name: 'api', namespace: 'tta-prod' },
      spec: { selector: { app: 'api' } },
    } as KubeObject);
    const planned = await plan({ action: 'restart' });
    expect(await plan({ action: 'restart' })).toEqual(planned);
    expect(writes()).toEqual([]);
    expect(planned.preview.text).toContain('services: api; autoscaler: none');
    expect(planned.preview.text).toContain('undo and toRevision 1');
    expect(planned.steps[0]?.call).toMatchObject({
      method: 'PATCH',
      path: '/apis/apps/v1/namespaces/tta-prod/deployments/api',
      query: { fieldManager: 'holdpoint' },
    });
  });

  test('D2 runs as planned, with the resourceVersion read at the run, and follows until ready', async () => {
    expect(await act({ action: 'restart' })).toMatchObject({
      state: 'ready',
      replicas: { desired: 2, updated: 2, available: 2 },
    });
    expect(deployment().spec.template.metadata?.annotations?.['kubectl.kubernetes.io/restartedAt']).toMatch(
      /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/,
    );
    expect(writes()).toHaveLength(1);
    expect(outcomes).toEqual(['patch']);
  });

  test('I2 a status update makes nothing stale', async () => {
    const planned = await plan({ action: 'restart' });
    cluster.touch('apps/v1', 'deployments', 'tta-prod', 'api');
    expect(await plan({ action: 'restart' })).toEqual(planned);
    await expect(run(planned)).resolves.toMatchObject({ state: 'ready' });
  });

  test('I2 another template is stale: nothing is written, and it says what moved', async () => {
    const planned = await plan({ action: 'restart' });
    await act({ action: 'set-image', images: { api: 'api:2' } });
    const before = writes().length;
    await expect(run(planned)).rejects.toMatchObject({
      code: 'stale',
      changes: [{ what: expect.stringContaining('pod template') }],
    });
    expect(writes()).toHaveLength(before);
  });

  test('I2 a deleted and newly made workload is another one', async () => {
    const planned = await plan({ action: 'restart' });
    const old = deployment();
    cluster.add('apps/v1', 'deployments', { ...old, metadata: { ...old.metadata, uid: 'another' } });
    await expect(run(planned)).rejects.toMatchObject({ code: 'stale' });
    expect(writes()).toEqual([]);
  });

  test('I2 a 409 is looked at again: only the status moved, so it goes through', async () => {
    const planned = await plan({ action: 'restart' });
    let left = 2;
    cluster.beforePatch(() => {
      if (left > 0) cluster.touch('apps/v1', 'deployments', 'tta-prod', 'api');
      left -= 1;
    });
    await expect(run(planned)).resolves.toMatchObject({ state: 'ready' });
    expect(writes()).toHaveLength(3);
  });

  test('I2 a 409 because the template moved is stale', async () => {
    const planned = await plan({ action: 'restart' });
    cluster.beforePatch(() => {
      const now = deployment();
      const template = { ...now.spec.template, metadata: { annotations: { by: 'somebody' } } };
      cluster.add('apps/v1', 'deployments', { ...now, spec: { ...now.spec, template } } as KubeObject);
    });
    await expect(run(planned)).rejects.toMatchObject({ code: 'stale' });
    expect(writes()).toHaveLength(1);
  });

  test('a cluster that never lets it through ends as stale', async () => {
    cluster.beforePatch(() => cluster.touch('apps/v1', 'deployments', 'tta-prod', 'api'));
    await expect(act({ action: 'restart' })).rejects.toMatchObject({ code: 'stale' });
    expect(writes()).toHaveLength(5);
  });
});

describe('set-image and undo', () => {
  test('D2 there and back', async () => {
    const planned = await plan({ action: 'set-image', images: { api: 'api:2' } });
    expect(planned.preview.text).toContain('api: api:1 → api:2');
    await run(planned);
    expect(deployment().spec.template.spec.containers[0]?.image).toBe('api:2');
    const undo = await plan({ action: 'undo' });
    expect(undo.preview.text).toContain('revision 2 → 1');
    expect(JSON.stringify(undo.data)).not.toContain('containers');
    expect(await run(undo)).toMatchObject({ state: 'ready' });
    expect(deployment().spec.template.spec.containers[0]?.image).toBe('api:1');
    const { revisions } = await act({ action: 'history' });
    expect(revisions?.map(({ revision, current }) => [revision, current])).toEqual([
      [3, true],
      [2, false],
    ]);
  });

  test('I2 the image behind a tag is bound where the Engine knows it', async () => {
    const before = (await plan({ action: 'set-image', images: { api: 'api:2' } })).preconditions;
    engine.images.set('api:2', 'sha256:other');
    const after = (await plan({ action: 'set-image', images: { api: 'api:2' } })).preconditions;
    const moved = after.filter((precondition, index) => JSON.stringify(precondition) !== JSON.stringify(before[index]));
    expect(moved).toEqual([
      { id: 'image:api:2', says: 'the image behind api:2', value: { engine: 'sha256:other', nodes: [] } },
    ]);
  });

  test('I2 nodes that report another digest move it too', async () => {
    const node = (digest: string) =>
      cluster.add('v1', 'nodes', {
        metadata: { name: 'n' },
        status: { images: [{ names: [`docker.io/library/api@${digest}`, 'docker.io/library/api:1'] }] },
      } as KubeObject);
    node('sha256:aa');
    const value = async () =>
      (await plan({ action: 'restart' })).preconditions.find(({ id }) => id === 'image:api:1')?.value;
    expect(await value()).toEqual({ engine: null, nodes: ['sha256:aa'] });
    node('sha256:bb');
    expect(await value()).toEqual({ engine: null, nodes: ['sha256:bb'] });
  });

  test('D2 an image that does not come: a result that says why and how to go back', async () => {
    cluster.breakImage('api:9', 'ImagePullBackOff');
    const result = await act({ action: 'set-image', images: { api: 'api:9' }, wait: 1 });
    expect(result).toMatchObject({ state: 'failing', next: expect.stringContaining('undo and toRevision 1') });
    expect(result.reasons?.[0]).toContain('container api: ImagePullBackOff');
  });

  test('D2 not ready when the wait is over: rolling, and how to look again', async () => {
    cluster.breakImage('api:9', 'ContainerCreating');
    const result = await act({ action: 'set-image', images: { api: 'api:9' }, wait: 0 });
    expect(result).toMatchObject({ state: 'rolling', next: expect.stringContaining('action status') });
  });
});

describe('what is refused', () => {
  test.each([
    [{ action: 'pause', kind: 'statefulset' }, 'invalid_input'],
    [{ action: 'set-image' }, 'invalid_input'],
    [{ action: 'set-image', images: { api: 'api:1' } }, 'conflict'],
    [{ action: 'set-image', images: { other: 'api:2' } }, 'not_found'],
    [{ action: 'set-image', images: { api: '--server=evil' } }, 'invalid_input'],
    [{ action: 'set-image', images: { api: 'a b' } }, 'invalid_input'],
    [{ action: 'restart', images: { api: 'api:2' } }, 'invalid_input'],
    [{ action: 'restart', toRevision: 1 }, 'invalid_input'],
    [{ action: 'undo' }, 'not_found'],
    [{ action: 'undo', toRevision: 1 }, 'conflict'],
    [{ action: 'undo', toRevision: 7 }, 'not_found'],
    [{ action: 'resume' }, 'conflict'],
    [{ action: 'restart', name: 'nothing' }, 'not_found'],
  ])('D2 %j: %s', async (more, code) => {
    await expect(plan(more)).rejects.toMatchObject({ code });
    expect(writes()).toEqual([]);
  });

  test('D2 a paused deployment is neither restarted nor undone', async () => {
    expect(await act({ action: 'pause' })).toMatchObject({ state: 'paused' });
    expect(deployment().spec.paused).toBe(true);
    await expect(plan({ action: 'restart' })).rejects.toMatchObject({ code: 'conflict' });
    await expect(plan({ action: 'pause' })).rejects.toMatchObject({ code: 'conflict' });
    expect(await act({ action: 'resume' })).toMatchObject({ state: 'ready' });
  });

  test.each([
    { name: '../secrets/x' },
    { name: 'a/b' },
    { namespace: 'Bad' },
    { namespace: '*' },
    { wait: 46 },
    { wait: -1 },
    { force: true },
  ])('bad input: %j', (more) => {
    expect(rollout.input.safeParse({ action: 'status', kind: 'deployment', name: 'api', ...more }).success).toBe(false);
  });
});

test.each([0, 5])('D2 status of what cannot be looked at is an error, with wait %i as well', async (wait) => {
  const planned = await plan({ action: 'status', name: 'gone', wait });
  await expect(run(planned)).rejects.toMatchObject({ code: 'not_found' });
});

test('D2 status reads, waits when asked, and writes nothing', async () => {
  const planned = await plan({ action: 'status' });
  expect(planned).toMatchObject({ effect: 'read', targets: [{ effect: 'read' }], preconditions: [] });
  expect(await run(planned)).toMatchObject({ state: 'ready' });
  expect(writes()).toEqual([]);
});
