import { expect } from 'vitest';

import type { Claim } from '../../../src/approvals/request.ts';
import type { State } from '../../../src/approvals/states.ts';
import { AGENT, holdOf, LIMITS, MINUTE, TERMS, type Server, type World } from './kit.ts';

/** What the test itself knows of one request, from what it did and nothing else. */
interface Known {
  id: string;
  name: string;
  needed: number;
  approveBy: number;
  approvers: Set<string>;
  runBy: number;
  state: State;
  leaseUntil: number;
  fence: number;
}

interface Holder {
  claim: Claim;
  known: Known;
  server: number;
}

export interface Walk {
  here: World;
  servers: Server[];
  all: Known[];
  holders: Holder[];
}

/** One act: on which server, on which request or claim, by which approver, at what time as that server counts it. */
interface Turn {
  walk: Walk;
  at: number;
  server: Server;
  approver: string;
  pick: number;
  now: number;
}

export const limits = { refuseAfterDenial: 0, pendingPerPrincipal: 1000, requestsPerMinute: 1000 };
const STRANGER = { ...AGENT, client: 'another' };
const OPEN: readonly State[] = ['pending', 'approved', 'claimed', 'acting'];
const REFUSED = expect.objectContaining({ name: 'HoldpointError' });

/** What time does to a request when somebody touches it, told from the design alone. */
function age(known: Known, now: number): void {
  if (known.state === 'pending' && now > known.approveBy) known.state = 'expired';
  if (known.state === 'claimed' && now > known.leaseUntil) known.state = 'approved';
  if (known.state === 'approved' && now > known.runBy) known.state = 'expired';
  if (known.state === 'acting' && now > known.leaseUntil) known.state = 'unknown';
}

/** Does what the model says can be done, and expects a refusal where it cannot. */
async function attempt<T>(may: boolean, what: () => Promise<T>, then: (value: T) => void): Promise<void> {
  if (may) then(await what());
  else await expect(what()).rejects.toEqual(REFUSED);
}

function openOf({ all }: Walk, name: string): Known | undefined {
  return all.find((known) => known.name === name && OPEN.includes(known.state));
}

function request(needed: number) {
  return async ({ walk, server, pick, now }: Turn) => {
    const name = `for ${needed}, ${pick % 2}`;
    const asked = await server.approvals.request(holdOf(name, { terms: { approvals: needed } }));
    for (const known of walk.all) if (known.name === name) age(known, now);
    const old = walk.all.find(({ id }) => id === asked.id);
    const open = openOf(walk, name);
    expect(old, 'the same call is the same request for as long as that is open').toBe(open);
    if (old) return;
    const times = { approveBy: now + TERMS.approveWithin, runBy: 0, leaseUntil: 0 };
    walk.all.push({ id: asked.id, name, needed, ...times, approvers: new Set(), state: 'pending', fence: 0 });
  };
}

/** An act on one request. */
function on(act: (known: Known, turn: Turn) => Promise<void>) {
  return async (turn: Turn) => {
    const known = turn.walk.all[turn.pick % Math.max(1, turn.walk.all.length)];
    if (!known) return;
    age(known, turn.now);
    await act(known, turn);
  };
}

/** An act by one that got a claim, who need not hold it any more. */
function by(
  from: readonly State[],
  act: (server: Server, claim: Claim) => Promise<unknown>,
  then: (known: Known, now: number) => void,
) {
  return async ({ walk, at, server, pick, now }: Turn) => {
    const mine = walk.holders.filter((holder) => holder.server === at);
    const holder = mine[pick % Math.max(1, mine.length)];
    if (!holder) return;
    const { claim, known } = holder;
    age(known, now);
    await attempt(
      from.includes(known.state) && claim.fence === known.fence,
      () => act(server, claim),
      () => then(known, now),
    );
  };
}

/** Everything that can be done to requests, each with what the design says must come of it. */
export const ACTS: Record<string, (turn: Turn) => Promise<void>> = {
  request: request(1),
  'request for two': request(2),
  approve: on((known, { server, approver, now }) =>
    attempt(
      known.state === 'pending' && !known.approvers.has(approver),
      async () => server.decide(await server.approvals.find(known.id), approver),
      () => {
        known.approvers.add(approver);
        if (known.approvers.size === known.needed) [known.state, known.runBy] = ['approved', now + TERMS.runWithin];
      },
    ),
  ),
  deny: on((known, { server, approver }) =>
    attempt(
      known.state === 'pending',
      async () => server.decide(await server.approvals.find(known.id), approver, 'deny'),
      () => (known.state = 'denied'),
    ),
  ),
  revoke: on((known, { server }) =>
    attempt(
      known.state === 'approved',
      () => server.approvals.revoke(known.id, 'ann', ''),
      () => (known.state = 'revoked'),
    ),
  ),
  cancel: on((known, { server }) =>
    attempt(
      known.state === 'pending' || known.state === 'approved',
      () => server.approvals.cancel(known.id, AGENT),
      () => (known.state = known.state === 'pending' ? 'cancelled' : 'revoked'),
    ),
  ),
  claim: on((known, { walk, at, server, now }) =>
    attempt(
      known.state === 'approved',
      () => server.approvals.claim(known.id, AGENT, 'the same owner everywhere'),
      (claim) => {
        [known.state, known.leaseUntil, known.fence] = ['claimed', now + LIMITS.lease, known.fence + 1];
        walk.holders.push({ claim, known, server: at });
      },
    ),
  ),
  resolve: on((known, { server }) =>
    attempt(
      known.state === 'unknown',
      () => server.approvals.resolve(known.id, 'done', 'ann', ''),
      () => (known.state = 'done'),
    ),
  ),
  act: by(
    ['claimed'],
    (server, claim) => server.approvals.acting(claim, { kind: 'opened', data: {} }),
    (known, now) => ([known.state, known.leaseUntil] = ['acting', now + LIMITS.lease]),
  ),
  step: by(
    ['acting', 'unknown'],
    (server, claim) => server.approvals.stepDone(claim, 'remove', 1),
    () => {},
  ),
  settle: by(
    ['acting', 'unknown'],
    (server, claim) => server.approvals.settle(claim, { state: 'done', outcome: {} }),
    (known) => (known.state = 'done'),
  ),
  fail: by(
    ['acting', 'unknown'],
    (server, claim) => server.approvals.settle(claim, { state: 'failed', outcome: {} }),
    (known) => (known.state = 'failed'),
  ),
  'give back': by(
    ['claimed'],
    (server, claim) => server.approvals.giveBack(claim),
    (known) => (known.state = 'approved'),
  ),
  stale: by(
    ['claimed'],
    (server, claim) => server.approvals.stale(claim, []),
    (known) => (known.state = 'stale'),
  ),
  renew: by(
    ['claimed', 'acting'],
    (server, claim) => server.approvals.renew(claim),
    (known, now) => (known.leaseUntil = now + LIMITS.lease),
  ),
  async sweep({ walk, server, now }) {
    await server.approvals.sweep();
    for (const known of walk.all) age(known, now);
  },
  /** Only what is not truly approved is set to approved by hand; the claim must see through it. */
  async forge({ walk, server, pick, now }) {
    const known = walk.all[pick % Math.max(1, walk.all.length)];
    if (!known || known.state === 'approved' || known.state === 'claimed') return;
    // The store itself has room for one open request of a kind.
    if (![undefined, known].includes(openOf(walk, known.name))) return;
    const set = 'UPDATE approval_requests SET state = ?, run_by = ? WHERE id = ?';
    const [before] = await server.store.query<{ state: string; run_by: number | null }>(
      'SELECT * FROM approval_requests WHERE id = ?',
      [known.id],
    );
    await server.store.query(set, ['approved', now + MINUTE, known.id]);
    await expect(server.approvals.claim(known.id, AGENT, 'forger')).rejects.toEqual(REFUSED);
    await server.store.query(set, [before!.state, before!.run_by, known.id]);
  },
  async stranger({ walk, server, pick }) {
    const known = walk.all[pick % Math.max(1, walk.all.length)];
    if (!known) return;
    for (const what of [
      server.approvals.claim(known.id, STRANGER, ''),
      server.approvals.cancel(known.id, STRANGER),
      server.approvals.find(known.id, STRANGER),
    ])
      await expect(what).rejects.toMatchObject({ code: 'not_found' });
  },
  /** The process is gone: nobody has its claims any more, and its store and log are never closed. */
  async crash({ walk, at }) {
    walk.servers[at] = await walk.here.server({ limits });
    walk.holders = walk.holders.filter(({ server }) => server !== at);
  },
  'a moment': async ({ walk }) => walk.here.pass(1000),
  'a lease': async ({ walk }) => walk.here.pass(LIMITS.lease + 1),
  'half an hour': async ({ walk }) => walk.here.pass(31 * MINUTE),
  'clock back': async ({ walk }) => void (walk.here.time.wall -= 45 * MINUTE),
};
