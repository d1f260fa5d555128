import type { Session } from '../store/store.ts';
import { brokenGlass } from './break-glass.ts';
import { checklistOf } from './checklists.ts';
import { remarksOf } from './decision-row.ts';
import type { ApprovalRequest, RequestBody, SignedDecision } from './request.ts';
import type { Standing } from './standing.ts';
import { windowAt } from './windows.ts';

/** What a request shows where its rule asks for more than approvals: checklists, windows, and glass that was broken. */
export async function extrasOf(
  session: Session,
  { id, terms }: RequestBody,
  { approvals }: Standing,
  decisions: readonly SignedDecision[],
  now: () => Promise<number>,
): Promise<Pick<ApprovalRequest, 'checklist' | 'window' | 'glass'>> {
  const { checklists, openings, freezes, breakGlass } = terms;
  const remarks = checklists.length > 0 || breakGlass !== undefined ? await remarksOf(session, id) : [];
  const window = (openings ?? freezes) && windowAt(terms, await now());
  const glass = brokenGlass(decisions, remarks);
  return {
    ...(checklists.length > 0 && { checklist: checklistOf(terms, [...approvals, ...remarks], []) }),
    ...(window && { window }),
    ...(glass && { glass }),
  };
}
