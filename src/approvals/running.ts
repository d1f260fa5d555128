import type { AuditDraft } from '../audit/chain.ts';
import { HoldpointError, type Change } from '../core/errors.ts';
import type { Json, JsonObject } from '../core/json.ts';
import type { Plan } from '../core/plan.ts';
import type { Principal } from '../core/principal.ts';
import type { Limits } from './asking.ts';
import { planDigest } from './digest.ts';
import { sound } from './break-glass.ts';
import { checklistOf, recorded } from './checklists.ts';
import { lookAt } from './evidence.ts';
import { whyNotNow } from './gates.ts';
import { outcomePlace, planPlace, readBody, stepPlace, type Ledger, type Row, type Step } from './ledger.ts';
import { cannotRun, lostClaim } from './refusals.ts';
import type { ApprovalRequest, Claim } from './request.ts';
import { seal, unseal } from './seal.ts';
import type { State } from './states.ts';

/** Kinds of audit records after which a request never runs again, whatever its row says. */
const SPENT = ['acting', 'denied', 'revoked', 'cancelled', 'expired', 'stale'].map((state) => `approval.${state}`);

/** How a run ended. The outcome is redacted and bounded by the caller; it is stored encrypted. */
export interface Settlement {
  state: 'done' | 'failed' | 'unknown';
  outcome: JsonObject;
}

/** What the one run of an approved request does. */
export function createRunning(ledger: Ledger, limits: Limits) {
  return {
    /**
     * Takes the right to run an approved request. Everything that must hold is checked in the same transaction: state,
     * expiry, enough signatures that verify against the keys registered now, and that the log knows of no earlier end.
     *
     * @param owner who runs it: server process and call, for people to read
     * @throws HoldpointError saying why not and what to do; the code follows the state.
     */
    async claim(id: string, principal: Principal, owner: string, callId?: string): Promise<Claim> {
      const seen = await ledger.load(ledger.store, id, principal);
      // Before the transaction, which must not wait for anybody.
      const found = seen.state === 'approved' ? await lookAt(ledger.evidence, readBody(seen), ['pre']) : [];
      const claimed = await ledger.transition('claim', async (step): Promise<Claim | HoldpointError> => {
        const { session, now } = step;
        const row = await ledger.open(step, id, principal);
        if (row.state !== 'approved') return cannotRun(await ledger.view(session, row));
        const spent = await spentAt(step, id);
        if (spent) return spent;
        const standing = await ledger.standing(session, row);
        const { runBy, denials } = standing;
        if (runBy === undefined || denials.length > 0) return cannotRun(await ledger.view(session, row));
        if (now > runBy)
          return cannotRun(await ledger.view(session, await ledger.move(step, row, 'expired', { callId })));
        const body = readBody(row);
        const checklist = checklistOf(body.terms, standing.approvals, found);
        const notNow = whyNotNow(body, standing, checklist, now);
        if (notNow) return notNow;
        const { input, plan } = openPlan(row);
        const moved = await ledger.move(step, row, 'claimed', {
          set: { fence: row.fence + 1, owner, lease_until: now + limits.lease },
          callId,
          data: { owner, ...(checklist.length > 0 && { checklist: recorded(checklist) }) },
        });
        return {
          request: await ledger.view(session, moved),
          input,
          plan,
          owner,
          fence: moved.fence,
          ...(callId !== undefined && { callId }),
        };
      });
      sound(ledger, claimed.request, 'running');
      return claimed;
    },

    /** Says that the first effect comes now; commits with `opened`, the call's own audit record. From here on it never runs again. */
    async acting(claim: Claim, opened: AuditDraft): Promise<void> {
      await ledger.transition('acting', async (step) => {
        const row = await held(step, claim, ['claimed']);
        if (row instanceof HoldpointError) return row;
        const spent = await spentAt(step, row.id);
        if (spent) return spent;
        await step.append(opened);
        await ledger.move(step, row, 'acting', {
          set: { acted_at: step.now, lease_until: step.now + limits.lease },
          callId: claim.callId,
        });
        return undefined;
      });
    },

    /** Records one step's outcome, encrypted; the audit log gets its name. */
    async stepDone(claim: Claim, stepId: string, outcome: Json): Promise<void> {
      await ledger.transition('step', async (step) => {
        const row = await held(step, claim, ['acting', 'unknown']);
        if (row instanceof HoldpointError) return row;
        await step.session.query(
          `INSERT INTO approval_steps (request, step, fence, at, outcome) VALUES (?, ?, ?, ?, ?)
           ON CONFLICT (request, step) DO UPDATE SET at = excluded.at, outcome = excluded.outcome, fence = excluded.fence`,
          [row.id, stepId, row.fence, step.now, seal(ledger.sealKey, stepPlace(row.id, row.fence, stepId), outcome)],
        );
        await step.append({
          kind: 'approval.step',
          ...withCall(claim),
          data: { approval: row.id, fence: row.fence, step: stepId },
        });
        return undefined;
      });
    },

    /** Records how the run ended; a late result still counts while nobody has resolved the request. */
    async settle(claim: Claim, end: Settlement): Promise<ApprovalRequest> {
      return ledger.transition('settle', async (step) => {
        const row = await held(step, claim, ['acting', 'unknown']);
        if (row instanceof HoldpointError) return row;
        if (row.state === end.state) return ledger.view(step.session, row);
        const sealed = seal(ledger.sealKey, outcomePlace(row.id, row.fence), end.outcome);
        return ledger.view(
          step.session,
          await ledger.move(step, row, end.state, { set: { outcome: sealed }, callId: claim.callId }),
        );
      });
    },

    /** Before the first effect: gives the claim back, so that the approved request can be run again. */
    async giveBack(claim: Claim, reason = 'given back before it began'): Promise<ApprovalRequest> {
      return ledger.transition('give-back', async (step) => {
        const row = await held(step, claim, ['claimed']);
        if (row instanceof HoldpointError) return row;
        const free = await ledger.move(step, row, 'approved', {
          set: { owner: null, lease_until: null },
          note: { reason },
          callId: claim.callId,
        });
        return ledger.view(step.session, await ledger.fresh(step, free));
      });
    },

    /** Before the first effect: something that the plan relied on has moved. Final. */
    async stale(claim: Claim, changes: Change[]): Promise<ApprovalRequest> {
      return ledger.transition('stale', async (step) => {
        const row = await held(step, claim, ['claimed']);
        if (row instanceof HoldpointError) return row;
        return ledger.view(
          step.session,
          await ledger.move(step, row, 'stale', { note: { changes }, callId: claim.callId }),
        );
      });
    },

    /** Prolongs the lease; to be called well within `limits.lease`, for as long as the run takes. */
    async renew(claim: Claim): Promise<void> {
      await ledger.transition('renew', async (step) => {
        const row = await held(step, claim, ['claimed', 'acting']);
        if (row instanceof HoldpointError) return row;
        await step.session.query(
          'UPDATE approval_requests SET lease_until = ? WHERE id = ? AND state = ? AND fence = ?',
          [step.now + limits.lease, row.id, row.state, row.fence],
        );
        return undefined;
      });
    },
  };

  /** The claim's row, if the claim still holds it in one of these states. */
  async function held(step: Step, claim: Claim, states: readonly State[]): Promise<Row | HoldpointError> {
    const row = await ledger.open(step, claim.request.id);
    if (states.includes(row.state) && row.fence === claim.fence && row.owner === claim.owner) return row;
    return lostClaim(await ledger.view(step.session, row));
  }

  /** The log outlives what is done to the row by hand: what has ended once stays ended. */
  async function spentAt({ session }: Step, id: string): Promise<HoldpointError | undefined> {
    const [record] = await session.query<{ kind: string; time: string }>(
      `SELECT kind, time FROM audit_records WHERE approval = ? AND kind IN (${SPENT.map(() => '?').join(', ')}) ORDER BY time LIMIT 1`,
      [id, ...SPENT],
    );
    if (!record) return undefined;
    return new HoldpointError(
      'conflict',
      `The audit log says that the request ${id} ended before (${record.kind}, ${record.time}); it never runs again.`,
      {
        hint: 'The store was changed by hand. A person should run `holdpoint audit verify`. Make the call again to ask anew.',
      },
    );
  }

  function openPlan(row: Row): { input: JsonObject; plan: Plan } {
    const opened = unseal(ledger.sealKey, planPlace(row.id), row.sealed);
    const { input, plan } = opened as unknown as { input: JsonObject; plan: Plan };
    if (planDigest(plan) === readBody(row).planDigest) return { input, plan };
    throw new HoldpointError(
      'denied',
      `The stored plan of ${row.id} is not the one that was approved; it never runs.`,
      { hint: 'A person should run `holdpoint audit verify`.' },
    );
  }
}

function withCall({ callId }: Claim): { callId?: string } {
  return callId === undefined ? {} : { callId };
}
