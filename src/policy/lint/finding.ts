import type { Json } from '../../core/json.ts';
import type { Target } from '../../core/target.ts';
import type { Verdict } from '../../core/decision.ts';
import type { ExampleFacts } from '../policy.ts';

/**
 * What lint can find, worst first. An error is a policy that does not load, does not say what it looks like it says, or lets
 * through what nobody wants; a warning is one that is hard to trust.
 */
export const LINT_RULES = {
  'production-unapproved': 'error',
  'delete-unapproved': 'error',
  'secrets-readable': 'error',
  'misses-dotfiles': 'error',
  'misses-children': 'error',
  'misses-nested': 'error',
  'misses-variants': 'error',
  'environment-too-wide': 'error',
  'production-spelling': 'error',
  'matches-nothing': 'error',
  'allow-inside-deny': 'error',
  'hold-without-allow': 'error',
  'bad-pattern': 'error',
  'costly-pattern': 'error',
  'reason-missing': 'error',
  'example-missing': 'error',
  'example-fails': 'error',
  'window-never-opens': 'error',
  'freeze-never-ends': 'error',
  invalid: 'error',
  'letter-case': 'warning',
  'allow-misses-children': 'warning',
  shadowed: 'warning',
  redundant: 'warning',
  'environment-overlap': 'warning',
  'costly-rule': 'warning',
  'approval-expiry': 'warning',
  'approval-too-long': 'warning',
  'freeze-over': 'warning',
  'break-glass-long': 'warning',
  'reason-duplicate': 'warning',
  'example-twin': 'warning',
} as const satisfies Record<string, 'error' | 'warning'>;

export type LintRule = keyof typeof LINT_RULES;

/** A call that `decide` was asked about, and what it answered. */
export interface Witness {
  tool: string;
  /** A whole call of one of our tools; else `targets`. */
  input?: Json;
  /** What the machine is supposed to be like for that call, as in a rule's examples. */
  facts?: ExampleFacts;
  targets: readonly Target[];
  verdict: Verdict;
  /** The rules that decided. */
  rules: readonly string[];
}

/** One mistake in a policy. `line` and `column` are counted from 1. */
export interface Finding {
  rule: LintRule;
  severity: 'error' | 'warning';
  line: number;
  column: number;
  /** The policy's rule or environment that it is in. */
  of?: string;
  message: string;
  /** What to write instead. */
  fix: string;
  witness?: Witness;
}
