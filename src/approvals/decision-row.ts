import type { Session, SqlValue } from '../store/store.ts';
import type { SignedDecision, SignedRemark } from './request.ts';

/** A row of `approval_decisions`: whatever stands in it, the signature tells whether it counts. */
export interface DecisionRow<D extends string = 'approve' | 'deny'> {
  request: string;
  approver: string;
  decision: D;
  at: number;
  reason: string;
  digest: string;
  /** JSON. */
  ticked: string;
  break_glass: number;
  key: string;
  signature: string;
}

export function decisionRow<D extends string>(decision: SignedDecision<D>): DecisionRow<D> & Record<string, SqlValue> {
  const { id, ticked, breakGlass, ...rest } = decision;
  return { ...rest, request: id, ticked: JSON.stringify(ticked), break_glass: breakGlass ? 1 : 0 };
}

export function decisionOf<D extends string>({
  request,
  ticked,
  break_glass,
  ...row
}: DecisionRow<D>): SignedDecision<D> {
  return { ...row, id: request, ticked: tickedOf(ticked), ...(break_glass !== 0 && { breakGlass: true as const }) };
}

/** What was said of a request after it was decided, in that order. */
export async function remarksOf(session: Session, id: string): Promise<SignedRemark[]> {
  const rows = await session.query<DecisionRow<SignedRemark['decision']>>(
    'SELECT *, 0 AS break_glass FROM approval_remarks WHERE request = ? ORDER BY at, approver',
    [id],
  );
  return rows.map(decisionOf);
}

/** Changed by hand it may be anything; as nothing, the signature does not verify. */
function tickedOf(text: string): string[] {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) && value.every((each) => typeof each === 'string') ? value : [];
  } catch {
    return [];
  }
}
