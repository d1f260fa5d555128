import type { State } from '../../../../src/approvals/states.ts';
import { DESIGN, type Rules } from './rules.ts';

/** A mistake that somebody could make in the state machine, and what the exploration must say of it. */
export interface Mistake {
  mistake: string;
  /** How many approvals the request needs, where one is not enough to make the mistake. */
  needed?: 2;
  says: string;
  rules: Partial<Rules>;
}

const { due, refuses, claimChecks } = DESIGN;
const states = (...all: State[]): ReadonlySet<State> => new Set(all);

export const MISTAKES: readonly Mistake[] = [
  {
    mistake: 'nothing looks at the time to run',
    says: 'it ran, though its time to run was over',
    rules: {
      due: (world, now) => (world.state === 'approved' ? undefined : due(world, now)),
      claimChecks: { ...claimChecks, runBy: false },
    },
  },
  {
    mistake: 'the clock is believed when it was set back',
    says: 'it ran, though its time to run was over',
    rules: { now: ({ back }) => -back },
  },
  {
    mistake: 'a new process does not read what time was kept',
    says: 'it ran, though its time to run was over',
    rules: { now: ({ back }, told) => Math.max(-back, told) },
  },
  {
    mistake: 'the lease of a run that acts gives it back',
    says: 'how the run ended was lost',
    rules: { due: (world, now) => (due(world, now) === 'unknown' ? 'approved' : due(world, now)) },
  },
  {
    mistake: 'a claim whose lease ran out stays claimed',
    says: 'nothing can end it any more: it is lost',
    rules: { due: (world, now) => (world.state === 'claimed' ? undefined : due(world, now)) },
  },
  {
    mistake: 'an approval is not verified',
    says: 'it ran, though nobody signed it',
    rules: { refuses: (world, decision) => refuses(world, { ...decision, genuine: true }) },
  },
  {
    mistake: 'what an approver said who was removed counts',
    needed: 2,
    says: 'it ran, though too few approvers stand by it',
    rules: {
      approved: ({ given, needed }) => given.filter((at) => at !== null).length >= needed,
    },
  },
  {
    mistake: 'a claim believes the row and looks at no approver',
    needed: 2,
    says: 'it ran, though too few approvers stand by it',
    rules: { claimChecks: { ...claimChecks, standing: false } },
  },
  {
    mistake: 'a denial is only one voice',
    says: 'it ran, though somebody was told that it was denied',
    rules: { afterDenial: 'pending' },
  },
  {
    mistake: 'what was denied can be approved',
    says: 'it was denied, and that was not the end',
    rules: {
      refuses: (world, decision) =>
        refuses(world.state === 'denied' ? { ...world, state: 'pending' } : world, decision),
    },
  },
  {
    mistake: 'revoking after the claim says that it was done',
    says: 'it ran, though somebody was told that it was revoked',
    rules: { revokes: states('approved', 'claimed') },
  },
  {
    mistake: 'revoking says so and leaves the row as it is',
    says: 'it ran, though somebody was told that it was revoked',
    rules: { revokeMoves: false },
  },
  {
    mistake: 'two claims in one state',
    says: 'two claims at a time',
    rules: { claims: states('approved', 'claimed') },
  },
  {
    mistake: 'an old claim may act: its fence is not compared',
    says: 'it ran, though another holds the claim',
    rules: { holds: ({ current }, what) => what === 'act' || current },
  },
  {
    mistake: 'an old claim may settle: its fence is not compared',
    says: 'a claim that was given anew said how the run ended',
    rules: { holds: ({ current }, what) => what === 'settle' || current },
  },
  {
    mistake: 'what is unknown is tried again',
    says: 'it ran, though somebody was told that it was stale',
    rules: { claims: states('approved', 'unknown') },
  },
  {
    mistake: 'the late result of a run is refused',
    says: 'how the run ended was lost',
    rules: { settles: states('acting') },
  },
  {
    mistake: 'a run that began can be given back',
    says: 'it ran twice',
    rules: { givesBack: states('claimed', 'acting') },
  },
  {
    mistake: 'the effect does not wait until acting is on disk',
    says: 'it ran, though somebody was told that it was revoked',
    rules: { effectWaits: false },
  },
  {
    mistake: 'another principal may run it',
    says: 'it ran, though it was not the one who asked',
    rules: { claimChecks: { ...claimChecks, asker: false } },
  },
];
