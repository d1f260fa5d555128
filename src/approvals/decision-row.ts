import type { SqlValue } from '../store/store.ts';
import type { SignedDecision } from './request.ts';

/** A row of `approval_decisions`: whatever stands in it, the signature tells whether it counts. */
export interface DecisionRow {
  request: string;
  approver: string;
  decision: SignedDecision['decision'];
  at: number;
  reason: string;
  digest: string;
  /** JSON. */
  ticked: string;
  break_glass: number;
  key: string;
  signature: string;
}

export function decisionRow(decision: SignedDecision): DecisionRow & Record<string, SqlValue> {
  const { id, ticked, breakGlass, ...rest } = decision;
  return { ...rest, request: id, ticked: JSON.stringify(ticked), break_glass: breakGlass ? 1 : 0 };
}

export function decisionOf({ request, ticked, break_glass, ...row }: DecisionRow): SignedDecision {
  return { ...row, id: request, ticked: tickedOf(ticked), ...(break_glass !== 0 && { breakGlass: true as const }) };
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
