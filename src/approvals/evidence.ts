import type { ChecklistItem, Phase } from '../core/checklist.ts';
import { checklistOf, toLookAt, type Found } from './checklists.ts';
import type { ApprovalRequest, RequestBody } from './request.ts';

/**
 * Who looks at what items ask for. What cannot be looked at is `unknown` in the answer, with the reason; it never throws for
 * that.
 */
export interface EvidenceSource {
  look(request: RequestBody, items: readonly ChecklistItem[]): Promise<Found[]>;
}

/** Where nobody looks, every item with evidence stays unknown. */
export const NO_EVIDENCE: EvidenceSource = {
  look: async (_request, items) =>
    items.map(({ id }) => ({ item: id, state: 'unknown', says: 'nothing here can look at it' })),
};

/** Looks at the items of these phases. A source that fails as a whole has found nothing out. */
export async function lookAt(source: EvidenceSource, body: RequestBody, phases: readonly Phase[]): Promise<Found[]> {
  const items = toLookAt(body.terms, phases);
  if (items.length === 0) return [];
  try {
    return await source.look(body, items);
  } catch {
    return items.map(({ id }) => ({ item: id, state: 'unknown', says: 'looking at it failed' }));
  }
}

const BEFORE: readonly string[] = ['pending', 'approved', 'claimed'];

/** A request with its checklist as it stands at this moment: what comes after the run is looked at once it has run. */
export async function examined(
  source: EvidenceSource,
  request: ApprovalRequest,
  ticks: Parameters<typeof checklistOf>[1],
): Promise<ApprovalRequest> {
  if (request.terms.checklists.length === 0) return request;
  const found = await lookAt(source, request, BEFORE.includes(request.state) ? ['pre'] : ['pre', 'during', 'post']);
  return { ...request, checklist: checklistOf(request.terms, ticks, found) };
}
