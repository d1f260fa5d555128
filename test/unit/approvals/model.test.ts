import fc from 'fast-check';
import { expect, test } from 'vitest';

import type { Claim } from '../../../src/approvals/request.ts';
import type { State } from '../../../src/approvals/states.ts';
import { AGENT, holdOf, LIMITS, MINUTE, TERMS, world, type Server } from './kit.ts';

/** What the test itself knows of one request, from what it did and nothing else. */
interface Known {
  id: string;
  needed: number;
  approveBy: number;
  approvers: Set<string>;
  runBy: number;
  state: State;
  leaseUntil: number;
  runs: number;
}

interface Holder {
  claim: Claim;
  known: Known;
  server: number;
}

const ENDED: readonly State[] = ['denied', 'expired', 'cancelled', 'stale', 'revoked', 'done', 'failed'];

/** What time does to a request, told from the design alone. */
function age(known: Known, now: number): void {
  if (known.state === 'pending' && now > known.approveBy) known.state = 'expired';
  if (known.state === 'claimed' && now > known.leaseUntil) known.state = 'approved';
  if (known.state === 'approved' && now > known.runBy) known.state = 'expired';
  if (known.state === 'acting' && now > known.leaseUntil) known.state = 'unknown';
}

const step = fc.record({
  server: fc.nat(1),
  which: fc.nat(7),
  approver: fc.constantFrom('alice', 'bob'),
  act: fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom('request', 'request 2', 'approve', 'claim', 'act') },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        ...['deny', 'settle', 'fail', 'give back', 'stale', 'renew', 'cancel', 'revoke', 'resolve', 'sweep', 'forge'],
        ...['crash', 'a moment', 'a lease', 'an hour', 'clock back'],
      ),
    },
  ),
});

test('I2 I8 two servers, any interleaving, crashes and clocks: at most one run, only of what stands approved, nothing lost', async () => {
  const reached = new Set<State>();
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60 }), async (steps) => {
      const here = world();
      try {
        const limits = { refuseAfterDenial: 0, pendingPerPrincipal: 1000, requestsPerMinute: 1000 };
        const servers: Server[] = [await here.server({ limits }), await here.server({ limits })];
        const all: Known[] = [];
        const holders: Holder[] = [];
        let last = 0;
        for (const { server: at, which, approver, act } of steps) {
          const server = servers[at]!;
          const { approvals } = server;
          const now = await approvals.now();
          expect(now, 'time never goes back').toBeGreaterThanOrEqual(last);
          last = now;
          for (const known of all) age(known, now);
          const known = all[which % Math.max(1, all.length)];
          const mine = holders.filter((holder) => holder.server === at);
          const holder = mine[which % Math.max(1, mine.length)];
          const holds = (...states: State[]) =>
            holder !== undefined && states.includes(holder.known.state) && holder.claim.fence === holder.known.runs;
          /** Does what the model says can be done, and expects a refusal where it cannot. */
          const attempt = async (may: boolean, what: () => Promise<unknown>, then: () => void) => {
            if (may) {
              await what();
              then();
            } else await expect(what(), act).rejects.toMatchObject({ name: 'HoldpointError' });
          };

          if (act === 'request' || act === 'request 2') {
            const approvalsNeeded = act === 'request' ? 1 : 2;
            const request = await approvals.request(
              holdOf(`${act} ${which % 2}`, { terms: { approvals: approvalsNeeded } }),
            );
            const old = all.find(({ id }) => id === request.id);
            if (old) expect(ENDED).not.toContain(old.state);
            else
              all.push({
                id: request.id,
                needed: approvalsNeeded,
                approveBy: now + TERMS.approveWithin,
                approvers: new Set(),
                runBy: 0,
                state: 'pending',
                leaseUntil: 0,
                runs: 0,
              });
          } else if (act === 'crash') {
            // The process is gone: nobody has its claims any more, and what it did not commit never was.
            servers[at] = await here.server({ limits });
            for (const gone of mine) holders.splice(holders.indexOf(gone), 1);
          } else if (act === 'a moment') here.pass(1000);
          else if (act === 'a lease') here.pass(LIMITS.lease + 1);
          else if (act === 'an hour') here.pass(31 * MINUTE);
          else if (act === 'clock back') here.time.wall -= 45 * MINUTE;
          else if (act === 'sweep') await approvals.sweep();
          else if (!known) continue;
          else if (act === 'approve')
            await attempt(
              known.state === 'pending' && !known.approvers.has(approver),
              async () => server.decide(await approvals.find(known.id), approver),
              () => {
                known.approvers.add(approver);
                if (known.approvers.size === known.needed)
                  [known.state, known.runBy] = ['approved', now + TERMS.runWithin];
              },
            );
          else if (act === 'deny')
            await attempt(
              known.state === 'pending',
              async () => server.decide(await approvals.find(known.id), approver, 'deny'),
              () => (known.state = 'denied'),
            );
          else if (act === 'forge') {
            // Only what is not truly approved is set to approved by hand; the claim must see through it.
            if (known.state !== 'pending' && !ENDED.includes(known.state)) continue;
            const before = (await approvals.find(known.id)).state;
            const set = `UPDATE approval_requests SET state = ?, run_by = ${now + MINUTE} WHERE id = ?`;
            await server.store.query(set, ['approved', known.id]);
            await expect(approvals.claim(known.id, AGENT, 'forger')).rejects.toMatchObject({ name: 'HoldpointError' });
            await server.store.query(set, [before, known.id]);
          } else if (act === 'claim') {
            let claim: Claim | undefined;
            await attempt(
              known.state === 'approved',
              async () => (claim = await approvals.claim(known.id, AGENT, `server-${at}`)),
              () => {
                [known.state, known.leaseUntil, known.runs] = ['claimed', now + LIMITS.lease, known.runs + 1];
                if (claim) holders.push({ claim, known, server: at });
              },
            );
          } else if (act === 'cancel')
            await attempt(
              known.state === 'pending' || known.state === 'approved',
              () => approvals.cancel(known.id, AGENT),
              () => (known.state = known.state === 'pending' ? 'cancelled' : 'revoked'),
            );
          else if (act === 'revoke')
            await attempt(
              known.state === 'approved',
              () => approvals.revoke(known.id, 'ann', ''),
              () => (known.state = 'revoked'),
            );
          else if (act === 'resolve')
            await attempt(
              known.state === 'unknown',
              () => approvals.resolve(known.id, 'done', 'ann', ''),
              () => (known.state = 'done'),
            );
          else if (!holder) continue;
          else if (act === 'act')
            await attempt(
              holds('claimed'),
              () => approvals.acting(holder.claim, { kind: 'opened', data: { approval: holder.known.id } }),
              () => ([holder.known.state, holder.known.leaseUntil] = ['acting', now + LIMITS.lease]),
            );
          else if (act === 'settle' || act === 'fail') {
            const state = act === 'settle' ? 'done' : 'failed';
            await attempt(
              holds('acting', 'unknown'),
              () => approvals.settle(holder.claim, { state, outcome: {} }),
              () => (holder.known.state = state),
            );
          } else if (act === 'give back')
            await attempt(
              holds('claimed'),
              () => approvals.giveBack(holder.claim),
              () => (holder.known.state = 'approved'),
            );
          else if (act === 'stale')
            await attempt(
              holds('claimed'),
              () => approvals.stale(holder.claim, []),
              () => (holder.known.state = 'stale'),
            );
          else
            await attempt(
              holds('claimed', 'acting'),
              () => approvals.renew(holder.claim),
              () => (holder.known.leaseUntil = now + LIMITS.lease),
            );
        }

        const now = await servers[0]!.approvals.now();
        for (const known of all) {
          age(known, now);
          reached.add(known.state);
          expect(await servers[1]!.approvals.find(known.id)).toMatchObject({ state: known.state });
          const kinds = await servers[0]!.kinds(known.id);
          const runs = kinds.filter((kind) => kind === 'acting').length;
          expect(runs).toBeLessThanOrEqual(1);
          if (runs === 1) expect(known.approvers.size).toBe(known.needed);
        }
        expect(await servers[0]!.verify()).toMatchObject({ problems: [] });
      } finally {
        await here.end();
      }
    }),
    { numRuns: 120 },
  );
  // The walk was no stroll: it came to nearly every state there is.
  expect(reached.size).toBeGreaterThanOrEqual(10);
}, 120_000);
