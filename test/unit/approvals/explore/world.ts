import type { State } from '../../../../src/approvals/states.ts';

/** Lengths in ticks. A claim can lapse and be made again before the time to run is over; the clock goes back further than that. */
export const APPROVE_WITHIN = 1;
export const RUN_WITHIN = 2;
export const LEASE = 1;
export const BACK = 3;
/** Before this moment nothing differs: no process ever counts so early a time. */
const LONG_AGO = -BACK - 1;

/** What a server process believes to hold. `current`: no later claim has been given. */
export interface Held {
  readonly current: boolean;
  readonly phase: 'claimed' | 'acting' | 'ran';
  /** What nobody but the observer knows: why this claim should not have been given. */
  readonly flaw?: string;
}

interface Process {
  /** The latest time it has told, going on since. */
  readonly time: number;
  readonly held?: Held;
}

/**
 * One request, the two servers, the two approvers and the clock. Times are in ticks from now as steady clocks count it, so
 * that worlds which differ in the date alone are one.
 */
export interface World {
  readonly needed: number;
  readonly state: State;
  readonly approveBy: number;
  readonly runBy: number | null;
  readonly lease: number | null;
  /** When each approver signed the approval that is stored. */
  readonly given: readonly [number | null, number | null];
  readonly registered: readonly [boolean, boolean];
  /** The latest time that anything was done at. */
  readonly kept: number;
  /** How far the machine's clock has been set back. */
  readonly back: number;
  readonly servers: readonly [Process, Process];
  /** For the observer: how often the plan's effect has happened, which of the stored approvals nobody signed, what was said to be over. */
  readonly effects: number;
  readonly forged: boolean;
  readonly over: readonly State[];
}

export function firstWorld(needed: number): World {
  return {
    needed,
    state: 'pending',
    approveBy: APPROVE_WITHIN,
    runBy: null,
    lease: null,
    given: [null, null],
    registered: [true, true],
    kept: 0,
    back: 0,
    servers: [{ time: 0 }, { time: 0 }],
    effects: 0,
    forged: false,
    over: [],
  };
}

export const FINAL: ReadonlySet<State> = new Set([
  'denied',
  'expired',
  'cancelled',
  'stale',
  'revoked',
  'done',
  'failed',
]);

/** One tick later: every moment is further back. */
export function later(world: World): World {
  const sooner = (time: number | null) => (time === null ? null : time - 1);
  return {
    ...world,
    approveBy: world.approveBy - 1,
    runBy: sooner(world.runBy),
    lease: sooner(world.lease),
    given: [sooner(world.given[0]), sooner(world.given[1])],
    kept: world.kept - 1,
  };
}

/**
 * The same world without what can make no difference any more. What has begun to run needs no approvals; they are taken to
 * be good still, so that a mistake which runs it again is found at the worst of times.
 */
export function settled(world: World): World {
  const { state } = world;
  const ended = FINAL.has(state);
  const began = state === 'acting' || state === 'unknown';
  const clip = (time: number | null, least = LONG_AGO) => (time === null ? null : began ? 0 : Math.max(time, least));
  const given = (at: number | null) => (ended ? null : clip(at, LONG_AGO - RUN_WITHIN));
  return {
    ...world,
    approveBy: state === 'pending' ? Math.max(world.approveBy, LONG_AGO) : 0,
    runBy: ended ? null : clip(world.runBy),
    lease: state === 'claimed' || state === 'acting' ? Math.max(world.lease ?? LONG_AGO, LONG_AGO) : null,
    given: [given(world.given[0]), given(world.given[1])],
    registered: ended || began ? [true, true] : world.registered,
    kept: ended ? 0 : Math.max(world.kept, -BACK),
    back: ended ? 0 : world.back,
    servers: [settledProcess(world.servers[0], ended), settledProcess(world.servers[1], ended)],
    over: world.over.toSorted(),
  };
}

function settledProcess(process: Process, ended: boolean): Process {
  return ended ? { ...process, time: 0 } : process;
}

/** One text per world that differs. The two servers are alike, and so are the approvers: which is which makes no difference. */
export function keyOf(world: World): string {
  const servers = world.servers
    .map(({ time, held }) => (held ? `${time}${held.current ? '!' : '?'}${held.phase}${held.flaw ?? ''}` : `${time}`))
    .toSorted();
  const approvers = [`${world.given[0]}${world.registered[0]}`, `${world.given[1]}${world.registered[1]}`].toSorted();
  const { state, approveBy, runBy, lease, kept, back, effects, forged, over } = world;
  return [state, approveBy, runBy, lease, approvers, kept, back, effects, forged, over, servers].join('|');
}
