import type { ApprovalRequest } from '../approvals/request.ts';
import { plain, plainLine } from './plain.ts';

const time = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');

/** One line of a list. */
export function requestLine({ id, state, environment, principal, createdAt, summary }: ApprovalRequest): string {
  const where = environment ?? '-';
  return `${id.slice(0, 12)}  ${state.padEnd(9)} ${where.padEnd(12)} ${principal.person}/${principal.agent}  ${time(createdAt)}  ${plainLine(summary)}`;
}

/** Everything that a person decides on. What the agent or another system wrote is made plain. */
export function requestText(request: ApprovalRequest): string {
  const { plan, principal, decisions, note } = request;
  const lines = [
    plainLine(request.summary),
    '',
    field('id', request.id),
    field('digest', request.digest),
    field('state', `${request.state}, ${request.approvalsGiven} of ${request.approvalsNeeded} approvals`),
    ...(request.stillNeeded.length > 0 ? [field('needs', request.stillNeeded.join(' and '))] : []),
    ...(request.cannotBeMet === undefined ? [] : [field('nobody can', plainLine(request.cannotBeMet))]),
    field('asked by', plainLine(`${principal.person}, agent ${principal.agent}, client ${principal.client}`)),
    field('tool', `${request.tool} (${plan.effect})`),
    field('where', request.environment ?? 'no runtime environment (files)'),
    field('held by', `${request.rules.join(', ')}: ${plainLine(request.reason)}`),
    field('approve by', time(request.approveBy)),
    ...(request.runBy === undefined ? [] : [field('run by', time(request.runBy))]),
    ...(request.terms.checklists.length > 0
      ? [field('checklist', `${request.terms.checklists.join(', ')} (for you to go through; not checked by Holdpoint)`)]
      : []),
    ...(request.terms.windows.length > 0
      ? [field('window', `${request.terms.windows.join(', ')} (for you to keep; not checked by Holdpoint)`)]
      : []),
    '',
    'What will be done, once:',
    ...plan.steps.map((step) => `  ${plainLine(step.does)}\n    ${plainLine(JSON.stringify(step.call))}`),
    ...(plan.preview.text ? ['', 'Preview:', indent(plain(plan.preview.text))] : []),
    ...(plan.preconditions.length > 0
      ? ['', `Stale if any of these moves: ${plan.preconditions.map(({ says }) => plainLine(says)).join('; ')}.`]
      : []),
    ...decisions.map(
      (each) =>
        `\n${each.decision === 'approve' ? 'Approved' : 'Denied'} by ${each.approver} at ${time(each.at)}${each.reason ? `: ${plainLine(each.reason)}` : ''}`,
    ),
    ...(note?.reason
      ? [`\n${request.state}: ${plainLine(note.reason)}${note.by ? ` (${plainLine(note.by)})` : ''}`]
      : []),
    ...(note?.changes ?? []).map(
      ({ what, was, is }) => `\nMoved: ${plainLine(what)}: was ${plainLine(was)}, is ${plainLine(is)}`,
    ),
  ];
  return lines.join('\n');
}

function field(name: string, value: string): string {
  return `${name.padEnd(11)} ${value}`;
}

/** Marked on every line: what others wrote must not look like a line of the request's own. */
function indent(text: string): string {
  return text.replace(/^/gm, '  │ ');
}
