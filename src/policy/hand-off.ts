import type { Rule } from './policy.ts';
import type { RuleEntry } from './schema.ts';

type Written = Pick<RuleEntry, 'decision' | 'handOff' | 'consult'>;

/** The role that a rule names, to be given the work or to be asked. */
export function handOffOf({ handOff, consult }: Written): Pick<Rule, 'handOff' | 'consult'> {
  if (consult !== undefined) return { handOff: consult, consult: true };
  return handOff === undefined ? {} : { handOff };
}

/** What is wrong with it, by key. */
export function handOffProblems({ decision, handOff, consult }: Written): ['handOff' | 'consult', string][] {
  const keys = (['handOff', 'consult'] as const).filter((key) => (key === 'handOff' ? handOff : consult) !== undefined);
  if (decision === 'allow') return keys.map((key) => [key, `${key} is for rules that deny or hold; leave it out`]);
  return keys.length < 2
    ? []
    : [['consult', 'handOff gives the work to another role, consult asks one and keeps it; write one of the two']];
}
