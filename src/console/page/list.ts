import type { RequestList, RequestRow } from './answers.ts';
import { enrolment } from './account.ts';
import { get } from './api.ts';
import { announce, h, replaceContent } from './dom.ts';
import { foreign } from './text.ts';
import { environmentBadge, stateBadge, type Frame, type View } from './view.ts';
import { distance, setServerTime } from './when.ts';

const LISTS = [
  ['pending', 'Waiting for people', 'Nothing waits for you.'],
  ['active', 'Approved or running', 'Nothing is approved or running.'],
  ['ended', 'Ended', 'Nothing has ended yet.'],
] as const;

/** The requests: those that wait for people first. */
export function listView(frame: Frame, wanted: string): View {
  const [list, title, none] = LISTS.find(([name]) => name === wanted) ?? LISTS[0];
  let known: Set<string> | undefined;
  return {
    title,
    async draw() {
      const { now, requests, altered } = await get<RequestList>(`requests?in=${list}`);
      setServerTime(now);
      const fresh = requests.filter(({ id }) => known && !known.has(id));
      if (list === 'pending' && fresh.length > 0)
        announce(`${fresh.length} new request${fresh.length > 1 ? 's' : ''} for approval.`);
      known = new Set(requests.map(({ id }) => id));
      replaceContent(
        frame.main,
        h('h1', { tabindex: '-1' }, title, ' ', h('span', { class: 'count' }, String(requests.length))),
        h(
          'nav',
          { class: 'tabs', 'aria-label': 'Requests' },
          ...LISTS.map(([name, label]) =>
            h('a', { href: `/console?in=${name}`, id: `tab-${name}`, 'aria-current': name === list && 'page' }, label),
          ),
        ),
        frame.me.passkeys.length === 0 && enrolment(frame),
        altered.length > 0 &&
          h(
            'p',
            { class: 'notice bad' },
            `Changed by hand in the store, and never run: ${altered.join(', ')}. Run: holdpoint audit verify`,
          ),
        requests.length === 0
          ? h('p', { class: 'empty' }, none)
          : h('ul', { class: 'rows' }, ...requests.map((request) => h('li', {}, rowOf(request)))),
      );
    },
  };
}

function rowOf(row: RequestRow): HTMLElement {
  const { id, state, environment, summary, createdAt, movedAt, approveBy, runBy } = row;
  const until = state === 'pending' ? approveBy : state === 'approved' ? runBy : undefined;
  return h(
    'a',
    { class: 'card request', href: `/console/requests/${id}`, id },
    h(
      'span',
      { class: 'badges' },
      environmentBadge(environment),
      stateBadge(state),
      h('span', { class: 'badge' }, row.effect),
    ),
    h('strong', {}, foreign(summary)),
    h(
      'span',
      { class: 'muted facts' },
      h('span', {}, foreign(`${row.person}, agent ${row.agent}, ${row.client}`)),
      h('span', {}, 'asked ', distance(createdAt, 'since')),
      until !== undefined
        ? h('span', {}, state === 'pending' ? 'time left ' : 'to run within ', distance(until, 'until'))
        : h('span', {}, `${state} `, distance(movedAt, 'since')),
      h('span', {}, `${row.approvalsGiven} of ${row.approvalsNeeded} approvals`),
    ),
  );
}
