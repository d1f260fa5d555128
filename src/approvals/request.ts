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
  /** The stale request that this one replaces. */
  follows?: string;
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
  /** The stale request that this one replaces; nothing that was decided on that one counts for this. */
  follows?: string;
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
  /** Ed25519, base64. */
  signature: string;
}

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
  /** Of the decisions below, the approvals that count: their signatures verify against the keys registered now. */
  approvalsGiven: number;
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
  checklist?: ChecklistItem[];
  window?: { open: boolean; says: string; opensAt?: number };
}

/** One item of a checklist as it stands: found out by Holdpoint (`evidence`), or for a person to tick. */
interface ChecklistItem {
  /** `production-deployment/backup`. */
  id: string;
  says: string;
  kind: 'evidence' | 'person';
  state: 'ok' | 'failed' | 'unknown' | 'open';
  evidence?: string;
  by?: string;
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
