import { EFFECTS } from '../../core/effect.ts';
import { isRuntime, SELECTORS, TARGET_KINDS } from '../../core/target.ts';
import type { TargetKind } from '../../core/target.ts';
import { fold, namePattern, patternNames } from '../patterns.ts';
import { WHEN_KEYS } from '../policy.ts';
import type { WhenKey } from '../policy.ts';
import type { RuleEntry, WhenEntry } from '../schema.ts';
import { coversName, coversPath } from './samples.ts';

/** A rule's condition with how it is read. */
export interface Reading {
  when: WhenEntry;
  restricts: boolean;
  /** The kinds of target that it can match. */
  kinds: readonly TargetKind[];
}

export function readingOf({ when, decision }: Pick<RuleEntry, 'when' | 'decision'>): Reading {
  const restricts = decision !== 'allow';
  return { when, restricts, kinds: kindsOf(when, restricts) };
}

function kindsOf(when: WhenEntry, restricts: boolean): readonly TargetKind[] {
  const runtime = TARGET_KINDS.filter(isRuntime);
  const possible =
    when.path !== undefined
      ? (['file', 'folder'] as const)
      : when.command !== undefined
        ? (['process'] as const)
        : (['environment', 'resource', ...SELECTORS] as const).some((key) => when[key] !== undefined)
          ? runtime
          : TARGET_KINDS;
  if (when.kind === undefined) return possible;
  const named = new Set<TargetKind>(when.kind);
  if (restricts && named.has('file')) named.add('folder');
  return possible.filter((kind) => named.has(kind));
}

/**
 * Whether `outer` matches all that `inner` matches. May say no where it is so; never yes where it is not.
 *
 * @param environments all that the policy has
 */
export function covers(outer: Reading, inner: Reading, environments: readonly string[]): boolean {
  return WHEN_KEYS.every((key) => outer.when[key] === undefined || coversKey(key, outer, inner, environments));
}

function coversKey(key: WhenKey, outer: Reading, inner: Reading, environments: readonly string[]): boolean {
  if (key === 'kind') {
    return inner.kinds.every((kind) => outer.kinds.includes(kind));
  }
  if (key === 'effect') {
    const wide = outer.when.effect ?? [];
    return (inner.when.effect ?? EFFECTS).every((effect) => wide.includes(effect));
  }
  const wide: readonly string[] = outer.when[key] ?? [];
  const narrow: readonly string[] | undefined = inner.when[key];
  if (key === 'environment')
    return narrow === undefined
      ? inner.kinds.every(isRuntime) && environments.every((name) => wide.includes(name))
      : narrow.every((name) => wide.includes(name));
  if (narrow === undefined) return key === 'tool' && wide.includes('*');
  const covered = key === 'path' ? coversPath : coversName;
  return narrow.every((pattern) => covered(wide, outer.restricts, pattern, inner.restricts));
}

/** Whether nothing can match both. May say no where it is so; never yes where it is not. */
export function disjoint(a: Reading, b: Reading): boolean {
  if (!a.kinds.some((kind) => b.kinds.includes(kind))) return true;
  return WHEN_KEYS.some((key) => {
    const [left, right] = [a.when[key], b.when[key]];
    if (key === 'kind' || left === undefined || right === undefined) return false;
    return left.every((one) => right.every((other) => apart(key, one, other)));
  });
}

function apart(key: WhenKey, one: string, other: string): boolean {
  if (key === 'effect' || key === 'environment') return one !== other;
  if (key === 'path') {
    const [first, second] = [firstName(one), firstName(other)];
    return first !== undefined && second !== undefined && first !== second;
  }
  if (isPlain(one)) return !namePattern(other, true)(one);
  return isPlain(other) && !namePattern(one, true)(other);
}

/** The folder or file at the top of the workspace that a pattern is about however it is read; undefined for any. */
function firstName(pattern: string): string | undefined {
  const [first = ''] = patternNames(pattern, true);
  return isPlain(first) ? fold(first) : undefined;
}

function isPlain(pattern: string): boolean {
  return !/[*?[{]/.test(pattern);
}
