import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import ghRun from '../../../src/tools/github/gh-run.ts';
import { newGitHubBench, type GitHubBench } from './kit.ts';

let bench: GitHubBench;
beforeEach(async () => {
  bench = await newGitHubBench([ghRun]);
});
afterEach(() => bench.close());

const STAGING = '.github/workflows/deploy-staging.yml';
const result = (args: object) => bench.result('gh-run', args);
const call = async (args: object) => (await bench.call('gh-run', args)).envelope;
const text = async (args: object) => (await bench.call('gh-run', args)).text;

/** A run that has ended. */
async function ended(file = 'deploy-staging.yml', branch = 'staging', event = 'push'): Promise<number> {
  const id = await bench.github.startRun(file, branch, event);
  for (let look = 0; look < 2; look++) await bench.github.api('GET', `/repos/acme/shop/actions/runs/${id}`);
  return id;
}

describe('E1 looking', () => {
  test('list is short, newest first, and says how many more there are', async () => {
    for (const branch of ['staging', 'feature/login', 'main']) await bench.github.startRun('ci.yml', branch);
    await bench.github.startRun('deploy-staging.yml', 'staging');
    expect(await result({ action: 'list', workflow: 'ci.yml', branch: 'feature/login' })).toMatchObject({
      runs: [{ run: 2, workflow: 'CI', branch: 'feature/login', event: 'push', status: 'queued' }],
    });
    expect(await result({ action: 'list', limit: 1 })).toMatchObject({ runs: [{}], more: 3 });
    expect(await text({ action: 'list', workflow: 'deploy-production.yml' })).toBe('no runs');
    expect(bench.changes()).toEqual([]);
  });

  test('view shows the jobs and where they failed', async () => {
    bench.github.failAt(STAGING, 'Build', ['x']);
    const run = await ended();
    expect(await result({ action: 'view', run })).toMatchObject({
      run: { run, conclusion: 'failure', attempt: 1 },
      jobs: [{ job: 'deploy', conclusion: 'failure', failedSteps: ['Build'] }],
      next: `gh-run with action logs, run ${run}, shows why.`,
    });
  });

  test('logs are the failed step’s lines only, without times, settings and colours', async () => {
    bench.github.failAt(STAGING, 'Build', [
      '\u001b[31mcompiling\u001b[0m',
      '##[debug]quiet',
      'undefined reference to main',
    ]);
    const run = await ended();
    expect(await text({ action: 'logs', run })).toBe(
      [
        '── deploy: Build',
        '$ Build',
        'compiling',
        'undefined reference to main',
        'error: Process completed with exit code 2.',
      ].join('\n'),
    );
  });

  test('of a long log the end is kept, and what is masked is masked before it is cut', async () => {
    const secret = 'hunter2-known';
    const lines = Array.from({ length: 2000 }, (_, at) => `${at % 2 ? 'odd' : 'even'} line ${at} ${secret}`);
    bench.github.failAt(STAGING, 'Build', lines);
    const run = await ended();
    const shown = await text({ action: 'logs', run });
    expect(shown.length).toBeLessThan(2300);
    expect(shown).toMatch(/… \d+ lines before/);
    expect(shown).toContain('line 1999');
    expect(shown).not.toContain('hunter2');
  });

  test('logs of a run without failures say so', async () => {
    const run = await ended();
    expect(await result({ action: 'logs', run })).toMatchObject({ next: `No job of run ${run} has failed (success).` });
  });

  test('reading production needs nobody', async () => {
    await bench.github.startRun('deploy-production.yml', 'main');
    expect(await call({ action: 'view', run: 1 })).toMatchObject({ status: 'done' });
    expect(await call({ action: 'list', branch: 'main' })).toMatchObject({ status: 'done' });
  });

  test('what the policy denies is not shown, and counted', async () => {
    await bench.github.addWorkflow('.github/workflows/vault.yml', 'name: Vault\non: push\njobs: { a: { steps: [] } }');
    await bench.github.startRun('vault.yml', 'staging');
    await bench.github.startRun('deploy-staging.yml', 'staging');
    expect(await result({ action: 'list', branch: 'staging' })).toMatchObject({ runs: [{ run: 2 }], hidden: 1 });
    for (const args of [
      { action: 'list', workflow: 'Vault' },
      { action: 'view', run: 1 },
    ])
      expect(await call(args), JSON.stringify(args)).toMatchObject({ status: 'denied' });
  });
});

describe('I1 changing', () => {
  test('a staging run is cancelled at once, a production run is held', async () => {
    bench.github.advancing.on = false;
    const staging = await bench.github.startRun('deploy-staging.yml', 'staging');
    const production = await bench.github.startRun('deploy-production.yml', 'main');
    expect(await call({ action: 'cancel', run: staging })).toMatchObject({ status: 'done' });
    expect(await call({ action: 'cancel', run: production })).toMatchObject({
      status: 'approval_required',
      approval: { summary: `cancel run ${production} (deploy-production at main) of acme/shop` },
    });
    expect(bench.changes()).toEqual([`POST /repos/acme/shop/actions/runs/${staging}/cancel`]);
  });

  test('a run that has ended is not cancelled, one that runs is not run again', async () => {
    const run = await ended();
    expect(await call({ action: 'cancel', run })).toMatchObject({ error: { code: 'conflict' } });
    bench.github.advancing.on = false;
    const running = await bench.github.startRun('deploy-staging.yml', 'staging');
    expect(await call({ action: 'rerun', run: running })).toMatchObject({ error: { code: 'conflict' } });
    expect(await call({ action: 'rerun', run, failedOnly: true })).toMatchObject({ error: { code: 'conflict' } });
    expect(bench.changes()).toEqual([]);
  });

  test('a re-run is the launch of its workflow at its branch', async () => {
    bench.github.failAt(STAGING, 'Build', ['x']);
    const run = await ended();
    bench.github.pass(STAGING);
    expect(await result({ action: 'rerun', run, failedOnly: true })).toMatchObject({
      run: { attempt: 2, conclusion: 'success' },
    });
    expect(bench.changes()).toEqual([`POST /repos/acme/shop/actions/runs/${run}/rerun-failed-jobs`]);
    const onMain = await ended('deploy-staging.yml', 'main');
    const production = await ended('deploy-production.yml', 'feature/login');
    for (const each of [onMain, production])
      expect(await call({ action: 'rerun', run: each })).toMatchObject({ status: 'approval_required' });
  });

  test('inputs of the old run are not known: where they choose the environment, it counts as production', async () => {
    const text = (name: string) =>
      `on: { workflow_dispatch: { inputs: { ${name}: {} } } }\njobs: { a: { steps: [{ run: x }] } }`;
    await bench.github.write('feature/login', STAGING, text('environment'));
    const telling = await ended('deploy-staging.yml', 'feature/login', 'workflow_dispatch');
    expect(await call({ action: 'rerun', run: telling })).toMatchObject({ status: 'approval_required' });
    await bench.github.write('feature/login', STAGING, text('version'));
    const harmless = await ended('deploy-staging.yml', 'feature/login', 'workflow_dispatch');
    expect(await call({ action: 'rerun', run: harmless })).toMatchObject({ status: 'done' });
  });

  test('without knowing which version of the file an event runs it counts as production', async () => {
    const harmless = await ended('ci.yml', 'feature/login', 'pull_request');
    expect(await call({ action: 'rerun', run: harmless })).toMatchObject({ status: 'approval_required' });
    const chained = await ended('ci.yml', 'feature/login', 'workflow_run');
    expect(await call({ action: 'rerun', run: chained })).toMatchObject({ status: 'approval_required' });
    const pushed = await ended('ci.yml', 'feature/login', 'push');
    expect(await call({ action: 'rerun', run: pushed })).toMatchObject({ status: 'done' });
  });

  test('an approved re-run of a run that was run again meanwhile is stale', async () => {
    const run = await ended('deploy-production.yml', 'main');
    const { approval } = await call({ action: 'rerun', run });
    bench.github.store.workflowRuns.update(run, { run_attempt: 2 });
    const { id = '', digest = '' } = approval ?? {};
    await bench.services.approvals.decide(
      bench.approvers.sign({ id, digest, decision: 'approve', approver: 'alice', at: Date.now(), reason: 'because' }),
    );
    expect((await bench.call('approval', { action: 'run', id })).envelope).toMatchObject({ status: 'stale' });
    expect(bench.changes()).toEqual([]);
  });
});

test('E1 parameters that an action does not take are refused, and the number is asked for', async () => {
  for (const args of [
    { action: 'view' },
    { action: 'list', run: 1 },
    { action: 'view', run: 1, branch: 'main' },
    { action: 'cancel', run: 1, failedOnly: true },
  ])
    expect(await call(args), JSON.stringify(args)).toMatchObject({
      error: { code: 'invalid_input', hint: expect.any(String) },
    });
  expect(await call({ action: 'view', run: 99 })).toMatchObject({ error: { code: 'not_found' } });
});
