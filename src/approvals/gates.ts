import { HoldpointError } from '../core/errors.ts';
import { itemText, openBefore, type ItemState } from './checklists.ts';
import { time } from './refusals.ts';
import type { RequestBody } from './request.ts';
import type { Standing } from './standing.ts';
import { windowAt } from './windows.ts';

/**
 * What else holds an approved request back at this moment: a freeze, a closed window, items that are open. None of it is
 * final: the approval stays good until its time to run is over. Broken glass passes over windows and items, never over a freeze.
 */
export function whyNotNow(
  { id, terms }: RequestBody,
  { runBy, breakGlass }: Standing,
  items: readonly ItemState[],
  now: number,
): HoldpointError | undefined {
  const until = runBy === undefined ? '' : ` The approval is good until ${time(runBy)}.`;
  const window = windowAt(terms, now);
  if (window?.freeze !== undefined)
    return new HoldpointError('denied', `The request ${id} may not run now: ${window.says}`, {
      rule: window.freeze,
      hint: `Wait for the end of the freeze; there is no way around it.${until}`,
    });
  if (breakGlass) return undefined;
  if (window && !window.open)
    return new HoldpointError('conflict', `The request ${id} runs only in its change window. ${window.says}.`, {
      hint: `${window.opensAt === undefined ? 'A person changes the window in the policy.' : `Run it then: nothing needs to be asked again.`}${until}`,
    });
  const open = openBefore(items);
  if (open.length === 0) return undefined;
  return new HoldpointError(
    'conflict',
    `The request ${id} may not run while items of its checklist are not ticked: ${open.map(itemText).join('; ')}.`,
    { hint: `A person looks why, then run it again.${until}` },
  );
}

/** Why an approval does not count while items are open, and how to tick each. */
export function stillOpen(id: string, approver: string, items: readonly ItemState[]): HoldpointError | undefined {
  const open = openBefore(items);
  if (open.length === 0) return undefined;
  const byPerson = open.filter(({ kind }) => kind === 'person');
  const byHand = open.filter(({ kind, mayTick }) => kind === 'evidence' && mayTick);
  const never = open.filter(({ mayTick }) => !mayTick);
  const how = [
    ...(byPerson.length > 0 ? [`You have to say that these are done: ${ids(byPerson)}.`] : []),
    ...(byHand.length > 0 ? [`Holdpoint could not see these; you may vouch for them by name: ${ids(byHand)}.`] : []),
    ...(never.length > 0 ? [`These tick themselves once they are so, and nobody else can: ${ids(never)}.`] : []),
    `holdpoint approvals approve ${id} --as ${approver} --tick ${ticksOf(approver, items).join(' ')}`,
  ];
  return new HoldpointError('conflict', `${open.length} of its items are open: ${open.map(itemText).join('; ')}.`, {
    hint: how.join('\n  '),
  });
}

/** What to write behind `--tick`: also what this approver has ticked already, for a new approval says it anew. */
function ticksOf(approver: string, items: readonly ItemState[]): string[] {
  const before = items.filter(({ phase }) => phase === 'pre');
  const byHand = before.filter(
    ({ kind, mayTick, by }) => kind === 'evidence' && mayTick && [undefined, approver].includes(by),
  );
  const short = ({ id }: ItemState) => {
    const name = id.slice(id.indexOf('/') + 1);
    return items.filter((item) => item.id.endsWith(`/${name}`)).length === 1 ? name : id;
  };
  return [...(before.some(({ kind }) => kind === 'person') ? ['all'] : []), ...byHand.map(short)];
}

function ids(items: readonly ItemState[]): string {
  return items.map(({ id }) => id).join(', ');
}
