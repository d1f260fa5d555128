import type { ApprovalRequest } from '../approvals/request.ts';
import { block, plainLine } from '../core/foreign.ts';
import type { PreviewPart } from '../core/plan.ts';
import { checklistText, glassText } from './checklist-text.ts';
import { labelled, painted, PAPER, sideBySide, type Screen } from './layout.ts';
import { hanging, heading, partText } from './preview-text.ts';

const time = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');

/** One line of a list. */
export function requestLine({ id, state, environment, principal, createdAt, summary }: ApprovalRequest): string {
  const where = environment ?? '-';
  return `${id.slice(0, 12)}  ${state.padEnd(9)} ${where.padEnd(12)} ${principal.person}/${principal.agent}  ${time(createdAt)}  ${plainLine(summary)}`;
}

/**
 * Everything that a person decides on, most important first: what, where, what to mind, who asks; what changes and what it
 * touches; how to undo it; the steps as they will be done. What the agent or another system wrote is made plain.
 */
export function requestText(request: ApprovalRequest, screen: Screen = PAPER): string {
  const { parts = [], text } = request.plan.preview;
  const of = (...kinds: PreviewPart['kind'][]) => parts.filter(({ kind }) => kinds.includes(kind));
  const sections = [
    head(request, screen),
    ...moved(request, screen),
    ...of('risks').map((part) => partText(part, screen)),
    whoAndWhy(request, screen),
    ...checklistText(request, screen),
    ...glassText(request, screen),
    ...of('facts', 'diff').map((part) => partText(part, screen)),
    ...(text === undefined ? [] : [[heading('Preview', screen), ...block(text, { ...screen, mark: '  │ ' })]]),
    ...of('undo').map((part) => partText(part, screen)),
    steps(request, screen),
    ...bindings(request, screen),
    ...decided(request, screen),
    [`id      ${request.id}`, `digest  ${request.digest}`],
  ];
  return sections.map((lines) => lines.join('\n')).join('\n\n');
}

function head({ state, environment, plan, summary }: ApprovalRequest, screen: Screen): string[] {
  const where = environment ?? 'no runtime environment (files)';
  const line = `${state.toUpperCase()} · ${where} · ${plan.effect}`;
  return [
    painted(environment === 'production' ? 'red' : 'bold', plainLine(line), screen),
    ...hanging('', plainLine(summary), screen.columns).map((each) => painted('bold', each, screen)),
  ];
}

/** Of a stale request: each thing as it was when people were asked, and as it was found. */
function moved({ note }: ApprovalRequest, screen: Screen): string[][] {
  const changes = note?.changes ?? [];
  if (changes.length === 0) return [];
  const rows = changes.map(({ what, was, is }) => [plainLine(what), side(was), side(is)] as const);
  return [
    [
      heading('What moved since it was asked for', screen),
      ...sideBySide([['', 'then', 'now'], ...rows], screen.columns - 2).map((line) => `  ${line}`),
    ],
  ];
}

/** Hashes are compared by their beginning; `--json` has them whole. */
function side(text: string): string {
  return plainLine(text).replace(/\b([0-9a-f]{12})[0-9a-f]{28,}\b/g, '$1…');
}

function whoAndWhy(request: ApprovalRequest, { columns }: Screen): string[] {
  const { principal, plan } = request;
  const rows: [string, string][] = [
    [
      'asked by',
      `${principal.person}, agent ${principal.agent}, client ${principal.client}, ${time(request.createdAt)}`,
    ],
    ['with', `${request.tool} (${plan.effect})`],
    ['touches', touched(request)],
    ['held by', `${request.rules.join(', ')}: ${request.reason}`],
    ['approvals', `${request.approvalsGiven} of ${request.approvalsNeeded} given`],
    ...(request.stillNeeded.length > 0
      ? [['needs', request.stillNeeded.join(' and ')] satisfies [string, string]]
      : []),
    ...(request.cannotBeMet === undefined ? [] : [['nobody can', request.cannotBeMet] satisfies [string, string]]),
    ['approve by', time(request.approveBy)],
    ...(request.runBy === undefined ? [] : [['run by', time(request.runBy)] satisfies [string, string]]),
    ...(request.follows === undefined
      ? []
      : [
          ['follows', `${request.follows}, which went stale; no approval of that one counts here`] satisfies [
            string,
            string,
          ],
        ]),
    ...(request.window
      ? [['window', `${request.window.open ? 'open' : 'closed'}: ${request.window.says}`] satisfies [string, string]]
      : []),
  ];
  return rows.flatMap(([label, value]) => labelled(label, plainLine(value), 10, columns));
}

/** What the call writes or destroys; a long list is cut, and says so. */
function touched({ plan }: ApprovalRequest): string {
  const ids = [...new Set(plan.targets.filter(({ effect }) => effect !== 'read').map(({ id }) => id))];
  return `${ids.slice(0, 12).join('; ')}${ids.length > 12 ? `; and ${ids.length - 12} more` : ''}`;
}

function steps({ plan }: ApprovalRequest, screen: Screen): string[] {
  return [
    heading('What will be done, once', screen),
    ...plan.steps.flatMap(({ does, call }, at) => [
      ...hanging(`  ${at + 1}. `, plainLine(does), screen.columns),
      ...block(JSON.stringify(call), { columns: screen.columns, mark: '     │ ' }),
    ]),
  ];
}

function bindings({ plan }: ApprovalRequest, screen: Screen): string[][] {
  if (plan.preconditions.length === 0) return [];
  const all = plan.preconditions.map(({ says }) => plainLine(says)).join('; ');
  return [[heading('Stale if any of these moves', screen), ...hanging('  ', all, screen.columns)]];
}

function decided({ decisions, note, state }: ApprovalRequest, { columns }: Screen): string[][] {
  const lines = decisions.map((each) => {
    const reason = each.reason ? `: ${plainLine(each.reason)}` : '';
    const how = each.breakGlass ? 'Glass broken' : each.decision === 'approve' ? 'Approved' : 'Denied';
    return `${how} by ${plainLine(each.approver)} at ${time(each.at)}${reason}`;
  });
  const said = note?.reason ? [`${state}: ${plainLine(note.reason)}${note.by ? ` (${plainLine(note.by)})` : ''}`] : [];
  const all = [...lines, ...said].flatMap((line) => hanging('', line, columns));
  return all.length > 0 ? [all] : [];
}
