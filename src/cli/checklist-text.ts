import type { ItemState } from '../approvals/checklists.ts';
import type { ApprovalRequest } from '../approvals/request.ts';
import { plainLine } from '../core/foreign.ts';
import type { Screen } from './layout.ts';
import { hanging, heading } from './preview-text.ts';

const SIGNS = { ok: '✓', failed: '✗', unknown: '?', open: '☐' } as const;

const PHASES = {
  pre: 'Checklist: before it runs, all of it',
  during: 'Checklist: while it runs',
  post: 'Checklist: afterwards',
} as const;

/** The items by when they count; afterwards the open ones say how to tick them. */
export function checklistText({ id, checklist = [], state }: ApprovalRequest, screen: Screen): string[][] {
  const ran = ['done', 'failed', 'unknown'].includes(state);
  const sections = (['pre', 'during', 'post'] as const).flatMap((phase) => {
    const items = checklist.filter((item) => item.phase === phase);
    // What comes after the run means nothing yet.
    if (items.length === 0 || (phase !== 'pre' && !ran)) return [];
    return [
      [heading(PHASES[phase], screen), ...items.flatMap((item) => itemLines(item, ran && phase === 'pre', screen))],
    ];
  });
  const open = ran ? checklist.filter((item) => item.phase !== 'pre' && item.state !== 'ok' && item.mayTick) : [];
  if (open.length > 0) sections.push([`Tick what is done: holdpoint approvals tick ${id} ITEM… --as NAME`]);
  return sections;
}

/** Who passed over everything, why, and whether somebody has looked at it since. */
export function glassText({ id, glass, terms }: ApprovalRequest, screen: Screen): string[][] {
  if (glass === undefined) return [];
  const { by, reason, reviewed } = glass;
  const review = reviewed
    ? `Reviewed by ${reviewed.by}: ${reviewed.reason}`
    : `Its review is open: holdpoint approvals review ${id} --as NAME --reason TEXT`;
  const lines = [`${by} approved alone, past approvals, checklists and windows: ${reason}`, review];
  const minutes = Math.round((terms.breakGlass ?? 0) / 60_000);
  return [
    [
      heading(`Break-glass (to run within ${minutes} minutes)`, screen),
      ...lines.flatMap((line) => hanging('  ', plainLine(line), screen.columns)),
    ],
  ];
}

function itemLines(
  { id, state, says, kind, evidence, by, mayTick }: ItemState,
  past: boolean,
  screen: Screen,
): string[] {
  const how = kind === 'evidence' && state === 'unknown' && mayTick && !past ? 'you may tick it by hand' : '';
  const more = [evidence, by && `ticked by ${by}`, how].filter(Boolean).join('; ');
  const text = `${says} [${id}] ${state}${more === '' ? '' : `: ${more}`}`;
  return hanging(`  ${SIGNS[state]} `, plainLine(text), screen.columns);
}
