import canonicalize from 'canonicalize';

import type { Change } from '../core/errors.ts';
import type { Json } from '../core/json.ts';
import type { Plan } from '../core/plan.ts';

/**
 * What moved between a plan and the same call planned again: preconditions by id, then anything else that a run would do
 * differently. Empty: the plan still holds.
 */
export function whatMoved(before: Plan, now: Plan): Change[] {
  const changes: Change[] = [];
  const current = new Map(now.preconditions.map((precondition) => [precondition.id, precondition]));
  for (const { id, says, value } of before.preconditions) {
    const found = current.get(id);
    current.delete(id);
    if (!found) changes.push({ what: says, was: short(value), is: 'gone' });
    else if (canonicalize(found.value) !== canonicalize(value))
      changes.push({ what: says, was: short(value), is: short(found.value) });
  }
  for (const { says, value } of current.values()) changes.push({ what: says, was: 'not there', is: short(value) });
  if (changes.length > 0) return changes;
  for (const part of ['effect', 'targets', 'steps', 'data'] as const) {
    const [was, is] = [canonicalize(before[part]), canonicalize(now[part])];
    if (was !== is)
      changes.push({ what: `the plan's ${part}`, was: short(before[part] as Json), is: short(now[part] as Json) });
  }
  return changes;
}

function short(value: Json): string {
  const text = typeof value === 'string' ? value : (canonicalize(value) ?? '');
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}
