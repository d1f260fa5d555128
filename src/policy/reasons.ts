import type { TargetDecision } from '../core/decision.ts';
import type { Policy, Rule, Subject } from './policy.ts';

/** Of a list in a reason, so many are named; the rest is counted. */
const MAX_TOLD = 3;

/** What the rules that decided a target say: all their reasons, in the order of their ids, and the first hand-off. */
export function told(rules: readonly Rule[]): Pick<TargetDecision, 'rules' | 'reason' | 'handOff' | 'consult'> {
  const reason = [...new Set(rules.map((rule) => rule.reason))].join(' ');
  return { rules: rules.map(({ id }) => id), reason, ...firstHandOff(rules) };
}

/** The role of the first that names one, and whether it is to be asked instead of given the work. */
export function firstHandOff(
  from: readonly Pick<TargetDecision, 'handOff' | 'consult'>[],
): Pick<TargetDecision, 'handOff' | 'consult'> {
  const { handOff, consult } = from.find((each) => each.handOff !== undefined) ?? {};
  return { ...(handOff !== undefined && { handOff }), ...(consult && { consult }) };
}

/** Why nothing matched, with what the same tool may do the same to. */
export function nothingAllows(policy: Policy, { tool, target, environment }: Subject): string {
  const where = environment === undefined ? '' : ` in ${environment}`;
  const same = { kind: target.kind, effect: target.effect, tool };
  const offers = policy.rules.flatMap(({ id, decision, conditions }) => {
    if (decision !== 'allow') return [];
    const fits = conditions.every(({ key, holds }) => !(key in same) || holds({ tool, target }));
    const rest = conditions.flatMap(({ key, written }) => (key in same ? [] : written));
    return fits && rest.length > 0 ? `${id} (${some(rest)})` : [];
  });
  const instead = offers.length > 0 ? `Allowed: ${some(offers)}.` : `It allows ${tool} no such thing anywhere.`;
  return `No rule of ${policy.name} lets ${tool} ${target.effect} the ${target.kind} ${target.id}${where}. ${instead}`;
}

/** The reason for a call: each reason once, after the targets that it is for where the call has several. */
export function reasonOf(deciding: readonly TargetDecision[], targetsInCall: number): string {
  if (targetsInCall === 1) return deciding[0]?.reason ?? '';
  const targetsOf = new Map<string, string[]>();
  for (const { reason, target } of deciding) {
    const targets = targetsOf.get(reason);
    if (targets === undefined) targetsOf.set(reason, [target.id]);
    else targets.push(target.id);
  }
  return some(
    [...targetsOf].map(([reason, targets]) => `${some(targets)}: ${reason}`),
    ' ',
  );
}

function some(texts: readonly string[], between = ', '): string {
  const more = texts.length - MAX_TOLD;
  const told = texts.slice(0, MAX_TOLD).join(between);
  return more > 0 ? `${told} and ${more} more` : told;
}
