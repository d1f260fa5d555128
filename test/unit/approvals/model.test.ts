import fc from 'fast-check';
import { expect, test } from 'vitest';

import type { Claim } from '../../../src/approvals/request.ts';
import type { State } from '../../../src/approvals/states.ts';
import { createQueue } from '../../../src/store/queue.ts';
import type { Store } from '../../../src/store/store.ts';
import { ACTS, limits, type Walk } from './acts.ts';
import { AGENT, holdOf, LIMITS, stateByLog, world, type Server } from './kit.ts';

/** One request alone is explored to the end in explore.test.ts; these walks are of several at once, on the real store. */
const RUNS = process.env['HOLDPOINT_NIGHTLY'] === '1' ? 150 : 60;

const one = fc.record({ at: fc.nat(1), pick: fc.nat(7), approver: fc.constantFrom('alice', 'bob') });
/** Single acts, and beginnings that single acts seldom come to by themselves. */
const acts = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...Object.keys(ACTS).map((act) => [act])) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      ['request', 'approve', 'claim'],
      ['request for two', 'approve'],
      ['claim', 'act'],
      ['claim', 'act', 'resolve'],
      ['act', 'a lease', 'resolve'],
      ['claim', 'give back', 'claim'],
      ['claim', 'a lease', 'claim'],
      ['clock back', 'half an hour'],
    ),
  },
);
const turns = fc
  .array(fc.tuple(one, acts), { minLength: 12, maxLength: 40 })
  .map((all) => all.flatMap(([turn, names]) => names.map((act) => ({ ...turn, act }))));

/** What must hold after every act, whatever came before. */
async function holdsAlways({ all, servers }: Walk): Promise<void> {
  const { store } = servers[0]!;
  const rows = await store.query<{ id: string; state: State }>('SELECT id, state FROM approval_requests');
  const states = (list: readonly { id: string; state: State }[]) =>
    Object.fromEntries(list.map(({ id, state }) => [id, state]));
  expect(states(rows)).toEqual(states(all));
  const runs = `SELECT approval FROM audit_records WHERE kind = 'approval.acting' GROUP BY approval HAVING count(*) > 1`;
  expect(await store.query(runs), 'no request ever acts twice').toEqual([]);
}

test('I2 I8 two servers, crashes, clocks set back: after every act the state is what the design says, one run at most, nothing lost', async () => {
  const reached = new Set<State>();
  await fc.assert(
    fc.asyncProperty(turns, async (all) => {
      const here = world();
      const clocks = new Map<Server, { now: number; steady: number }>();
      try {
        const walk: Walk = {
          here,
          servers: [await here.server({ limits }), await here.server({ limits })],
          all: [],
          holders: [],
        };
        for (const { at, pick, approver, act } of all) {
          const server = walk.servers[at]!;
          const now = await server.approvals.now();
          const [last] = await server.store.query<{ at: number | null }>(
            'SELECT max(moved_at) AS at FROM approval_requests',
          );
          expect(now, 'no time before what was done').toBeGreaterThanOrEqual(last?.at ?? 0);
          const seen = clocks.get(server);
          expect(now, 'time goes on').toBeGreaterThanOrEqual(seen ? seen.now + here.time.steady - seen.steady : 0);
          clocks.set(server, { now, steady: here.time.steady });
          await ACTS[act]!({ walk, at, server, approver, pick, now });
          await holdsAlways(walk);
        }
        const server = await here.server();
        for (const { id, state, approvers, needed } of walk.all) {
          reached.add(state);
          expect(await stateByLog(server.store, id)).toBe(state);
          expect((await server.approvals.find(id)).id).toBe(id);
          if ((await server.kinds(id)).includes('claimed')) expect(approvers.size).toBe(needed);
        }
        expect(await server.verify()).toMatchObject({ problems: [] });
      } finally {
        await here.end();
      }
    }),
    { numRuns: RUNS },
  );
  // The walk was no stroll: it came to nearly every state there is.
  expect(reached.size).toBeGreaterThanOrEqual(10);
}, 120_000);

type Life = (server: Server, id: string, ran: string[], stopped: Set<string>) => Promise<void>;

/** Claims and runs, as dispatch does; the process is gone after so many transitions. */
function runner(transitions: number, instead?: 'giveBack' | 'stale'): Life {
  return async ({ approvals }, id, ran) => {
    const claim: Claim = await approvals.claim(id, AGENT, 'the same owner everywhere');
    if (instead === 'giveBack') return void (await approvals.giveBack(claim));
    if (instead === 'stale') return void (await approvals.stale(claim, []));
    if (transitions < 2) return;
    await approvals.acting(claim, { kind: 'opened', data: {} });
    ran.push(id);
    if (transitions < 3) return;
    await approvals.stepDone(claim, 'remove', {});
    if (transitions < 4) return;
    await approvals.settle(claim, { state: 'done', outcome: {} });
  };
}

const approve =
  (approver: string): Life =>
  async (server, id) =>
    void (await server.decide(await server.approvals.find(id), approver));
const stop =
  (what: (server: Server, id: string) => Promise<unknown>): Life =>
  async (server, id, _ran, stopped) => {
    await what(server, id);
    stopped.add(id);
  };

const lives = fc.constantFrom<Life>(
  ...[4, 4, 3, 2, 1].map((transitions) => runner(transitions)),
  runner(1, 'giveBack'),
  runner(1, 'stale'),
  ...['alice', 'bob', 'alice', 'bob'].map(approve),
  stop(async (server, id) => server.decide(await server.approvals.find(id), 'bob', 'deny')),
  stop((server, id) => server.approvals.revoke(id, 'ann', '')),
  stop((server, id) => server.approvals.cancel(id, AGENT)),
  async ({ approvals }) => void (await approvals.sweep()),
);

test('I2 I8 in whatever order the transactions of many at once come: one run at most, and none of what was stopped', async () => {
  let runs = 0;
  const actors = fc.array(fc.record({ at: fc.nat(1), which: fc.nat(1), live: lives, late: fc.boolean() }), {
    minLength: 8,
    maxLength: 24,
  });
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), actors, async (scheduler, all) => {
      const here = world();
      try {
        const plain = await here.server();
        const ids = [
          (await plain.approved('a')).id,
          (await plain.approvals.request(holdOf('b', { terms: { approvals: 2 } }))).id,
        ];
        // The scheduler says whose transaction is next; one at a time, as in the store.
        const inTurn = createQueue();
        const order = () => scheduler.schedule(Promise.resolve());
        const ordered = (store: Store): Store => ({
          ...store,
          transaction: (work) => order().then(() => inTurn(() => store.transaction(work))),
        });
        const servers = [await here.server({ wrap: ordered }), await here.server({ wrap: ordered })];
        const [ran, stopped] = [new Array<string>(), new Set<string>()];
        const lived = all.map(async ({ at, which, live, late }) => {
          await order();
          if (late) here.pass(LIMITS.lease / 2);
          await live(servers[at]!, ids[which]!, ran, stopped).catch((error: unknown) =>
            expect(error).toMatchObject({ name: 'HoldpointError' }),
          );
        });
        await scheduler.waitFor(Promise.all(lived));

        runs += ran.length;
        expect(new Set(ran).size, 'nothing runs twice').toBe(ran.length);
        for (const id of ran) {
          expect(stopped.has(id), 'nothing runs that was denied, revoked or cancelled').toBe(false);
          const { approvalsGiven, approvalsNeeded } = await plain.approvals.find(id);
          expect(approvalsGiven).toBeGreaterThanOrEqual(approvalsNeeded);
        }
        const rows = await plain.store.query<{ id: string; state: State }>('SELECT id, state FROM approval_requests');
        expect(rows.map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
        for (const { id, state } of rows) expect(await stateByLog(plain.store, id)).toBe(state);
        expect(await plain.verify()).toMatchObject({ problems: [] });
      } finally {
        // What is left where an expectation failed must not hold up the end.
        void scheduler.waitIdle();
        await here.end();
      }
    }),
    { numRuns: RUNS },
  );
  expect(runs).toBeGreaterThan(RUNS / 8);
}, 120_000);
