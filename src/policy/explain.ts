import type { Decision, TargetDecision, Verdict } from '../core/decision.ts';
import { HoldpointError } from '../core/errors.ts';
import type { Facts } from '../core/facts.ts';
import type { Principal } from '../core/principal.ts';
import type { Target } from '../core/target.ts';
import type { AnyTool } from '../core/tool.ts';
import { decide, subjectOf } from './decide.ts';
import { place } from './environments.ts';
import { callTargets } from './call-targets.ts';
import { whenLines } from './explain-times.ts';
import type { Condition, Policy, Rule, Subject } from './policy.ts';

const MAX_NEAR = 5;

export interface Explanation {
  tool: string;
  decision: Decision;
  /** Where the tool itself refused the call before any rule was asked. */
  refused?: string;
  /** Checklists, windows and freezes, in lines. */
  when: string[];
  targets: TargetExplanation[];
}

export interface TargetExplanation extends TargetDecision {
  /** What the environment was told by; runtime targets only. */
  environmentWhy?: string;
  matched: RuleNote[];
  /** Rules that all but one condition fit, with that condition. */
  near: (RuleNote & { unmet: { key: string; written: readonly string[] } })[];
}

export interface RuleNote {
  id: string;
  decision: Verdict;
  line: number;
  reason: string;
}

/**
 * The decision for a call, with every rule that spoke and those that nearly did. Looks at nothing but its arguments.
 *
 * @throws HoldpointError `invalid_input` where the arguments are not the tool's.
 */
export function explain(
  policy: Policy,
  call: { tool: AnyTool; input: unknown; principal: Principal; facts: Facts },
  now: number,
): Explanation {
  const { tool, input, principal, facts } = call;
  const found = callTargets(tool, input, facts);
  if ('wrong' in found)
    throw new HoldpointError('invalid_input', `${found.wrong}.`, {
      hint: 'Give the arguments as one JSON object in quotes.',
    });
  const targets = 'targets' in found ? found.targets : [];
  const asked = { principal, tool: tool.name, targets };
  const decision = decide(policy, asked, now);
  return {
    tool: tool.name,
    decision: 'refused' in found ? { ...decision, reason: found.refused } : decision,
    ...('refused' in found ? { refused: found.refused } : {}),
    when: whenLines(decision, decide(policy, asked, undefined), now),
    targets: decision.targets.map((target) => explainTarget(policy, tool.name, target)),
  };
}

function explainTarget(policy: Policy, tool: string, decided: TargetDecision): TargetExplanation {
  const subject = subjectOrNothing(policy, tool, decided.target);
  if (subject === undefined) return { ...decided, matched: [], near: [] };
  const judged = policy.rules.map((rule) => ({
    rule,
    unmet: rule.conditions.filter((condition) => !holds(condition, subject)),
  }));
  const near = judged.flatMap(({ rule, unmet: [first, ...others] }) =>
    first !== undefined && others.length === 0
      ? [{ ...note(rule), unmet: { key: first.key, written: first.written } }]
      : [],
  );
  return {
    ...decided,
    ...(decided.environment === undefined ? {} : { environmentWhy: place(policy, decided.target).why }),
    matched: judged.filter(({ unmet }) => unmet.length === 0).map(({ rule }) => note(rule)),
    near: near.sort((a, b) => telling(b, decided) - telling(a, decided)).slice(0, MAX_NEAR),
  };
}

/** Of what was denied, the rules that nearly allowed it tell most; of anything else, those that nearly restricted it. */
function telling({ decision }: RuleNote, { verdict }: TargetDecision): number {
  return (decision === 'allow') === (verdict === 'deny') ? 1 : 0;
}

function subjectOrNothing(policy: Policy, tool: string, target: Target): Subject | undefined {
  try {
    return subjectOf(policy, tool, target);
  } catch {
    return undefined;
  }
}

function holds(condition: Condition, subject: Subject): boolean {
  try {
    return condition.holds(subject);
  } catch {
    return false;
  }
}

function note({ id, decision, line, reason }: Rule): RuleNote {
  return { id, decision, line, reason };
}
