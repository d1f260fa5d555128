import { readdirSync, readFileSync } from 'node:fs';

import { Octokit } from '@octokit/rest';
import { afterEach, describe, expect, test } from 'vitest';

import ghRun from '../../../src/tools/github/gh-run.ts';
import ghWorkflowRun from '../../../src/tools/github/gh-workflow-run.ts';
import githubApi from '../../../src/tools/github/github-api.ts';
import { newPullsBench, type PullsBench } from './github-api-kit.ts';
import { checkedFetch, operationOf } from './openapi.ts';

describe('a request that GitHub’s description does not know fails', () => {
  const send = async (method: string, path: string, body?: unknown) => {
    let sent = 0;
    const checked = checkedFetch(async () => {
      sent += 1;
      return Response.json({});
    });
    const init = { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
    const failed = await checked.fetch(`https://api.github.com${path}`, init).then(
      () => undefined,
      (error: Error) => error.message,
    );
    expect(sent).toBe(failed === undefined ? 1 : 0);
    expect(checked.problems).toEqual(failed === undefined ? [] : [failed]);
    return failed;
  };
  const pulls = '/repos/acme/shop/pulls';

  test('path and method', async () => {
    expect(await send('GET', `${pulls}/7`)).toBeUndefined();
    expect(await send('GET', '/repos/acme/shop/pullrequests')).toContain('no such operation');
    expect(await send('DELETE', `${pulls}/7`)).toContain('no such operation');
    expect(await send('GET', `${pulls}/seven`)).toContain('pull_number=seven');
    expect(await send('GET', '/repos/acme/shop/git/ref/heads/feature%2Flogin')).toBeUndefined();
    expect(await send('GET', '/repos/acme/shop/extra/pulls/7')).toContain('no such operation');
  });

  test('query parameters', async () => {
    expect(await send('GET', `${pulls}?state=open&per_page=21&head=acme%3Afeature%2Flogin`)).toBeUndefined();
    expect(await send('GET', `${pulls}?per_page=many`)).toContain('per_page=many');
    expect(await send('GET', `${pulls}?state=merged`)).toContain('state=merged');
    expect(await send('GET', `${pulls}?limit=3`)).toContain('limit is no parameter');
    expect(await send('GET', `${pulls}?page=1&page=2`)).toContain('twice');
  });

  test('bodies', async () => {
    const body = { title: 'x', head: 'a', base: 'b' };
    expect(await send('POST', pulls, body)).toBeUndefined();
    expect(await send('POST', pulls)).toContain('its body is missing');
    expect(await send('POST', pulls, { title: 'x', head: 'a' })).toContain('base');
    expect(await send('POST', pulls, { ...body, draft: 'yes' })).toContain('body/draft must be boolean');
    expect(await send('POST', pulls, { ...body, descriptoin: 'x' })).toContain('body/descriptoin is no field');
    expect(await send('PUT', `${pulls}/7/merge`, { sha: 'x', merge_method: 'octopus' })).toContain('merge_method');
    expect(await send('PUT', `${pulls}/7/merge`, { sha: 'x', merge_method: 'squash' })).toBeUndefined();
    expect(await send('POST', '/repos/acme/shop/actions/runs/7/cancel', {})).toContain('it takes no body');
    const inputs = Object.fromEntries(Array.from({ length: 26 }, (_, index) => [`i${index}`, 'x']));
    const dispatch = '/repos/acme/shop/actions/workflows/ci.yml/dispatches';
    expect(await send('POST', dispatch, { ref: 'main', inputs })).toContain('more than 25');
  });
});

describe('every request that the GitHub tools send is one that GitHub describes', () => {
  let bench: PullsBench;
  afterEach(() => bench.close());

  test('E1 E2 all actions, with the operations that they use', async () => {
    bench = await newPullsBench([githubApi, ghRun, ghWorkflowRun]);
    const { github } = bench;
    const result: PullsBench['result'] = (tool, args) => bench.result(tool, args);

    await bench.push('feature/login');
    const opened = await result('github-api', {
      action: 'pr-create',
      title: 'Add a login',
      body: 'It adds a login.',
      head: 'feature/login',
      base: 'develop',
    });
    const { number } = opened['pull'] as { number: number };
    const sha = await github.sha('feature/login');
    await bench.review(number, 'APPROVE');
    await bench.check(sha, 'test', 'success');
    await result('github-api', { action: 'pr-list', head: 'feature/login', base: 'develop' });
    await result('github-api', { action: 'pr-view', number });
    const merge = await bench.approveAndRun('github-api', { action: 'pr-merge', number, method: 'rebase' });
    expect(merge.envelope).toMatchObject({ status: 'done' });

    const inputs = { version: '1.2.3', size: 'large' };
    for (const mode of ['given', 'withheld'] as const) {
      github.details.mode = mode;
      // oxlint-disable-next-line no-await-in-loop -- one run after the other
      await result('gh-workflow-run', { workflow: 'deploy-staging.yml', ref: 'staging', inputs });
    }
    github.failAt('.github/workflows/deploy-staging.yml', 'Build', ['error: no space left']);
    const failed = await result('gh-workflow-run', { workflow: 'deploy-staging.yml', ref: 'staging', inputs });
    const run = failed['run'] as number;
    await result('gh-run', { action: 'list' });
    await result('gh-run', { action: 'list', workflow: 'ci.yml', branch: 'main', limit: 3 });
    await result('gh-run', { action: 'view', run });
    await result('gh-run', { action: 'logs', run });
    for (const failedOnly of [true, false]) {
      // oxlint-disable-next-line no-await-in-loop -- one attempt after the other
      await result('gh-run', { action: 'rerun', run, failedOnly });
    }
    const tag = (await github.api('POST', '/repos/acme/shop/git/tags', {
      tag: 'v1',
      message: 'one',
      object: await github.sha('main'),
      type: 'commit',
    })) as { sha: string };
    await github.api('POST', '/repos/acme/shop/git/refs', { ref: 'refs/tags/v1', sha: tag.sha });
    const tagged = { workflow: 'deploy-staging.yml', ref: 'v1', inputs, follow: false };
    expect((await bench.approveAndRun('gh-workflow-run', tagged)).envelope).toMatchObject({ status: 'done' });

    github.advancing.on = false;
    const other = await github.startRun('deploy-staging.yml', 'staging', 'workflow_dispatch');
    await result('gh-run', { action: 'cancel', run: other });

    expect(bench.checked.problems).toEqual([]);
    expect(requestsInSource().filter((operation) => !bench.checked.operations.has(operation))).toEqual([]);
    expect([...bench.checked.operations].toSorted()).toMatchInlineSnapshot(`
      [
        "actions/cancel-workflow-run",
        "actions/create-workflow-dispatch",
        "actions/download-job-logs-for-workflow-run",
        "actions/get-workflow-run",
        "actions/list-jobs-for-workflow-run",
        "actions/list-repo-workflows",
        "actions/list-workflow-runs",
        "actions/list-workflow-runs-for-repo",
        "actions/re-run-workflow",
        "actions/re-run-workflow-failed-jobs",
        "checks/list-for-ref",
        "git/get-ref",
        "pulls/create",
        "pulls/get",
        "pulls/list",
        "pulls/list-files",
        "pulls/list-reviews",
        "pulls/merge",
        "repos/compare-commits-with-basehead",
        "repos/get",
        "repos/get-collaborator-permission-level",
        "repos/get-combined-status-for-ref",
        "repos/get-commit",
        "repos/get-content",
      ]
    `);
  });
});

/** The operations of all requests that the adapter's source has. */
function requestsInSource(): string[] {
  const folder = new URL('../../../src/adapters/github/', import.meta.url);
  const source = readdirSync(folder)
    .map((file) => readFileSync(new URL(file, folder), 'utf8'))
    .join('\n');
  const { rest } = new Octokit();
  const methods = rest as unknown as Record<string, Record<string, { endpoint: { DEFAULTS: Record<string, string> } }>>;
  const named = [...source.matchAll(/\brest\.(\w+)\.(\w+)\(/g)].map(([written, group = '', name = '']) => {
    const { method = '', url = '' } = methods[group]?.[name]?.endpoint.DEFAULTS ?? {};
    return operationOf(method, url) ?? written;
  });
  const spelt = [...source.matchAll(/\brequest\('([A-Z]+) ([^']+)'/g)].map(
    ([written, method = '', template = '']) => operationOf(method, template) ?? written,
  );
  expect(named.length).toBeGreaterThan(10);
  return [...new Set([...named, ...spelt])];
}
