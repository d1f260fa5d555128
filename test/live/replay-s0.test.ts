import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';

import {
  BASE_IMAGE,
  get,
  inRegistry,
  prepareNamespace,
  pushedVersion,
  ready,
  REPOSITORY,
  STAGING,
  standIns,
  startWorld,
  written,
  PRODUCTION,
  type World,
} from './replay-world.ts';

/** S0's own persona, whose security S1 gives. */
const PERSONA = 'tta-devops-engineer';
const hasKubectl = (process.env['PATH'] ?? '').split(delimiter).some((folder) => existsSync(join(folder, 'kubectl')));

describe.skipIf(!ready)('S0 task 1: set up a CI/CD pipeline', () => {
  const WORKFLOWS = ['ci-cd.yml', 'deploy-staging.yml', 'deploy-production.yml'] as const;
  const path = (file: string) => `.github/workflows/${file}`;
  const BRANCH = 'feature/pipeline';
  let world: World;

  /** What Holdpoint itself sent to GitHub to start a run of this workflow. */
  const dispatches = (file: string) =>
    world.github.requests.filter(
      ({ method, path: asked, headers }) =>
        method === 'POST' &&
        headers['user-agent']?.startsWith('holdpoint') === true &&
        asked.endsWith(`/actions/workflows/${world.github.workflowId(file)}/dispatches`),
    );
  const jobsOf = (file: string) =>
    (
      parse(readFileSync(join(world.place.workspace, path(file)), 'utf8')) as {
        jobs: Record<string, { needs?: string; environment?: string; steps: { name?: string }[] }>;
      }
    ).jobs;

  beforeAll(async () => {
    world = await startWorld(PERSONA, WORKFLOWS.map(path));
    await world.done('git', { action: 'branch', name: BRANCH });
  });
  afterAll(() => world?.close());

  test('C1 steps 1–4: a workflow with quality gates, then a build, and deployment jobs for staging and production', async () => {
    for (const file of WORKFLOWS)
      expect(await world.done('save-file', { path: path(file), content: written(`s0/${file}`) })).toMatchObject({
        did: 'created',
      });
    const { 'quality-gates': gates, build } = jobsOf('ci-cd.yml');
    expect(gates?.steps.flatMap(({ name }) => name ?? [])).toEqual(['Linting', 'Type checking', 'Tests']);
    expect(build?.needs).toBe('quality-gates');
    expect(jobsOf('deploy-staging.yml')['deploy']?.environment).toBe('staging');
    expect(jobsOf('deploy-production.yml')['deploy']?.environment).toBe('production');
  });

  test('C6 step 6: diagnostics find no errors, and what S0 calls bad (no gates) is told apart', async () => {
    for (const file of WORKFLOWS) {
      const { findings, total } = await world.done('diagnostics', { path: path(file) });
      expect(total, JSON.stringify(findings)).toMatchObject({ error: 0 });
    }
    const bad =
      'name: Deploy\non: push\njobs:\n  deploy:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: actions/checkout@v4\n      - run: docker build -t app .\n      - run: docker push app\n';
    await world.done('save-file', { path: path('bad.yml'), content: bad });
    const { findings } = await world.done('diagnostics', { path: path('bad.yml') });
    expect(findings).toContainEqual(expect.objectContaining({ rule: 'no-quality-gate' }));
    await world.git('clean', '--quiet', '--force', path('bad.yml'));
  });

  test('C3 C4 step 5: secrets are named, never held; no tool of today sets one, and the attempt sends nothing', async () => {
    const text = WORKFLOWS.map((file) => readFileSync(join(world.place.workspace, path(file)), 'utf8')).join('\n');
    expect([...new Set(text.match(/secrets\.\w+/g))].sort()).toEqual([
      'secrets.REGISTRY_TOKEN',
      'secrets.REGISTRY_USER',
    ]);
    const sent = world.github.requests.length;
    const args = ['secret', 'set', 'REGISTRY_TOKEN', '--body', 'x'];
    expect(await world.denied('launch-process', { program: 'gh', args })).toMatchObject({ rule: 'programs' });
    expect(world.github.requests).toHaveLength(sent);
  });

  test('E1 E6 step 6: committed, pushed and run on the feature branch (GitHub is the emulated one); a gate that fails is read', async () => {
    const { commit } = await world.done('git', {
      action: 'commit',
      message: 'Set up CI/CD',
      paths: WORKFLOWS.map(path),
    });
    await world.done('git', { action: 'push' });
    expect(await world.git('--git-dir', world.remote, 'rev-parse', BRANCH)).toBe(commit);
    // A person merges it, for workflows are known to GitHub by its default branch.
    await world.git('push', '--quiet', 'origin', `${BRANCH}:main`, `${BRANCH}:staging`);
    for (const branch of [BRANCH, 'main', 'staging']) await world.github.mirror(world.remote, branch);

    world.github.failAt(path('ci-cd.yml'), 'Type checking', ['error: "scene" is not a known attribute']);
    const failed = await world.done('gh-workflow-run', { workflow: 'ci-cd.yml', ref: BRANCH });
    expect(failed).toMatchObject({
      conclusion: 'failure',
      failed: [{ job: 'quality-gates', steps: [expect.stringContaining('Type checking')] }],
    });
    const logs = await world.done('use-tool', { name: 'gh-run', arguments: { action: 'logs', run: failed['run'] } });
    expect(JSON.stringify(logs['logs'])).toContain('is not a known attribute');
    world.github.pass(path('ci-cd.yml'));
    expect(await world.done('gh-workflow-run', { workflow: 'ci-cd.yml', ref: BRANCH })).toMatchObject({
      conclusion: 'success',
      sha: commit,
    });
    expect(dispatches('ci-cd.yml')).toHaveLength(2);
  });

  test('E1 I1 steps 4 and 6: staging is deployed at once; production is held, sent once when a person has approved', async () => {
    const inputs = { version: 'v1.0.0' };
    const staging = { workflow: 'deploy-staging.yml', ref: 'staging', inputs };
    expect(await world.done('gh-workflow-run', staging)).toMatchObject({ conclusion: 'success' });
    expect(dispatches('deploy-staging.yml')).toHaveLength(1);

    const production = { workflow: 'deploy-production.yml', ref: 'main', inputs };
    const id = await world.held('gh-workflow-run', production);
    expect(await world.held('approval', { action: 'run', id })).toBe(id);
    await world.approve(id);
    expect(dispatches('deploy-production.yml')).toEqual([]);
    expect(await world.runApproved(id)).toMatchObject({ conclusion: 'success' });
    expect(dispatches('deploy-production.yml')).toHaveLength(1);
  });

  test('B4 C7 what S0 delegates: no application code, no tests, nothing of the user interface', async () => {
    for (const [file, handOff] of [
      ['src/orchestration/deploy.py', 'backend-dev'],
      ['src/web/App.tsx', 'frontend-dev'],
      ['tests/test_pipeline.py', 'qa-engineer'],
    ] as const) {
      expect(await world.denied('save-file', { path: file, content: 'x' })).toMatchObject({ handOff });
      expect(existsSync(join(world.place.workspace, file))).toBe(false);
    }
  });
});

describe.skipIf(!ready)('S0 task 2: deploy to staging', () => {
  const IMAGE = `${REPOSITORY}/tta-api:v1.0.0`;
  let world: World;

  beforeAll(async () => {
    world = await startWorld(PERSONA);
    await standIns(world);
    await pushedVersion(world, 'v0.9.0');
    await prepareNamespace(world, STAGING);
    await world.create(written('s1/tta-api.yaml').replaceAll(PRODUCTION, STAGING).replaceAll('production', 'staging'));
    await world.serves(STAGING, 'v0.9.0');
  });
  afterAll(() => world?.close());

  test('D1 step 1: the image is built from the workspace’s own Dockerfile (on a stand-in for Python’s image)', async () => {
    const built = await world.done('docker-build', {
      context: '.',
      dockerfile: 'docker/Dockerfile',
      tags: [IMAGE],
      buildArgs: { BASE_IMAGE, VERSION: 'v1.0.0' },
    });
    expect(built).toMatchObject({ size: { withinTarget: true }, time: { withinTarget: true } });
    const image = await world.engine.getImage(IMAGE).inspect();
    expect(image).toMatchObject({ Id: built['id'], Config: { User: '65534:65534' } });
  });

  test('C4 D1 step 2: docker push is no program’s here; docker-push pushes it to a real registry, at once for development', async () => {
    const push = { program: 'docker', args: ['push', IMAGE] };
    expect(await world.denied('launch-process', push)).toMatchObject({
      rule: 'programs',
      hint: expect.stringContaining('docker-push') as string,
    });
    expect(await inRegistry('v1.0.0')).toBeUndefined();
    const { digest } = await world.pushed(IMAGE);
    expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(await inRegistry('v1.0.0')).toBe(digest);
  });

  test('D2 step 3: kubectl set image, as kubectl-rollout; the nodes pull it from the registry', async () => {
    const args = ['set', 'image', 'deployment/tta-api', `api=${IMAGE}`, '-n', STAGING];
    const refused = await world.denied('launch-process', { program: 'kubectl', args });
    expect(refused.hint).toContain('kubectl-rollout');
    expect(await world.imageOf(STAGING)).toBe(`${REPOSITORY}/tta-api:v0.9.0`);
    const rollout = { action: 'set-image', kind: 'deployment', name: 'tta-api', namespace: STAGING };
    expect(await world.done('kubectl-rollout', { ...rollout, images: { api: IMAGE } })).toMatchObject({
      state: 'ready',
    });
    expect(await world.imageOf(STAGING)).toBe(IMAGE);
    await world.serves(STAGING, 'v1.0.0');
    const digest = await inRegistry('v1.0.0');
    const { items } = await world.cluster.core.listNamespacedPod({ namespace: STAGING, labelSelector: 'app=tta-api' });
    // The node names an image by whichever of its names it saw first, so the digest alone is compared.
    const digests = items.map((pod) => pod.status?.containerStatuses?.[0]?.imageID.split('@')[1]);
    expect(digests).toEqual(items.map(() => digest));
    const events = await world.cluster.core.listNamespacedEvent({ namespace: STAGING });
    const pulled = events.items.filter(({ reason }) => reason === 'Pulled').map(({ message }) => message);
    expect(pulled).toContainEqual(expect.stringContaining(`Successfully pulled image "${IMAGE}"`));
  });

  test('D2 step 4: rollout status says that it is done', async () => {
    const rollout = { action: 'status', kind: 'deployment', name: 'tta-api', namespace: STAGING };
    expect(await world.done('kubectl-rollout', rollout)).toMatchObject({
      state: 'ready',
      replicas: { desired: 2, updated: 2, available: 2 },
    });
  });

  test.skipIf(!hasKubectl)(
    'C4 step 4 again, by S0’s own command: kubectl rollout status through launch-process',
    async () => {
      const args = ['rollout', 'status', 'deployment/tta-api', '-n', STAGING, '--timeout', '40s'];
      expect(await world.done('launch-process', { program: 'kubectl', args, waitSeconds: 40 })).toMatchObject({
        exitCode: 0,
        output: expect.stringContaining('successfully rolled out') as string,
      });
    },
  );

  test('C5 step 5: smoke tests over HTTP, through a port that the cluster really serves', async () => {
    const port = await world.nodePort(STAGING);
    const fetched = (path: string, expected: string) =>
      world.done('web-fetch', { url: `http://127.0.0.1:${port}${path}`, expect: expected });
    expect(await fetched('/health', '"version": "v1.0.0"')).toMatchObject({ status: 200, ok: true, found: true });
    expect(await fetched('/ready', '"database": "up"')).toMatchObject({ status: 200, ok: true, found: true });
    expect(await get(port, '/health')).toMatchObject({ status: 200 });
    await world.denied('web-fetch', { url: 'https://evil.example/health' });
  });
});
