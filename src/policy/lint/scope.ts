import type { Decision } from '../../core/decision.ts';
import type { Target } from '../../core/target.ts';
import type { LoadOptions } from '../load.ts';
import type { Policy, Rule } from '../policy.ts';
import { decide, subjectOf } from '../decide.ts';
import { place } from '../environments.ts';
import type { Place, YamlSource } from '../problems.ts';
import type { PolicyFile, RuleEntry } from '../schema.ts';
import { LINT_RULES } from './finding.ts';
import type { Finding, LintRule, Witness } from './finding.ts';

/** A rule as it is written and as it is compiled, and where it stands in the file. */
export interface Written {
  entry: RuleEntry;
  rule: Rule;
  index: number;
}

/** All that the checks look at. */
export interface Scope {
  policy: Policy;
  entry: PolicyFile;
  /** In the order of the file. */
  rules: readonly Written[];
  options: LoadOptions;
  source: YamlSource;
  /** Decides one call, and counts. */
  decide(tool: string, targets: readonly Target[]): Decision;
  /** The environment of a runtime target. */
  environmentOf(target: Target): string;
  /** How many calls were decided so far. */
  decided(): number;
}

export type Check = (scope: Scope) => Finding[];

const LINTER = { person: 'lint', agent: 'lint', client: 'holdpoint policy lint' };

export function scopeOf(policy: Policy, entry: PolicyFile, source: YamlSource, options: LoadOptions): Scope {
  const compiled = new Map(policy.rules.map((rule) => [rule.id, rule]));
  let decided = 0;
  return {
    policy,
    entry,
    source,
    options,
    rules: entry.rules.flatMap((written, index) => {
      const rule = compiled.get(written.id);
      return rule === undefined ? [] : [{ entry: written, rule, index }];
    }),
    decide(tool, targets) {
      decided++;
      return decide(policy, { principal: LINTER, tool, targets }, undefined);
    },
    environmentOf: (target) => place(policy, target).environment,
    decided: () => decided,
  };
}

/** A finding at a path of the file. */
export function found(
  rule: LintRule,
  place: Place,
  what: { of?: string; message: string; fix: string; witness?: Witness },
): Finding {
  return { rule, severity: LINT_RULES[rule], line: place.line, column: place.column, ...what };
}

/** Where a rule begins, or one of its keys, or one value of the key. */
export function placeOf({ source }: Scope, index: number, ...below: readonly PropertyKey[]): Place {
  return source.place(['rules', index, ...below]);
}

/** Where one of a rule's keys is written. */
export function keyPlace({ source }: Scope, index: number, key: string): Place {
  return source.place(['rules', index], key);
}

/** Whether a rule matches a target; false where the target cannot be matched at all. */
export function matches({ policy }: Scope, rule: Rule, tool: string, target: Target): boolean {
  try {
    const subject = subjectOf(policy, tool, target);
    return rule.conditions.every((condition) => condition.holds(subject));
  } catch {
    return false;
  }
}
