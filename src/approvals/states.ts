/** Every state of an approval request and where it may go from there. */
const MOVES = {
  pending: ['approved', 'denied', 'expired', 'cancelled'],
  approved: ['claimed', 'revoked', 'expired'],
  claimed: ['acting', 'stale', 'approved'],
  acting: ['done', 'failed', 'unknown'],
  /** Left only by the late result of the run itself, or by a person's `resolve`. */
  unknown: ['done', 'failed'],
  denied: [],
  expired: [],
  cancelled: [],
  stale: [],
  revoked: [],
  done: [],
  failed: [],
} as const satisfies Record<string, readonly string[]>;

export type State = keyof typeof MOVES;

export const STATES = Object.keys(MOVES) as State[];

/** States in which repeating the held call gives the same request. */
export const OPEN_STATES = ['pending', 'approved', 'claimed', 'acting'] as const satisfies readonly State[];

export function mayMove(from: State, to: State): boolean {
  return (MOVES[from] as readonly State[]).includes(to);
}

/** What time alone decides about a request. Times are milliseconds; limits are the last moment that is still in time. */
export interface Deadlines {
  state: State;
  approveBy: number;
  runBy: number | undefined;
  leaseUntil: number | undefined;
}

/** The state that time moves a request to, or undefined while it stays. A lease that ran out may have led past `runBy` too. */
export function dueState({ state, approveBy, runBy, leaseUntil }: Deadlines, now: number): State | undefined {
  if (state === 'pending' && now > approveBy) return 'expired';
  if (state === 'approved' && (runBy === undefined || now > runBy)) return 'expired';
  if (state === 'claimed' && (leaseUntil === undefined || now > leaseUntil)) return 'approved';
  if (state === 'acting' && (leaseUntil === undefined || now > leaseUntil)) return 'unknown';
  return undefined;
}
