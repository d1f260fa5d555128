import type { ApprovalTerms, ApproverDemand, SignatureDemand } from '../core/decision.ts';
import type { ApprovalEntry, ApproversEntry } from './schema.ts';

const HOUR = 3_600_000;

/**
 * What holds where a rule does not say: one person, who may be the requester, decides within a day outside the MCP channel,
 * and the call runs within an hour after that.
 */
const DEFAULT_TERMS: ApprovalTerms = {
  approvals: 1,
  approveWithin: 24 * HOUR,
  runWithin: HOUR,
  channel: 'out-of-band',
  requesterMayApprove: true,
  approvers: [],
  reasonRequired: false,
  signature: 'any',
  checklists: [],
  windows: [],
};

/** A rule's `approval` with the defaults filled in. */
export function termsOf(entry: ApprovalEntry = {}): ApprovalTerms {
  const approvals = entry.approvals ?? DEFAULT_TERMS.approvals;
  return {
    approvals,
    approveWithin: entry.approveWithin ?? DEFAULT_TERMS.approveWithin,
    runWithin: entry.runWithin ?? DEFAULT_TERMS.runWithin,
    channel: entry.channel ?? DEFAULT_TERMS.channel,
    requesterMayApprove: entry.requesterMayApprove ?? DEFAULT_TERMS.requesterMayApprove,
    approvers: entry.approvers ? [demandOf(approvals, entry.approvers)] : [],
    reasonRequired: entry.reason === 'required',
    signature: entry.signature ?? DEFAULT_TERMS.signature,
    checklists: entry.checklist ?? [],
    windows: entry.window ?? [],
  };
}

/** Of several rules' terms the strictest of each. */
export function strictestTerms(all: readonly ApprovalTerms[]): ApprovalTerms {
  const [first, ...rest] = all;
  return rest.reduce(stricterTerms, first ?? DEFAULT_TERMS);
}

function stricterTerms(a: ApprovalTerms, b: ApprovalTerms): ApprovalTerms {
  return {
    approvals: Math.max(a.approvals, b.approvals),
    approveWithin: Math.min(a.approveWithin, b.approveWithin),
    runWithin: Math.min(a.runWithin, b.runWithin),
    channel: a.channel === 'client' && b.channel === 'client' ? 'client' : 'out-of-band',
    requesterMayApprove: a.requesterMayApprove && b.requesterMayApprove,
    approvers: allDemands([...a.approvers, ...b.approvers]),
    reasonRequired: a.reasonRequired || b.reasonRequired,
    signature: bothKinds(a.signature, b.signature),
    checklists: union(a.checklists, b.checklists),
    windows: union(a.windows, b.windows),
  };
}

function demandOf(approvals: number, { names = [], groups = [], roles = [] }: ApproversEntry): ApproverDemand {
  return { approvals, names: union(names, []), groups: union(groups, []), roles: union(roles, []) };
}

/** Each set of people once, with the most approvals that are asked of it; sorted, so that the order of rules means nothing. */
function allDemands(demands: readonly ApproverDemand[]): ApproverDemand[] {
  const most = new Map<string, ApproverDemand>();
  for (const demand of demands) {
    const key = JSON.stringify([demand.names, demand.groups, demand.roles]);
    if (demand.approvals > (most.get(key)?.approvals ?? 0)) most.set(key, demand);
  }
  return [...most].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, demand]) => demand);
}

function bothKinds(a: SignatureDemand, b: SignatureDemand): SignatureDemand {
  if (a === b || b === 'any') return a;
  return a === 'any' ? b : 'none-fits';
}

function union(a: readonly string[], b: readonly string[]): string[] {
  return [...new Set([...a, ...b])].sort();
}
