import { setTimeout as sleep } from 'node:timers/promises';
import { AppsV1Api, CoreV1Api, KubeConfig, type V1Container } from '@kubernetes/client-node';
import { encode } from 'gpt-tokenizer/encoding/o200k_base';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { startGitHub, type GitHubServer } from '../github-server.ts';
import { newPlace, overStdio, serverArgs, type Agent, type Place } from '../harness.ts';
import { liveServers, podImage } from './servers.ts';

const { kubeconfig, prometheus, alertmanager, pushgateway } = liveServers();

/** What an agent may be told of one incident, in tokens of o200k: all answers together. */
const BUDGET = 2000;
/** Of this run alone. */
const NAMESPACE = `shop-staging-${process.pid}`;
const SERVICE = `checkout-${process.pid}`;
const PUSHED = `${pushgateway}/metrics/job/${SERVICE}`;
const WORKFLOW = '.github/workflows/deploy-staging.yml';
const MISSING = 'registry.invalid/shop/web:1.4.0';
const CRASH = 'FATAL: DATABASE_URL is not set';
const TIMED_OUT = 'error: deployment "web" exceeded its progress deadline';

/** A start that goes well for a while, as services write it, and what ends it. */
const CRASHING = [
  `i=0; while [ $i -lt 60 ]; do i=$((i+1)); echo "level=info msg=\\"loaded module $i\\" took=\${i}ms"; done`,
  `echo "${CRASH}"; echo "    at connect (/app/dist/db.js:41:11)"; echo "    at main (/app/dist/server.js:12:3)"`,
  'exit 3',
].join('; ');
/** What a roll-out prints before it gives up. */
const ROLLING = Array.from(
  { length: 120 },
  (_, at) => `Waiting for deployment "web" rollout to finish: ${at % 2} of 2 updated replicas are available...`,
);

interface Counted {
  call: string;
  tokens: { text: number; structured: number };
}

describe.skipIf(!kubeconfig || !prometheus || !alertmanager || !pushgateway)('one incident, told by every tool', () => {
  const config = new KubeConfig();
  let core: CoreV1Api;
  let github: GitHubServer;
  let place: Place;
  let agent: Agent;
  let run: number;
  const answers: Counted[] = [];

  beforeAll(async () => {
    config.loadFromFile(kubeconfig ?? '');
    core = config.makeApiClient(CoreV1Api);
    await podImage('incident:1', 'one');
    await core.createNamespace({ body: { metadata: { name: NAMESPACE } } });
    const image = 'local/incident:1';
    await deploy('checkout', { name: 'app', image, imagePullPolicy: 'Never', command: ['/bin/sh', '-c', CRASHING] });
    await deploy('web', { name: 'web', image: MISSING });

    github = await startGitHub();
    github.failAt(WORKFLOW, 'Roll out', [...ROLLING, TIMED_OUT]);
    run = await github.startRun('deploy-staging.yml', 'staging', 'workflow_dispatch');
    for (const _stage of ['in progress', 'completed'])
      await github.api('GET', `/repos/${github.repository}/actions/runs/${run}`);

    const ratio = `# TYPE live_http_errors_ratio gauge\nlive_http_errors_ratio{service="${SERVICE}",namespace="${NAMESPACE}"} 0.2\n`;
    expect((await fetch(PUSHED, { method: 'POST', body: ratio })).status).toBe(200);

    place = newPlace({
      KUBECONFIG: kubeconfig ?? '',
      GITHUB_API_URL: github.url,
      GH_TOKEN: github.token,
      GITHUB_REPOSITORY: github.repository,
      PROMETHEUS_URL: prometheus ?? '',
      ALERTMANAGER_URL: alertmanager ?? '',
    });
    agent = await overStdio('2.x', place, serverArgs(place, ['--stdio', '--tools', 'all']));
  });
  afterAll(async () => {
    await agent?.close();
    await fetch(PUSHED, { method: 'DELETE' });
    await github?.close();
    await core?.deleteNamespace({ name: NAMESPACE, gracePeriodSeconds: 0 });
    place?.remove();
  });

  async function deploy(name: string, container: V1Container): Promise<void> {
    const labels = { app: name };
    const spec = { terminationGracePeriodSeconds: 0, containers: [container] };
    await config.makeApiClient(AppsV1Api).createNamespacedDeployment({
      namespace: NAMESPACE,
      body: {
        metadata: { name },
        spec: { replicas: 2, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
      },
    });
  }

  /** A call that runs at once; its answer is counted. */
  async function ask(tool: string, args: Record<string, unknown>): Promise<string> {
    const { envelope, text } = await agent.call(tool, args);
    expect(envelope, text).toMatchObject({ status: 'done' });
    const tokens = { text: encode(text).length, structured: encode(JSON.stringify(envelope)).length };
    answers.push({ call: `${tool} ${JSON.stringify(args)}`, tokens });
    return text;
  }

  /** Asks until the answer says so; servers and the kubelet have clocks of their own. Only the last answer counts. */
  async function told(tool: string, args: Record<string, unknown>, what: RegExp): Promise<string> {
    for (;;) {
      const text = await ask(tool, args);
      if (what.test(text)) return text;
      answers.pop();
      await sleep(500);
    }
  }

  test('E1 F1 F2 D2 every answer names its cause, and all of them fit in 2,000 tokens', async () => {
    // What pages, and how bad it is.
    const firing = await told('alerts', { action: 'firing' }, new RegExp(SERVICE));
    expect(firing).toContain(`critical HighErrorRate for`);
    expect(firing).toContain(`namespace="${NAMESPACE}", service="${SERVICE}": ${SERVICE} fails more than 5 %`);
    const rate = `sum by (service) (live_http_errors_ratio{service="${SERVICE}"})`;
    expect(await told('grafana-query', { query: rate }, /last/)).toMatch(
      new RegExp(`service="${SERVICE}".* last 0\\.2 `),
    );

    // The cluster: one container that ends, one image that is not there.
    const inNamespace = { namespace: NAMESPACE };
    const both = /(?=[\s\S]*\nweb-.*ImagePullBackOff: )(?=[\s\S]*\ncheckout-.*exit code 3)/;
    const pods = await told('kubectl-get', { kind: 'pods', ...inNamespace }, both);
    expect(pods).toContain(`Back-off pulling image "${MISSING}"`);
    const [checkout = ''] = /^checkout-\S+/m.exec(pods) ?? [];
    // Both pods of web are told the same, on one line.
    const pull = /Warning Failed pod\/web-\S+ and 1 more ×\d+: Failed to pull image/;
    const events = await told('kubectl-get', { kind: 'pods', show: 'events', ...inNamespace }, pull);
    expect(events).toMatch(/Warning BackOff pod\/checkout-\S+ .*[Bb]ack-off .*restarting failed container/);
    // Between two starts the kubelet has no log for a moment.
    const log = await told('kubectl-get', { kind: 'pod', name: checkout, show: 'logs', ...inNamespace }, /FATAL/);
    expect(log).toContain(CRASH);

    // The workflow that brought it there.
    expect(await ask('gh-run', { action: 'list', branch: 'staging' })).toMatch(`${run} failure Deploy staging`);
    const why = await ask('gh-run', { action: 'logs', run });
    expect(why).toContain('── deploy: Roll out');
    expect(why).toContain(TIMED_OUT);

    // As the client hands it to the model: most the text, some the structured content.
    for (const form of ['text', 'structured'] as const) {
      const table = answers.map(({ call, tokens }) => `${tokens[form]} ${call}`).join('\n');
      expect(
        answers.reduce((sum, { tokens }) => sum + tokens[form], 0),
        `${form}\n${table}`,
      ).toBeLessThanOrEqual(BUDGET);
    }
  });
});
