import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { createApprovals, type Approvals } from '../../../../src/approvals/approvals.ts';
import { openApprovers } from '../../../../src/approvals/approvers.ts';
import type { Row } from '../../../../src/approvals/ledger.ts';
import type { Claim, SignedDecision } from '../../../../src/approvals/request.ts';
import { openSealKey } from '../../../../src/approvals/seal.ts';
import { createAuditLog } from '../../../../src/audit/log.ts';
import { AGENT, holdOf, MINUTE, stateByLog } from '../kit.ts';
import type { Act } from './cast.ts';
import { memoryStore, type MemoryStore } from './memory-store.ts';
import { APPROVE_WITHIN, firstWorld, LEASE, RUN_WITHIN, type World } from './world.ts';

const TICK = 10 * MINUTE;
const BEGIN = Date.UTC(2026, 0, 1);
const NAMES = ['alice', 'bob'] as const;
const STRANGER = { ...AGENT, client: 'another' };
const LIMITS = {
  lease: LEASE * TICK,
  refuseAfterDenial: 1000 * TICK,
  pendingPerPrincipal: 1000,
  requestsPerMinute: 1000,
};

/** What the store does not hold: how many ticks it is, and the claims that servers have in memory. */
export interface Beside {
  ticks: number;
  claims: readonly [Claim | undefined, Claim | undefined];
}

/** What the real code made of an act. */
interface Really {
  done: boolean;
  beside: Beside;
  /** What time the process that did it tells then, in ticks from now. */
  tells?: () => Promise<number>;
}

export interface RealRequest {
  store: MemoryStore;
  first: Beside;
  /** Does an act to the stored request, which must be as `world` says. */
  act(act: Act, world: World, beside: Beside): Promise<Really>;
  /** The stored request in the model's terms. */
  look(
    beside: Beside,
  ): Promise<Pick<World, 'state' | 'approveBy' | 'runBy' | 'lease' | 'given' | 'kept'> & { byLog: string }>;
  end(): Promise<void>;
}

/** One request in a store of the real code, and the processes that can do things to it. */
export async function realRequest(needed: number, create = createApprovals): Promise<RealRequest> {
  const root = mkdtempSync(join(tmpdir(), 'holdpoint-explore-'));
  const store = memoryStore();
  const registry = openApprovers(root);
  for (const name of NAMES) registry.add({ name, person: name, at: 0 });
  const everybody = registry.list();
  const sealKey = openSealKey(root);
  const signed = new Map<string, SignedDecision>();

  /** A process as it is in `world`: all that one remembers is the time it has told. Its log is a chain of its own. */
  const process = ({ back, registered }: World, told: number, ticks: number): Approvals => {
    const at = (time: number) => BEGIN + (ticks + time) * TICK;
    let starting = true;
    const clock = { wall: () => at(starting ? told : -back), steady: () => ticks * TICK };
    const approvals = create({
      store,
      audit: createAuditLog({ store, now: () => at(-back) }),
      approvers: { ...registry, list: () => everybody.filter(({ name }) => registered[name === 'alice' ? 0 : 1]) },
      sealKey,
      clock,
      limits: LIMITS,
    });
    starting = false;
    return approvals;
  };

  const asked = process(firstWorld(needed), 0, 0);
  const hold = holdOf('the one', {
    terms: { approvals: needed, approveWithin: APPROVE_WITHIN * TICK, runWithin: RUN_WITHIN * TICK },
  });
  const { id, digest, createdAt } = await asked.request(hold);
  const another = await asked.request(holdOf('another', { terms: { approveWithin: 1000 * TICK } }));

  const decision = (approver: 0 | 1, verdict: 'approve' | 'deny', at: number, forged: boolean): SignedDecision => {
    const key = `${approver} ${verdict} ${at}`;
    let found = signed.get(key);
    if (!found) {
      const said = {
        id,
        digest,
        decision: verdict,
        approver: NAMES[approver],
        at,
        reason: verdict === 'deny' ? 'no' : '',
      };
      signed.set(key, (found = registry.sign(said)));
    }
    // The right length, and the signature of the other verdict's bytes at best.
    return forged ? { ...found, signature: Buffer.alloc(64, 7).toString('base64') } : found;
  };

  const refused = (error: unknown) => {
    if (error instanceof Error && error.name === 'HoldpointError') return false;
    throw error;
  };

  const byServer = async (does: string, approvals: Approvals, claim: Claim | undefined): Promise<Claim | undefined> => {
    switch (does) {
      case 'claim':
        return approvals.claim(id, AGENT, 'the same owner everywhere');
      case 'claim of a stranger':
        return approvals.claim(id, STRANGER, 'the same owner everywhere');
      case 'ask again':
        if ((await approvals.request(hold)).id !== id) throw new Error('the same call made another request');
        return claim;
      case 'cancel':
        await approvals.cancel(id, AGENT);
        return claim;
      case 'sweep':
        await approvals.sweep();
        return claim;
      case 'something else':
        await approvals.revoke(another.id, 'ann', '').catch(refused);
        return claim;
    }
    if (!claim) throw new Error(`${does} needs a claim`);
    switch (does) {
      case 'act':
        await approvals.acting(claim, { kind: 'opened', data: {} });
        return claim;
      case 'step':
        await approvals.stepDone(claim, 'remove', 1);
        return claim;
      case 'renew':
        await approvals.renew(claim);
        return claim;
      case 'give back':
        await approvals.giveBack(claim);
        return undefined;
      case 'stale':
        await approvals.stale(claim, []);
        return undefined;
      default:
        await approvals.settle(claim, { state: does.slice('settle '.length) as 'done', outcome: {} });
        return undefined;
    }
  };

  return {
    store,
    first: { ticks: 0, claims: [undefined, undefined] },

    async act(act, world, beside) {
      const { ticks, claims } = beside;
      if ('server' in act) {
        const { server, does } = act;
        const put = (claim: Claim | undefined): Beside => ({
          ticks,
          claims: server === 0 ? [claim, claims[1]] : [claims[0], claim],
        });
        if (does === 'crash') return { done: true, beside: put(undefined) };
        if (does === 'effect') return { done: true, beside };
        const approvals = process(world, world.servers[server].time, ticks);
        let next: Beside = beside;
        const done = await byServer(does, approvals, claims[server]).then((claim) => {
          next = put(claim);
          return true;
        }, refused);
        const tells = async () => ((await approvals.now()) - BEGIN) / TICK - ticks;
        return { done, beside: next, tells };
      }
      const terminal = process(world, -world.back, ticks);
      const now = BEGIN + (ticks + Math.max(-world.back, world.kept)) * TICK;
      const doing = async (): Promise<Beside | void> => {
        switch (act.does) {
          case 'tick':
            return { ...beside, ticks: ticks + 1 };
          case 'revoke':
            return void (await terminal.revoke(id, 'ann', ''));
          case 'resolve done':
          case 'resolve failed':
            return void (await terminal.resolve(id, act.does === 'resolve done' ? 'done' : 'failed', 'ann', ''));
          case 'approve':
          case 'approve, forged':
            return void (await terminal.decide(decision(act.approver, 'approve', now, act.does === 'approve, forged')));
          case 'approve, signed at first':
            return void (await terminal.decide(decision(act.approver, 'approve', createdAt, false)));
          case 'deny':
            return void (await terminal.decide(decision(act.approver, 'deny', now, false)));
          case 'clock back':
          case 'clock right':
          case 'remove approver':
            // In `world` already, and nothing of it in the store.
            return undefined;
        }
      };
      let next: Beside | void = undefined;
      const done = await doing().then((value) => {
        next = value;
        return true;
      }, refused);
      return { done, beside: next ?? beside };
    },

    async look({ ticks }) {
      const { state, approve_by, run_by, lease_until } = (
        await store.query<Row>('SELECT * FROM approval_requests WHERE id = ?', [id])
      )[0]!;
      const [kept] = await store.query<{ value: string }>(`SELECT value FROM facts WHERE name = 'time'`);
      const approvals = await store.query<{ approver: string; at: number }>(
        `SELECT approver, at FROM approval_decisions WHERE request = ? AND decision = 'approve'`,
        [id],
      );
      const from = (time: number | null) => (time === null ? null : (time - BEGIN) / TICK - ticks);
      const given = (name: string) => from(approvals.find(({ approver }) => approver === name)?.at ?? null);
      return {
        state,
        approveBy: from(approve_by)!,
        runBy: from(run_by),
        lease: from(lease_until),
        given: [given('alice'), given('bob')],
        kept: from(Number(kept?.value))!,
        byLog: await stateByLog(store, id),
      };
    },

    async end() {
      await store.close();
      rmSync(root, { recursive: true, force: true });
    },
  };
}
