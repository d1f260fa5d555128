import { frozen, localText, type FreezeTime } from '../core/calendar.ts';
import { stricter } from '../core/decision.ts';
import type { ApprovalTerms, Decision, TargetDecision, Verdict } from '../core/decision.ts';
import { EFFECTS } from '../core/effect.ts';
import { workspacePath } from '../core/paths.ts';
import type { Principal } from '../core/principal.ts';
import { isRuntime, TARGET_KINDS } from '../core/target.ts';
import type { Target } from '../core/target.ts';
import { place } from './environments.ts';
import { fold } from './patterns.ts';
import type { Policy, Rule, Subject } from './policy.ts';
import { firstHandOff, nothingAllows, reasonOf, told } from './reasons.ts';
import { strictestTerms } from './terms.ts';

/** What is decided on: who asks to touch what through which tool (its own name, never `use-tool`). */
export interface Call {
  principal: Principal;
  tool: string;
  targets: readonly Target[];
}

/**
 * The answer for a call: each target by itself, the call as its strictest. A target needs a rule that allows it; rules that
 * hold or deny only restrict; the order of rules never matters. Pure, and never throws: what cannot be decided is denied.
 *
 * @param now milliseconds since 1970, for freezes; undefined for what the rules say on any other day
 */
export function decide(policy: Policy, call: Call, now: number | undefined): Decision {
  try {
    const targets = call.targets.map((target) => decideTarget(policy, call.tool, target, now));
    return targets.length === 0 ? untargeted(policy, call.tool) : merge(policy, call.tool, targets);
  } catch {
    return refused('The call could not be decided, and what cannot be decided is denied.');
  }
}

/** A call that touches nothing is allowed nothing; a rule about the tool alone says why, also of tools that are not ours. */
function untargeted(policy: Policy, tool: string): Decision {
  const subject: Subject = { tool, target: { kind: 'process', id: tool, effect: 'destroy' } };
  const denying = policy.rules.filter(
    ({ decision, conditions }) =>
      decision === 'deny' && conditions.every(({ key, holds }) => key === 'tool' && holds(subject)),
  );
  if (denying.length === 0) return refused(`${tool} named nothing that it would touch, so nothing can be allowed.`);
  return { verdict: 'deny', ...told(denying), targets: [] };
}

/** Prepares a target for the rules. @throws where its path is no workspace path or its fields have no meaning. */
export function subjectOf(policy: Policy, tool: string, target: Target): Subject {
  if (!TARGET_KINDS.includes(target.kind) || !EFFECTS.includes(target.effect))
    throw new TypeError('unknown kind or effect');
  if (isRuntime(target.kind)) return { tool, target, environment: place(policy, target).environment };
  if (target.path === undefined) throw new TypeError('a file without a path');
  const path = workspacePath(target.path);
  if (path !== target.path.normalize('NFC')) throw new TypeError('a path that is not normalised');
  return { tool, target, path: { exact: names(path), folded: names(fold(path)) } };
}

function names(path: string): string[] {
  return path === '.' ? [] : path.split('/');
}

function decideTarget(policy: Policy, tool: string, target: Target, now: number | undefined): TargetDecision {
  let subject: Subject;
  try {
    subject = subjectOf(policy, tool, target);
  } catch {
    return {
      target,
      verdict: 'deny',
      rules: [],
      reason: 'What it would touch is not named in a way that rules can be matched to.',
    };
  }
  const matched: Rule[] = [];
  const broken: Rule[] = [];
  for (const rule of policy.rules) {
    try {
      if (rule.conditions.every((condition) => condition.holds(subject))) matched.push(rule);
    } catch {
      broken.push(rule);
    }
  }
  const decided = verdictOf(policy, subject, matched, broken);
  const freeze = decided.verdict === 'deny' || now === undefined ? undefined : freezeAt(policy, subject, now);
  return { target, ...placed(subject), ...(freeze ?? decided) };
}

/** What a freeze says to it now, if one does. One that cannot be evaluated is one that lasts. */
function freezeAt(
  policy: Policy,
  subject: Subject,
  now: number,
): Pick<TargetDecision, 'verdict' | 'rules' | 'reason'> | undefined {
  const inForce = freezesFor(policy, subject).flatMap((freeze) => {
    const span = frozen(freeze, now);
    return span === undefined ? [] : [{ ...freeze, end: span.end }];
  });
  const [last] = inForce.toSorted((a, b) => b.end - a.end);
  if (last === undefined) return undefined;
  const until = localText(last.timeZone, last.end);
  return { verdict: 'deny', rules: inForce.map(({ id }) => id), reason: `Frozen until ${until}: ${last.reason}` };
}

/** The freezes that are for a target, whenever they are. */
function freezesFor({ freezes }: Policy, subject: Subject): FreezeTime[] {
  return freezes.flatMap(({ conditions, ...freeze }) =>
    conditions.every((condition) => condition.holds(subject)) ? [freeze] : [],
  );
}

function placed(subject: Subject): Pick<TargetDecision, 'environment'> {
  return subject.environment === undefined ? {} : { environment: subject.environment };
}

function verdictOf(
  policy: Policy,
  subject: Subject,
  matched: readonly Rule[],
  broken: readonly Rule[],
): Pick<TargetDecision, 'verdict' | 'rules' | 'reason' | 'handOff' | 'consult'> {
  if (broken.length > 0) {
    const rules = broken.map(({ id }) => id);
    return { verdict: 'deny', rules, reason: `The rule ${rules.join(', ')} failed to evaluate, which denies.` };
  }
  const denying = matched.filter((rule) => rule.decision === 'deny');
  if (denying.length > 0) return { verdict: 'deny', ...told(denying) };
  const allowing = matched.filter((rule) => rule.decision === 'allow');
  if (allowing.length === 0) return { verdict: 'deny', rules: [], reason: nothingAllows(policy, subject) };
  const holding = matched.filter((rule) => rule.decision === 'require_approval');
  return holding.length > 0
    ? { verdict: 'require_approval', ...told(holding) }
    : { verdict: 'allow', ...told(allowing) };
}

function merge(policy: Policy, tool: string, targets: TargetDecision[]): Decision {
  const verdict = targets.reduce<Verdict>((worst, target) => stricter(worst, target.verdict), 'allow');
  const deciding = targets.filter((target) => target.verdict === verdict);
  const environment = policy.environments.find(({ name }) =>
    targets.some((target) => target.environment === name),
  )?.name;
  const rules = distinct(deciding.flatMap((target) => target.rules)).sort();
  return {
    verdict,
    ...(environment === undefined ? {} : { environment }),
    rules,
    reason: reasonOf(deciding, targets.length),
    ...firstHandOff(deciding),
    ...(verdict === 'require_approval' ? { terms: termsOfCall(policy, tool, rules, targets) } : {}),
    targets,
  };
}

function termsOfCall(
  policy: Policy,
  tool: string,
  deciding: readonly string[],
  targets: readonly TargetDecision[],
): ApprovalTerms {
  const terms = strictestTerms(
    policy.rules.flatMap(({ id, terms: own }) => (own !== undefined && deciding.includes(id) ? [own] : [])),
  );
  const coming = targets.flatMap(({ target }) => freezesFor(policy, subjectOf(policy, tool, target)));
  const freezes = [...new Map(coming.map((freeze) => [freeze.id, freeze])).values()];
  return { ...terms, ...(freezes.length > 0 && { freezes }) };
}

function refused(reason: string): Decision {
  return { verdict: 'deny', rules: [], reason, targets: [] };
}

function distinct<T>(values: readonly T[]): T[] {
  return [...new Set(values)];
}
