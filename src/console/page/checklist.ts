import type { ApprovalRequest } from './answers.ts';
import type { Draft } from './decision.ts';
import { h, type Child } from './dom.ts';
import { foreign, own } from './text.ts';
import { section } from './view.ts';
import { distance } from './when.ts';

type Item = NonNullable<ApprovalRequest['checklist']>[number];

/** What a person says with an approval: items before the run that are not ticked yet, and that a person may tick. */
export function tickable({ checklist = [], state }: ApprovalRequest): Item[] {
  return state === 'pending'
    ? checklist.filter((item) => item.phase === 'pre' && item.mayTick && item.state !== 'ok')
    : [];
}

const MARKS: Readonly<Record<string, string>> = { ok: '✓', failed: '✗', unknown: '?', open: '○' };
const PHASES = { pre: 'Before the run', during: 'While it runs', post: 'After the run' } as const;

/** Checklist, change window and broken glass, where there are any. Items for people are ticked with the decision. */
export function checklist(request: ApprovalRequest, draft: Draft, mayDecide: boolean): Child[] {
  const { checklist: items = [], window, glass } = request;
  const here = mayDecide ? tickable(request) : [];
  const phases = Object.entries(PHASES).flatMap(([phase, title]) => {
    const those = items.filter((item) => item.phase === phase);
    const lines = those.map((item) => (here.includes(item) ? tickOf(item, draft) : itemOf(item)));
    return those.length === 0 ? [] : [h('h3', {}, title), h('ul', { class: 'checklist' }, ...lines)];
  });
  return [
    phases.length > 0 && section('Checklist', ...phases),
    window !== undefined &&
      section(
        'Change window',
        h(
          'p',
          { class: window.open ? 'notice' : 'notice warning' },
          h('strong', {}, window.open ? 'Open: ' : 'Closed: '),
          own(window.says),
          window.opensAt !== undefined && ' Opens in ',
          window.opensAt !== undefined && distance(window.opensAt, 'until'),
        ),
      ),
    glass !== undefined &&
      section(
        'Broken glass',
        h(
          'p',
          { class: 'notice bad' },
          own(`${glass.by} approved it alone: ${glass.reason}. `),
          own(glass.reviewed ? `Reviewed by ${glass.reviewed.by}: ${glass.reviewed.reason}` : 'Its review is open.'),
        ),
      ),
  ];
}

function itemOf({ says, state, kind, evidence, by }: Item): HTMLElement {
  const word = state === 'open' ? (kind === 'person' ? 'for you to check' : 'open') : state;
  return h(
    'li',
    { class: `item ${state}` },
    h('span', { 'aria-hidden': 'true', class: 'mark' }, MARKS[state] ?? ''),
    h('span', {}, own(says), ' ', h('em', {}, word)),
    evidence !== undefined && h('div', { class: 'muted' }, foreign(evidence)),
    by !== undefined && h('div', { class: 'muted' }, 'ticked by ', own(by)),
  );
}

/** An item that the reader ticks; what could not be seen is said beside it. */
function tickOf({ id, says, evidence }: Item, draft: Draft): HTMLElement {
  const box: HTMLInputElement = h('input', {
    type: 'checkbox',
    id: `tick-${id}`,
    checked: draft.ticked.has(id),
    change() {
      draft.ticked[box.checked ? 'add' : 'delete'](id);
      draft.changed();
    },
  });
  return h(
    'li',
    { class: 'item tick' },
    box,
    h('label', { for: `tick-${id}` }, own(says)),
    evidence !== undefined && h('div', { class: 'muted' }, 'not seen: ', foreign(evidence)),
  );
}
