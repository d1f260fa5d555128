import { worseEffect, type Effect } from '../core/effect.ts';
import { HoldpointError } from '../core/errors.ts';
import { covers, type Scope } from '../core/scopes.ts';
import type { Target } from '../core/target.ts';
import type { Call } from './services.ts';

/** The rule that speaks where a token does not reach. */
export const SCOPE_RULE = 'insufficient_scope';

/** What a call needs that does this at worst. */
export function scopeFor(effect: Effect): Scope {
  return effect === 'read' ? 'tools:read' : 'tools:write';
}

/** The worst of a plan's effect and its targets'. */
export function worstOf(targets: readonly Target[], effect: Effect = 'read'): Effect {
  return targets.reduce((worst, target) => worseEffect(worst, target.effect), effect);
}

/**
 * Holds a caller to the scopes of its token, whatever the policy says.
 *
 * @throws HoldpointError `denied` with rule `insufficient_scope`.
 */
export function requireScope({ scopes }: Pick<Call, 'scopes'>, needed: Scope): void {
  if (covers(scopes, needed)) return;
  throw new HoldpointError('denied', `This call needs the scope ${needed}, which your token does not have.`, {
    rule: SCOPE_RULE,
    hint:
      needed === 'tools:write'
        ? 'Nothing was looked at or changed. A person gives a token with tools:write if this agent is to change things; reading goes on.'
        : 'A person gives a token with tools:read or tools:write.',
  });
}
