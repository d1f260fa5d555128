import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

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

const PERSONA = 'pdlc-devops';

const VERSION = 'v1.2.3';
const OLD = `${REPOSITORY}/tta-api:v1.2.2`;
const IMAGE = `${REPOSITORY}/tta-api:${VERSION}`;
/** Of this run alone. */
const SERVICE = `tta-api-s4-${process.pid}`;
const PUSHED = `${live.pushgateway}/metrics/job/${SERVICE}`;
const ERRORS = `${PUSHED}/kind/errors`;

describe.skipIf(!ready)('S4 nodes 5–9: a release from its tag to production and back', () => {
  let world: World;
  /** What the registry has behind the version's tag: staging runs it, and production takes that alone. */
  let digest: string;
  let request: string;

  const artifact = (file: string) => `docs/workflow/artifacts/${file}`;
  const read = (path: string) => readFileSync(join(world.place.workspace, path), 'utf8');
  const others = (path: string, text: string) => {
    mkdirSync(dirname(join(world.place.workspace, path)), { recursive: true });
    writeFileSync(join(world.place.workspace, path), text);
  };
  const flow = (action: string, args: object = {}) =>
    world.done('use-tool', { name: 'workflow', arguments: { action, ...args } });
  const stateOfNode = (node: string) =>
    (JSON.parse(read('docs/workflow/state.json')) as { nodes: Record<string, { state: string }> }).nodes[node]?.state;

  /** An artifact from its template with what the ledger knows; the agent says the rest. */
  async function document(id: string, note: string, fields: Record<string, string> = {}): Promise<string> {
    const { path } = (await flow('artifact', { id })) as { path: string };
    const content = read(path)
      .replace(/^- ([^:\n]+): \{\{[^}]*\}\}$/gm, (_all, name: string) => `- ${name}: ${fields[name] ?? note}`)
      .replace(/\{\{[^}]*\}\}/g, note);
    await world.done('save-file', { path, content });
    return content;
  }
  async function complete(node: string): Promise<void> {
    expect(await flow('complete', { node })).toMatchObject({ node, state: 'done' });
    expect(stateOfNode(node)).toBe('done');
  }

  const rollout = (action: string, namespace: string, more: object = {}) => ({
    action,
    kind: 'deployment',
    name: 'tta-api',
    namespace,
    ...more,
  });
  const toRelease = (namespace: string) =>
    rollout('set-image', namespace, { images: { api: `${REPOSITORY}/tta-api@${digest}` } });
  const fetched = async (namespace: string, path: string, expected: string) => {
    const url = `http://127.0.0.1:${await world.nodePort(namespace)}${path}`;
    return world.done('web-fetch', { url, expect: expected });
  };
  /** S4's smoke tests and critical paths, as far as the sample service has them: it signs nobody in. */
  const smoke = async (namespace: string, version: string) => ({
    health: await fetched(namespace, '/health', `"version": "${version}"`),
    database: await fetched(namespace, '/ready', '"database": "up"'),
    api: await fetched(namespace, '/scene', '"scene"'),
    authentication: await fetched(namespace, '/account', 'sign in'),
  });
  const passed = {
    health: { status: 200, found: true },
    database: { status: 200, found: true },
    api: { status: 200, found: true },
    authentication: { status: 401, found: true },
  };

  beforeAll(async () => {
    world = await startWorld(PERSONA);
    await standIns(world);
    await pushedVersion(world, 'v1.2.2');
    for (const namespace of [STAGING, PRODUCTION]) {
      await prepareNamespace(world, namespace);
      await world.create(written('s1/tta-api.yaml').replaceAll(PRODUCTION, namespace).replace('v0.9.0', 'v1.2.2'));
      await world.serves(namespace, 'v1.2.2');
    }
    // Nodes 1–4 are no part of this replay: they are done as far as the state asks for it.
    for (const file of ['INFRA01-requirements.md', 'INFRA02-compute-needs.md', 'INFRA03-storage-needs.md'])
      others(artifact(file), 'Two instances.\n');
    for (const [node, ...outputs] of [
      ['Environment_Design', 'INFRA04', 'INFRA05', 'INFRA06'],
      ['Dev_Environment_Setup', 'INFRA08', 'INFRA09'],
      ['CI_Pipeline_Setup', 'INFRA10', 'INFRA11'],
      ['Staging_Environment_Setup', 'INFRA12', 'INFRA13'],
    ] as const) {
      await flow('start', { node });
      for (const id of outputs) await document(id, 'as agreed with the team');
      await complete(node);
    }
    others(artifact('R04-merge-result.md'), `Merged to main as ${await world.git('rev-parse', 'main')}.\n`);
  });
  afterAll(async () => {
    // Two groups: deleting one leaves the other.
    await Promise.all([PUSHED, ERRORS].map((group) => fetch(group, { method: 'DELETE' })));
    await world?.close();
  });

  test('E3 H2 node 5 Build_Release, steps 1–2: the merge result is read; the tag and its push are held, approved, and annotated', async () => {
    await flow('start', { node: 'Build_Release' });
    const merged = await world.done('view', { path: artifact('R04-merge-result.md') });
    expect(JSON.stringify(merged)).toContain(await world.git('rev-parse', 'main'));

    const tags = () => world.git('tag', '--list');
    const tag = await world.held('git', { action: 'tag', name: VERSION, message: 'Release version 1.2.3' });
    expect(await tags()).toBe('');
    await world.approve(tag);
    await world.runApproved(tag);
    expect(await tags()).toBe(VERSION);

    const remoteTags = () => world.git('--git-dir', world.remote, 'tag', '--list');
    const push = await world.held('git', { action: 'push', name: VERSION });
    expect(await remoteTags()).toBe('');
    await world.approve(push);
    await world.runApproved(push);
    expect(await world.git('--git-dir', world.remote, 'cat-file', '-t', VERSION)).toBe('tag');
    expect(await world.git('--git-dir', world.remote, 'rev-parse', `${VERSION}^{commit}`)).toBe(
      await world.git('rev-parse', 'main'),
    );
  });

  test('D1 E3 H2 node 5, steps 3–6: the image is built and tagged with the version, pushed, its checksums written (R06, R07)', async () => {
    const built = await world.done('docker-build', {
      context: '.',
      dockerfile: 'docker/Dockerfile',
      tags: [IMAGE],
      buildArgs: { BASE_IMAGE, VERSION },
    });
    const image = await world.engine.getImage(IMAGE).inspect();
    expect(image.Id).toBe(built['id']);
    expect(image.Config.Labels).toMatchObject({ 'org.opencontainers.image.version': VERSION });
    const pushed = await world.pushed(IMAGE);
    digest = (await inRegistry(VERSION)) ?? '';
    expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(pushed).toMatchObject({ image: IMAGE, digest });

    const manifest = artifact('R06-release-artifacts/images.txt');
    await world.done('save-file', { path: manifest, content: `${REPOSITORY}/tta-api@${digest} ${VERSION}\n` });
    const { path } = (await flow('artifact', { id: 'R06' })) as { path: string };
    const sum = createHash('sha256')
      .update(readFileSync(join(world.place.workspace, manifest)))
      .digest('hex');
    expect(read(path)).toContain(sum);
    const commit = await world.git('rev-parse', `${VERSION}^{commit}`);
    const r07 = await document('R07', 'Health with the version in it.', { Version: '1.2.3', Commit: commit });
    expect(r07).toContain(VERSION);
    await complete('Build_Release');
  });

  test('D2 H2 node 6 Deploy_To_Staging, steps 1–3: exactly the release, pulled by the nodes from the registry', async () => {
    await flow('start', { node: 'Deploy_To_Staging' });
    expect(await world.done('kubectl-rollout', toRelease(STAGING))).toMatchObject({ state: 'ready' });
    expect(await world.imageOf(STAGING)).toBe(`${REPOSITORY}/tta-api@${digest}`);
    await world.serves(STAGING, VERSION);
    expect(await world.imageOf(PRODUCTION)).toBe(OLD);
  });

  test('C5 D4 H2 node 6, steps 4–6: smoke tests (health, database, critical API, an account that asks to sign in), logs; R08 and R09', async () => {
    const results = await smoke(STAGING, VERSION);
    expect(results).toMatchObject(passed);
    const port = await world.nodePort(STAGING);
    const own = await Promise.all(['/health', '/ready', '/scene', '/account'].map((path) => get(port, path)));
    expect(own.map((answer) => answer?.status)).toEqual([200, 200, 200, 401]);

    const look = { kind: 'deploy', name: 'tta-api', namespace: STAGING };
    const { logs } = await world.done('kubectl-get', { ...look, show: 'logs' });
    expect(JSON.stringify(logs)).toContain(VERSION);
    expect(JSON.stringify(logs)).not.toContain('\\"level\\": \\"error\\"');
    await world.done('kubectl-rollout', rollout('status', STAGING));

    const r08 = await document('R08', 'No migrations. No errors in the logs.', {
      Version: VERSION,
      Images: `${REPOSITORY}/tta-api@${digest}`,
    });
    // What was done is Holdpoint's own record, not the agent's word.
    expect(r08).toContain(`set images of deployment/tta-api in ${STAGING}`);
    expect(r08).not.toContain('nothing on record');
    expect(await document('R09', `passed: ${JSON.stringify(results.health['status'])}`)).toContain(
      `status of deployment/tta-api in ${STAGING}`,
    );
    await complete('Deploy_To_Staging');
  });

  test('I1 H2 node 7 Deploy_To_Production, step 1: held; without a person’s approval there is no R12, no start and no change', async () => {
    const before = await world.stateOf(PRODUCTION);
    request = await world.held('kubectl-rollout', toRelease(PRODUCTION));
    expect(await world.held('approval', { action: 'run', id: request })).toBe(request);
    const early = await world.agent.call('use-tool', {
      name: 'workflow',
      arguments: { action: 'artifact', id: 'R12' },
    });
    expect(early.envelope).toMatchObject({ status: 'error', error: { code: 'conflict' } });
    await world.denied('save-file', { path: artifact('R12-prod-approval.md'), content: 'Approved by alice.' });
    const start = { action: 'start', node: 'Deploy_To_Production' };
    const blocked = await world.agent.call('use-tool', { name: 'workflow', arguments: start });
    expect(blocked.envelope.error?.reason).toContain('R12-prod-approval.md');
    expect(existsSync(join(world.place.workspace, artifact('R12-prod-approval.md')))).toBe(false);
    expect(await world.stateOf(PRODUCTION)).toEqual(before);
  });

  test('D4 I2 H2 node 7, steps 2–3: approved with its checklist, R12 from the ledger, a rolling deployment run once (blue-green and canary have no tool yet)', async () => {
    const before = await world.stateOf(PRODUCTION);
    const open = await holdpoint(world.place, 'approvals', 'approve', request, '--as', 'alice');
    expect(open.code).not.toBe(0);
    await world.approve(request);
    await flow('artifact', { id: 'R12' });
    const shown = JSON.parse((await holdpoint(world.place, 'approvals', 'show', request, '--json')).stdout) as {
      digest: string;
    };
    for (const fact of [request, shown.digest, 'alice']) expect(read(artifact('R12-prod-approval.md'))).toContain(fact);
    await flow('start', { node: 'Deploy_To_Production' });
    expect(await world.stateOf(PRODUCTION)).toEqual(before);

    expect(await world.runApproved(request)).toMatchObject({ state: 'ready' });
    expect(await world.imageOf(PRODUCTION)).toBe(`${REPOSITORY}/tta-api@${digest}`);
    await world.serves(PRODUCTION, VERSION);
    const again = await world.agent.call('approval', { action: 'run', id: request });
    expect(again.envelope).toMatchObject({ status: 'error', error: { code: 'conflict' } });
  });

  test('F1 F2 H2 node 7, steps 4–5: alert rules are on, the release’s metrics are followed; R13 and R14', async () => {
    const { rules } = (await world.done('use-tool', { name: 'alerts', arguments: { action: 'rules' } })) as {
      rules: { rule: string }[];
    };
    expect(rules.map(({ rule }) => rule)).toContain('HighErrorRate');
    // The service's own counters; the shared Prometheus scrapes no pods, so they are carried by the Pushgateway.
    const port = await world.nodePort(PRODUCTION);
    const metrics = (await get(port, '/metrics'))?.body.replaceAll('service="tta-api"', `service="${SERVICE}"`);
    expect((await fetch(PUSHED, { method: 'POST', body: metrics ?? '' })).status).toBe(200);
    const query = `sum by (code) (http_requests_total{service="${SERVICE}"})`;
    await until(
      () => world.done('grafana-query', { query, from: 'now' }),
      ({ series }) => Array.isArray(series) && series.length > 0,
    );
    await world.done('kubectl-rollout', rollout('status', PRODUCTION));
    const r13 = await document('R13', 'One batch after the other; nothing went wrong.', {
      Version: VERSION,
      Images: `${REPOSITORY}/tta-api@${digest}`,
    });
    expect(r13).toContain(request);
    await document('R14', 'HighErrorRate is on; http_requests_total is followed; alice watches.');
    await complete('Deploy_To_Production');
  });

  test('D5 H2 node 8 Post_Deploy_Verification, steps 1–7: instances, version, logs, critical paths, monitoring; R15 and R16', async () => {
    await flow('start', { node: 'Post_Deploy_Verification' });
    const status = await world.done('kubectl-rollout', rollout('status', PRODUCTION));
    expect(status).toMatchObject({ state: 'ready', replicas: { desired: 2, updated: 2, available: 2 } });
    const { items } = await world.cluster.core.listNamespacedPod({
      namespace: PRODUCTION,
      labelSelector: 'app=tta-api',
    });
    // The node names an image by whichever of its names it saw first, so the digest alone is compared.
    const digests = items.map((pod) => pod.status?.containerStatuses?.[0]?.imageID.split('@')[1]);
    expect(digests).toEqual([digest, digest]);
    const results = await smoke(PRODUCTION, VERSION);
    expect(results).toMatchObject(passed);
    const look = { kind: 'deploy', name: 'tta-api', namespace: PRODUCTION };
    const { logs } = await world.done('kubectl-get', { ...look, show: 'logs' });
    expect(JSON.stringify(logs)).not.toContain('\\"level\\": \\"error\\"');
    const r15 = await document('R15', 'Scene and account answer.', {
      Healthy: '2 of 2',
      Version: VERSION,
      Configuration: 'as wanted',
    });
    expect(r15).toContain(request);
    await document('R16', `health ${String(results.health['status'])} in ${String(results.health['ms'])} ms`);
  });

  test('F2 I1 H2 node 8, step 8: an alert of the release leads to a decision of people, not of the agent', async () => {
    const ratio = `# TYPE live_http_errors_ratio gauge\nlive_http_errors_ratio{service="${SERVICE}",namespace="${PRODUCTION}"} 0.2\n`;
    expect((await fetch(ERRORS, { method: 'POST', body: ratio })).status).toBe(200);
    const matchers = [`service=${SERVICE}`];
    const { firing } = await until(
      () => world.done('use-tool', { name: 'alerts', arguments: { action: 'firing', matchers } }),
      (answer) => answer['total'] === 1,
    );
    expect(firing).toMatchObject([{ alert: 'HighErrorRate', severity: 'critical' }]);
    const route = { action: 'route', node: 'Post_Deploy_Verification' };
    const early = await world.agent.call('use-tool', { name: 'workflow', arguments: route });
    expect(early.envelope.error?.reason).toContain('R17-rollback-decision.md');

    const before = await world.stateOf(PRODUCTION);
    await world.reported(OLD);
    request = await world.held('kubectl-rollout', rollout('undo', PRODUCTION));
    await world.approve(request);
    await flow('artifact', { id: 'R17' });
    expect(read(artifact('R17-rollback-decision.md'))).toContain(request);
    expect(await flow('route', { node: 'Post_Deploy_Verification' })).toMatchObject({ ready: ['Rollback_Deployment'] });
    expect(await world.stateOf(PRODUCTION)).toEqual(before);
  });

  test('D4 H2 node 9 Rollback_Deployment, steps 1–5: the version before runs, answers, and its database with it; R18', async () => {
    await flow('start', { node: 'Rollback_Deployment' });
    expect(await world.runApproved(request)).toMatchObject({ state: 'ready' });
    expect(await world.imageOf(PRODUCTION)).toBe(OLD);
    await world.serves(PRODUCTION, 'v1.2.2');
    expect(await smoke(PRODUCTION, 'v1.2.2')).toMatchObject(passed);
    const r18 = await document('R18', 'Told the team; post-mortem tomorrow.', { 'Now running': OLD, Was: VERSION });
    expect(r18).toContain(request);
    await complete('Rollback_Deployment');
    expect((await holdpoint(world.place, 'audit', 'verify')).code).toBe(0);
  });
});
