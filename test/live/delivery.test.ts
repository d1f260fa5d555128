import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Client, type Progress } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { Envelope } from '../../src/core/envelope.ts';
import { startGitHub, type GitHubServer } from '../github-server.ts';
import { approveTicking, holdpoint, newPlace, ROOT, serverArgs, type Place } from '../harness.ts';

/** What `scripts/live/up` said of monitoring; empty where it is not up. */
function monitoringServers(): Record<string, string> {
  try {
    const file = join(process.env['HOLDPOINT_LIVE'] ?? '/run/holdpoint-live', 'env');
    return Object.fromEntries([...readFileSync(file, 'utf8').matchAll(/^(\w+_URL)=(.+)$/gm)].map(([, k, v]) => [k, v]));
  } catch {
    return {};
  }
}

const { PROMETHEUS_URL = '', PUSHGATEWAY_URL = '' } = monitoringServers();
/** Of this run alone, so that what another run pushed does not count. */
const SERVICE = `delivery-${process.pid}`;
const PUSHED = `${PUSHGATEWAY_URL}/metrics/job/${SERVICE}`;
const ERROR_RATE = `sum by (service) (delivery_http_errors_ratio{service="${SERVICE}"})`;

const STAGING = '.github/workflows/deploy-staging.yml';
const PRODUCTION = '.github/workflows/deploy-production.yml';
const BRANCH = 'ci/smoke-test';
const CAUSE = 'error: deployment "tta-api" exceeded its progress deadline: ImagePullBackOff tta-api:1.4.0';

interface Answer {
  envelope: Envelope;
  text: string;
  progress: Progress[];
}

/**
 * From an edited workflow to a failed production deployment whose cause is known. git and its remote, Prometheus and
 * Pushgateway are real; GitHub is the emulated one, to which what was pushed is brought with its commits' ids.
 */
describe.skipIf(PROMETHEUS_URL === '' || PUSHGATEWAY_URL === '')('E1 E2 E6 F2 I1 the delivery of a change', () => {
  let github: GitHubServer;
  let place: Place;
  let remote: string;
  let client: Client;

  beforeAll(async () => {
    github = await startGitHub({});
    place = newPlace({
      GITHUB_API_URL: github.url,
      GH_TOKEN: github.token,
      GITHUB_REPOSITORY: github.repository,
      PROMETHEUS_URL,
    });
    remote = join(place.workspace, '..', 'shop.git');
    await git('init', '--quiet', '--bare', remote);
    await git('init', '--quiet', '--initial-branch=main');
    await git('config', 'user.name', 'Ann');
    await git('config', 'user.email', 'ann@example.com');
    await git('add', '--all');
    await git('commit', '--quiet', '--message', 'Start');
    await git('remote', 'add', 'origin', remote);
    await git('push', '--quiet', 'origin', 'main');
    await github.mirror(remote, 'main');
    await holdpoint(place, 'approver', 'add', 'alice');

    client = new Client({ name: 'holdpoint-tests', version: '1.0.0' });
    const args = serverArgs(place, ['--stdio']);
    await client.connect(
      new StdioClientTransport({ command: process.execPath, args, env: place.env, stderr: 'ignore', cwd: ROOT }),
    );
    await push(0.01);
  });
  afterAll(async () => {
    await client?.close();
    await fetch(PUSHED, { method: 'DELETE' });
    await github?.close();
    place?.remove();
  });

  /** git as a person runs it in the workspace. */
  async function git(...args: string[]): Promise<string> {
    return (await promisify(execFile)('git', args, { cwd: place.workspace, env: place.env })).stdout.trim();
  }

  async function call(tool: string, args: Record<string, unknown>): Promise<Answer> {
    const progress: Progress[] = [];
    const onprogress = (update: Progress) => void progress.push(update);
    const answer = await client.callTool({ name: tool, arguments: args }, { onprogress });
    const text = answer.content.map((part) => (part.type === 'text' ? part.text : '')).join('\n');
    return { envelope: answer.structuredContent as Envelope, text, progress };
  }

  /** The result of a call that runs at once. */
  async function done(tool: string, args: Record<string, unknown>): Promise<Record<string, unknown>> {
    const { envelope } = await call(tool, args);
    expect(envelope).toMatchObject({ status: 'done' });
    return envelope.result ?? {};
  }

  /** What Holdpoint itself sent to GitHub to change something. */
  const sent = () =>
    github.requests.filter(
      ({ method, headers }) => method !== 'GET' && headers['user-agent']?.startsWith('holdpoint') === true,
    );
  const dispatches = (file: string) =>
    sent().filter(({ path }) => path.endsWith(`/actions/workflows/${github.workflowId(file)}/dispatches`));

  async function push(ratio: number): Promise<void> {
    const body = `# TYPE delivery_http_errors_ratio gauge\ndelivery_http_errors_ratio{service="${SERVICE}"} ${ratio}\n`;
    expect((await fetch(PUSHED, { method: 'POST', body })).status).toBe(200);
  }

  /** Asks until Prometheus has scraped what was pushed; the answer. */
  async function errorRate(expected: number): Promise<Record<string, unknown>> {
    for (;;) {
      const { series } = (await done('grafana-query', { query: ERROR_RATE, from: 'now' })) as {
        series: { last?: number }[];
      };
      if (series[0]?.last === expected) return done('grafana-query', { query: ERROR_RATE, from: '-1m', step: '1s' });
      await sleep(500);
    }
  }

  test('edit, commit, push, pull request, staging at once, production held, approved and run once, its failure read', async () => {
    // A workflow is edited on a branch of its own, committed and pushed.
    expect(await done('git', { action: 'branch', name: BRANCH })).toMatchObject({ branch: BRANCH });
    const health = '      - run: scripts/deploy/health-check.sh https://staging.tta.dev';
    await done('str-replace-editor', {
      path: STAGING,
      oldText: health,
      newText: `${health}\n      - name: Smoke test\n        run: scripts/deploy/health-check.sh https://staging.tta.dev/login`,
    });
    expect(await done('git', { action: 'status' })).toMatchObject({ changed: [{ path: STAGING, state: 'modified' }] });
    const { commit } = await done('git', { action: 'commit', message: 'Smoke-test staging', paths: [STAGING] });
    expect(await done('git', { action: 'push' })).toMatchObject({ commit, pushed: { commits: 1, to: remote } });
    expect(await git('--git-dir', remote, 'rev-parse', BRANCH)).toBe(commit);
    expect(await git('--git-dir', remote, 'diff', '--stat', 'main', BRANCH)).toContain('2 insertions(+)');
    const head = await github.mirror(remote, BRANCH);
    expect(head).toBe(commit);

    // A pull request: what is missing, and then reviewed and green.
    const opened = await done('github-api', { action: 'pr-create', title: 'Smoke-test the login', head: BRANCH });
    expect(opened).toMatchObject({ created: true, pull: { head: BRANCH, base: 'main', state: 'open' } });
    const { number } = opened['pull'] as { number: number };
    const checks = `/repos/${github.repository}/check-runs`;
    const gates = { name: 'quality-gates', head_sha: head };
    const { id } = (await github.api('POST', checks, { ...gates, status: 'in_progress' })) as { id: number };
    expect(await done('github-api', { action: 'pr-view', number })).toMatchObject({
      reviews: [],
      checks: { green: 0, pending: ['quality-gates'], red: [] },
      merge: { ok: false, missing: [expect.stringContaining('no approving review'), 'checks not done: quality-gates'] },
    });
    const review = { event: 'APPROVE', body: 'Good.' };
    await github.api('POST', `/repos/${github.repository}/pulls/${number}/reviews`, review, github.tokens.bob);
    await github.api('PATCH', `${checks}/${id}`, { status: 'completed', conclusion: 'success' });
    const status = { context: 'preview', state: 'success' };
    await github.api('POST', `/repos/${github.repository}/statuses/${head}`, status);
    expect(await done('github-api', { action: 'pr-view', number })).toMatchObject({
      pull: { sha: head },
      reviews: [{ by: 'bob', state: 'approved', counts: true }],
      checks: { green: 2, pending: [], red: [] },
      merge: { ok: true, missing: [] },
    });

    // Staging is deployed at once, from the branch with the edited workflow, and followed to its end.
    const inputs = { version: '1.4.0' };
    const toStaging = await call('gh-workflow-run', { workflow: 'deploy-staging.yml', ref: BRANCH, inputs });
    expect(toStaging.envelope).toMatchObject({
      status: 'done',
      result: { found: 'certain', sha: head, status: 'completed', conclusion: 'success' },
    });
    expect(toStaging.progress.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^run \d+ in progress; deploy/),
    ]);
    expect(dispatches('deploy-staging.yml').map(({ body }) => JSON.parse(body) as unknown)).toEqual([
      { ref: BRANCH, inputs, return_run_details: true },
    ]);
    expect(github.store.jobs.findBy('run_id', toStaging.envelope.result?.['run'])).toMatchObject([
      { steps: expect.arrayContaining([expect.objectContaining({ name: 'Smoke test', conclusion: 'success' })]) },
    ]);

    // The error rate before production is touched.
    expect((await errorRate(0.01))['series']).toMatchObject([{ max: 0.01, last: 0.01 }]);

    // Production is held: nothing is sent, neither by asking again nor by running what nobody approved.
    github.failAt(PRODUCTION, 'Run scripts/deploy/deploy.sh tta-production "${VERSION}"', [
      'deployment.apps/tta-api image updated',
      `using ${github.token}`,
      CAUSE,
    ]);
    const toProduction = { workflow: 'deploy-production.yml', ref: 'main', inputs };
    const before = sent().length;
    const held = await call('gh-workflow-run', toProduction);
    expect(held.envelope).toMatchObject({
      status: 'approval_required',
      approval: { summary: expect.stringContaining('run deploy-production.yml of acme/shop at main') },
    });
    const approval = held.envelope.approval?.id ?? '';
    expect((await call('gh-workflow-run', toProduction)).envelope.approval?.id).toBe(approval);
    expect((await call('approval', { action: 'run', id: approval })).envelope.status).toBe('approval_required');
    expect(sent()).toHaveLength(before);

    // Approved by a person outside the client, then run once, and followed to its end, which is a failure.
    const approved = await approveTicking(place, approval, '--as', 'alice', '--reason', 'agreed');
    expect(approved.code).toBe(0);
    expect(sent()).toHaveLength(before);
    const ran = await call('approval', { action: 'run', id: approval });
    expect(ran.envelope).toMatchObject({
      status: 'done',
      result: {
        status: 'completed',
        conclusion: 'failure',
        failed: [{ job: 'deploy', steps: [expect.stringContaining('scripts/deploy/deploy.sh')] }],
      },
    });
    expect(ran.progress.at(-1)?.message).toMatch(/^run \d+ in progress; deploy/);
    const replay = await call('approval', { action: 'run', id: approval });
    expect(replay.envelope).toMatchObject({ status: 'error', error: { code: 'conflict' } });
    expect(dispatches('deploy-production.yml').map(({ body }) => JSON.parse(body) as unknown)).toEqual([
      { ref: 'main', inputs, return_run_details: true },
    ]);
    expect(sent()).toHaveLength(before + 1);

    // Why: the failed step's lines alone, with what is secret masked. And what it did to the service.
    const { text: why } = await call('gh-run', { action: 'logs', run: ran.envelope.result?.['run'] });
    expect(why).toContain(CAUSE);
    expect(why).toContain('image updated\nusing ');
    expect(why).not.toContain('went well');
    expect(why).not.toContain(github.token);
    await push(0.2);
    expect((await errorRate(0.2))['series']).toMatchObject([{ min: 0.01, max: 0.2, last: 0.2 }]);

    expect(new Set(sent().map(({ headers }) => headers['x-request-id'])).size).toBe(sent().length);
    expect((await holdpoint(place, 'audit', 'verify')).code).toBe(0);
  });
});
