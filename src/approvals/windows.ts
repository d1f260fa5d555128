import { frozen, localText, nextOpening } from '../core/calendar.ts';
import type { ApprovalTerms } from '../core/decision.ts';

/** Whether a request may run now, as far as the calendar goes. */
export interface WindowState {
  open: boolean;
  /** In one line, for people and agents: what is open or closed, and until when by its own clocks. */
  says: string;
  /** Milliseconds since 1970: the next opening, while it is closed; absent where it never opens, and while a freeze lasts. */
  opensAt?: number;
  /** The freeze that is in force, by its id. */
  freeze?: string;
}

type Terms = Pick<ApprovalTerms, 'openings' | 'freezes'>;

/** Undefined where no window is asked for and nothing is frozen. Pure. */
export function windowAt({ openings = [], freezes = [] }: Terms, now: number): WindowState | undefined {
  for (const freeze of freezes) {
    const span = frozen(freeze, now);
    if (span === undefined) continue;
    const says = `${freeze.id}: frozen until ${localText(freeze.timeZone, span.end)}: ${freeze.reason}`;
    return { open: false, says, freeze: freeze.id };
  }
  const [first] = openings;
  if (first === undefined) return undefined;
  const names = openings.map(({ name }) => name).join(' and ');
  const next = nextOpening(openings, now);
  if (next === undefined) return { open: false, says: `${names}: will not open within 400 days` };
  const when = (at: number) => localText(first.timeZone, at);
  return next.start <= now
    ? { open: true, says: `${names}: open until ${when(next.end)}` }
    : { open: false, says: `${names}: opens at ${when(next.start)}`, opensAt: next.start };
}

/**
 * From when the time to run counts: an approval outside the window counts from its opening, so that nobody has to come back
 * to approve again.
 */
export function countedFrom({ openings = [] }: Terms, approvedAt: number): number {
  return nextOpening(openings, approvedAt)?.start ?? approvedAt;
}
