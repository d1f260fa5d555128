import type { ItemState } from '../approvals/checklists.ts';
import type { ApprovalRequest } from '../approvals/request.ts';
import { HoldpointError } from '../core/errors.ts';
import { plainLine } from './plain.ts';
import { ask, hasTerminal } from './prompt.ts';

/**
 * The items that an approver says are done, by their whole ids: those that `--tick` names, or what is answered with yes on the
 * terminal where it names none.
 *
 * @param request examined just now
 * @throws HoldpointError `invalid_input` for what is no item, or none that a person may tick.
 */
export async function ticksFor(
  { checklist = [] }: ApprovalRequest,
  written: readonly string[] | undefined,
  { yes = false }: { yes?: boolean | undefined },
): Promise<string[]> {
  const open = checklist.filter(({ phase, state }) => phase === 'pre' && state !== 'ok');
  if (written !== undefined) return named(written, checklist, open);
  return yes || !hasTerminal() ? [] : asked(open.filter(({ mayTick }) => mayTick));
}

/** `all` stands for every item that a person alone can know of; what Holdpoint could not see must be named. */
function named(written: readonly string[], checklist: readonly ItemState[], open: readonly ItemState[]): string[] {
  const ticked = written.flatMap((name) =>
    name === 'all' ? open.filter(({ kind }) => kind === 'person') : [itemNamed(name, checklist)],
  );
  const never = ticked.find((item) => !item.mayTick && item.state !== 'ok');
  if (never)
    throw new HoldpointError('invalid_input', `${never.id} ticks itself and cannot be ticked by hand.`, {
      hint: `It is ${never.state}: ${plainLine(never.evidence ?? '')}.`,
    });
  return [...new Set(ticked.map(({ id }) => id))];
}

/** An item by its id, or by the part behind the checklist's name where one alone has it. @throws HoldpointError `invalid_input` */
export function itemNamed(name: string, items: readonly ItemState[]): ItemState {
  const found = items.filter(({ id }) => id === name || id.endsWith(`/${name}`));
  const [item] = found;
  if (item && found.length === 1) return item;
  throw new HoldpointError(
    'invalid_input',
    item ? `Several items are called "${name}".` : `There is no item "${name.slice(0, 130)}".`,
    { hint: `Items: ${(item ? found : items).map(({ id }) => id).join(', ') || 'none'}.` },
  );
}

async function asked(items: readonly ItemState[]): Promise<string[]> {
  const ticked: string[] = [];
  for (const { id, says, kind, evidence } of items) {
    const unseen = kind === 'evidence' ? ` (Holdpoint could not see it: ${evidence})` : '';
    // oxlint-disable-next-line no-await-in-loop -- a person answers one question after the other
    if (/^y(?:es)?$/i.test(await ask(`${plainLine(`${says}${unseen}`)} [y/N] `))) ticked.push(id);
  }
  return ticked;
}
