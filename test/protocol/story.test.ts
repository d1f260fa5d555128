import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import {
  approveTicking,
  CLIENTS,
  holdpoint,
  newPlace,
  overHttp,
  overStdio,
  serverArgs,
  startHttp,
  type Agent,
  type ClientKind,
  type Place,
  type RunningHttp,
} from '../harness.ts';

const FAKE = join(import.meta.dirname, 'fake-server.ts');

let place: Place;
let restarts: string;
let agent: Agent | undefined;
let http: RunningHttp | undefined;

beforeEach(async () => {
  place = newPlace();
  restarts = join(place.state, '..', 'restarts');
  place.env['HOLDPOINT_TEST_RESTARTS'] = restarts;
  expect((await holdpoint(place, 'approver', 'add', 'alice')).code).toBe(0);
});
afterEach(async () => {
  await agent?.close();
  await http?.stop();
  agent = http = undefined;
  place.remove();
});

const patches = () => (existsSync(restarts) ? readFileSync(restarts, 'utf8').split('\n').filter(Boolean) : []);

async function connect(kind: ClientKind, transport: 'stdio' | 'http'): Promise<Agent> {
  if (transport === 'stdio') agent = await overStdio(kind, place, serverArgs(place, ['--stdio'], FAKE));
  else {
    http ??= await startHttp(place, serverArgs(place, ['--http', '127.0.0.1:0'], FAKE));
    agent = await overHttp(kind, http.url, http.token);
  }
  return agent;
}

const rollout = { action: 'restart', kind: 'deployment', name: 'tta-api' };
const pairs = CLIENTS.flatMap((kind) => (['stdio', 'http'] as const).map((transport) => [kind, transport] as const));

describe.each(pairs)('the %s client over %s (A1; the cluster is a fake)', (kind, transport) => {
  test('lists the persona’s tools with annotations and an open output schema (B2)', async () => {
    const { list, version, instructions } = await connect(kind, transport);
    const tools = await list();
    expect(version()).toBe(kind === '2.x modern' ? '2026-07-28' : '2025-11-25');
    expect(instructions()).toContain('approval_required');
    expect(tools.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['view', 'remove-files', 'kubectl-rollout', 'approval', 'find-tools', 'use-tool']),
    );
    expect(tools.find(({ name }) => name === 'remove-files')?.annotations).toMatchObject({
      destructiveHint: true,
      readOnlyHint: false,
    });
    expect(tools).toEqual(await list());
  });

  test('a production restart is held, approved from the command line, run once; staging runs at once (D2, I1, I2)', async () => {
    const { call } = await connect(kind, transport);
    const staging = await call('kubectl-rollout', { ...rollout, namespace: 'tta-staging' });
    expect(staging).toMatchObject({ isError: false, envelope: { status: 'done', result: { state: 'ready' } } });
    expect(patches()).toHaveLength(1);

    const held = await call('kubectl-rollout', { ...rollout, namespace: 'tta-prod' });
    expect(held).toMatchObject({ isError: false, envelope: { status: 'approval_required' } });
    const id = held.envelope.approval?.id ?? '';
    expect(held.text).toContain(id);
    expect((await call('approval', { action: 'run', id })).envelope.status).toBe('approval_required');
    expect(patches()).toHaveLength(1);

    const unticked = await holdpoint(place, 'approvals', 'approve', id, '--as', 'alice', '--reason', 'agreed');
    expect(unticked).toMatchObject({ code: 1, stderr: expect.stringContaining('production-deployment/code-reviewed') });
    const ticks = /--tick (all [a-z/ -]+)$/m.exec(unticked.stderr)?.[1]?.split(' ') ?? [];
    const approve = ['approvals', 'approve', id, '--as', 'alice', '--reason', 'agreed', '--tick', ...ticks];
    expect(await holdpoint(place, ...approve)).toMatchObject({ code: 0 });
    expect((await call('approval', { action: 'wait', id, waitSeconds: 5 })).envelope).toMatchObject({
      status: 'done',
      result: { state: 'approved' },
    });
    expect((await call('approval', { action: 'run', id })).envelope).toMatchObject({
      status: 'done',
      result: { state: 'ready' },
    });
    expect(patches()).toHaveLength(2);
    expect(await call('approval', { action: 'run', id })).toMatchObject({
      isError: true,
      envelope: { status: 'error', error: { code: 'conflict' } },
    });
    expect(patches()).toHaveLength(2);
    expect((await holdpoint(place, 'audit', 'verify')).code).toBe(0);
  });

  test('a deletion leaves the file until it is approved, and the file can be restored (C2)', async () => {
    const { call } = await connect(kind, transport);
    const path = 'kubernetes/old-deployment.yaml';
    const file = join(place.workspace, path);
    const before = readFileSync(file, 'utf8');
    const id = (await call('remove-files', { paths: [path] })).envelope.approval?.id ?? '';
    expect(existsSync(file)).toBe(true);
    await holdpoint(place, 'approvals', 'approve', id, '--as', 'alice');
    expect(existsSync(file)).toBe(true);
    expect((await call('approval', { action: 'run', id })).envelope.status).toBe('done');
    expect(existsSync(file)).toBe(false);
    expect((await holdpoint(place, 'files', 'restore', path, '--workspace', place.workspace)).code).toBe(0);
    expect(readFileSync(file, 'utf8')).toBe(before);
  });

  test('a denied read says why and whom to ask; bad input is clear and the server goes on (B4, C3)', async () => {
    const { call } = await connect(kind, transport);
    expect(await call('view', { path: '.env' })).toMatchObject({
      isError: true,
      envelope: { status: 'denied', error: { code: 'denied', rule: 'secrets', handOff: 'credential-manager' } },
    });
    expect(await call('view', { path: 'docker', pth: 1 })).toMatchObject({
      isError: true,
      envelope: { status: 'error', error: { code: 'invalid_input' } },
    });
    expect(await call('no-such-tool', {})).toMatchObject({
      isError: true,
      envelope: { status: 'error', error: { code: 'not_found' } },
    });
    expect(await call('save-file', { path: 'docker/x', content: 'x'.repeat(10_000_000) })).toMatchObject({
      isError: true,
      envelope: { error: { code: 'invalid_input' } },
    });
    expect((await call('use-tool', { name: 'view', arguments: { path: 'docker/Dockerfile' } })).envelope.status).toBe(
      'done',
    );
  });
});

test('the principal is stable across reconnects: another connection of the same client runs what the first one asked for', async () => {
  const first = await connect('2.x', 'stdio');
  const id = (await first.call('kubectl-rollout', { ...rollout, namespace: 'tta-prod' })).envelope.approval?.id ?? '';
  await first.close();
  await approveTicking(place, id, '--as', 'alice');
  const second = await connect('2.x', 'stdio');
  expect((await second.call('approval', { action: 'run', id })).envelope.status).toBe('done');
  expect(patches()).toHaveLength(1);
});

test('an agent on another transport is another principal: it cannot run what it did not ask for', async () => {
  const asker = await connect('2.x', 'stdio');
  const id = (await asker.call('kubectl-rollout', { ...rollout, namespace: 'tta-prod' })).envelope.approval?.id ?? '';
  await asker.close();
  await approveTicking(place, id, '--as', 'alice');
  const other = await connect('2.x', 'http');
  expect((await other.call('approval', { action: 'run', id })).envelope).toMatchObject({
    status: 'error',
    error: { code: 'not_found' },
  });
  expect(patches()).toEqual([]);
});

test('a row set to approved by hand in the database runs nothing (I2)', async () => {
  const { call } = await connect('2.x', 'stdio');
  const id = (await call('kubectl-rollout', { ...rollout, namespace: 'tta-prod' })).envelope.approval?.id ?? '';
  const { DatabaseSync } = await import('node:sqlite');
  const database = new DatabaseSync(join(place.state, 'holdpoint.db'), { timeout: 5000 });
  const { changes } = database
    .prepare(`UPDATE approval_requests SET state = 'approved', run_by = ? WHERE id = ?`)
    .run(Date.now() + 600_000, id);
  database.close();
  expect(changes).toBe(1);
  expect((await call('approval', { action: 'run', id })).envelope.status).not.toBe('done');
  expect(patches()).toEqual([]);
});
