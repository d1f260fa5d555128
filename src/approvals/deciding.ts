import { HoldpointError } from '../core/errors.ts';
import { readBody, type Ledger } from './ledger.ts';
import { cannotBe } from './refusals.ts';
import type { ApprovalRequest, SignedDecision } from './request.ts';
import { voidReason } from './standing.ts';

/** How far a signer's clock may be ahead, in milliseconds. */
const CLOCK_SKEW = 60_000;

/** What people do to a request. */
export function createDeciding(ledger: Ledger) {
  return {
    /**
     * Takes a signed approval or denial. The signature is verified here and again at the claim. One denial is final; with
     * the last approval needed the request is approved.
     *
     * @throws HoldpointError `denied` for a signature that does not count, `conflict` for a request that is decided already.
     */
    async decide(decision: SignedDecision): Promise<ApprovalRequest> {
      return ledger.transition('decide', async (step) => {
        const { session, now } = step;
        const row = await ledger.open(step, decision.id);
        const body = readBody(row);
        const request = await ledger.view(session, row);
        const approver = ledger.approvers.list().find(({ name }) => name === decision.approver);
        if (!approver)
          return new HoldpointError('not_found', `There is no approver "${decision.approver.slice(0, 64)}".`, {
            hint: 'Add one with `holdpoint approver add NAME`.',
          });
        if (row.state !== 'pending') {
          const hint =
            row.state === 'approved'
              ? `It can be revoked: \`holdpoint approvals revoke ${row.id}\`.`
              : 'See `holdpoint approvals show`.';
          return cannotBe(decision.decision === 'deny' ? 'denied' : 'approved', request, hint);
        }
        const why =
          decision.at > now + CLOCK_SKEW
            ? 'it is dated in the future'
            : voidReason(body, row.digest, decision, approver);
        if (why !== undefined)
          return new HoldpointError('denied', `This decision of "${approver.name}" does not count: ${why}.`, {
            hint: 'Look at the request again and decide again, or let another approver decide.',
          });
        if (decision.decision === 'deny' && decision.reason.trim() === '')
          return new HoldpointError('invalid_input', 'A denial needs a reason: the agent reads it.', {
            hint: 'Add --reason TEXT.',
          });
        const before = await ledger.standing(session, row);
        if (decision.decision === 'approve' && before.approvals.some((each) => each.approver === approver.name))
          return new HoldpointError(
            'conflict',
            `"${approver.name}" has approved ${row.id} already; ${body.terms.approvals} different approvers are needed.`,
            { hint: 'Ask another approver.' },
          );

        await session.query(
          `INSERT INTO approval_decisions (request, approver, decision, at, reason, signature, digest) VALUES (?, ?, ?, ?, ?, ?, ?)
           ON CONFLICT (request, approver, decision) DO UPDATE SET at = excluded.at, reason = excluded.reason, signature = excluded.signature, digest = excluded.digest`,
          [
            row.id,
            decision.approver,
            decision.decision,
            decision.at,
            decision.reason,
            decision.signature,
            decision.digest,
          ],
        );
        await step.append({
          kind: 'approval.decided',
          data: { ...decision, approval: row.id, person: approver.person, fingerprint: approver.fingerprint },
        });
        if (decision.decision === 'deny') {
          const note = { by: approver.name, reason: decision.reason };
          return ledger.view(session, await ledger.move(step, row, 'denied', { note }));
        }
        const { runBy } = await ledger.standing(session, row);
        return ledger.view(
          session,
          runBy === undefined ? row : await ledger.move(step, row, 'approved', { set: { run_by: runBy } }),
        );
      });
    },

    /** Takes an approval back. Nothing is signed: this only stops. @throws HoldpointError `conflict` where it comes too late. */
    async revoke(id: string, by: string, reason: string): Promise<ApprovalRequest> {
      return ledger.transition('revoke', async (step) => {
        const row = await ledger.open(step, id);
        if (row.state === 'approved')
          return ledger.view(step.session, await ledger.move(step, row, 'revoked', { note: { by, reason } }));
        const request = await ledger.view(step.session, row);
        if (row.state === 'pending')
          return cannotBe(
            'revoked',
            request,
            `Nobody has approved it yet: \`holdpoint approvals deny ${id} --as NAME --reason TEXT\`.`,
          );
        const late = ['claimed', 'acting', 'done', 'failed', 'unknown'].includes(row.state);
        return cannotBe(
          'revoked',
          request,
          late
            ? 'This comes too late: a run has taken it. See `holdpoint approvals show` for what it did.'
            : 'It will not run in any case.',
        );
      });
    },

    /** Records how a run ended whose end nobody saw, after a person has looked. */
    async resolve(id: string, outcome: 'done' | 'failed', by: string, reason: string): Promise<ApprovalRequest> {
      return ledger.transition('resolve', async (step) => {
        const row = await ledger.open(step, id);
        if (row.state === 'unknown')
          return ledger.view(
            step.session,
            await ledger.move(step, row, outcome, { note: { by, reason }, data: { resolved: true } }),
          );
        return cannotBe(
          'resolved',
          await ledger.view(step.session, row),
          'Only a request whose end is unknown needs this.',
        );
      });
    },
  };
}
