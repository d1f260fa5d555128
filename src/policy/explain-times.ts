import { windowAt } from '../approvals/windows.ts';
import type { Decision } from '../core/decision.ts';

/**
 * What else than approvals a call waits for, in lines: checklists, its change window as it is at `now`, freezes.
 *
 * @param decision as it is now
 * @param ordinary as it would be if nothing were frozen
 */
export function whenLines({ verdict }: Decision, ordinary: Decision, now: number): string[] {
  const { terms } = ordinary;
  const before = (terms?.items ?? []).filter(({ phase }) => phase === 'pre');
  const seen = before.filter(({ evidence }) => evidence !== undefined).length;
  const window = windowAt({ ...(terms?.openings && { openings: terms.openings }) }, now);
  return [
    ...(verdict === ordinary.verdict ? [] : [`without the freeze: ${ordinary.verdict}`]),
    ...(before.length > 0
      ? [`checklist ${terms?.checklists.join(', ')}: ${before.length} items before it runs, ${seen} of them looked at`]
      : []),
    ...(window ? [`window ${window.open ? 'open' : 'closed'}: ${window.says}`] : []),
    ...(terms?.freezes ?? []).map(({ id, from, to, timeZone }) => `freeze ${id}: from ${from} to ${to} ${timeZone}`),
    ...(terms?.breakGlass === undefined
      ? []
      : [`break-glass: one person alone, to run within ${Math.round(terms.breakGlass / 60_000)} min`]),
  ];
}
