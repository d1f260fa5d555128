import { isRuntime } from '../../core/target.ts';
import type { Target } from '../../core/target.ts';
import type { Finding, LintRule, Witness } from './finding.ts';
import { realCalls, tryCall } from './calls.ts';
import { candidates } from './candidates.ts';
import { found, matches, placeOf } from './scope.ts';
import type { Check, Scope, Written } from './scope.ts';

/** Calls decided for one rule at most, and for all; a policy of five hundred rules shares the latter. */
const MOST_OF_A_RULE = 400;
const MOST_OF_ALL = 20_000;

/** What is looked for, and how a target shows it. */
interface Wanted {
  rule: LintRule;
  shows(target: Target, environment: string | undefined, scope: Scope): boolean;
  message(call: string, environment: string | undefined): string;
  fix: string;
}

const PRODUCTION: Wanted = {
  rule: 'production-unapproved',
  shows: ({ effect }, environment, { policy }) => effect !== 'read' && environment === policy.unmatched,
  message: (call, environment) =>
    `Something in ${environment ?? 'production'} is changed without approval: ${call} is answered allow.`,
  fix: 'Add a rule that holds it: decision: require_approval, when: { environment: production, effect: [write, destroy] }.',
};

const DELETES: Wanted = {
  rule: 'delete-unapproved',
  shows: ({ effect }, environment, { policy }) => effect === 'destroy' && environment !== policy.unmatched,
  message: (call) => `Something is deleted without approval: ${call} is answered allow.`,
  fix: 'Add a rule that holds it: decision: require_approval, when: { effect: destroy }.',
};

/** Rules that let production be changed, or anything be deleted, at once: each with a call that `decide` really allows. */
export const unapproved: Check = (scope) => {
  const calls = realCalls(scope).flatMap((call) => {
    const witness = tryCall(scope, call);
    return witness?.verdict === 'allow' ? [witness] : [];
  });
  const allowing = scope.rules.filter(({ entry }) => entry.decision === 'allow');
  const share = Math.min(MOST_OF_A_RULE, Math.ceil(MOST_OF_ALL / Math.max(1, allowing.length * 2)));
  return [PRODUCTION, DELETES].flatMap((wanted) =>
    allowing.flatMap((written) => {
      const witness =
        calls.find((call) => call.targets.some((target) => isShown(scope, wanted, written, call.tool, target))) ??
        search(scope, wanted, written, share);
      return witness === undefined ? [] : [findingOf(scope, wanted, written, witness)];
    }),
  );
};

/** Whether a target shows it and it is this rule that allows it. */
function isShown(scope: Scope, wanted: Wanted, { rule }: Written, tool: string, target: Target): boolean {
  return matches(scope, rule, tool, target) && wanted.shows(target, environmentOf(scope, target), scope);
}

function search(scope: Scope, wanted: Wanted, written: Written, most: number): Witness | undefined {
  let tried = 0;
  for (const { tool, target } of candidates(scope, written.entry, ['write', 'destroy'])) {
    if (!isShown(scope, wanted, written, tool, target)) continue;
    if (++tried > most) return undefined;
    const { verdict, rules } = scope.decide(tool, [target]);
    if (verdict === 'allow') return { tool, targets: [target], verdict, rules };
  }
  return undefined;
}

function findingOf(scope: Scope, wanted: Wanted, { entry, rule, index }: Written, witness: Witness): Finding {
  const shown = witness.targets.find((target) => isShown(scope, wanted, { entry, rule, index }, witness.tool, target));
  const environment = shown === undefined ? undefined : environmentOf(scope, shown);
  return found(wanted.rule, placeOf(scope, index), {
    of: entry.id,
    message: wanted.message(callOf(witness, shown), environment),
    fix: wanted.fix,
    witness,
  });
}

/** A witness in one line. */
function callOf({ tool, input, facts }: Witness, target: Target | undefined): string {
  if (input !== undefined) {
    const where = facts === undefined ? '' : ` with ${JSON.stringify(facts)}`;
    return `${tool} ${JSON.stringify(input)}${where}`;
  }
  const { kind, id, effect, at } = target ?? { kind: 'file', id: '', effect: 'write' };
  return `${tool}, to ${effect} the ${kind} ${id}${at === undefined ? '' : ` at ${JSON.stringify(at)}`},`;
}

function environmentOf(scope: Scope, target: Target): string | undefined {
  return isRuntime(target.kind) ? scope.environmentOf(target) : undefined;
}
