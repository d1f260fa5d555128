import { beforeEach, describe, expect, test } from 'vitest';

import { createFakeDocker, type FakeDocker } from '../../../src/adapters/docker/fake.ts';
import { createFakeKubernetes, type FakeKubernetes } from '../../../src/adapters/kubernetes/fake.ts';
import type { KubeObject } from '../../../src/adapters/kubernetes/objects.ts';
import { createMonitoring } from '../../../src/adapters/monitoring/client.ts';
import type { PreviewPart } from '../../../src/core/plan.ts';
import type { PlanContext } from '../../../src/core/tool.ts';
import rollout from '../../../src/tools/kubernetes/kubectl-rollout.ts';

let cluster: FakeKubernetes;
let engine: FakeDocker;
let context: PlanContext<'kubernetes' | 'docker' | 'monitoring'>;

const NAMESPACE = 'tta-prod';

beforeEach(() => {
  cluster = createFakeKubernetes(['prod-eu']);
  cluster.deploy({ name: 'api', namespace: NAMESPACE, image: 'api:1', replicas: 1 });
  engine = createFakeDocker({ 'api:2': 'sha256:two' });
  engine.answers.set('/images/json', [
    { Id: `sha256:${'2'.repeat(64)}`, RepoTags: ['api:2'], Size: 123_000_000, Created: Date.now() / 1000 - 3 * 86_400 },
  ]);
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
  };
});

async function parts(more: object): Promise<PreviewPart[]> {
  const input = rollout.input.parse({ kind: 'deployment', name: 'api', namespace: NAMESPACE, ...more });
  return (await rollout.preview?.(await rollout.plan(input, context), context)) ?? [];
}
const update = (images = { api: 'api:2' }) => parts({ action: 'set-image', images });
const rows = (all: PreviewPart[], title: string) =>
  Object.fromEntries(all.flatMap((part) => (part.kind === 'facts' && part.title.includes(title) ? part.rows : [])));
const items = (all: PreviewPart[]) => all.flatMap((part) => (part.kind === 'risks' ? part.items : []));
const add = (groupVersion: string, plural: string, object: object) =>
  cluster.add(groupVersion, plural, object as KubeObject);

describe('I4: what people see of a held rollout', () => {
  test('the diff of live and result is the cluster’s own, by a dry run of the very request, and changes nothing', async () => {
    const before = cluster.get('apps/v1', 'deployments', NAMESPACE, 'api');
    const diff = (await update()).find((part) => part.kind === 'diff');
    expect(diff?.text).toContain('-        - image: api:1\n+        - image: api:2\n');
    expect(diff?.text).not.toMatch(/status|managedFields|resourceVersion|observedGeneration/);
    const dry = cluster.requests.filter(({ method }) => method === 'PATCH');
    expect(dry.map(({ query }) => query)).toEqual([{ fieldManager: 'holdpoint', dryRun: 'All' }]);
    expect(cluster.get('apps/v1', 'deployments', NAMESPACE, 'api')?.metadata.resourceVersion).toBe(
      before?.metadata.resourceVersion,
    );
  });

  test('secrets’ values in the environment are masked in it', async () => {
    const object = cluster.get('apps/v1', 'deployments', NAMESPACE, 'api') as KubeObject & {
      spec: { template: { spec: { containers: object[] } } };
    };
    const [container] = object.spec.template.spec.containers;
    object.spec.template.spec.containers = [
      {
        ...container,
        env: [
          { name: 'DB_PASSWORD', value: 'hunter2' },
          { name: 'LEVEL', value: 'debug' },
        ],
      },
    ];
    add('apps/v1', 'deployments', object);
    const text = (await update()).find((part) => part.kind === 'diff')?.text;
    expect(text).toContain('value: "[redacted]"');
    expect(text).not.toContain('hunter2');
    expect(text).toContain('debug');
  });

  test('images say from, to, what runs, size and age where the Engine knows, and that it does not where not', async () => {
    const { api } = rows(await update(), 'Images');
    expect(api).toContain('api:1 → api:2');
    expect(api).toContain('from: not on the Docker Engine here');
    expect(api).toContain('to: sha256:222222222222, 123MB, made 3d ago');
    expect(api).toContain('no node reports it');
    engine.answers.delete('/images/json');
    expect(rows(await update(), 'Images')['api']).toContain(
      'to: unknown on the Docker Engine: There is no /images/json.',
    );
  });

  test('what it can break: pods, services, ingresses, autoscaler, disruption budget, shared configuration', async () => {
    const { metadata, ...rest } = cluster.get('apps/v1', 'deployments', NAMESPACE, 'api') as KubeObject & {
      spec: { template: { spec: { containers: object[]; volumes?: object[] } } };
    };
    const volumes = [{ name: 'config', configMap: { name: 'shared' } }];
    rest.spec.template.spec.volumes = volumes;
    add('apps/v1', 'deployments', { metadata, ...rest });
    add('apps/v1', 'statefulsets', {
      metadata: { name: 'worker', namespace: NAMESPACE },
      spec: { template: { spec: { containers: [{ name: 'w' }], volumes } } },
    });
    add('v1', 'services', { metadata: { name: 'api', namespace: NAMESPACE }, spec: { selector: { app: 'api' } } });
    add('v1', 'services', { metadata: { name: 'other', namespace: NAMESPACE }, spec: { selector: { app: 'x' } } });
    add('networking.k8s.io/v1', 'ingresses', {
      metadata: { name: 'web', namespace: NAMESPACE },
      spec: {
        rules: [{ host: 'tta.dev', http: { paths: [{ path: '/api', backend: { service: { name: 'api' } } }] } }],
      },
    });
    add('autoscaling/v1', 'horizontalpodautoscalers', {
      metadata: { name: 'api', namespace: NAMESPACE },
      spec: { minReplicas: 1, maxReplicas: 5, scaleTargetRef: { kind: 'Deployment', name: 'api' } },
    });
    add('policy/v1', 'poddisruptionbudgets', {
      metadata: { name: 'api', namespace: NAMESPACE },
      spec: { minAvailable: 1, selector: { matchExpressions: [{ key: 'app', operator: 'In', values: ['api'] }] } },
    });
    const all = await update();
    expect(rows(all, 'break')).toMatchObject({
      pods: expect.stringMatching(/^\d ready, 1 asked for; RollingUpdate$/),
      services: 'api',
      ingresses: 'web (tta.dev/api)',
      autoscaler: 'api (1–5 replicas)',
      'disruption budget': 'api (minAvailable 1)',
      'same configuration': 'statefulset/worker (config shared)',
      'traffic now': 'unknown: no monitoring is configured',
    });
    expect(items(all).join('\n')).toContain('one replica serves api');
    expect(items(all).join('\n')).not.toContain('no disruption budget');
  });

  test('only what is true is a risk', async () => {
    const risks = items(await update({ api: 'api:latest' })).join('\n');
    expect(risks).toContain('api:latest is the tag latest');
    expect(risks).toContain('no disruption budget');
    expect(risks).toContain('no readiness probe on api');
    expect(risks).not.toContain('go back to');
    expect(items(await update({ api: 'api:1.4.2' })).join('\n')).not.toContain('latest');
    expect(items(await parts({ action: 'pause' })).join('\n')).not.toMatch(/latest|disruption|readiness/);
  });

  test('a cluster whose certificate is not checked is a risk', async () => {
    cluster.api.verifiesTls = async () => false;
    expect(items(await update()).join('\n')).toContain("switches off the check of this cluster's certificate");
  });

  test('how to undo it says the revision and what it holds', async () => {
    expect((await update()).find(({ kind }) => kind === 'undo')).toMatchObject({
      text: expect.stringMatching(
        /^kubectl-rollout with action undo and toRevision 1: .* revision 1 \(made .*\) with api api:1\.$/,
      ),
    });
  });

  test('what the cluster would refuse is said, and the rest is there all the same', async () => {
    const held = rollout.input.parse({ action: 'restart', kind: 'deployment', name: 'api', namespace: NAMESPACE });
    const plan = await rollout.plan(held, context);
    const json = cluster.api.json.bind(cluster.api);
    cluster.api.json = (request, call) =>
      request.query?.['dryRun'] === undefined ? json(request, call) : Promise.reject(new Error('denied by a webhook'));
    const all = (await rollout.preview?.(plan, context)) ?? [];
    expect(rows(all, 'Dry run')).toEqual({ result: 'unknown: it could not be found out' });
    expect(rows(all, 'break')['services']).toBe('none');
  });
});
