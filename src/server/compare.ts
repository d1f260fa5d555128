import canonicalize from 'canonicalize';

import type { VisiblePlan } from '../approvals/request.ts';
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
    else if (differ(value, found.value)) changes.push({ what: says, ...sides(value, found.value) });
  }
  for (const { says, value } of current.values()) changes.push({ what: says, was: 'not there', is: short(value) });
  return changes.length > 0 ? changes : partsThatDiffer(before, now, ['effect', 'targets', 'steps', 'data']);
}

/** What would be done otherwise than by an earlier plan, as far as people were shown of it. */
export function shownDifferences(before: VisiblePlan, now: VisiblePlan): Change[] {
  const parts = partsThatDiffer(before, now, ['effect', 'targets', 'steps']);
  if (before.preview.summary === now.preview.summary) return parts;
  return [{ what: 'in one line', was: before.preview.summary, is: now.preview.summary }, ...parts];
}

function partsThatDiffer<P extends object>(before: P, now: P, parts: readonly (keyof P & string)[]): Change[] {
  return parts.flatMap((part) => {
    const [was, is] = [before[part] as Json, now[part] as Json];
    return differ(was, is) ? [{ what: `the plan's ${part}`, ...sides(was, is) }] : [];
  });
}

function differ(a: Json, b: Json): boolean {
  return canonicalize(a) !== canonicalize(b);
}

/** Two values that differ, as what differs in them: people compare these, and what is alike would hide it. */
function sides(was: Json, is: Json): { was: string; is: string } {
  if (Array.isArray(was) && Array.isArray(is)) {
    const [then, now] = [was.map(one), is.map(one)];
    const only = (list: string[], other: string[]) => list.filter((each) => !other.includes(each));
    const [gone, come] = [only(then, now), only(now, then)];
    // The same ones in another order, or another number of times.
    if (gone.length + come.length === 0) return apart(one(was), one(is));
    return { was: short(gone.join(', ') || 'without these'), is: short(come.join(', ') || 'without these') };
  }
  const [then, now] = [leaves(was), leaves(is)];
  if (then.size === 0 || now.size === 0) return apart(one(was), one(is));
  const keys = [...new Set([...then.keys(), ...now.keys()])].filter((key) => then.get(key) !== now.get(key));
  const side = (values: Map<string, string>) => keys.map((key) => `${key}: ${values.get(key) ?? 'none'}`).join(', ');
  return apart(side(then), side(now));
}

/** Both cut to what is shown; where they begin alike for longer than that, from where they part. */
function apart(was: string, is: string): { was: string; is: string } {
  if (short(was) !== short(is)) return { was: short(was), is: short(is) };
  const at = Array.from({ length: was.length }, (_, index) => index).findIndex((index) => was[index] !== is[index]);
  const from = Math.max(0, (at === -1 ? was.length : at) - 20);
  return { was: short(`…${was.slice(from)}`), is: short(`…${is.slice(from)}`) };
}

/** The values of an object by their paths (`images.api`); none for what is no object. */
function leaves(value: Json, path: readonly string[] = []): Map<string, string> {
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    return new Map(path.length === 0 ? [] : [[path.join('.'), one(value)]]);
  return new Map(Object.entries(value).flatMap(([key, inner]) => [...leaves(inner, [...path, key])]));
}

function one(value: Json): string {
  return typeof value === 'string' ? value : (canonicalize(value) ?? '');
}

function short(value: Json): string {
  const text = one(value);
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}
