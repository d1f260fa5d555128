import { principalId } from '../core/principal.ts';
import type { Approver } from './approvers.ts';
import type { Ledger } from './ledger.ts';
import { peopleOf } from './persons.ts';
import type { ApprovalRequest, RequestBody, SignedDecision, SignedRemark } from './request.ts';

/** A request whose glass was broken, and what became of its review. */
export interface BrokenGlass {
  by: string;
  at: number;
  reason: string;
  /** Absent while the review is open. */
  reviewed?: { by: string; at: number; reason: string };
}

/** What happened, for those who must know at once. */
export interface GlassEvent {
  event: 'approved' | 'running';
  request: string;
  summary: string;
  environment: string | null;
  principal: string;
  /** Who broke the glass, and why. */
  approver: string;
  person: string;
  reason: string;
  /** ISO 8601, UTC. */
  at: string;
}

/** Why an approval alone does not count: the rule must name it, and a reason must be given. Its key is checked elsewhere. */
export function glassFault({ terms }: RequestBody, { reason }: SignedDecision): string | undefined {
  if (terms.breakGlass === undefined) return 'the rule has no break-glass';
  return reason.trim() === '' ? 'breaking the glass needs a reason' : undefined;
}

export function brokenGlass(
  decisions: readonly SignedDecision[],
  remarks: readonly SignedRemark[],
): BrokenGlass | undefined {
  const broken = decisions.find(({ decision, breakGlass }) => decision === 'approve' && breakGlass === true);
  if (broken === undefined) return undefined;
  const review = remarks.find(({ decision }) => decision === 'review');
  return {
    by: broken.approver,
    at: broken.at,
    reason: broken.reason,
    ...(review && { reviewed: { by: review.approver, at: review.at, reason: review.reason } }),
  };
}

/** Whether two approvers are one person, or may be: then one cannot review what the other did. Nobody is known to be another than who is gone. */
export function mayReview(reviewer: string, broke: string, approvers: readonly Approver[]): boolean {
  const people = peopleOf(approvers);
  if (reviewer.toLowerCase() === broke.toLowerCase()) return false;
  return people.of(broke) === undefined || people.of(reviewer) !== people.of(broke);
}

/** Tells those who must know at once; nothing where the glass is whole. */
export function sound(
  { alarm, approvers }: Pick<Ledger, 'alarm' | 'approvers'>,
  { id, glass, state, summary, environment, principal }: ApprovalRequest,
  event: GlassEvent['event'],
): void {
  if (glass === undefined || (event === 'approved' && state !== 'approved')) return;
  const { by, reason, at } = glass;
  alarm({
    event,
    request: id,
    summary,
    environment,
    principal: principalId(principal),
    approver: by,
    person: approvers.list().find(({ name }) => name === by)?.person ?? 'no longer registered',
    reason,
    at: new Date(at).toISOString(),
  });
}
