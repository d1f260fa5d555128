import type { ApprovalRequest } from '../approvals/request.ts';
import { plainLine, wrapped } from '../core/foreign.ts';

/** What the terminal shows, and where its reader is. */
export interface Watching {
  /** Pending ones first. */
  requests: ApprovalRequest[];
  /** Id of the chosen request. */
  chosen: string | undefined;
  /** The chosen request's text, line by line, while it is open; and the first line that is shown. */
  open: { lines: string[]; top: number } | undefined;
  size: Size;
}

export interface Size {
  columns: number;
  rows: number;
}

/** What a key asks of the program beyond another picture. */
export type Act = { act: 'quit' } | { act: 'show' | 'approve' | 'deny'; id: string };

/** Lines that are not the list's or the text's own: the title above, the keys below. */
const AROUND = 2;
const LEAST: Size = { columns: 40, rows: 6 };

export const nothingYet = (size: Size): Watching => ({ requests: [], chosen: undefined, open: undefined, size });

/** New requests from the store; the reader stays at the same one while it is there. */
export function loaded(state: Watching, found: readonly ApprovalRequest[]): Watching {
  const rank = ({ state: at }: ApprovalRequest) => (at === 'pending' ? 0 : 1);
  const requests = [...found].sort((a, b) => rank(a) - rank(b) || a.createdAt - b.createdAt);
  const there = requests.some(({ id }) => id === state.chosen);
  const index = Math.min(indexOf(state), requests.length - 1);
  return { ...state, requests, chosen: there ? state.chosen : requests[Math.max(0, index)]?.id };
}

/** A key by its name, as Node's readline names it. */
export function pressed(state: Watching, key: string): { state: Watching; act?: Act } {
  const { chosen, open } = state;
  if (key === 'q' || key === 'ctrl-c' || (key === 'escape' && !open)) return { state, act: { act: 'quit' } };
  if (open && (key === 'escape' || key === 'left' || key === 'backspace'))
    return { state: { ...state, open: undefined } };
  const step = STEPS[key]?.(room(state));
  if (step !== undefined) return { state: open ? scrolled(state, open.top + step) : moved(state, step) };
  if (chosen === undefined) return { state };
  if (key === 'return' || key === 'right') return { state, act: { act: 'show', id: chosen } };
  if (key === 'a') return { state, act: { act: 'approve', id: chosen } };
  if (key === 'd') return { state, act: { act: 'deny', id: chosen } };
  return { state };
}

const STEPS: Readonly<Record<string, (room: number) => number>> = {
  up: () => -1,
  k: () => -1,
  down: () => 1,
  j: () => 1,
  pageup: (rows) => -rows,
  pagedown: (rows) => rows,
  space: (rows) => rows,
  home: () => -Infinity,
  end: () => Infinity,
};

/** The picture: exactly as many lines as the terminal has, none wider than it. @param now milliseconds since 1970. */
export function draw(state: Watching, now: number): string[] {
  const { size, requests, open } = state;
  if (size.columns < LEAST.columns || size.rows < LEAST.rows)
    return fitted(['The terminal is too small: 40 columns and 6 rows at least. q quits.'], size);
  const rows = room(state);
  const pending = requests.filter((each) => each.state === 'pending').length;
  const title = `Holdpoint: ${pending} waiting for people, ${requests.length - pending} approved or running`;
  const keys = open
    ? '↑↓ scroll  a approve  d deny  esc back  q quit'
    : '↑↓ or j k choose  enter show  a approve  d deny  q quit';
  const first = Math.max(0, Math.min(indexOf(state) - Math.floor(rows / 2), requests.length - rows));
  const body = open
    ? open.lines.slice(open.top, open.top + rows)
    : requests.slice(first, first + rows).map((each) => `${each.id === state.chosen ? '>' : ' '} ${lineOf(each, now)}`);
  if (!open && requests.length === 0) body.push('  Nothing waits. This list refreshes itself.');
  return [...fitted([title, ...body], { ...size, rows: size.rows - 1 }), ...fitted([keys], { ...size, rows: 1 })];
}

/** A long text in lines that fit the terminal. */
export function textLines(text: string, { columns }: Size): string[] {
  return text.split('\n').flatMap((line) => wrapped(line, Math.max(LEAST.columns, columns)));
}

function scrolled(state: Watching, top: number): Watching {
  const { open } = state;
  if (!open) return state;
  return { ...state, open: { ...open, top: Math.max(0, Math.min(top, open.lines.length - room(state))) } };
}

function moved(state: Watching, step: number): Watching {
  const index = Math.max(0, Math.min(indexOf(state) + step, state.requests.length - 1));
  return { ...state, chosen: state.requests[index]?.id };
}

function indexOf({ requests, chosen }: Watching): number {
  return Math.max(
    0,
    requests.findIndex(({ id }) => id === chosen),
  );
}

function room({ size }: Watching): number {
  return Math.max(1, size.rows - AROUND);
}

function lineOf(
  { id, state, environment, summary, approveBy, approvalsGiven, approvalsNeeded }: ApprovalRequest,
  now: number,
): string {
  const left = state === 'pending' ? leftOf(approveBy - now) : '';
  const cells = [
    id.slice(0, 12),
    state.padEnd(8),
    (environment ?? 'files').padEnd(11),
    `${approvalsGiven}/${approvalsNeeded}`,
    left.padStart(4),
  ];
  return `${cells.join(' ')}  ${plainLine(summary)}`;
}

function leftOf(ms: number): string {
  if (ms <= 0) return 'over';
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) return `${Math.floor(ms / 1000)}s`;
  return minutes < 100 ? `${minutes}m` : `${Math.floor(minutes / 60)}h`;
}

function fitted(lines: readonly string[], { columns, rows }: Size): string[] {
  const cut = lines.slice(0, rows).map((line) => wrapped(line, columns)[0] ?? '');
  return [...cut, ...Array.from({ length: rows - cut.length }, () => '')];
}
