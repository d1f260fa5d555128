import { HoldpointError } from '../core/errors.ts';
import type { SqlValue } from '../store/store.ts';
import { approverRecord, type Approver } from './approvers.ts';
import { mayReview } from './break-glass.ts';
import { decisionRow, remarksOf } from './decision-row.ts';
import { glassCounts } from './glass-counts.ts';
import { signatureFault } from './keys.ts';
import { readBody, type Ledger, type Row, type Step } from './ledger.ts';
import { cannotBe } from './refusals.ts';
import type { ApprovalRequest, SignedRemark } from './request.ts';
import type { State } from './states.ts';

/** States in which a run has happened, or is happening. */
const RUN: readonly State[] = ['acting', 'unknown', 'done', 'failed'];
const MAX_REASON = 4000;

/** What people say of a request after it was decided: items ticked afterwards, the review of broken glass. Signed as decisions are. */
export function createRemarking(ledger: Ledger) {
  return {
    /** Ticks items of `during` and `post`. @throws HoldpointError `conflict`, `not_found`, `denied` for a signature that does not count. */
    async tick(remark: SignedRemark): Promise<ApprovalRequest> {
      return ledger.transition('tick', async (step) => {
        const row = await ledger.open(step, remark.id);
        const approver = await signer(step, row, remark);
        if (approver instanceof HoldpointError) return approver;
        const request = await ledger.view(step.session, row);
        if (!RUN.includes(row.state))
          return cannotBe('ticked', request, 'What comes before the run is ticked with the approval: --tick.');
        const later = (readBody(row).terms.items ?? []).filter(({ phase }) => phase !== 'pre');
        const unknown = remark.ticked.find((id) => !later.some((item) => item.id === id));
        if (unknown !== undefined || remark.ticked.length === 0)
          return new HoldpointError(
            'not_found',
            `There is no item "${(unknown ?? '').slice(0, 130)}" to tick after the run.`,
            {
              hint: `Items: ${later.map(({ id }) => id).join(', ') || 'none'}.`,
            },
          );
        const byItself = later.find((item) => remark.ticked.includes(item.id) && item.evidence && !item.personMayTick);
        if (byItself)
          return new HoldpointError('denied', `${byItself.id} ticks itself; nobody can tick it by hand.`, {
            hint: 'See what Holdpoint finds with `holdpoint approvals show`.',
          });
        await keep(step, remark, approver, 'approval.ticked');
        return ledger.view(step.session, row);
      });
    },

    /**
     * Closes the review of broken glass. Not by who broke it.
     *
     * @throws HoldpointError `conflict` where there is nothing to review, `invalid_input` without a reason, `denied`.
     */
    async review(remark: SignedRemark): Promise<ApprovalRequest> {
      return ledger.transition('review', async (step) => {
        const row = await ledger.open(step, remark.id);
        const approver = await signer(step, row, remark);
        if (approver instanceof HoldpointError) return approver;
        const { glass } = await ledger.view(step.session, row);
        if (glass === undefined || glass.reviewed)
          return new HoldpointError(
            'conflict',
            glass?.reviewed
              ? `${row.id} was reviewed by ${glass.reviewed.by} already.`
              : `The glass was not broken for ${row.id}.`,
            { hint: 'See `holdpoint approvals reviews` for what is open.' },
          );
        if (remark.reason.trim() === '')
          return new HoldpointError('invalid_input', 'A review needs words: what was looked at, and what came of it.', {
            hint: 'Add --reason TEXT.',
          });
        if (!mayReview(approver.name, glass.by, ledger.approvers.list()))
          return new HoldpointError(
            'denied',
            `"${approver.name}" broke the glass, or may be the same person as "${glass.by}".`,
            {
              hint: 'Somebody else reviews it.',
            },
          );
        await keep(step, remark, approver, 'approval.reviewed');
        return ledger.view(step.session, row);
      });
    },

    glassCounts: () => glassCounts(ledger.store),
  };

  /** The registered approver whose signature it is. */
  async function signer(step: Step, row: Row, remark: SignedRemark): Promise<Approver | HoldpointError> {
    const approver = ledger.approvers.list().find(({ name }) => name === remark.approver);
    const key = approver?.keys.find(({ fingerprint }) => fingerprint === remark.key);
    const why =
      approver === undefined || key === undefined
        ? 'its signature is not by the key of a registered approver'
        : remark.digest !== row.digest
          ? 'it was signed for another request'
          : remark.at > step.now + 60_000
            ? 'it is dated in the future'
            : remark.reason.length > MAX_REASON
              ? 'it is too long'
              : remark.breakGlass
                ? 'a break-glass key is for emergencies alone'
                : signatureFault(remark, key);
    if (approver && why === undefined) return approver;
    return new HoldpointError('denied', `What "${remark.approver.slice(0, 64)}" signed does not count: ${why}.`, {
      hint: 'See `holdpoint approver list`; look at the request again and sign again.',
    });
  }

  async function keep(
    step: Step,
    remark: SignedRemark,
    approver: Approver,
    kind: 'approval.ticked' | 'approval.reviewed',
  ) {
    const [before] = (await remarksOf(step.session, remark.id)).filter(
      (each) => each.decision === remark.decision && each.approver === remark.approver,
    );
    // The row keeps who ticked what; each signature is in the log as it was given.
    const ticked = [...new Set([...(before?.ticked ?? []), ...remark.ticked])];
    const columns: Record<string, SqlValue> = { ...decisionRow({ ...remark, ticked }) };
    delete columns['break_glass'];
    const names = Object.keys(columns);
    await step.session.query(
      `INSERT INTO approval_remarks (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})
       ON CONFLICT (request, approver, decision) DO UPDATE SET ${names.map((name) => `${name} = excluded.${name}`).join(', ')}`,
      Object.values(columns),
    );
    await step.append({
      kind,
      data: { ...remark, approval: remark.id, as: approverRecord(approver, remark.key) },
    });
  }
}
