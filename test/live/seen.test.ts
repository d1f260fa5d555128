import {
  AppsV1Api,
  CoreV1Api,
  KubeConfig,
  NetworkingV1Api,
  PatchStrategy,
  setHeaderOptions,
} from '@kubernetes/client-node';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import type { ApprovalRequest } from '../../src/approvals/request.ts';
import type { PreviewPart } from '../../src/core/plan.ts';
import {
  approveTicking,
  holdpoint,
  newPlace,
  overHttp,
  overStdio,
  startHttp,
  type Agent,
  type Place,
} from '../harness.ts';
import { DESKTOP, hasChromium, startBrowser, visitor } from './browser.ts';
import { app, liveServers, podImage } from './servers.ts';

const { kubeconfig, dockerHost, prometheus } = liveServers();
const PROD = `tta-prod-seen-${process.pid}`;

describe.skipIf(!kubeconfig || !dockerHost)('what an approver sees of a production rollout on a real cluster', () => {
  const config = new KubeConfig();
  let apps: AppsV1Api;
  let core: CoreV1Api;
  let place: Place;
  let agent: Agent;

  beforeAll(async () => {
    config.loadFromFile(kubeconfig ?? '');
    apps = config.makeApiClient(AppsV1Api);
    core = config.makeApiClient(CoreV1Api);
    await podImage('seen:1', 'one');
    await podImage('seen:2', 'two');
    await app(PROD, 'api', 'seen:1', 2);
    await core.createNamespacedConfigMap({ namespace: PROD, body: { metadata: { name: 'shared' }, data: { a: 'b' } } });
    await core.createNamespacedService({
      namespace: PROD,
      body: {
        metadata: { name: 'front' },
        spec: { selector: { app: 'api' }, ports: [{ port: 80, targetPort: 8080 }] },
      },
    });
    await config.makeApiClient(NetworkingV1Api).createNamespacedIngress({
      namespace: PROD,
      body: {
        metadata: { name: 'web' },
        spec: {
          rules: [
            {
              host: 'tta.dev',
              http: {
                paths: [
                  { path: '/', pathType: 'Prefix', backend: { service: { name: 'front', port: { number: 80 } } } },
                ],
              },
            },
          ],
        },
      },
    });
  });
  afterAll(async () => {
    await core.deleteNamespace({ name: PROD, gracePeriodSeconds: 0 });
  });
  beforeEach(async () => {
    place = newPlace({
      KUBECONFIG: kubeconfig ?? '',
      DOCKER_HOST: dockerHost ?? '',
      ...(prometheus === undefined ? {} : { PROMETHEUS_URL: prometheus }),
    });
    await holdpoint(place, 'approver', 'add', 'alice');
    agent = await overStdio('2.x', place);
  });
  afterEach(async () => {
    await agent.close();
    place.remove();
  });

  const rollout = {
    action: 'set-image',
    kind: 'deployment',
    name: 'api',
    namespace: PROD,
    images: { api: 'docker.io/local/seen:2' },
  };
  const held = async () => {
    const { envelope } = await agent.call('kubectl-rollout', rollout);
    expect(envelope.status).toBe('approval_required');
    return envelope.approval?.id ?? '';
  };
  const shown = async (id: string) => {
    const text = await holdpoint(place, 'approvals', 'show', id);
    const json = await holdpoint(place, 'approvals', 'show', id, '--json');
    expect([text.code, json.code]).toEqual([0, 0]);
    return { text: text.stdout, request: JSON.parse(json.stdout) as ApprovalRequest };
  };
  const generation = async () =>
    (await apps.readNamespacedDeployment({ namespace: PROD, name: 'api' })).metadata?.generation;
  const image = async () =>
    (await apps.readNamespacedDeployment({ namespace: PROD, name: 'api' })).spec?.template.spec?.containers[0]?.image ??
    '';
  const rowsOf = (parts: readonly PreviewPart[]) =>
    Object.fromEntries(parts.flatMap((part) => (part.kind === 'facts' ? part.rows : [])));

  test('I4 one request answers: what changes, where, what it can break, how to undo it, who asks', async () => {
    const before = await generation();
    const { text, request } = await shown(await held());
    // Nothing was changed by looking: the dry run leaves the object alone.
    expect(await generation()).toBe(before);
    process.stdout.write(`${text}\n`);
    const parts = request.plan.preview.parts ?? [];
    const rows = rowsOf(parts);

    // What changes: the cluster's own dry run, and the images.
    const diff = parts.find((part) => part.kind === 'diff');
    expect(diff?.text).toMatch(/^- .*image: docker\.io\/local\/seen:1$/m);
    expect(diff?.text).toMatch(/^\+ .*image: docker\.io\/local\/seen:2$/m);
    expect(diff?.text).not.toMatch(/managedFields|resourceVersion/);
    expect(rows['api']).toContain('docker.io/local/seen:1 → docker.io/local/seen:2');
    expect(rows['api']).toMatch(/now runs: «.*sha256:[0-9a-f]{64}.*»/);
    // Where.
    expect(request.environment).toBe('production');
    expect(text).toMatch(
      new RegExp(`^PENDING · production · write\\nset images of deployment/api in ${PROD} \\(context live\\)`),
    );
    // What it can break.
    expect(rows).toMatchObject({
      pods: expect.stringMatching(/^2 ready, 2 asked for; RollingUpdate/),
      services: 'front',
      ingresses: 'web (tta.dev/)',
      autoscaler: 'none',
      'disruption budget': 'none',
    });
    const risks = parts.flatMap((part) => (part.kind === 'risks' ? part.items : [])).join('\n');
    expect(risks).toContain('the first time here');
    expect(risks).toContain('no disruption budget');
    if (prometheus !== undefined)
      expect(rows['traffic now']).toMatch(/requests\/s|no request metric of pods api-… is known/);
    // How to undo it.
    expect(parts.at(-1)).toMatchObject({
      kind: 'undo',
      text: expect.stringMatching(/undo and toRevision 1: .*api docker\.io\/local\/seen:1\.$/),
    });
    // Who asks.
    expect(text).toMatch(/asked by +\S+, agent devops, client holdpoint-tests, 20\d\d-/);
    // Exactly what will be sent.
    expect(text.replaceAll(/\n +│ /g, '')).toContain(`"path":"/apis/apps/v1/namespaces/${PROD}/deployments/api"`);
    for (const line of text.split('\n')) expect(Array.from(line).length).toBeLessThanOrEqual(100);
  });

  test('I9 what moved is shown then and now; planned anew it follows the old one, and runs when approved by itself', async () => {
    const id = await held();
    expect((await approveTicking(place, id, '--as', 'alice')).code).toBe(0);
    await apps.patchNamespacedDeployment(
      { namespace: PROD, name: 'api', body: { spec: { template: { metadata: { annotations: { by: 'somebody' } } } } } },
      setHeaderOptions('Content-Type', PatchStrategy.MergePatch),
    );
    const { envelope } = await agent.call('approval', { action: 'run', id });
    expect(envelope).toMatchObject({ status: 'stale', next: expect.stringContaining('replan') });
    const stale = await shown(id);
    expect(stale.text).toMatch(/What moved since it was asked for\n +│ then +│ now\n/);

    const next = await agent.call('approval', { action: 'replan', id });
    const follower = next.envelope.approval?.id ?? '';
    expect(next.envelope).toMatchObject({ status: 'approval_required' });
    const { request, text } = await shown(follower);
    expect(request).toMatchObject({ follows: id, approvalsGiven: 0 });
    expect(text).toContain(`What differs from ${id}, which was approved and went stale`);
    expect((await agent.call('approval', { action: 'run', id: follower })).envelope.status).toBe('approval_required');
    expect((await approveTicking(place, follower, '--as', 'alice')).code).toBe(0);
    expect((await agent.call('approval', { action: 'run', id: follower })).envelope).toMatchObject({ status: 'done' });
  });

  test.skipIf(!hasChromium)(
    'I4 I5 the console’s page alone answers a tester’s questions; approved there, it runs',
    async () => {
      const http = await startHttp(place);
      const asking = await overHttp('2.x', http.url, http.token);
      const browser = await startBrowser();
      try {
        const { page } = await visitor(browser, DESKTOP);
        await page.goto((await holdpoint(place, 'console', 'link', '--as', 'alice')).stdout.trim());
        await page.getByRole('button', { name: 'Add a passkey' }).click();
        await page.getByRole('button', { name: 'Add a passkey' }).waitFor({ state: 'detached' });
        const now = await image();
        const next = now.endsWith(':1') ? 'docker.io/local/seen:2' : 'docker.io/local/seen:1';
        const { envelope } = await asking.call('kubectl-rollout', { ...rollout, images: { api: next } });
        await page.goto(envelope.approval?.reviewUrl ?? '');
        await page.getByRole('heading', { name: 'What will change' }).waitFor();

        // Each answer under the heading that docs/approvals.md names for it.
        const region = async (name: string) =>
          (await page.getByRole('region', { name, exact: true }).textContent()) ?? '';
        const change = await region('What will change');
        expect(await page.locator('h1').textContent(), 'what').toBe(
          `set images of deployment/api in ${PROD} (context live)`,
        );
        expect(change, 'what changes').toContain(`image: ${now}`);
        expect(change, 'what changes').toContain(`image: ${next}`);
        expect(change, 'what is risky').toContain('no disruption budget');
        expect(change, 'what it can break').toMatch(/2 ready, 2 asked for[^]*front[^]*web \(tta\.dev\/\)/);
        expect(change, 'how to undo it').toMatch(/To undo it.*toRevision \d+/);
        expect(await region('Where'), 'where').toMatch(new RegExp(`production[^]*${PROD}`));
        expect(await region('Why it waits'), 'why it waits').toContain('production');
        expect(await region('Steps, each run once and exactly so'), 'exactly what').toContain(
          `/namespaces/${PROD}/deployments/api`,
        );
        const decision = page.getByRole('complementary', { name: 'Decision' });
        expect(await decision.textContent(), 'who asks').toMatch(/Asked by\S+, agent devops, http/);

        for (const box of await page.getByRole('checkbox').all()) await box.check();
        await page.getByRole('button', { name: 'Approve' }).click();
        await page.locator('#status', { hasText: 'You approved it' }).waitFor({ state: 'attached' });
        const ran = await asking.call('approval', { action: 'run', id: envelope.approval?.id });
        expect(ran.envelope.status).toBe('done');
        expect(await image()).toBe(next);
      } finally {
        await browser.close();
        await asking.close();
        await http.stop();
      }
    },
  );
});
