import type { RequestBody } from './request.ts';

/** What requests say nothing of that were stored before there was more to ask for. */
const LATER_TERMS = { approvers: [], reasonRequired: false, signature: 'any' } as const;

/** A stored request as today's rules read it; its digest is of the text as it was stored. */
export function withLaterTerms(body: RequestBody): RequestBody {
  return { ...body, terms: { ...LATER_TERMS, ...body.terms } };
}
