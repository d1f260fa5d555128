import { SIGNATURES } from '../core/demand-words.ts';
import type { Approver } from './approvers.ts';
import { fitsKind, isAskedAtAll, progressOf, wordsOfDemands, type Progress } from './demands.ts';
import { signatureFault } from './keys.ts';
import { peopleOf } from './persons.ts';
import type { RequestBody, SignedDecision } from './request.ts';

/** Which of a request's stored decisions count, given who is an approver now. Pure. */
export interface Standing extends Progress {
  approvals: SignedDecision[];
  denials: SignedDecision[];
  /** Why each of the others does not count. */
  void: { decision: SignedDecision; why: string }[];
  /** The last moment to run at, from the signed times: absent while approvals are missing. */
  runBy?: number;
}

/** Each decision is verified against the registered key; a row in the store proves nothing by itself. */
export function standingOf(
  body: RequestBody,
  digest: string,
  decisions: readonly SignedDecision[],
  approvers: readonly Approver[],
): Standing {
  const judged = decisions.map((decision) => ({ decision, why: voidReason(body, digest, decision, approvers) }));
  const counting = judged.filter(({ why }) => why === undefined).map(({ decision }) => decision);
  const approvals = counting.filter(({ decision }) => decision === 'approve').sort((a, b) => a.at - b.at);
  const after = (some: readonly SignedDecision[]) =>
    progressOf(
      body.terms,
      body.principal.person,
      approvers,
      some.map(({ approver }) => approver),
    );
  // The time to run begins with the approval that was enough, not with one that came after it.
  const enough = approvals.find((_, index) => after(approvals.slice(0, index + 1)).stillNeeded.length === 0);
  return {
    ...after(approvals),
    approvals,
    denials: counting.filter(({ decision }) => decision === 'deny'),
    void: judged.flatMap(({ decision, why }) => (why === undefined ? [] : [{ decision, why }])),
    ...(enough && { runBy: enough.at + body.terms.runWithin }),
  };
}

/** Why a decision does not count, or undefined where it does. A denial only stops: any registered key may sign it. */
export function voidReason(
  body: RequestBody,
  digest: string,
  decision: SignedDecision,
  approvers: readonly Approver[],
): string | undefined {
  const approver = approvers.find(({ name }) => name === decision.approver);
  if (!approver) return 'this approver is not registered';
  const key = approver.keys.find(({ fingerprint }) => fingerprint === decision.key);
  if (!key) return "its signature is not by this approver's registered key";
  if (decision.id !== body.id || decision.digest !== digest) return 'it was signed for another request';
  if (decision.at > body.approveBy) return 'it was signed after the time to approve';
  if (decision.decision === 'approve') {
    const { terms, principal } = body;
    const people = peopleOf(approvers);
    if (decision.breakGlass) return 'the rule has no break-glass';
    if (!terms.requesterMayApprove && people.being(principal.person).has(people.of(approver.name) ?? -1))
      return `the rule asks for somebody other than ${principal.person}, whose agent asks`;
    if (!isAskedAtAll(terms, approver)) return `the rule asks for approval ${wordsOfDemands(terms)}`;
    if (!fitsKind(terms, key)) return `the rule asks for a signature ${SIGNATURES[terms.signature]}`;
    if (terms.reasonRequired && decision.reason.trim() === '') return 'the rule asks for a reason';
  }
  return signatureFault(decision, key);
}
