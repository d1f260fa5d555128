import { canonicalJson, sha256 } from '../audit/canonical.ts';
import type { Plan } from '../core/plan.ts';
import type { RequestBody, UnsignedDecision } from './request.ts';

/** What keeps a signature made here from meaning anything elsewhere. */
const DECISION_DOMAIN = 'holdpoint decision v2\n';

/** `sha256:…` of a whole plan's RFC 8785 form. The same plan has the same digest, whenever and wherever it was made. */
export function planDigest({ manner: _manner, ...plan }: Plan): string {
  return sha256(canonicalJson(plan));
}

/** The digest of a request: what is shown to people, and what approvers sign. */
export function requestDigest(body: RequestBody): string {
  return sha256(canonicalJson(body));
}

/** What makes two held calls the same request: caller, tool, plan, and the policy and schema it was decided under. */
export function sameness(body: RequestBody): string {
  const { principal, persona, tool, schemaHash, planDigest: plan, policyDigest } = body;
  return sha256(canonicalJson({ principal, persona, tool, schemaHash, plan, policyDigest }));
}

/** The bytes that an approver signs: everything that the decision says, and with which key. */
export function decisionBytes(unsigned: UnsignedDecision): Buffer {
  const { id, digest, decision, approver, at, reason, ticked, breakGlass, key } = unsigned;
  const said = { id, digest, decision, approver, at, reason, ticked, key, ...(breakGlass && { breakGlass }) };
  return Buffer.from(DECISION_DOMAIN + canonicalJson(said), 'utf8');
}
