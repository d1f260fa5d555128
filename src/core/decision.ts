import type { ChangeWindow, FreezeTime } from './calendar.ts';
import type { ChecklistItem } from './checklist.ts';
import type { Target } from './target.ts';

export const VERDICTS = ['allow', 'require_approval', 'deny'] as const;

export type Verdict = (typeof VERDICTS)[number];

/** So many people, each of them one of these: by name, or in one of the groups, or in one of the roles. */
export interface ApproverDemand {
  approvals: number;
  names: string[];
  groups: string[];
  roles: string[];
}

/** With which kind of key an approval must be signed. `none-fits`: rules ask for different kinds, which no signature is. */
export type SignatureDemand = 'any' | 'ssh' | 'passkey' | 'none-fits';

/** What an approval needs, from the rules that asked for one; of several rules the strictest of each. */
export interface ApprovalTerms {
  /** How many people must approve. */
  approvals: number;
  /** Milliseconds to approve in, from the request. */
  approveWithin: number;
  /** Milliseconds to run in, from the last approval. */
  runWithin: number;
  /** `out-of-band`: decided outside the MCP channel. `client`: the requester's acknowledgement in the client is enough. */
  channel: 'out-of-band' | 'client';
  requesterMayApprove: boolean;
  /** From whom approvals must come; all must be met. Empty: from any approver. */
  approvers: ApproverDemand[];
  /** Whether an approval without a reason counts for nothing. */
  reasonRequired: boolean;
  signature: SignatureDemand;
  /** Names of checklists and windows that the policy asks for. */
  checklists: string[];
  windows: string[];
  /** What these checklists say; absent where none is asked for. */
  items?: ChecklistItem[];
  /** When these windows are open; absent where none is asked for. */
  openings?: ChangeWindow[];
  /** The freezes that are for one of the targets, whenever they are. */
  freezes?: FreezeTime[];
  /** Where every deciding rule allows it: the milliseconds to run in after one person has approved alone in an emergency. */
  breakGlass?: number;
}

/** The answer for one target. */
export interface TargetDecision {
  target: Target;
  verdict: Verdict;
  /** The environment it was decided in; undefined for files and folders. */
  environment?: string;
  /** Ids of the rules that made the verdict; empty where nothing matched (which denies). */
  rules: string[];
  reason: string;
  handOff?: string;
  consult?: true;
}

/** The answer for a call: the strictest of its targets'. */
export interface Decision {
  verdict: Verdict;
  /** The strictest environment among the targets, if any has one. */
  environment?: string;
  rules: string[];
  reason: string;
  /** The role to hand the work to, where the deciding rule names one. */
  handOff?: string;
  /** The role is to be asked instead: the work stays here. */
  consult?: true;
  /** Present when the verdict is `require_approval`. */
  terms?: ApprovalTerms;
  targets: TargetDecision[];
}

/** The stricter of two verdicts. */
export function stricter(a: Verdict, b: Verdict): Verdict {
  return VERDICTS.indexOf(a) >= VERDICTS.indexOf(b) ? a : b;
}
