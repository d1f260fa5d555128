import type { ChangeWindow } from '../core/calendar.ts';
import type { ChecklistItem } from '../core/checklist.ts';
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

/** What the checklists and windows that a rule names say. */
export interface Resolved {
  items: ChecklistItem[];
  openings: ChangeWindow[];
}

/** A rule's `approval` with the defaults filled in. */
export function termsOf(
  entry: ApprovalEntry = {},
  { items, openings }: Resolved = { items: [], openings: [] },
): ApprovalTerms {
  return {
    ...(items.length > 0 && { items }),
    ...(openings.length > 0 && { openings }),
    ...(entry.breakGlass !== undefined && { breakGlass: entry.breakGlass }),
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
  const items = byName([...(a.items ?? []), ...(b.items ?? [])], ({ id }) => id);
  const openings = byName([...(a.openings ?? []), ...(b.openings ?? [])], ({ name }) => name);
  return {
    ...(items.length > 0 && { items }),
    ...(openings.length > 0 && { openings }),
    // One rule that does not allow it is enough against it.
    ...(a.breakGlass !== undefined &&
      b.breakGlass !== undefined && { breakGlass: Math.min(a.breakGlass, b.breakGlass) }),
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

/** Each once; in a fixed order between checklists or windows, and in their own within one. */
function byName<T>(all: readonly T[], nameOf: (one: T) => string): T[] {
  const once = new Map(all.map((one) => [nameOf(one), one]));
  const listOf = (one: T) => nameOf(one).split('/')[0] ?? '';
  return [...once.values()].sort((a, b) => (listOf(a) < listOf(b) ? -1 : listOf(a) > listOf(b) ? 1 : 0));
}
