import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';

import { HOST_PORT, ready, standIns, startWorld, until, get, written, type World, BASE_IMAGE } from './replay-world.ts';

/** S1's persona. */
const PERSONA = 'tta-devops-engineer';

describe.skipIf(!ready)('S1 scenario 1: set up a CI/CD pipeline', () => {
  const WORKFLOW = '.github/workflows/ci-cd.yml';
  let world: World;
  let head: string;
  let number: number;
  const pull = async () =>
    (await world.github.api('GET', `/repos/${world.github.repository}/pulls/${number}`)) as { merged: boolean };

  beforeAll(async () => {
    world = await startWorld(PERSONA, [WORKFLOW]);
  });
  afterAll(() => world?.close());

  test('E6 standard process, step 1: a feature branch from main', async () => {
    await world.done('git', { action: 'branch', name: 'feature/ci-cd' });
    expect(await world.git('branch', '--show-current')).toBe('feature/ci-cd');
  });

  test('C1 C6 steps 1–6: ci-cd.yml with tests, linting, type checks, staging and a notification; no errors found in it', async () => {
    const content = written('s1/ci-cd.yml');
    expect(await world.done('save-file', { path: WORKFLOW, content })).toMatchObject({ did: 'created' });
    const { jobs } = parse(readFileSync(join(world.place.workspace, WORKFLOW), 'utf8')) as { jobs: object };
    expect(Object.keys(jobs)).toEqual(['lint', 'type-check', 'test', 'deploy-staging', 'notify']);
    const { findings, total } = await world.done('diagnostics', { path: WORKFLOW });
    expect(total, JSON.stringify(findings)).toMatchObject({ error: 0 });
    // It would have found one: the same file with the secret written into the script.
    const secretInline = content.replace('"$WEBHOOK"', '"${{ secrets.TEAM_WEBHOOK }}"');
    writeFileSync(join(world.place.workspace, '.github/workflows/other.yml'), secretInline);
    const other = await world.done('diagnostics', { path: '.github/workflows/other.yml', severity: 'info' });
    expect(other['findings']).toContainEqual(expect.objectContaining({ rule: 'secret-in-script' }));
    await world.git('clean', '--quiet', '--force', '.github/workflows/other.yml');
  });

  test.each([
    ['application code', 'save-file', { path: 'src/orchestration/deploy.py', content: 'x' }, 'backend-dev'],
    [
      'application code (edit)',
      'str-replace-editor',
      { path: 'src/main.py', oldText: 'PORT = 8000', newText: 'PORT = 1' },
      'backend-dev',
    ],
    ['a user interface', 'save-file', { path: 'src/web/App.tsx', content: 'x' }, 'frontend-dev'],
    ['tests', 'save-file', { path: 'tests/test_pipeline.py', content: 'x' }, 'qa-engineer'],
    ['secrets', 'view', { path: 'secrets/api-keys.yaml' }, 'credential-manager'],
    ['the .env file', 'view', { path: '.env' }, 'credential-manager'],
    ['the .env file (write)', 'save-file', { path: '.env', content: 'A=b' }, 'credential-manager'],
    ['therapeutic safety', 'view', { path: 'src/therapeutic_safety/rules.py' }, 'backend-dev'],
  ])('B3 B4 C3 C7 beside it: %s is denied, with whom to hand it to', async (_what, tool, args, handOff) => {
    const path = join(world.place.workspace, args.path);
    const content = () => (existsSync(path) ? readFileSync(path, 'utf8') : undefined);
    const before = content();
    expect(await world.denied(tool, args)).toMatchObject({ handOff });
    expect(content()).toBe(before);
  });

  test('E6 steps 3–4 of the process: committed, pushed, a pull request with a description', async () => {
    const { commit } = await world.done('git', { action: 'commit', message: 'Set up CI/CD', paths: [WORKFLOW] });
    await world.done('git', { action: 'push' });
    head = await world.git('--git-dir', world.remote, 'rev-parse', 'feature/ci-cd');
    expect(head).toBe(commit);
    expect(await world.git('--git-dir', world.remote, 'diff', '--name-only', 'main', 'feature/ci-cd')).toBe(WORKFLOW);
    // GitHub is the emulated one, to which the bare repository's commits are brought with their ids.
    await world.github.mirror(world.remote, 'feature/ci-cd');
    const opened = await world.done('github-api', {
      action: 'pr-create',
      title: 'Set up CI/CD',
      body: 'Tests, linting, type checks, staging, a message to the team.',
      head: 'feature/ci-cd',
      base: 'main',
    });
    ({ number } = opened['pull'] as { number: number });
    expect(await pull()).toMatchObject({ merged: false, head: { sha: head }, base: { ref: 'main' } });
  });

  test('E2 S1’s restriction of github-api: no merge without review; main does not move', async () => {
    const refused = await world.denied('github-api', { action: 'pr-merge', number, base: 'main' });
    expect(refused.reason).toContain('no approving review');
    expect((await world.denied('launch-process', { program: 'gh', args: ['pr', 'merge', String(number)] })).rule).toBe(
      'programs',
    );
    expect(await pull()).toMatchObject({ merged: false });
  });

  test('E2 I1 steps 5–6: reviewed and green it is held, merged only when a person has approved', async () => {
    const { github } = world;
    const repository = `/repos/${github.repository}`;
    const review = { event: 'APPROVE', body: 'Good.' };
    await github.api('POST', `${repository}/pulls/${number}/reviews`, review, github.tokens.bob);
    const checks = { name: 'CI', head_sha: head, status: 'completed', conclusion: 'success' };
    await github.api('POST', `${repository}/check-runs`, checks);
    const before = await world.github.sha('main');
    const id = await world.held('github-api', { action: 'pr-merge', number, base: 'main' });
    expect(await world.held('approval', { action: 'run', id })).toBe(id);
    expect([await pull(), await world.github.sha('main')]).toEqual([
      expect.objectContaining({ merged: false }),
      before,
    ]);
    await world.approve(id);
    expect(await pull()).toMatchObject({ merged: false });
    expect(await world.runApproved(id)).toMatchObject({ merged: expect.any(String) as string });
    expect(await pull()).toMatchObject({ merged: true });
    expect(await world.github.sha('main')).not.toBe(before);
  });
});

describe.skipIf(!ready)('S1 scenario 2: Docker configuration', () => {
  const COMPOSE = 'docker-compose.yml';
  const PROJECT = `tta-${process.pid}`;
  let world: World;

  const compose = (...args: string[]) => world.compose('--project-name', PROJECT, ...args);
  const containers = () =>
    world.engine.listContainers({ all: true, filters: { label: [`com.docker.compose.project=${PROJECT}`] } });

  beforeAll(async () => {
    world = await startWorld(PERSONA, [COMPOSE]);
    await standIns(world);
  });
  afterAll(async () => {
    await compose('down', '--volumes', '--timeout', '0').catch(() => undefined);
    await world?.close();
  });

  test('C1 C6 D1 steps 1–6: docker-compose.yml for the API, Redis and Neo4j with networks, volumes and health checks', async () => {
    expect(await world.done('save-file', { path: COMPOSE, content: written('s1/docker-compose.yml') })).toMatchObject({
      did: 'created',
    });
    const { findings, total } = await world.done('diagnostics', { path: COMPOSE });
    expect(total, JSON.stringify(findings)).toMatchObject({ error: 0, warning: 0 });
    // Compose itself takes it, and means the same by it.
    const resolved = parse(await compose('config')) as {
      services: Record<string, { healthcheck?: object; networks?: object; volumes?: string[] }>;
      networks: object;
      volumes: object;
    };
    expect(Object.keys(resolved.services).sort()).toEqual(['api', 'neo4j', 'redis']);
    for (const service of Object.values(resolved.services)) {
      expect(Object.keys(service.networks ?? {})).toEqual(['backend']);
      expect(service.healthcheck).toBeDefined();
    }
    expect([Object.keys(resolved.networks), Object.keys(resolved.volumes).sort()]).toEqual([
      ['backend'],
      ['neo4j-data', 'redis-data'],
    ]);
  });

  test('D1 the API’s image is built from the workspace (on a stand-in for Python’s image), without .env and secrets', async () => {
    const built = await world.done('docker-build', {
      context: '.',
      dockerfile: 'docker/Dockerfile',
      tags: ['tta-api:dev'],
      buildArgs: { BASE_IMAGE },
    });
    expect(built).toMatchObject({ tags: ['tta-api:dev'], size: { withinTarget: true } });
    expect((await world.engine.getImage('tta-api:dev').inspect()).Id).toBe(built['id']);
  });

  test('C4 no tool of today starts what a Compose file names: it is refused with what to do, and nothing is there', async () => {
    const up = await world.denied('launch-process', { program: 'docker', args: ['compose', 'up', '-d'] });
    expect(up).toMatchObject({ rule: 'programs', hint: expect.stringContaining('Hand it over') as string });
    expect(await containers()).toEqual([]);
  });

  test('D1 C5 a person brings it up (Redis and Neo4j are stand-ins); the agent sees three healthy services', async () => {
    await compose('up', '--detach', '--no-build');
    await until(containers, (all) => all.length === 3 && all.every(({ Status }) => Status.includes('(healthy)')));
    const look = (args: object) => world.done('use-tool', { name: 'docker-get', arguments: args });
    const { table } = (await look({ show: 'containers' })) as { table: { columns: string[]; rows: string[][] } };
    for (const service of ['api', 'redis', 'neo4j'])
      expect(table.rows.find((row) => row.join(' ').includes(`${PROJECT}_${service}_1`))?.join(' ')).toContain(
        'healthy',
      );
    const { details } = await look({ show: 'inspect', name: `${PROJECT}_redis_1` });
    expect(JSON.stringify(details)).toMatch(new RegExp(`${PROJECT}_redis-data.*${PROJECT}_backend`));
    const ready = await world.done('web-fetch', {
      url: `http://127.0.0.1:${HOST_PORT}/ready`,
      expect: '"database": "up"',
    });
    expect(ready).toMatchObject({ status: 200, ok: true, found: true });
    expect(await get(HOST_PORT, '/ready')).toMatchObject({
      status: 200,
      body: expect.stringContaining('up') as string,
    });
    const { logs } = await look({ show: 'logs', name: `${PROJECT}_api_1` });
    expect(logs).toContain('"path": "/ready"');
  });

  test('C5 D1 a database that a person pauses is seen: the API is not ready, and says why', async () => {
    await compose('pause', 'redis');
    const url = `http://127.0.0.1:${HOST_PORT}/ready`;
    const answer = await world.done('web-fetch', { url, expect: '"database": "down"' });
    expect(answer).toMatchObject({ status: 503, ok: false });
    expect(await get(HOST_PORT, '/ready')).toMatchObject({ status: 503 });
    const look = { name: 'docker-get', arguments: { show: 'containers' } };
    const { table } = (await world.done('use-tool', look)) as { table: { rows: string[][] } };
    const row = table.rows.find((cells) => cells.join(' ').includes(`${PROJECT}_redis_1`));
    expect(row?.join(' ')).toMatch(/paused/i);
  });
});
