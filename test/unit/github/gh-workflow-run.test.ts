import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import run from '../../../src/tools/github/gh-workflow-run.ts';
import { newGitHubBench, type GitHubBench } from './kit.ts';

let bench: GitHubBench;
beforeEach(async () => {
  bench = await newGitHubBench([run]);
});
afterEach(() => bench.close());

const STAGING = '.github/workflows/deploy-staging.yml';
const staging = { workflow: 'deploy-staging.yml', ref: 'staging', inputs: { version: '1.2' } };
const production = { workflow: 'deploy-production.yml', ref: 'main', inputs: { version: '1.2' } };
const call = async (args: object) => (await bench.call('gh-workflow-run', args)).envelope;
const result = (args: object) => bench.result('gh-workflow-run', args);

describe('E1 a staging dispatch', () => {
  test('is sent once, as planned, and followed with progress to its end', async () => {
    const said: string[] = [];
    const { envelope } = await bench.call('gh-workflow-run', staging, {
      progress: ({ message }) => said.push(message),
    });
    expect(envelope).toMatchObject({
      status: 'done',
      result: { run: 1, found: 'certain', ref: 'staging', status: 'completed', conclusion: 'success' },
    });
    expect(said).toEqual([expect.stringMatching(/^run 1 in progress; deploy: actions\/checkout/)]);
    expect(bench.changes()).toEqual(['POST /repos/acme/shop/actions/workflows/2/dispatches']);
    const sent = bench.github.requests.find(({ method }) => method === 'POST');
    expect(JSON.parse(sent?.body ?? '')).toEqual({
      ref: 'staging',
      inputs: { version: '1.2' },
      return_run_details: true,
    });
  });

  test('every request carries the id of the call', async () => {
    await bench.call('gh-workflow-run', staging, { id: 'call-abc' });
    expect(bench.github.requests.length).toBeGreaterThan(5);
    expect(
      new Set(
        bench.github.requests
          .filter(({ headers }) => headers['user-agent']?.startsWith('holdpoint'))
          .map(({ headers }) => headers['x-request-id']),
      ),
    ).toEqual(new Set(['call-abc']));
  });

  test('one that fails names the job and step, and what to call next', async () => {
    bench.github.failAt(STAGING, 'Roll out', ['no such host']);
    expect(await result(staging)).toMatchObject({
      conclusion: 'failure',
      failed: [{ job: 'deploy', steps: ['Roll out'] }],
      next: 'gh-run with action logs, run 1, shows why.',
    });
  });

  test('with follow false it comes back at once', async () => {
    expect(await result({ ...staging, follow: false })).toMatchObject({
      status: 'in_progress',
      next: 'It is still running: gh-run with action view, run 1.',
    });
  });

  test('one that does not end is followed for a while, not for ever', async () => {
    bench.github.advancing.on = false;
    expect(await result(staging)).toMatchObject({ status: 'queued', next: expect.stringContaining('still running') });
  });

  test.each(['.github/workflows/deploy-staging.yml', 'deploy-staging', 'deploy staging', '2'])(
    'is found as %s',
    async (workflow) => {
      expect(await result({ ...staging, workflow, follow: false })).toMatchObject({ run: 1 });
    },
  );
});

describe('E1 servers that do not name the run', () => {
  test('the one new run that fits is a best match', async () => {
    await bench.github.startRun('deploy-staging.yml', 'staging', 'workflow_dispatch');
    for (const mode of ['withheld', 'refused'] as const) {
      bench.github.details.mode = mode;
      const before = bench.github.store.workflowRuns.all().length;
      expect(await result(staging)).toMatchObject({ found: 'best-match', run: before + 1 });
      expect(bench.github.store.workflowRuns.all()).toHaveLength(before + 1);
    }
  });

  test('of two new ones none is claimed', async () => {
    bench.github.details.mode = 'withheld';
    bench.github.onDispatch.call = async () => {
      await bench.github.startRun('deploy-staging.yml', 'staging', 'workflow_dispatch');
    };
    const answer = await result(staging);
    expect(answer).toMatchObject({ found: 'no', status: 'started', next: expect.stringContaining('gh-run') });
    expect(answer).not.toHaveProperty('run');
  });

  test('a run of another event or branch is none of them', async () => {
    bench.github.details.mode = 'withheld';
    bench.github.onDispatch.call = async () => {
      await bench.github.startRun('deploy-staging.yml', 'staging', 'push');
      await bench.github.startRun('deploy-staging.yml', 'main', 'workflow_dispatch');
    };
    expect(await result(staging)).toMatchObject({ found: 'best-match', run: 1 });
  });
});

describe('I1 what a dispatch triggers decides', () => {
  test('production is held: nothing is sent until a person has approved exactly it', async () => {
    const held = await call(production);
    expect(held).toMatchObject({
      status: 'approval_required',
      approval: {
        summary: expect.stringMatching(
          /^run deploy-production.yml of acme\/shop at main \([0-9a-f]{7}\) with version="1.2"$/,
        ),
      },
    });
    expect(bench.changes()).toEqual([]);
    const ran = await bench.approveAndRun('gh-workflow-run', production);
    expect(ran.envelope).toMatchObject({ status: 'done', result: { conclusion: 'success' } });
    expect(bench.changes()).toEqual(['POST /repos/acme/shop/actions/workflows/3/dispatches']);
  });

  test('the strictest of ref, environment and inputs', async () => {
    // The production workflow from a feature branch; the staging one on main; on the default branch; with a telling input.
    for (const args of [
      { ...production, ref: 'feature/login' },
      { ...staging, ref: 'main' },
      { ...staging, ref: 'refs/heads/main' },
      { workflow: 'deploy-staging.yml', inputs: { version: '1' } },
      { ...staging, inputs: { version: 'production' } },
    ])
      expect(await call(args), JSON.stringify(args)).toMatchObject({ status: 'approval_required' });
    expect(bench.changes()).toEqual([]);
  });

  test('a branch’s own version of the file decides, not main’s', async () => {
    const text = 'on: workflow_dispatch\njobs: { a: { environment: production, steps: [{ run: x }] } }';
    await bench.github.write('feature/login', STAGING, text);
    expect(await call({ workflow: 'deploy-staging.yml', ref: 'feature/login' })).toMatchObject({
      status: 'approval_required',
    });
    await bench.github.write('feature/login', STAGING, text.replace('production', 'dev'));
    expect(await call({ workflow: 'deploy-staging.yml', ref: 'feature/login' })).toMatchObject({ status: 'done' });
  });

  test('a local reusable workflow’s environment counts, and its content is bound', async () => {
    await bench.github.write(
      'feature/login',
      '.github/workflows/called.yml',
      'on: workflow_call\njobs: { a: { environment: prod-eu } }',
    );
    await bench.github.write(
      'feature/login',
      STAGING,
      'on: workflow_dispatch\njobs: { a: { uses: ./.github/workflows/called.yml } }',
    );
    const { envelope } = await bench.call('gh-workflow-run', {
      workflow: 'deploy-staging.yml',
      ref: 'feature/login',
      dryRun: true,
    });
    expect(JSON.stringify(envelope)).toContain('prod-eu');
    expect(await call({ workflow: 'deploy-staging.yml', ref: 'feature/login' })).toMatchObject({
      status: 'approval_required',
    });
  });
});

describe('I2 what moved since', () => {
  const approveAfter = async (change: () => Promise<unknown>) => {
    const { approval } = await call(production);
    await change();
    const { id = '', digest = '' } = approval ?? {};
    await bench.services.approvals.decide(
      bench.approvers.sign({ id, digest, decision: 'approve', approver: 'alice', at: Date.now(), reason: 'because' }),
    );
    return (await bench.call('approval', { action: 'run', id })).envelope;
  };

  test('a commit on the branch makes it stale, and nothing is sent', async () => {
    const envelope = await approveAfter(() => bench.github.write('main', 'README.md', 'changed'));
    expect(envelope).toMatchObject({ status: 'stale', error: { changes: [{ what: 'the commit of branch main' }] } });
    expect(bench.changes().filter((change) => change.startsWith('POST'))).toEqual([]);
  });

  test('a workflow disabled since is not started', async () => {
    const envelope = await approveAfter(() => bench.github.api('PUT', '/repos/acme/shop/actions/workflows/3/disable'));
    expect(envelope.status).not.toBe('done');
    expect(bench.changes().filter((change) => change.startsWith('POST'))).toEqual([]);
  });

  test('a branch that moves in the last moment is told', async () => {
    const { sha } = await result({ ...staging, follow: false });
    bench.github.onDispatch.call = async () => {
      const [, run] = bench.github.store.workflowRuns.all();
      if (run) bench.github.store.workflowRuns.update(run.id, { head_sha: 'f'.repeat(40) });
    };
    expect(await result(staging)).toMatchObject({
      sha: 'f'.repeat(40),
      warnings: [`staging moved in between: it runs at ${'f'.repeat(40)}, not at ${String(sha)}.`],
    });
  });
});

describe('E1 refusals before anything is sent', () => {
  test('all that is wrong with the inputs at once', async () => {
    const { error } = await call({
      ...staging,
      inputs: { versoin: '1', replicas: 'many', migrate: 'yes', size: 'huge' },
    });
    expect(error).toMatchObject({ code: 'invalid_input' });
    for (const part of [
      'there is no input "versoin" (version?)',
      'replicas is no number: "many"',
      'migrate is "yes", not true or false',
      'size is "huge", not one of small, large',
      'version is required',
    ])
      expect(error?.reason).toContain(part);
    expect(error?.hint).toContain('size (small|large, default "small")');
    expect(bench.changes()).toEqual([]);
  });

  test('a workflow that cannot be dispatched says which can', async () => {
    expect(await call({ workflow: 'ci.yml', ref: 'feature/login' })).toMatchObject({
      status: 'error',
      error: {
        code: 'invalid_input',
        reason: '.github/workflows/ci.yml has no workflow_dispatch at feature/login, so it cannot be started by hand.',
        hint: 'At feature/login these can be started: deploy-production.yml, deploy-staging.yml.',
      },
    });
  });

  test('names that are not there', async () => {
    expect(await call({ ...staging, workflow: 'deploy-stagin.yml' })).toMatchObject({
      error: { code: 'not_found', hint: expect.stringContaining('deploy-staging.yml') },
    });
    expect(await call({ ...staging, ref: 'nope' })).toMatchObject({
      error: { code: 'not_found', reason: 'acme/shop has no branch or tag "nope".' },
    });
    expect(await call({ ...staging, repository: 'acme/nope' })).toMatchObject({ error: { code: 'not_found' } });
    expect(await call({ ...staging, repository: '../x' })).toMatchObject({ error: { code: 'invalid_input' } });
    expect(await call({ ...staging, repository: 'a/..' })).toMatchObject({ error: { code: 'invalid_input' } });
  });

  test('without a repository it says so', async () => {
    const { facts } = bench.services;
    bench.services.facts = { ...facts, github: {} };
    expect(await call(staging)).toMatchObject({
      error: { code: 'invalid_input', hint: expect.stringContaining('owner/name') },
    });
  });

  test('a branch and a tag of one name', async () => {
    await bench.github.api('POST', '/repos/acme/shop/git/refs', {
      ref: 'refs/tags/staging',
      sha: await bench.github.sha('main'),
    });
    expect(await call(staging)).toMatchObject({
      error: { code: 'invalid_input', reason: 'acme/shop has a branch and a tag "staging".' },
    });
  });

  test('a tag alone will do', async () => {
    await bench.github.api('POST', '/repos/acme/shop/git/refs', {
      ref: 'refs/tags/staging-1',
      sha: await bench.github.sha('main'),
    });
    expect(await result({ ...staging, ref: 'staging-1' })).toMatchObject({ ref: 'staging-1', conclusion: 'success' });
  });
});

describe('I4 what people see of a held dispatch', () => {
  test('commit, inputs, the commits since the last successful run, and what is risky', async () => {
    const { envelope } = await bench.approveAndRun('gh-workflow-run', production);
    expect(envelope).toMatchObject({ result: { conclusion: 'success' } });
    await bench.github.write('main', 'notes.txt', 'one');
    const sha = await bench.github.write('main', 'other.txt', 'two');
    bench.github.failAt('.github/workflows/deploy-production.yml', 'Roll out', ['no']);
    await bench.approveAndRun('gh-workflow-run', production);

    const held = await call({ ...production, inputs: { version: '1.3\u202e' } });
    const { plan } = await bench.services.approvals.find(held.approval?.id ?? '');
    const { parts = [] } = plan.preview;
    const rows = Object.fromEntries(parts.flatMap((part) => (part.kind === 'facts' ? part.rows : [])));
    expect(rows).toMatchObject({
      at: `main, commit ${sha}`,
      'input version': '«1.3\\u{202e}»',
      'last success': expect.stringMatching(/^run 1 \(deploy-production at main\) at [0-9a-f]{7}, /),
      commits: '2 more',
      'their titles': expect.stringMatching(/^«\w{7} Write other\.txt \(ann\)»\n«\w{7} Write notes\.txt \(ann\)»$/),
      files: '«notes.txt», «other.txt»',
    });
    const risks = parts.flatMap((part) => (part.kind === 'risks' ? part.items : [])).join('\n');
    expect(risks).toContain('follows a run of this workflow that did not succeed: run 2');
    expect(risks).not.toContain('first time');
    expect(parts.at(-1)).toMatchObject({ kind: 'undo', text: expect.stringContaining('rerun repeats it') });
  });

  test('what GitHub does not tell is unknown, and the request is there', async () => {
    bench.services.ports.github.runs.list = () => Promise.reject(new Error('down'));
    const held = await call(production);
    const { plan } = await bench.services.approvals.find(held.approval?.id ?? '');
    expect(plan.preview.parts).toContainEqual({
      kind: 'facts',
      title: 'Against what the last successful run had',
      rows: [['last runs', 'unknown: it could not be found out']],
    });
  });
});
