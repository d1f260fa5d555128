import type { PreviewPart } from '../../core/plan.ts';
import type { ApprovalRequest } from './answers.ts';
import { h, type Child } from './dom.ts';
import { foreign, foreignBlock, own, verbatim } from './text.ts';
import { facts, section } from './view.ts';
import { moment, spell } from './when.ts';

/** What changes, as the tool says it: in parts where it gives them, else its text. */
export function preview({ plan }: ApprovalRequest): Child[] {
  const { parts = [], text } = plan.preview;
  if (text === undefined && parts.length === 0)
    return [h('p', { class: 'muted' }, 'There is no preview; see the steps.')];
  return [text !== undefined && foreignBlock(text, 'Preview'), ...parts.map(partOf)];
}

function partOf(part: PreviewPart): Child {
  switch (part.kind) {
    case 'diff':
      return h('div', {}, h('h3', {}, own(part.title)), foreignBlock(part.text, part.title));
    case 'facts':
      return h(
        'div',
        {},
        h('h3', {}, own(part.title)),
        facts(
          part.rows.map(
            ([name, value]) => [own(name), value.includes('\n') ? foreignBlock(value, name) : foreign(value)] as const,
          ),
        ),
      );
    case 'risks':
      return h(
        'div',
        { class: 'notice warning' },
        h('h3', {}, 'Risks'),
        h('ul', {}, ...part.items.map((item) => h('li', {}, own(item)))),
      );
    case 'undo':
      return h('div', {}, h('h3', {}, 'To undo it'), h('p', {}, own(part.text)));
  }
}

export function targets({ plan, environment, tool }: ApprovalRequest): HTMLElement {
  return h(
    'div',
    {},
    facts([
      ['Environment', own(environment ?? 'none: files of the workspace')],
      ['Tool', tool],
      ['Effect', plan.effect],
    ]),
    h(
      'ul',
      { class: 'targets' },
      ...plan.targets.slice(0, 200).map((target) => {
        const { kind, ...rest } = target;
        return h('li', {}, h('strong', {}, kind), ' ', foreign(wordsOf(rest)));
      }),
    ),
    plan.targets.length > 200 && h('p', {}, `and ${plan.targets.length - 200} more`),
  );
}

/** `id a, effect write, cluster live`: names and values, those inside others too. */
function wordsOf(value: object): string {
  return Object.entries(value as Record<string, unknown>)
    .map(([name, inner]) =>
      typeof inner === 'object' && inner !== null && !Array.isArray(inner)
        ? wordsOf(inner)
        : `${name} ${typeof inner === 'string' ? inner : JSON.stringify(inner)}`,
    )
    .join(', ');
}

/** The rule that holds it, and what it asks for. */
export function terms({
  rules,
  reason,
  terms: asks,
  approveBy,
  persona,
  handOff,
  follows,
}: ApprovalRequest): HTMLElement {
  return facts([
    ['Rule', own(rules.join(', '))],
    ['Reason', own(reason)],
    ['Needs', h('ul', {}, ...needs(asks).map((need) => h('li', {}, own(need))))],
    ['Decide by', moment(approveBy)],
    ['Runs within', `${spell(asks.runWithin)} of the last approval`],
    ['Persona', own(persona)],
    ['Work belongs to', handOff !== null && own(handOff)],
    ['Replaces', follows !== undefined && h('a', { href: `/console/requests/${follows}` }, follows)],
  ]);
}

function needs({
  approvals,
  approvers,
  signature,
  reasonRequired,
  requesterMayApprove,
}: ApprovalRequest['terms']): string[] {
  const whom = ({ names, groups, roles }: (typeof approvers)[number]) =>
    [
      ...names,
      ...groups.map((group) => `anybody of the group ${group}`),
      ...roles.map((role) => `anybody with the role ${role}`),
    ].join(', or ');
  return [
    `${approvals} approval${approvals === 1 ? '' : 's'}`,
    ...approvers.map((demand) => `${demand.approvals} by ${whom(demand)}`),
    ...(signature === 'any'
      ? []
      : [
          `signed with ${signature === 'none-fits' ? 'kinds of keys that no signature has at once' : `keys of the kind ${signature}`}`,
        ]),
    ...(reasonRequired ? ['a reason'] : []),
    ...(requesterMayApprove ? [] : ['somebody other than who asks']),
  ];
}

export function steps({ plan }: ApprovalRequest): HTMLElement {
  return h(
    'ol',
    { class: 'steps' },
    ...plan.steps.map((step) =>
      h('li', {}, foreign(step.does), verbatim(step.call, `Step: ${step.does.slice(0, 80)}`)),
    ),
  );
}

/** What the plan relies on: when one of these has moved at the run, nothing is done. */
export function conditions({ plan, policyDigest, schemaHash }: ApprovalRequest): Child[] {
  return [
    section(
      'Bound to this state of the world',
      h('p', { class: 'muted' }, 'If any of these has moved when it is to run, nothing is done.'),
      h(
        'ul',
        { class: 'conditions' },
        ...plan.preconditions.map(({ id, says, value }) =>
          h(
            'li',
            {},
            h(
              'details',
              { id: `pre-${id}` },
              h('summary', {}, foreign(says)),
              verbatim(value, `Value: ${says.slice(0, 80)}`),
            ),
          ),
        ),
        h('li', {}, 'the policy ', h('code', {}, policyDigest)),
        h('li', {}, 'the tool’s definition ', h('code', {}, schemaHash)),
      ),
    ),
  ];
}

/** What had moved, as it was and as it is. */
export function changes({ note }: ApprovalRequest): Child[] {
  if (!note?.changes?.length) return [];
  return [
    section(
      'What had moved',
      ...note.changes.map(({ what, was, is }) =>
        h(
          'div',
          { class: 'card' },
          h('h3', {}, foreign(what)),
          facts([
            ['Then', foreignBlock(was, 'Then')],
            ['Now', foreignBlock(is, 'Now')],
          ]),
        ),
      ),
    ),
  ];
}

/** What was done, where it ran: each step that said so, and how it ended. */
export function outcome({ outcome: end, steps: done, actedAt }: ApprovalRequest): Child[] {
  if (actedAt === undefined) return [];
  return [
    section(
      'What came of it',
      facts([['Began', moment(actedAt)], ...done.map(({ step, at }) => [foreign(step), moment(at)] as const)]),
      end !== undefined && verbatim(end, 'Outcome'),
    ),
  ];
}
