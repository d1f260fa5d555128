import type { State } from '../../../../src/approvals/states.ts';
import type { Held, World } from './world.ts';

/** A decision as it reaches the store. */
export interface Decision {
  approver: 0 | 1;
  /** When it says that it was signed. */
  at: number;
  /** Whether the registered key signed it. */
  genuine: boolean;
}

/** The rules that a mistake could be made in, each as DESIGN §6 has it. */
export interface Rules {
  /** The time that a process goes by. */
  now: (world: World, told: number) => number;
  /** Where time alone moves a request. */
  due: (world: World, now: number) => State | undefined;
  /** Why an approval does not count, or undefined where it does. */
  refuses: (world: World, decision: Decision) => string | undefined;
  /** Whether the approvals that count are enough. */
  approved: (world: World) => boolean;
  afterDenial: State;
  /** States that `revoke` accepts, and whether it then moves the request. */
  revokes: ReadonlySet<State>;
  revokeMoves: boolean;
  /** States that a claim is given in. */
  claims: ReadonlySet<State>;
  /** Whether a claim looks at who is an approver now, and at the signed time to run. */
  claimChecks: { standing: boolean; runBy: boolean; asker: boolean };
  /** States in which a claim's holder may act, give back, and settle. */
  acts: ReadonlySet<State>;
  givesBack: ReadonlySet<State>;
  settles: ReadonlySet<State>;
  /** Whether a holder's claim is compared with the last one given. */
  holds: (held: Held, what: 'act' | 'settle' | 'other') => boolean;
  /** Whether the effect waits for `acting` to be on disk. */
  effectWaits: boolean;
}

const set = (...states: State[]): ReadonlySet<State> => new Set(states);

export const DESIGN: Rules = {
  now: ({ kept, back }, told) => Math.max(-back, kept, told),
  due({ state, approveBy, runBy, lease }, now) {
    if (state === 'pending' && now > approveBy) return 'expired';
    if (state === 'approved' && now > (runBy ?? -Infinity)) return 'expired';
    if (state === 'claimed' && now > (lease ?? -Infinity)) return 'approved';
    if (state === 'acting' && now > (lease ?? -Infinity)) return 'unknown';
    return undefined;
  },
  refuses({ registered, given, approveBy, state }, { approver, at, genuine }) {
    if (!registered[approver]) return 'no approver';
    if (state !== 'pending') return 'not pending';
    if (!genuine) return 'not signed by the registered key';
    if (at > approveBy) return 'signed too late';
    return given[approver] === null ? undefined : 'approved already';
  },
  approved: (world) => counted(world).length >= world.needed,
  afterDenial: 'denied',
  revokes: set('approved'),
  revokeMoves: true,
  claims: set('approved'),
  claimChecks: { standing: true, runBy: true, asker: true },
  acts: set('claimed'),
  givesBack: set('claimed'),
  settles: set('acting', 'unknown'),
  holds: ({ current }) => current,
  effectWaits: true,
};

/** When the approvals were signed that count now: of approvers who are registered still. */
export function counted({ given, registered }: World): number[] {
  return given.filter((at, index): at is number => at !== null && registered[index] === true);
}
