import { canonicalJson, sha256 } from '../audit/canonical.ts';
import type { Plan } from '../core/plan.ts';
import type { RequestBody, UnsignedDecision } from './request.ts';

/** What keeps a signature made here from meaning anything elsewhere. */
const DECISION_DOMAIN = 'holdpoint decision v2\n';

/**
 * `sha256:…` of the RFC 8785 form of what a plan does. The same plan has the same digest, whenever and wherever it was made: what is
 * only shown of it (alerts that fire now) moves by itself, and is in the request's own digest as people saw it.
 */
export function planDigest({ manner: _manner, preview: _preview, ...plan }: Plan): string {
  return sha256(canonicalJson(plan));
}

/** The digest of a request: what is shown to people, and what approvers sign. */
export function requestDigest(body: RequestBody): string {
  return sha256(canonicalJson(body));
}

/** What makes two held calls the same request: caller, tool, plan, and the policy and schema it was decided under. */
export function sameness(
  body: Pick<RequestBody, 'principal' | 'persona' | 'tool' | 'schemaHash' | 'planDigest' | 'policyDigest'> &
    Partial<RequestBody>,
): string {
  const { principal, persona, tool, schemaHash, planDigest: plan, policyDigest } = body;
  const { person, agent, client } = principal;
  return sha256(canonicalJson({ principal: { person, agent, client }, persona, tool, schemaHash, plan, policyDigest }));
}

/** The bytes that an approver signs: everything that the decision says, and with which key. */
export function decisionBytes(unsigned: UnsignedDecision<string>): Buffer {
  const { id, digest, decision, approver, at, reason, ticked, breakGlass, key } = unsigned;
  const said = { id, digest, decision, approver, at, reason, ticked, key, ...(breakGlass && { breakGlass }) };
  return Buffer.from(DECISION_DOMAIN + canonicalJson(said), 'utf8');
}
