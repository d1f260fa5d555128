import type { ApprovalTerms } from '../core/decision.ts';
import type { ApprovalEntry } from './schema.ts';

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
  checklists: [],
  windows: [],
};

/** A rule's `approval` with the defaults filled in. */
export function termsOf(entry: ApprovalEntry = {}): ApprovalTerms {
  return {
    approvals: entry.approvals ?? DEFAULT_TERMS.approvals,
    approveWithin: entry.approveWithin ?? DEFAULT_TERMS.approveWithin,
    runWithin: entry.runWithin ?? DEFAULT_TERMS.runWithin,
    channel: entry.channel ?? DEFAULT_TERMS.channel,
    requesterMayApprove: entry.requesterMayApprove ?? DEFAULT_TERMS.requesterMayApprove,
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
    checklists: union(a.checklists, b.checklists),
    windows: union(a.windows, b.windows),
  };
}

function union(a: readonly string[], b: readonly string[]): string[] {
  return [...new Set([...a, ...b])].sort();
}
