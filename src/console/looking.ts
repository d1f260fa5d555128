import type { Approvals } from '../approvals/approvals.ts';
import type { ApprovalRequest } from '../approvals/request.ts';

/** Pages ask for a request with every change; its evidence is looked at anew after this many milliseconds. */
const GOOD_FOR = 15_000;
const MAX_KEPT = 200;

/** A request with what its checklists' evidence says now, or said a moment ago. What counts is looked at where it is decided. */
export function createLooking(approvals: Approvals, now: () => number) {
  const looks = new Map<string, { at: number; found: Promise<ApprovalRequest> }>();
  return async (request: ApprovalRequest): Promise<ApprovalRequest> => {
    const { id, state, decisions } = request;
    // Ticks come with decisions, so that these make what was seen before another thing.
    const place = `${id} ${state} ${decisions.length}`;
    const known = looks.get(place);
    const look = known && now() - known.at < GOOD_FOR ? known : { at: now(), found: approvals.examine(request) };
    if (look !== known) {
      looks.delete(place);
      if (looks.size >= MAX_KEPT) looks.delete(looks.keys().next().value ?? '');
      looks.set(place, look);
    }
    const { checklist } = await look.found.catch((error: unknown) => {
      looks.delete(place);
      throw error;
    });
    return { ...request, ...(checklist && { checklist }) };
  };
}
