import type { ChecklistItem, Phase } from '../core/checklist.ts';
import type { Session } from '../store/store.ts';
import { checklistOf, foundOf, toLookAt, type Found, type Recorded } from './checklists.ts';
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

/**
 * A request with its checklist as it stands at this moment. Once it has run, what came before the run is shown as it was found
 * then, and what comes after it is looked at.
 */
export async function examined(
  source: EvidenceSource,
  request: ApprovalRequest,
  ticks: Parameters<typeof checklistOf>[1],
  session: Session,
): Promise<ApprovalRequest> {
  if (request.terms.checklists.length === 0) return request;
  const found = BEFORE.includes(request.state)
    ? await lookAt(source, request, ['pre'])
    : [...(await foundThen(session, request.id)), ...(await lookAt(source, request, ['during', 'post']))];
  return { ...request, checklist: checklistOf(request.terms, ticks, found) };
}

/** What the log says was found when the request was last claimed, or else decided. */
async function foundThen(session: Session, id: string): Promise<Found[]> {
  const [row] = await session.query<{ record: string }>(
    `SELECT record FROM audit_records WHERE approval = ? AND kind IN ('approval.claimed', 'approval.decided') ORDER BY time DESC, seq DESC LIMIT 1`,
    [id],
  );
  const { data } = JSON.parse(row?.record ?? '{}') as { data?: { checklist?: Recorded[] } };
  return (data?.checklist ?? []).flatMap(foundOf);
}
