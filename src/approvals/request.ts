import type { ApprovalTerms, Decision } from '../core/decision.ts';
import type { Change } from '../core/errors.ts';
import type { Json, JsonObject } from '../core/json.ts';
import type { Plan } from '../core/plan.ts';
import type { Principal } from '../core/principal.ts';
import type { State } from './states.ts';

/** A call that the policy holds, as dispatch hands it over. */
export interface Hold {
  principal: Principal;
  persona: string;
  tool: string;
  schemaHash: string;
  /** The tool's parsed input; stored encrypted. */
  input: JsonObject;
  /** Stored encrypted: its steps and preconditions may hold what nobody should read. */
  plan: Plan;
  /** What people see of it, redacted; stored as it is. */
  shown: VisiblePlan;
  policyDigest: string;
  decision: Decision & { terms: ApprovalTerms };
  /** The call's correlation id, for the audit log. */
  callId: string;
}

/** A plan without what only the run needs, its secrets masked. */
export type VisiblePlan = Omit<Plan, 'data' | 'manner'>;

/** What never changes in a request: exactly what its digest covers and approvers sign. Times are milliseconds since 1970. */
export interface RequestBody {
  v: 1;
  id: string;
  principal: Principal;
  persona: string;
  tool: string;
  schemaHash: string;
  plan: VisiblePlan;
  /** Of the whole plan as it will run. */
  planDigest: string;
  /** Of the encrypted input and plan, as stored. */
  sealedDigest: string;
  policyDigest: string;
  rules: string[];
  reason: string;
  environment: string | null;
  handOff: string | null;
  terms: ApprovalTerms;
  createdAt: number;
  approveBy: number;
}

/** What an approver says of one request; the signature covers all other fields. */
export interface SignedDecision {
  id: string;
  digest: string;
  decision: 'approve' | 'deny';
  approver: string;
  /** Milliseconds since 1970. */
  at: number;
  /** Empty where none was given (approvals only). */
  reason: string;
  /** Items of checklists, as `checklist/item`, that the approver says are done. */
  ticked: string[];
  /** Signed with the break-glass key. */
  breakGlass?: true;
  /** Fingerprint of the key that signed. */
  key: string;
  /**
   * Of an own key: Ed25519, base64. Of an SSH key: the armored SSHSIG text of namespace `holdpoint`. Of a passkey: base64url
   * of JSON { credentialId, authenticatorData, clientDataJSON, signature }, each base64url; the challenge is SHA-256 of what
   * is signed.
   */
  signature: string;
}

export type UnsignedDecision = Omit<SignedDecision, 'signature'>;

/** Who or what caused the last transition, where the state alone does not say it. */
export interface Note {
  by?: string;
  reason?: string;
  changes?: Change[];
}

interface StepOutcome {
  step: string;
  at: number;
  outcome: Json;
}

/** A request as it stands. */
export interface ApprovalRequest extends RequestBody {
  /** Of the body: what approvers sign. */
  digest: string;
  state: State;
  /** Counts claims; a run belongs to one fence. */
  fence: number;
  /** The preview's one line. */
  summary: string;
  approvalsNeeded: number;
  /** People whose approvals below count: their signatures verify against the keys registered now. */
  approvalsGiven: number;
  /** While it is pending: in words, whose approvals are missing. */
  stillNeeded: string[];
  /** While it is pending: why the approvers registered now cannot give what the rules ask for. */
  cannotBeMet?: string;
  decisions: SignedDecision[];
  /** The last moment to run at; once approved. */
  runBy?: number;
  /** When the present state began. */
  movedAt: number;
  /** When its first effect was about to happen. */
  actedAt?: number;
  owner?: string;
  leaseUntil?: number;
  note?: Note;
  steps: StepOutcome[];
  /** How the run ended, as `settle` was told. */
  outcome?: JsonObject;
}

/** The right to run a request once, until its lease runs out. */
export interface Claim {
  request: ApprovalRequest;
  input: JsonObject;
  plan: Plan;
  owner: string;
  fence: number;
  /** Of the call that runs it, for the audit log. */
  callId?: string;
}
