import { createPublicKey, verify } from 'node:crypto';

import type { Approver } from './approvers.ts';
import { decisionBytes } from './digest.ts';
import type { RequestBody, SignedDecision } from './request.ts';

/** Which of a request's stored decisions count, given who is an approver now. Pure. */
export interface Standing {
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
  const standing: Standing = { approvals: [], denials: [], void: [] };
  const keys = new Set<string>();
  for (const decision of decisions) {
    const approver = approvers.find(({ name }) => name === decision.approver);
    const why = approver ? voidReason(body, digest, decision, approver) : 'this approver is not registered';
    if (why !== undefined || !approver) standing.void.push({ decision, why: why ?? '' });
    else if (decision.decision === 'deny') standing.denials.push(decision);
    // One key under two names is one approver.
    else if (!keys.has(approver.publicKey)) {
      keys.add(approver.publicKey);
      standing.approvals.push(decision);
    }
  }
  if (standing.approvals.length >= body.terms.approvals)
    standing.runBy = Math.max(...standing.approvals.map(({ at }) => at)) + body.terms.runWithin;
  return standing;
}

/** Why a decision does not count, or undefined where it does. */
export function voidReason(
  body: RequestBody,
  digest: string,
  decision: SignedDecision,
  approver: Approver,
): string | undefined {
  if (decision.id !== body.id || decision.digest !== digest) return 'it was signed for another request';
  if (decision.at > body.approveBy) return 'it was signed after the time to approve';
  if (
    !body.terms.requesterMayApprove &&
    decision.decision === 'approve' &&
    mayBeSame(approver.person, body.principal.person)
  )
    return `the rule asks for somebody other than ${body.principal.person}, whose agent asks`;
  const signed = verify(
    null,
    decisionBytes(decision),
    createPublicKey(approver.publicKey),
    Buffer.from(decision.signature, 'base64'),
  );
  return signed ? undefined : "its signature is not by this approver's registered key";
}

/** In doubt they are: of a token the person is `SUB@ISSUER`, where `SUB` may be the name, or the mail address, of a user here. */
function mayBeSame(approver: string, requester: string): boolean {
  const [here, asks] = [approver.toLowerCase(), requester.toLowerCase()];
  return asks === here || asks.startsWith(`${here}@`);
}
