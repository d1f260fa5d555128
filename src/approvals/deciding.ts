import { isDeepStrictEqual } from 'node:util';

import { HoldpointError } from '../core/errors.ts';
import { approverRecord, type Approver } from './approvers.ts';
import { decisionRow } from './decision-row.ts';
import { readBody, type Ledger } from './ledger.ts';
import { peopleOf } from './persons.ts';
import { cannotBe } from './refusals.ts';
import type { ApprovalRequest, SignedDecision } from './request.ts';
import { standingOf, voidReason, type Standing } from './standing.ts';

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
        const approvers = ledger.approvers.list();
        const approver = approvers.find(({ name }) => name === decision.approver);
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
            : voidReason(body, row.digest, decision, approvers);
        if (why !== undefined)
          return new HoldpointError('denied', `This decision of "${approver.name}" does not count: ${why}.`, {
            hint: 'Look at the request again and decide again, or let another approver decide.',
          });
        if (decision.decision === 'deny' && decision.reason.trim() === '')
          return new HoldpointError('invalid_input', 'A denial needs a reason: the agent reads it.', {
            hint: 'Add --reason TEXT.',
          });
        const before = await ledger.standing(session, row);
        const after = standingOf(body, row.digest, [...before.approvals, decision], approvers);
        if (decision.decision === 'approve' && isDeepStrictEqual(before.stillNeeded, after.stillNeeded))
          return addsNothing(row.id, approver, before, approvers);

        const stored = decisionRow(decision);
        const columns = Object.keys(stored);
        await session.query(
          `INSERT INTO approval_decisions (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})
           ON CONFLICT (request, approver, decision) DO UPDATE SET ${columns.map((name) => `${name} = excluded.${name}`).join(', ')}`,
          Object.values(stored),
        );
        await step.append({
          kind: 'approval.decided',
          data: { ...decision, approval: row.id, takenAt: now, as: approverRecord(approver, decision.key) },
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

function addsNothing(
  id: string,
  { name }: Approver,
  { approvals, stillNeeded }: Standing,
  approvers: readonly Approver[],
): HoldpointError {
  const people = peopleOf(approvers);
  const same = approvals.find(({ approver }) => people.of(approver) === people.of(name))?.approver;
  const why =
    same === undefined ? 'adds nothing' : same === name ? 'has approved already' : `is the same person as "${same}"`;
  return new HoldpointError('conflict', `"${name}" ${why}; ${id} needs ${stillNeeded.join(' and ')}.`, {
    hint: 'Ask another approver. One person counts once, under however many names.',
  });
}
