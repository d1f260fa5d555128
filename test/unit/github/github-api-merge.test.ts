import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { newPullsBench, type PullsBench } from './github-api-kit.ts';

let bench: PullsBench;
beforeEach(async () => {
  bench = await newPullsBench();
});
afterEach(() => bench.close());

const root = '/repos/acme/shop';
const merge = async (number: number, more: object = {}) =>
  (await bench.call('github-api', { action: 'pr-merge', number, ...more })).envelope;
const merges = () => bench.github.requests.filter(({ method, path }) => method === 'PUT' && path.endsWith('/merge'));

/** Denied with exactly this missing, nobody asked and nothing sent. */
async function expectDenied(number: number, ...missing: string[]): Promise<void> {
  const envelope = await merge(number);
  expect(envelope).toMatchObject({
    status: 'denied',
    error: { rule: 'merge-gate', reason: `Pull request ${number} may not be merged: ${missing.join('; ')}.` },
  });
  expect(envelope.error?.hint).toBeTruthy();
  expect(envelope.approval).toBeUndefined();
  expect(merges()).toEqual([]);
}

describe('E2 a merge is denied', () => {
  test('without a review', async () => {
    const { number, sha } = await bench.open();
    await bench.check(sha, 'test', 'success');
    await expectDenied(number, `no approving review of its head commit ${sha.slice(0, 7)}`);
  });

  test('when the approval is of an older commit', async () => {
    const { number, sha } = await bench.ready();
    const now = await bench.push('feature/login');
    await bench.check(now, 'test', 'success');
    const why = `(bob approved the older commit ${sha.slice(0, 7)})`;
    await expectDenied(number, `no approving review of its head commit ${now.slice(0, 7)} ${why}`);
  });

  test('when the author alone approved', async () => {
    const { number, sha } = await bench.open();
    await bench.review(number, 'APPROVE', bench.github.tokens.ann);
    await bench.check(sha, 'test', 'success');
    await expectDenied(number, `no approving review of its head commit ${sha.slice(0, 7)} (ann is the author)`);
  });

  test('when the reviewer may not write, or GitHub does not tell', async () => {
    const { number, sha } = await bench.ready();
    const none = `no approving review of its head commit ${sha.slice(0, 7)}`;
    bench.parts.permissions.set('bob', 'read');
    await expectDenied(number, `${none} (bob may not write to the repository)`);
    bench.parts.permissions.delete('bob');
    await expectDenied(number, `${none} (whether bob may write to the repository GitHub does not tell)`);
  });

  test('when changes are requested, also after an approval; not when that is dismissed and approved again', async () => {
    const { number, sha } = await bench.ready();
    const { id } = await bench.review(number, 'REQUEST_CHANGES');
    const none = `no approving review of its head commit ${sha.slice(0, 7)}`;
    await expectDenied(number, none, 'changes requested by bob');
    await bench.github.api('PUT', `${root}/pulls/${number}/reviews/${id}/dismissals`, { message: 'done' });
    await expectDenied(number, none);
    await bench.review(number, 'APPROVE');
    expect(await merge(number)).toMatchObject({ status: 'approval_required' });
  });

  test('with red, pending and absent checks, and red statuses', async () => {
    const { number, sha } = await bench.open();
    await bench.review(number, 'APPROVE');
    await expectDenied(number, `no check has succeeded on its head commit ${sha.slice(0, 7)}`);
    await bench.check(sha, 'test', null);
    await expectDenied(number, 'checks not done: test');
    await bench.check(sha, 'test', 'failure');
    await expectDenied(number, 'checks not green: test');
    await bench.check(sha, 'test', 'success');
    bench.parts.statuses.set(sha, [{ context: 'ci/jenkins', state: 'failure' }]);
    await expectDenied(number, 'checks not green: ci/jenkins');
    bench.parts.statuses.set(sha, [{ context: 'ci/jenkins', state: 'success' }]);
    expect(await merge(number)).toMatchObject({ status: 'approval_required' });
  });

  test('of a draft, of one in conflict or blocked by the branch’s rules, of a closed one', async () => {
    const { number } = await bench.ready();
    const says = (more: object) =>
      bench.parts.change.set(`GET ${root}/pulls/${number}`, (body) => ({ ...body, ...more }));
    says({ draft: true });
    await expectDenied(number, 'it is a draft');
    says({ mergeable: false, mergeable_state: 'dirty' });
    await expectDenied(number, 'it has conflicts with develop');
    says({ mergeable_state: 'blocked' });
    await expectDenied(number, 'the rules of develop on GitHub are not met');
    says({ mergeable: null, mergeable_state: 'unknown' });
    await expectDenied(number, 'GitHub has not worked out yet whether it can be merged');
    bench.parts.change.clear();
    await bench.github.api('PATCH', `${root}/pulls/${number}`, { state: 'closed' });
    await expectDenied(number, 'it is closed');
  });

  test('when reviews or checks cannot be read', async () => {
    const { number, sha } = await bench.ready();
    for (const path of [`/commits/${sha}/check-runs`, `/commits/${sha}/status`, `/pulls/${number}/reviews`]) {
      bench.parts.instead.set(`GET ${root}${path}`, () => Response.json({ message: 'Forbidden' }, { status: 403 }));
      expect(await merge(number), path).toMatchObject({ status: 'error', error: { code: 'upstream' } });
      bench.parts.instead.clear();
    }
    expect(merges()).toEqual([]);
  });
});

describe('E2 with review and checks a merge is held', () => {
  test('approved, it merges exactly once, at the commit that was approved', async () => {
    const { number, sha } = await bench.ready();
    const held = await merge(number, { method: 'squash' });
    expect(held).toMatchObject({
      status: 'approval_required',
      approval: {
        summary: `merge pull request ${number} of acme/shop (feature/login at ${sha.slice(0, 7)} → develop) by squash: Add a login`,
      },
    });
    expect(merges()).toEqual([]);
    const ran = (await bench.approveAndRun('github-api', { action: 'pr-merge', number, method: 'squash' })).envelope;
    expect(ran).toMatchObject({ status: 'done', result: { merged: await bench.github.sha('develop') } });
    expect(merges().map(({ body }) => JSON.parse(body) as unknown)).toEqual([{ sha, merge_method: 'squash' }]);
    const again = (await bench.call('approval', { action: 'run', id: held.approval?.id })).envelope;
    expect(again.status).not.toBe('done');
    await expect(merge(number)).resolves.toMatchObject({ status: 'denied' });
    expect(merges()).toHaveLength(1);
  });

  test('the person sees reviews, checks, the request, and what the merge starts', async () => {
    const ship =
      'on: { push: { branches: [develop] } }\njobs: { go: { runs-on: x, environment: staging, steps: [{ run: x }] } }\n';
    const onClosed = `on: { pull_request: { types: [closed] } }\njobs: { go: { runs-on: x, environment: production, steps: [{ run: x }] } }\n`;
    await bench.github.write('feature/login', '.github/workflows/ship.yml', ship);
    await bench.github.write('develop', '.github/workflows/closed.yml', onClosed);
    await bench.github.write('feature/login', '.github/workflows/docs.yml', ship.replace('develop', 'docs'));
    const { number, sha } = await bench.ready();
    const { plan, environment } = await request(await merge(number, { base: 'develop' }));
    const [report] = (plan.preview.parts ?? []).flatMap((part) => (part.kind === 'diff' ? [part.text] : []));
    expect(report?.split('\n')).toEqual([
      expect.stringMatching(`^#${number} feature/login → develop, open: Add a login \\(ann\\) http`),
      expect.stringContaining(sha),
      'reviews: bob approved',
      'checks: 1 green',
      'may be merged',
      'starts ci at develop of acme/shop',
      'starts ship at develop of acme/shop',
      'starts ship at develop of acme/shop (staging)',
      'starts closed at develop of acme/shop',
      'starts closed at develop of acme/shop (production)',
    ]);
    expect(plan.steps).toMatchObject([
      { call: { method: 'PUT', path: `${root}/pulls/${number}/merge`, body: { sha, merge_method: 'merge' } } },
    ]);
    expect(environment).toBe('production');
  });

  test('I4: the person sees the commits and the difference that come in, and how to revert them', async () => {
    const { number } = await bench.ready();
    const diff = '--- a/login.txt\n+++ b/login.txt\n@@ -1 +1 @@\n-1\n+2\n';
    bench.parts.instead.set(`GET ${root}/pulls/${number} (diff)`, () => new Response(diff));
    const { parts } = (await request(await merge(number))).plan.preview;
    expect(parts).toContainEqual({ kind: 'diff', title: 'The difference that it makes', text: diff });
    expect(parts).toContainEqual({
      kind: 'facts',
      title: 'What comes into develop',
      rows: [
        ['commits', '1 more'],
        ['their titles', expect.stringMatching(/^«[0-9a-f]{7} Write login\.txt \(ann\)»$/)],
        ['files', '«login.txt»'],
      ],
    });
    expect(parts?.at(-1)).toEqual({ kind: 'undo', text: expect.stringContaining('reverts it') });
  });

  test('a workflow that the head calls anew counts, though its caller is the same on both sides', async () => {
    const caller = 'on: push\njobs: { go: { uses: ./.github/workflows/deploy.yml } }\n';
    const called = (name: string) =>
      `on: workflow_call\njobs: { go: { runs-on: x, environment: ${name}, steps: [{ run: x }] } }\n`;
    for (const branch of ['develop', 'feature/login']) {
      // oxlint-disable no-await-in-loop -- one commit after the other
      await bench.github.write(branch, '.github/workflows/caller.yml', caller);
      await bench.github.write(
        branch,
        '.github/workflows/deploy.yml',
        called(branch === 'develop' ? 'dev' : 'production'),
      );
      // oxlint-enable no-await-in-loop
    }
    const { number } = await bench.ready();
    expect((await request(await merge(number, { base: 'develop' }))).environment).toBe('production');
  });

  test('a workflow file that cannot be read counts as production', async () => {
    await bench.github.write('feature/login', '.github/workflows/broken.yml', 'on: [push\n');
    const { number } = await bench.ready();
    expect((await request(await merge(number, { base: 'develop' }))).environment).toBe('production');
  });

  test('the base that is named counts, and must be the one it goes into', async () => {
    const { number } = await bench.ready();
    expect(await merge(number, { base: 'main' })).toMatchObject({
      error: { code: 'invalid_input', reason: `Pull request ${number} goes into develop, not into main.` },
    });
    expect((await request(await merge(number, { base: 'develop' }))).environment).toBe('development');
  });

  test('a method that the repository does not allow is refused; without one the first allowed is taken', async () => {
    const { number } = await bench.ready();
    bench.parts.change.set(`GET ${root}`, (body) => ({
      ...body,
      allow_merge_commit: false,
      allow_rebase_merge: false,
    }));
    expect(await merge(number, { method: 'rebase' })).toMatchObject({
      error: { code: 'invalid_input', hint: 'Its settings allow: squash.' },
    });
    expect((await merge(number)).approval?.summary).toContain(' by squash: ');
  });

  describe('what moved since makes it stale', () => {
    const heldAndApproved = async () => {
      const opened = await bench.ready();
      const { approval } = await merge(opened.number);
      const { id = '', digest = '' } = approval ?? {};
      const signed = { id, digest, decision: 'approve' as const, approver: 'alice', at: Date.now(), reason: 'yes' };
      await bench.services.approvals.decide(bench.approvers.sign(signed));
      return { ...opened, run: async () => (await bench.call('approval', { action: 'run', id })).envelope };
    };

    test('the head, also where the new one is reviewed and green', async () => {
      const { number, sha, run } = await heldAndApproved();
      const now = await bench.push('feature/login');
      await bench.review(number, 'APPROVE');
      await bench.check(now, 'test', 'success');
      const { status, error } = await run();
      expect(status).toBe('stale');
      expect(error?.changes).toContainEqual({ what: `the head commit of pull request ${number}`, was: sha, is: now });
      expect(merges()).toEqual([]);
    });

    test('a review that was taken back, a check that turned red, another base', async () => {
      const moves: ((number: number, sha: string) => Promise<unknown>)[] = [
        (number) => bench.review(number, 'REQUEST_CHANGES'),
        (_number, sha) => bench.check(sha, 'test', 'failure'),
        (number) => bench.github.api('PATCH', `${root}/pulls/${number}`, { base: 'main' }),
      ];
      for (const move of moves) {
        // oxlint-disable no-await-in-loop -- one after the other
        const { number, sha, run } = await heldAndApproved();
        await move(number, sha);
        expect(await run()).toMatchObject({ status: 'stale' });
        await bench.github.api('PATCH', `${root}/pulls/${number}`, { state: 'closed' });
        // oxlint-enable no-await-in-loop
      }
      expect(merges()).toEqual([]);
    });

    test('not the base alone: the merge goes on', async () => {
      const { run } = await heldAndApproved();
      await bench.github.write('develop', 'other.txt', 'x');
      expect(await run()).toMatchObject({ status: 'done' });
    });

    test('in the last moment GitHub itself holds to the approved commit: its 409 is stale, its 405 a conflict', async () => {
      const { number, run } = await heldAndApproved();
      const refuse = (status: number, message: string) =>
        bench.parts.instead.set(`PUT ${root}/pulls/${number}/merge`, () => Response.json({ message }, { status }));
      refuse(409, 'Head branch was modified. Review and try the merge again.');
      expect(await run()).toMatchObject({ status: 'stale', error: { changes: [{ is: 'another' }] } });
      refuse(405, 'At least 2 approving reviews are required.');
      const other = await bench.approveAndRun('github-api', { action: 'pr-merge', number });
      expect(other.envelope).toMatchObject({
        status: 'error',
        error: { code: 'conflict', reason: expect.stringContaining('At least 2 approving reviews') },
      });
    });
  });
});

async function request({ approval }: { approval?: { id: string } }) {
  return bench.services.approvals.find(approval?.id ?? '');
}
