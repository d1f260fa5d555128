import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { mergeGate } from '../../../src/adapters/github/merge-gate.ts';
import { checksOf, decidingReviews } from '../../../src/adapters/github/pull-view.ts';
import type { PullView, RawReview, RawRun, Review } from '../../../src/adapters/github/pull-view.ts';

const HEAD = 'a'.repeat(40);
const OLD = 'b'.repeat(40);
const bob: Review = { by: 'bob', state: 'approved', commit: HEAD, byAuthor: false, person: true, writes: true };
const good: PullView = {
  number: 7,
  title: 'Add a login',
  author: 'ann',
  head: 'feature/login',
  base: 'main',
  state: 'open',
  draft: false,
  url: 'https://github.com/acme/shop/pull/7',
  sha: HEAD,
  mergeable: true,
  mergeState: 'clean',
  changedFiles: 1,
  reviews: [bob],
  checks: [{ name: 'test', outcome: 'green' }],
};
const missing = (more: Partial<PullView>) => mergeGate({ ...good, ...more }).missing.map(({ what }) => what);

describe('E2 the gate before a merge', () => {
  test('opens for an approving review and green checks, skipped ones beside them', () => {
    expect(mergeGate(good)).toEqual({ ok: true, missing: [] });
    expect(missing({ checks: [...good.checks, { name: 'docs', outcome: 'neutral' }] })).toEqual([]);
    for (const mergeState of ['unstable', 'has_hooks']) expect(missing({ mergeState })).toEqual([]);
  });

  test('approvals that do not count, each with why', () => {
    const none = 'no approving review of its head commit aaaaaaa';
    expect(missing({ reviews: [] })).toEqual([none]);
    const against: [Partial<Review>, string][] = [
      [{ commit: OLD }, 'bob approved the older commit bbbbbbb'],
      [{ byAuthor: true }, 'bob is the author'],
      [{ person: false }, 'bob is no person'],
      [{ writes: false }, 'bob may not write to the repository'],
      [{ writes: null }, 'whether bob may write to the repository GitHub does not tell'],
    ];
    for (const [more, why] of against)
      expect(missing({ reviews: [{ ...bob, ...more }] })).toEqual([`${none} (${why})`]);
    expect(missing({ reviews: [{ ...bob, state: 'dismissed' }] })).toEqual([none]);
  });

  test('changes requested, of whatever commit, unless by somebody who may not write', () => {
    const carol: Review = { ...bob, by: 'carol', state: 'changes_requested', commit: OLD };
    for (const writes of [true, null])
      expect(missing({ reviews: [bob, { ...carol, writes }] })).toEqual(['changes requested by carol']);
    expect(missing({ reviews: [bob, { ...carol, writes: false }] })).toEqual([]);
    expect(missing({ reviews: [bob, { ...carol, state: 'dismissed' }] })).toEqual([]);
  });

  test('checks: none, only skipped, pending, red', () => {
    const none = 'no check has succeeded on its head commit aaaaaaa';
    expect(missing({ checks: [] })).toEqual([none]);
    expect(missing({ checks: [{ name: 'x', outcome: 'neutral' }] })).toEqual([`${none} (all were skipped)`]);
    expect(missing({ checks: [...good.checks, { name: 'e2e', outcome: 'pending' }] })).toEqual([
      'checks not done: e2e',
    ]);
    const red = Array.from({ length: 7 }, (_, index) => ({ name: `c${index}`, outcome: 'red' as const }));
    expect(missing({ checks: red })).toEqual(['checks not green: c0, c1, c2, c3, c4 and 2 more']);
  });

  test('draft, closed, merged, conflicts, not worked out yet, behind, blocked, and words that nobody knows', () => {
    expect(missing({ draft: true, mergeState: 'draft' })).toEqual(['it is a draft']);
    expect(missing({ state: 'closed', reviews: [] })).toEqual(['it is closed']);
    expect(missing({ state: 'merged' })).toEqual(['it is merged already']);
    for (const more of [{ mergeable: false }, { mergeState: 'dirty' }])
      expect(missing(more)).toEqual(['it has conflicts with main']);
    for (const more of [{ mergeable: null }, { mergeState: 'unknown' }])
      expect(missing(more)).toEqual(['GitHub has not worked out yet whether it can be merged']);
    expect(missing({ mergeState: 'behind' })).toEqual(['it is behind main, which the rules of main forbid']);
    expect(missing({ mergeState: 'blocked' })).toEqual(['the rules of main on GitHub are not met']);
    expect(missing({ mergeState: 'new-word' })).toEqual(['GitHub’s word for its state is "new-word"']);
  });

  test('whatever the rest is, it never opens without each of its conditions', () => {
    const review = fc.record({
      by: fc.constantFrom('ann', 'bob', 'carol'),
      state: fc.constantFrom('approved' as const, 'changes_requested' as const, 'dismissed' as const),
      commit: fc.constantFrom(HEAD, OLD),
      byAuthor: fc.boolean(),
      person: fc.boolean(),
      writes: fc.constantFrom(true, false, null),
    });
    const view = fc.record({
      state: fc.constantFrom('open' as const, 'closed' as const, 'merged' as const),
      draft: fc.boolean(),
      mergeable: fc.constantFrom(true, false, null),
      mergeState: fc.constantFrom('clean', 'unstable', 'dirty', 'blocked', 'behind', 'unknown', 'draft'),
      reviews: fc.array(review, { maxLength: 3 }),
      checks: fc.array(
        fc.record({
          name: fc.constant('c'),
          outcome: fc.constantFrom('green' as const, 'neutral' as const, 'pending' as const, 'red' as const),
        }),
        { maxLength: 3 },
      ),
    });
    const likely = fc.record({
      state: fc.constant('open' as const),
      draft: fc.constant(false),
      mergeable: fc.constant(true),
      mergeState: fc.constant('clean'),
      reviews: fc.array(review, { minLength: 1, maxLength: 2 }),
      checks: fc.array(fc.constant({ name: 'c', outcome: 'green' as const }), { minLength: 1, maxLength: 2 }),
    });
    let opened = 0;
    fc.assert(
      fc.property(fc.oneof(view, likely), (more) => {
        const pull: PullView = { ...good, ...more };
        const { ok } = mergeGate(pull);
        const approved = pull.reviews.some(
          (each) =>
            each.state === 'approved' && each.commit === HEAD && each.person && !each.byAuthor && each.writes === true,
        );
        const refused = pull.reviews.some((each) => each.state === 'changes_requested' && each.writes !== false);
        const green = pull.checks.some(({ outcome }) => outcome === 'green');
        const bad = pull.checks.some(({ outcome }) => outcome === 'red' || outcome === 'pending');
        const open = pull.state === 'open' && !pull.draft && pull.mergeable === true;
        const fine = ['clean', 'unstable'].includes(pull.mergeState);
        expect(ok).toBe(open && fine && approved && !refused && green && !bad);
        if (ok) opened += 1;
      }),
      { numRuns: 500 },
    );
    expect(opened).toBeGreaterThan(0);
  });
});

describe('E2 what GitHub says, as reviews and checks', () => {
  const user = (login: string, id: number, type = 'User') => ({ login, id, type }) as NonNullable<RawReview['user']>;
  const review = (id: number, state: string, by: RawReview['user'], at = '2026-01-01T00:00:00Z'): RawReview => ({
    id,
    state,
    user: by,
    commit_id: HEAD,
    submitted_at: at,
  });

  test('of each reviewer the last review that decides; a later comment changes nothing', () => {
    const [ann, robert, app] = [user('ann', 1), user('bob', 2), user('checker[bot]', 3, 'Bot')];
    const found = decidingReviews(
      [
        review(9, 'CHANGES_REQUESTED', robert, '2026-01-02T00:00:00Z'),
        review(1, 'APPROVED', robert),
        review(10, 'COMMENTED', robert, '2026-01-03T00:00:00Z'),
        review(11, 'PENDING', robert, '2026-01-03T00:00:00Z'),
        review(2, 'APPROVED', ann),
        review(3, 'APPROVED', app),
        review(4, 'APPROVED', null),
        review(5, 'CHANGES_REQUESTED', null),
      ],
      1,
    );
    expect(found.map(({ by, state, byAuthor, person }) => [by, state, byAuthor, person])).toEqual([
      ['bob', 'changes_requested', false, true],
      ['ann', 'approved', true, true],
      ['checker[bot]', 'approved', false, false],
      ['ghost', 'approved', false, false],
      ['ghost', 'changes_requested', false, false],
    ]);
    expect(decidingReviews([review(1, 'APPROVED', robert), review(2, 'DISMISSED', robert)], 1)[0]?.state).toBe(
      'dismissed',
    );
  });

  const run = (id: number, name: string, conclusion: RawRun['conclusion'], more: Partial<RawRun> = {}): RawRun => ({
    id,
    name,
    status: conclusion === null ? 'in_progress' : 'completed',
    conclusion,
    app: { slug: 'github-actions' } as RawRun['app'],
    check_suite: { id: 1 },
    ...more,
  });
  const outcomes = (runs: RawRun[], statuses: { context: string; state: string }[] = []) =>
    checksOf(runs, statuses, (text) => text).map(({ name, outcome }) => `${name} ${outcome}`);

  test('every conclusion and state', () => {
    const conclusions = [
      'success',
      'neutral',
      'skipped',
      'failure',
      'cancelled',
      'timed_out',
      'action_required',
    ] as const;
    expect(outcomes(conclusions.map((conclusion, index) => run(index, conclusion, conclusion)))).toEqual([
      'action_required red',
      'cancelled red',
      'failure red',
      'neutral neutral',
      'skipped neutral',
      'success green',
      'timed_out red',
    ]);
    expect(outcomes([run(1, 'a', null), run(2, 'b', 'success', { status: 'queued' })])).toEqual([
      'a pending',
      'b pending',
    ]);
    expect(outcomes([run(1, 'new', 'startup_failure' as RawRun['conclusion'])])).toEqual(['new red']);
    const states = ['success', 'pending', 'failure', 'error'].map((state) => ({ context: state, state }));
    expect(outcomes([], states)).toEqual(['error red', 'failure red', 'pending pending', 'success green']);
  });

  test('the latest of one name; another app’s, another suite’s failure and a status of that name are checks of their own', () => {
    const other = { check_suite: { id: 2 } as RawRun['check_suite'] };
    expect(outcomes([run(1, 'test', 'failure'), run(2, 'test', 'success')])).toEqual(['test green']);
    expect(outcomes([run(2, 'test', 'failure'), run(1, 'test', 'success')])).toEqual(['test red']);
    expect(outcomes([run(1, 'test', 'failure'), run(2, 'test', 'success', other)])).toEqual(['test red']);
    expect(outcomes([run(1, 'test', 'cancelled'), run(2, 'test', 'success', other)])).toEqual(['test green']);
    expect(outcomes([run(1, 'test', 'failure', { app: null }), run(2, 'test', 'success')])).toEqual([
      'test green',
      'test red',
    ]);
    expect(outcomes([run(1, 'test', 'success')], [{ context: 'test', state: 'error' }])).toEqual([
      'test green',
      'test red',
    ]);
  });
});
