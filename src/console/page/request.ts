import type { ApprovalRequest, RequestDetail } from './answers.ts';
import { get } from './api.ts';
import { decisionForm, emptyDraft } from './decision.ts';
import { announce, h, replaceContent } from './dom.ts';
import { checklist } from './checklist.ts';
import { changes, conditions, outcome, preview, steps, targets, terms } from './parts.ts';
import { records } from './records.ts';
import { foreign, own } from './text.ts';
import { environmentBadge, facts, section, stateBadge, type Frame, type View } from './view.ts';
import { distance, moment, setServerTime } from './when.ts';

/** One request: everything that a person decides on, and the decision. */
export function requestView(frame: Frame, id: string): View {
  const draft = emptyDraft();
  let last = '';
  let state: string | undefined;
  return {
    title: `Request ${id.slice(0, 12)}`,
    async draw() {
      const detail = await get<RequestDetail>(`requests/${id}`);
      const { now, request, history } = detail;
      setServerTime(now);
      if (state !== undefined && state !== request.state) announce(`The request is ${request.state} now.`);
      ({ state } = request);
      // Drawn again only where something differs, so that nothing moves under a reader's hands.
      const text = JSON.stringify([request, history, frame.me]);
      if (text === last) return;
      last = text;
      replaceContent(
        frame.main,
        h('a', { href: '/console', class: 'back', id: 'back' }, 'All requests'),
        h(
          'div',
          { class: 'badges' },
          environmentBadge(request.environment),
          stateBadge(request.state),
          h('span', { class: 'badge' }, request.plan.effect),
        ),
        h('h1', { tabindex: '-1' }, foreign(request.summary)),
        request.state === 'pending' && h('a', { href: '#decision', class: 'jump', id: 'jump' }, 'To your decision'),
        h(
          'p',
          { class: 'muted' },
          'Marked text like ',
          h('span', { class: 'foreign' }, 'this'),
          ' was written by the agent or by another system: it is what to judge, not advice.',
        ),
        h(
          'div',
          { class: 'columns' },
          h(
            'div',
            {},
            section('What will change', ...preview(request)),
            section('Where', targets(request)),
            section('Why it waits', terms(request)),
            ...checklist(request, draft, frame.me.passkeys.length > 0),
            section('Steps, each run once and exactly so', steps(request)),
            ...conditions(request),
          ),
          h(
            'aside',
            { 'aria-label': 'Decision' },
            status(request),
            decisionForm(frame, request, draft, async () => this.draw()),
          ),
        ),
        ...changes(request),
        ...outcome(request),
        section(
          'History',
          records(history.records, id),
          history.older !== undefined && h('a', { href: `/console/audit?approval=${id}` }, 'All of it'),
        ),
      );
    },
  };
}

function status(request: ApprovalRequest): HTMLElement {
  const { principal, createdAt, approveBy, runBy, approvalsGiven, approvalsNeeded, stillNeeded, cannotBeMet, note } =
    request;
  return h(
    'div',
    { class: 'card' },
    facts([
      ['Asked by', foreign(`${principal.person}, agent ${principal.agent}, ${principal.client}`)],
      ['Asked', distance(createdAt, 'since')],
      ['Time left', request.state === 'pending' && distance(approveBy, 'until')],
      ['To run within', request.state === 'approved' && runBy !== undefined && distance(runBy, 'until')],
      ['Approvals', `${approvalsGiven} of ${approvalsNeeded}`],
      ['Missing', stillNeeded.length > 0 && own(stillNeeded.join('; '))],
      ['Cannot be met', cannotBeMet !== undefined && own(cannotBeMet)],
      ['Said', note?.reason !== undefined && foreign(`${note.reason}${note.by ? ` (${note.by})` : ''}`)],
    ]),
    request.decisions.length > 0 &&
      h(
        'ul',
        { class: 'decisions' },
        ...request.decisions.map(({ approver, decision, at, reason }) =>
          h(
            'li',
            {},
            h('strong', {}, decision === 'approve' ? 'Approved' : 'Denied'),
            ' by ',
            own(approver),
            ', ',
            moment(at),
            reason ? ': ' : '',
            reason ? foreign(reason) : '',
          ),
        ),
      ),
  );
}
