/**
 * Holdpoint with a cluster and an Engine in memory: the server's own app, transports and command line (`serve --stdio | --http
 * HOST:PORT …`), and fakes behind the Kubernetes and the Docker port. `HOLDPOINT_TEST_RESTARTS` names a file that gets a line for every patch.
 */
import { appendFileSync } from 'node:fs';

import { createFakeDocker } from '../../src/adapters/docker/fake.ts';
import { createFakeKubernetes } from '../../src/adapters/kubernetes/fake.ts';
import { createLog } from '../../src/cli/log.ts';
import { withPersona } from '../../src/cli/persona-document.ts';
import { runServer } from '../../src/cli/serve.ts';
import { loadConfig } from '../../src/config/config.ts';

const flags: Record<string, string | boolean> = {};
const words = process.argv.slice(3);
for (let index = 0; index < words.length; index++) {
  const name = (words[index] ?? '').replace(/^--/, '');
  flags[name] = name === 'stdio' ? true : (words[++index] ?? '');
}

const cluster = createFakeKubernetes(['live', 'prod-live', 'kind-live']);
for (const namespace of ['tta-prod', 'tta-staging']) cluster.deploy({ name: 'tta-api', namespace, image: 'tta-api:1' });
const record = process.env['HOLDPOINT_TEST_RESTARTS'];
cluster.beforePatch((request) => {
  if (record) appendFileSync(record, `${request.path}\n`);
});
const config = await withPersona(loadConfig(flags));
await runServer(config, createLog({ ...config, log: 'warn' }), {
  ports: { kubernetes: cluster.port, docker: createFakeDocker().port },
  kubernetes: cluster.facts,
});
