import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';

import type { ErrorCode } from '../../src/core/errors.ts';
import type { AnyTool, PortName } from '../../src/core/tool.ts';
import { loadRegistry } from '../../src/server/registry.ts';
import { holdpoint, newPlace, overStdio, serverArgs, type Agent, type Place } from '../harness.ts';

/** What needs nothing but this machine. */
const OWN: readonly string[] = ['files', 'processes'] satisfies PortName[];

interface Absent {
  /** Valid calls: at least one for each value of `action` or `show`. */
  calls: readonly Record<string, unknown>[];
  code: ErrorCode;
  /** What the hint names: the setting, or what a person does. */
  hint: RegExp;
}

const unavailable = (hint: RegExp, ...calls: Absent['calls']): Absent => ({ calls, code: 'unavailable', hint });
const workload = { kind: 'deployment', name: 'api', namespace: 'shop-staging' };
const repository = 'acme/shop';

/** Every tool that needs a backend, and the program runner; a new tool without a line here fails. */
const ABSENT: Readonly<Record<string, Absent>> = {
  alerts: unavailable(
    /(ALERTMANAGER|PROMETHEUS)_URL/,
    { action: 'firing' },
    { action: 'rules' },
    { action: 'silences' },
    { action: 'silence', matchers: ['alertname=High', 'namespace=shop-staging'], comment: 'known', for: '1h' },
    { action: 'unsilence', id: '0d5e6c1e-8f5c-4a3f-9a55-2f7cf9a2a111' },
  ),
  'docker-build': unavailable(/DOCKER_HOST/, { context: 'docker', tags: ['api:1.2.0'] }),
  'docker-get': unavailable(
    /DOCKER_HOST/,
    ...['containers', 'images', 'stats', 'events', 'disk'].map((show) => ({ show })),
    ...['logs', 'inspect'].map((show) => ({ show, name: 'api' })),
  ),
  'docker-push': unavailable(/DOCKER_HOST/, { image: 'localhost:5000/api:1.2.0' }),
  'gh-run': unavailable(
    /GITHUB_API_URL/,
    { action: 'list', repository },
    ...['view', 'logs', 'cancel', 'rerun'].map((action) => ({ action, repository, run: 7 })),
  ),
  'gh-workflow-run': unavailable(/GITHUB_API_URL/, { workflow: 'deploy-staging.yml', ref: 'staging', repository }),
  git: {
    calls: [
      ...['status', 'diff', 'log', 'push'].map((action) => ({ action })),
      { action: 'branch', name: 'feature/login' },
      { action: 'commit', message: 'ci: faster', paths: ['docker/Dockerfile'] },
      { action: 'tag', name: 'v1.2.0' },
    ],
    code: 'not_found',
    hint: /git init/,
  },
  'github-api': unavailable(
    /GITHUB_API_URL/,
    { action: 'pr-list', repository },
    { action: 'pr-create', title: 'Faster CI', head: 'feature/login', base: 'main', repository },
    ...['pr-view', 'pr-merge'].map((action) => ({ action, number: 7, repository })),
  ),
  'grafana-query': unavailable(/GRAFANA_URL or PROMETHEUS_URL/, { query: 'up' }),
  'kubectl-get': unavailable(
    /KUBECONFIG/,
    { kind: 'pods', namespace: 'shop-staging' },
    ...['events', 'logs'].map((show) => ({ kind: 'pods', name: 'api', namespace: 'shop-staging', show })),
  ),
  'kubectl-rollout': unavailable(
    /KUBECONFIG/,
    ...['restart', 'undo', 'pause', 'resume', 'status', 'history'].map((action) => ({ ...workload, action })),
    { ...workload, action: 'set-image', images: { api: 'api:1.2.0' } },
  ),
  'launch-process': unavailable(/kubeconfig/, { program: 'kubectl', args: ['get', 'pods'] }),
  tasks: unavailable(
    /BATTRA_API_BASE/,
    ...['list', 'pick'].map((action) => ({ action })),
    ...['show', 'claim', 'complete', 'check-story'].map((action) => ({ action, id: 'T-1' })),
    { action: 'comment', id: 'T-1', text: 'On it.' },
  ),
  'web-fetch': unavailable(/service is down, or the port/, { url: 'http://127.0.0.1:1/health' }),
};

const registry = await loadRegistry();
/** They look into git only for what people see of a held call, or for the tags that there are; memories are files. */
const DOES_WITHOUT = [
  'delete-memory',
  'read-memory',
  'remove-files',
  'save-file',
  'str-replace-editor',
  'workflow',
  'write-memory',
];
const needy = [...registry.values()].filter(
  ({ name, needs }) => !DOES_WITHOUT.includes(name) && needs.some((port) => !OWN.includes(port)),
);

/** The parameter that says which of its acts a tool is asked for, with its values. */
function actsOf({ input }: AnyTool): [parameter: string, values: readonly string[]] {
  for (const name of ['action', 'show']) {
    let type: unknown = (input.shape as Record<string, unknown>)[name];
    if (type instanceof z.ZodOptional) type = type.unwrap();
    if (type instanceof z.ZodEnum) return [name, type.options.map(String)];
  }
  return ['', []];
}

describe('with no backend at all (A5)', () => {
  let place: Place;
  let agent: Agent;
  beforeAll(async () => {
    // A kubeconfig that is not there comes with every place; its workspace is no git repository.
    place = newPlace();
    Object.assign(place.env, {
      DOCKER_HOST: `unix://${join(place.state, 'no-docker.sock')}`,
      // Nothing listens there; the public one would be asked otherwise.
      GITHUB_API_URL: 'http://127.0.0.1:1',
    });
    agent = await overStdio('2.x', place, serverArgs(place, ['--stdio', '--tools', 'all']));
  });
  afterAll(async () => {
    await agent.close();
    place.remove();
  });

  test('every tool is listed', async () => {
    const listed = (await agent.list()).map(({ name }) => name);
    expect(listed).toEqual(expect.arrayContaining([...registry.keys()]));
  });

  test('no tool that needs a backend is missing below, and none of its acts', () => {
    expect(Object.keys(ABSENT)).toEqual(expect.arrayContaining(needy.map(({ name }) => name)));
    for (const [name, { calls }] of Object.entries(ABSENT)) {
      const [parameter, acts] = actsOf(registry.get(name)!);
      expect(calls.length, name).toBeGreaterThan(0);
      expect(
        calls.map((call) => call[parameter]),
        name,
      ).toEqual(expect.arrayContaining([...acts]));
    }
  });

  test('changing and deleting files goes on without git', async () => {
    const path = 'docker/absent.yml';
    expect((await agent.call('save-file', { path, content: 'a\n' })).envelope.status).toBe('done');
    const edit = { path, oldText: 'a', newText: 'b' };
    expect((await agent.call('str-replace-editor', edit)).envelope.status).toBe('done');
    expect((await agent.call('remove-files', { paths: [path] })).envelope.status).toBe('approval_required');
  });

  test.each(Object.entries(ABSENT))('%s says what is not there and what to do', async (name, { calls, code, hint }) => {
    const answers = await Promise.all(calls.map(async (args) => ({ args, ...(await agent.call(name, args)) })));
    for (const { args, envelope, text, isError } of answers) {
      const what = JSON.stringify(args);
      expect({ isError, envelope }, what).toMatchObject({
        isError: true,
        envelope: { status: 'error', error: { code } },
      });
      expect(envelope.error?.reason, what).toMatch(/^[^\n]{10,200}$/);
      expect(envelope.error?.hint, what).toMatch(hint);
      // A client that shows only text shows the hint as well.
      expect(text, what).toContain(envelope.error?.hint);
    }
  });

  test('no repository configured, none named: the call says how either is done', async () => {
    for (const name of ['gh-run', 'github-api']) {
      const { envelope } = await agent.call(name, { action: name === 'gh-run' ? 'list' : 'pr-list' });
      expect(envelope.error, name).toMatchObject({
        code: 'invalid_input',
        hint: expect.stringContaining('GITHUB_REPOSITORY') as string,
      });
    }
  });

  test('the server is still there, and what needs no backend works', async () => {
    const { envelope } = await agent.call('view', { path: 'kubernetes/deployment.yaml' });
    expect(envelope.status).toBe('done');
    expect((await holdpoint(place, 'audit', 'verify')).code).toBe(0);
  });
});
