import { compileWhole, type LoadOptions } from '../load.ts';
import type { Problem, YamlSource } from '../problems.ts';
import { calendars } from './calendars.ts';
import { environments } from './environments.ts';
import { LINT_RULES } from './finding.ts';
import type { Finding } from './finding.ts';
import { environmentsLetterCase, rulesThatMatchNothing } from './nothing.ts';
import { unapproved } from './production.ts';
import { rulesAgainstRules } from './rules.ts';
import { readLenient } from './lenient.ts';
import { scopeOf } from './scope.ts';
import type { Check } from './scope.ts';
import { secrets } from './secrets.ts';
import { approvals, costs, examples, reasons } from './texts.ts';

export interface LintReport {
  file: string;
  name: string;
  errors: number;
  warnings: number;
  /** How many calls were decided to prove what was found. */
  decided: number;
  /** In the order of the file. */
  findings: Finding[];
}

const CHECKS: readonly Check[] = [
  unapproved,
  secrets,
  environments,
  environmentsLetterCase,
  rulesThatMatchNothing,
  rulesAgainstRules,
  reasons,
  examples,
  approvals,
  calendars,
  costs,
];

/**
 * Everything that looks like a mistake in a policy. What it says of calls, `decide` has answered: each such finding has the
 * call. A policy that does not load is told what stops it; what it would decide is moot until then.
 *
 * @throws HoldpointError `invalid_input` where the text is no policy at all (not YAML, unknown keys, no rules).
 */
export function lintPolicy(text: string, file: string, options: LoadOptions): LintReport {
  const { source, entry, findings: ofShape } = readLenient(text, file);
  const { policy, problems } = compileWhole(entry, source, options);
  const stopping = [...ofShape, ...problems.map((problem) => ofLoad(problem, source))];
  const scope = scopeOf(policy, entry, source, options);
  const checks = stopping.length > 0 ? [] : CHECKS;
  const findings = [...stopping, ...checks.flatMap((check) => check(scope))];
  findings.sort((a, b) => a.line - b.line || a.column - b.column || order(a) - order(b));
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  return { file, name: policy.name, errors, warnings: findings.length - errors, decided: scope.decided(), findings };
}

function order({ rule }: Finding): number {
  return Object.keys(LINT_RULES).indexOf(rule);
}

function ofLoad({ line, path, rule, says, sort: known }: Problem, source: YamlSource): Finding {
  const sort = known ?? 'invalid';
  const place = path === undefined ? { line, column: 1 } : source.place(path);
  const end = says.lastIndexOf('; ');
  return {
    rule: sort,
    severity: LINT_RULES[sort],
    ...place,
    ...(rule === undefined ? {} : { of: rule }),
    message: `${end < 0 ? says : says.slice(0, end)}.`,
    fix: end < 0 ? 'Correct it; the policy does not load.' : `${capital(says.slice(end + 2))}.`,
  };
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
