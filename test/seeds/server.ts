/**
 * Holdpoint with everything around it in memory or on this machine, for the tables of the persona documents: a cluster, an
 * Engine, programs, the web, and an emulated GitHub. The server's own app, transport and command line (`serve --stdio …`).
 */
import { createFakeDocker } from '../../src/adapters/docker/fake.ts';
import { createFakeKubernetes } from '../../src/adapters/kubernetes/fake.ts';
import { createFakeProcesses } from '../../src/adapters/processes/fake.ts';
import { createLog } from '../../src/cli/log.ts';
import { withPersona } from '../../src/cli/persona-document.ts';
import { runServer } from '../../src/cli/serve.ts';
import { loadConfig } from '../../src/config/config.ts';
import { startGitHub } from '../github-server.ts';

const flags: Record<string, string | boolean> = {};
const words = process.argv.slice(3);
for (let index = 0; index < words.length; index++) {
  const name = (words[index] ?? '').replace(/^--/, '');
  flags[name] = name === 'stdio' ? true : (words[++index] ?? '');
}

const cluster = createFakeKubernetes(['live']);
// Each was deployed twice, so that there is something to go back to.
for (const version of [1, 2]) {
  for (const namespace of ['tta-prod', 'tta-staging'])
    cluster.deploy({ name: 'tta-api', namespace, image: `tta-api:${version}` });
  for (const namespace of ['shop-prod', 'shop-staging', 'payments'])
    cluster.deploy({ name: 'api', namespace, image: `api:${version}` });
}
const hub = await startGitHub();
await hub.write('feature/login', 'docker/Dockerfile', 'FROM scratch\n');
const settings = await withPersona(loadConfig(flags));
const github = { ...settings.github, url: hub.url, token: hub.token, repository: hub.repository };
await hub.api('POST', `/repos/${hub.repository}/pulls`, { title: 'Image', head: 'feature/login', base: 'main' });
await runServer({ ...settings, github }, createLog({ ...settings, log: 'debug' }), {
  ports: {
    kubernetes: cluster.port,
    docker: createFakeDocker().port,
    processes: createFakeProcesses(() => ({ output: 'done' })).port,
    web: { fetch: async () => ({ status: 200, ok: true, ms: 1, body: 'ok' }) },
  },
  kubernetes: cluster.facts,
});
