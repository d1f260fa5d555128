import { sha256 } from '../audit/canonical.ts';
import { approvalOf, type AuditRecord } from '../audit/chain.ts';
import type { JsonObject } from '../core/json.ts';
import { publicApprover } from './approver-file.ts';
import type { Approver } from './approvers.ts';
import { signedDecision } from './decision-schema.ts';
import { withLaterTerms } from './later-terms.ts';
import type { RequestBody, SignedDecision } from './request.ts';

/** A decision as the log has it, and who signed it as they were registered then. */
export interface Decided {
  record: AuditRecord;
  decision: SignedDecision;
  as: Approver;
}

/** The request that a record tells the digest of, where it is that one. */
export function bodyOf(record: AuditRecord, request: string | undefined): { body?: RequestBody } {
  if (request === undefined || sha256(request) !== record.data['digest']) return {};
  const body = JSON.parse(request) as RequestBody;
  return body.id === approvalOf(record) ? { body: withLaterTerms(body) } : {};
}

/** A record's decision; undefined where it is none that can be verified. */
export function decisionIn(record: AuditRecord): Decided | undefined {
  // A record says more than what was signed.
  const [decision, approver] = [
    signedDecision.strip().safeParse(record.data),
    publicApprover.safeParse(record.data['as']),
  ];
  if (decision.success && approver.success && approver.data.name === decision.data.approver)
    return { record, decision: decision.data, as: { ...approver.data, protected: true } };
  return undefined;
}

/** When something happened as the store counts time, which never goes back; a record's own time is the clock's. */
export function timeOf({ data, time }: { data: JsonObject; time: string }): number {
  return typeof data['at'] === 'number' ? data['at'] : Date.parse(time);
}

/** Who signed, as they were registered then; somebody who decided twice, with the keys of both times. */
export function signers(decided: readonly Decided[]): Approver[] {
  const byName = new Map<string, Approver>();
  for (const { as } of decided) {
    const keys = byName.get(as.name)?.keys ?? [];
    byName.set(as.name, { ...as, keys: [...keys, ...as.keys] });
  }
  return [...byName.values()];
}
