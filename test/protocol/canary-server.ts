/**
 * Holdpoint over a cluster and an Engine in memory that have a planted secret wherever one can stand: environments, arguments,
 * labels, logs, events, annotations, config maps, Secrets. The text to plant is the file that `HOLDPOINT_TEST_PLANTED` names:
 * a JSON list of texts.
 */
import { readFileSync } from 'node:fs';

import { createFakeDocker } from '../../src/adapters/docker/fake.ts';
import { kubernetesOver } from '../../src/adapters/kubernetes/client.ts';
import { createFakeKubernetes } from '../../src/adapters/kubernetes/fake.ts';
import type { KubeObject } from '../../src/adapters/kubernetes/objects.ts';
import { createLog } from '../../src/cli/log.ts';
import { runServer } from '../../src/cli/serve.ts';
import { loadConfig } from '../../src/config/config.ts';

interface Planted {
  value: string;
  text: string;
}

const flags: Record<string, string | boolean> = {};
const words = process.argv.slice(3);
for (let index = 0; index < words.length; index++) {
  const name = (words[index] ?? '').replace(/^--/, '');
  flags[name] = name === 'stdio' ? true : (words[++index] ?? '');
}
const { cluster: inCluster, engine: inEngine } = JSON.parse(
  readFileSync(process.env['HOLDPOINT_TEST_PLANTED'] ?? '', 'utf8'),
) as Record<'cluster' | 'engine', Planted[]>;

const namespace = 'tta-staging';
const cluster = createFakeKubernetes(['live']);
cluster.deploy({ name: 'tta-api', namespace, image: 'tta-api:1' });
cluster.deploy({ name: 'tta-api', namespace: 'tta-prod', image: 'tta-api:1' });
const all = inCluster.map(({ text }) => text).join('\n');
const applied = 'kubectl.kubernetes.io/last-applied-configuration';
const metadata = (name: string) => ({
  name,
  namespace,
  annotations: { [applied]: all, note: all },
});
const put = (plural: string, object: object, groupVersion = 'v1') =>
  cluster.add(groupVersion, plural, object as KubeObject);
put('secrets', {
  kind: 'Secret',
  metadata: metadata('planted'),
  type: 'Opaque',
  data: Object.fromEntries(inCluster.map(({ value }, at) => [`k${at}`, Buffer.from(value).toString('base64')])),
});
put('configmaps', {
  kind: 'ConfigMap',
  metadata: metadata('planted'),
  data: {
    ...Object.fromEntries(inCluster.map(({ text }, at) => [`file-${at}`, text])),
    password: inCluster[0]?.value ?? '',
  },
});
put(
  'statefulsets',
  {
    kind: 'StatefulSet',
    metadata: metadata('planted'),
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: 'planted' } },
      template: {
        metadata: { labels: { app: 'planted' } },
        spec: {
          containers: [
            {
              name: 'c',
              image: 'x',
              args: inCluster.map(({ text }) => text),
              env: inCluster.map(({ value }, at) => ({ name: `V${at}_PASSWORD`, value })),
            },
          ],
        },
      },
    },
  },
  'apps/v1',
);
for (const [at, { text }] of inCluster.entries())
  put('events', {
    kind: 'Event',
    metadata: { name: `planted.${at}`, namespace },
    involvedObject: { kind: 'Pod', name: 'planted', namespace },
    type: 'Warning',
    reason: 'Failed',
    // Where the bound on a message falls is different for each.
    message: `${'word '.repeat(at)}${text} ${text}`,
    lastTimestamp: new Date().toISOString(),
  });

const engine = createFakeDocker();
const id = 'a1'.repeat(32);
engine.answers.set('/containers/json', [
  {
    Id: id,
    Names: ['/api'],
    Image: 'shop/api:1',
    ImageID: `sha256:${id}`,
    State: 'running',
    Status: 'Up 2 hours',
    Command: inEngine[0]?.text,
    Labels: Object.fromEntries(inEngine.map(({ text }, at) => [`label-${at}`, text])),
    Ports: [],
  },
]);
engine.answers.set(`/containers/${id}/json`, {
  Id: id,
  Name: '/api',
  Image: `sha256:${id}`,
  Path: 'server',
  Args: inEngine.flatMap(({ text, value }) => [text, '--db-password', value]),
  RestartCount: 0,
  Mounts: [],
  NetworkSettings: { Networks: {} },
  State: {
    Status: 'running',
    Running: true,
    OOMKilled: false,
    Error: inEngine.map(({ text }) => text).join(' '),
    StartedAt: '2026-01-01T10:00:00Z',
    Health: { Status: 'unhealthy', Log: inEngine.map(({ text }) => ({ ExitCode: 1, Output: text })).slice(-3) },
  },
  Config: {
    Image: 'shop/api:1',
    User: '',
    Tty: true,
    Env: inEngine.flatMap(({ value }, at) => [`V${at}_TOKEN=${value}`, `CONFIG_${at}=${value}`]),
    Labels: Object.fromEntries(inEngine.map(({ text }, at) => [`label-${at}`, text])),
  },
  HostConfig: { RestartPolicy: { Name: 'always', MaximumRetryCount: 0 }, Memory: 0 },
});
engine.answers.set(`/containers/${id}/logs`, Buffer.from(`${inEngine.map(({ text }) => text).join('\n')}\n`));
engine.answers.set('/info', { SystemTime: '2026-01-01T12:00:00Z' });
// The Engine's own words, as an error with them.
engine.failWith(inEngine.map(({ text }) => text).join('\n'));

const config = loadConfig(flags);
await runServer(config, createLog({ ...config, log: 'debug' }), {
  ports: {
    kubernetes: kubernetesOver({ ...cluster.api, text: async () => ({ text: `${all}\n`, cut: false }) }, { pause: 2 }),
    docker: engine.port,
  },
  kubernetes: cluster.facts,
});
