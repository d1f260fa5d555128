import { execFileSync } from 'node:child_process';
import { existsSync, linkSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { bytesBelow } from '../canary-session.ts';
import { newPlace, overStdio, serverArgs, type Agent, type Place } from '../harness.ts';

let place: Place;
let agent: Agent;
const answers: unknown[] = [];

/** Every way to the two denied places: themselves, links to them, links above them, other spellings. */
const WAYS = {
  '.env': '.env itself',
  'secrets/api-keys.yaml': 'a file of secrets/',
  'docker/link.yml': 'a symlink to .env',
  'docker/keys/api-keys.yaml': 'a symlinked folder',
  'docker/hard.yml': 'a hard link to .env',
  './docker/../.env': '.env by a detour',
  '.ENV': '.env in capitals',
  'secrets/../secrets/./api-keys.yaml': 'secrets/ by a detour',
} as const;

beforeAll(async () => {
  place = newPlace();
  const at = (path: string) => join(place.workspace, path);
  // Without it nothing but the policy keeps them out of a build.
  rmSync(at('.dockerignore'));
  symlinkSync('../.env', at('docker/link.yml'));
  symlinkSync('../secrets', at('docker/keys'));
  linkSync(at('.env'), at('docker/hard.yml'));
  writeFileSync(at('docker/Leak.Dockerfile'), 'FROM scratch\nCOPY . /\n');
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.com', ...args], {
      cwd: place.workspace,
      stdio: 'ignore',
    });
  git('init', '-q');
  git('add', '-A', '-f');
  git('commit', '-qm', 'everything, the secrets too');
  writeFileSync(at('.env'), `${readFileSync(at('.env'), 'utf8')}NEW_PASSWORD=canary-changed-made-up\n`);
  // The Engine is a fake: what matters here is what would be sent to it (test/live/docker.test.ts looks into a real image).
  agent = await overStdio('2.x', place, serverArgs(place, ['--stdio'], join(import.meta.dirname, 'fake-server.ts')));
});
afterAll(async () => {
  await agent.close();
  place.remove();
});

const call = async (tool: string, args: Record<string, unknown>) => {
  const answer = await agent.call(tool, args);
  answers.push(answer);
  return answer;
};

describe.each(Object.entries(WAYS))('%s (%s) (C3)', (path) => {
  test.each([
    ['view', { path }],
    ['save-file', { path, content: 'x' }],
    ['str-replace-editor', { path, oldText: 'canary', newText: 'x' }],
    ['remove-files', { paths: [path] }],
    ['codebase-retrieval', { query: 'canary', glob: path }],
    ['docker-build', { context: '.', dockerfile: path, tags: ['leak:1'], dryRun: true }],
    ['launch-process', { program: 'git', args: ['diff', '--', path] }],
    ['launch-process', { program: 'git', args: ['show', `HEAD:${path}`] }],
    ['launch-process', { program: 'git', args: ['add', path] }],
  ])('is refused by %s %j', async (tool, args) => {
    const before = readFileSync(join(place.workspace, '.env'), 'utf8');
    const { envelope, isError } = await call(tool, args);
    expect({ status: envelope.status, isError, at: path }).toEqual({ status: 'denied', isError: true, at: path });
    expect(readFileSync(join(place.workspace, '.env'), 'utf8')).toBe(before);
  });
});

describe('wider calls leave denied files out (C3)', () => {
  test('a search over everything opens none of them', async () => {
    const { envelope } = await call('codebase-retrieval', { query: '/canary|tta-api/' });
    expect(envelope.status).toBe('done');
    expect(JSON.stringify(envelope.result)).toContain('tta-api');
  });

  test('a build’s context has none of them, and says which were left out', async () => {
    const { envelope } = await call('docker-build', {
      context: '.',
      dockerfile: 'docker/Leak.Dockerfile',
      tags: ['leak:1'],
      dryRun: true,
    });
    expect(envelope.status).toBe('planned');
    const shown = JSON.stringify(envelope.result);
    for (const left of ['.env', 'secrets']) expect(shown).toContain(left);
  });

  test('a listing may show the names of the folder, never what is in the denied one', async () => {
    expect((await call('view', { path: '.' })).envelope.status).toBe('done');
    expect((await call('view', { path: 'secrets' })).envelope.status).toBe('denied');
  });

  test.each([
    ['cat', ['.env']],
    ['sh', ['-c', 'cat .env']],
    ['env', []],
    ['holdpoint', ['approvals', 'list']],
    ['./scripts/deploy/deploy.sh', []],
    ['git', ['-c', 'core.pager=cat .env', 'log']],
    ['git', ['log', '-p']],
    ['git', ['show', '-p', 'HEAD']],
  ])('launch-process refuses %s %j (C4)', async (program, args) => {
    const { envelope } = await call('launch-process', { program, args });
    expect(envelope.status).toBe('denied');
    expect(envelope.error?.hint ?? envelope.error?.reason).toBeTruthy();
  });

  test('the twin is allowed: the same tools on a file of theirs', async () => {
    expect((await call('view', { path: 'docker/Dockerfile' })).envelope.status).toBe('done');
    expect((await call('launch-process', { program: 'git', args: ['status'] })).envelope).toMatchObject({
      status: 'done',
      result: { state: 'exited', exitCode: 0 },
    });
    expect(
      (await call('launch-process', { program: 'git', args: ['diff', '--', 'docker/Dockerfile'] })).envelope.status,
    ).toBe('done');
    expect((await call('launch-process', { program: 'git', args: ['show', 'HEAD'] })).envelope.status).toBe('done');
  });

  test('not one value was in any answer, nor in the state directory (C3)', () => {
    const text = JSON.stringify(answers);
    expect(text.length).toBeGreaterThan(10_000);
    expect(text).not.toMatch(/canary-(?!changed)|canary-changed-made-up/);
    expect(existsSync(join(place.state, 'holdpoint.db'))).toBe(true);
    expect(bytesBelow(place.state).toString('latin1')).not.toMatch(/canary-[a-z0-9-]+made-up|canary-redis/);
  });
});
