import type { FreezeTime } from '../core/calendar.ts';
import type { ApprovalTerms, Verdict } from '../core/decision.ts';
import type { Json } from '../core/json.ts';
import { SELECTORS, type Selector, type Target } from '../core/target.ts';

/** What a rule's `when` can ask for: what a target is, what is done to it, where it is, and through which tool. */
export const WHEN_KEYS = [
  'kind',
  'effect',
  'tool',
  'environment',
  'path',
  'command',
  'resource',
  'id',
  ...SELECTORS,
] as const;

export type WhenKey = (typeof WHEN_KEYS)[number];

/** A policy as it was checked at load: nothing in it can fail to parse any more, and it is frozen. */
export interface Policy {
  readonly name: string;
  /** Where it was read from, for messages. */
  readonly file: string;
  /** The files of the checklists and calendars that it names. */
  readonly files: readonly string[];
  /** SHA-256, in hex, of what the policy says, its checklists and calendars included: spaces, comments and the order of rules do not count. */
  readonly digest: string;
  /** Strictest first. */
  readonly environments: readonly Environment[];
  /** The environment of a runtime target that no environment matches. */
  readonly unmatched: string;
  /** Sorted by id, so that nothing can depend on the order they were written in. */
  readonly rules: readonly Rule[];
  readonly freezes: readonly FreezeRule[];
}

/** What may not be done for a time. */
export interface FreezeRule extends FreezeTime {
  /** All must hold. */
  readonly conditions: readonly Condition[];
}

export interface Environment {
  readonly name: string;
  readonly selectors: readonly SelectorPatterns[];
}

export interface SelectorPatterns {
  readonly selector: Selector;
  readonly patterns: readonly string[];
  readonly matches: (value: string) => boolean;
}

export interface Rule {
  readonly id: string;
  readonly decision: Verdict;
  /** All must hold. */
  readonly conditions: readonly Condition[];
  readonly reason: string;
  /** The role to hand the work to; with `consult`, the one to ask before going on. */
  readonly handOff?: string;
  readonly consult?: true;
  /** With `require_approval`, always; else never. */
  readonly terms?: ApprovalTerms;
  readonly examples: readonly Example[];
  /** Where it begins in the file, counted from 1. */
  readonly line: number;
}

/** One key of a rule's `when`. */
export interface Condition {
  readonly key: WhenKey;
  /** Its values as the policy has them; one of them must fit. */
  readonly written: readonly string[];
  readonly holds: (subject: Subject) => boolean;
}

/** One target of a call, prepared for matching. */
export interface Subject {
  tool: string;
  target: Target;
  /** The path's names, as they are and folded for comparing without case; empty for the workspace itself. */
  path?: { exact: readonly string[]; folded: readonly string[] };
  environment?: string;
}

/** A call that a rule's author says the answer of. Either `input`, for a tool of ours, or the `targets` themselves. */
export interface Example {
  readonly tool: string;
  readonly input?: Readonly<Record<string, Json>>;
  readonly targets?: readonly Target[];
  readonly facts?: ExampleFacts;
  readonly expect: Verdict;
  readonly line: number;
}

/** What an example supposes of the machine; without it there is no kubeconfig and Docker is local. */
export interface ExampleFacts {
  readonly kubeContext?: string;
  readonly cluster?: string;
  readonly namespace?: string;
  readonly dockerHost?: string;
}
