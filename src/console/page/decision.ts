import type { ApprovalRequest } from './answers.ts';
import { enrolment } from './account.ts';
import { post } from './api.ts';
import { announce, h, type Child } from './dom.ts';
import { signWithPasskey } from './passkey.ts';
import { tickable } from './checklist.ts';
import { button, complain, type Frame } from './view.ts';

/** What a person has written and ticked so far; kept while the page is drawn anew around it. */
export interface Draft {
  reason: string;
  ticked: Set<string>;
  key: string | undefined;
  /** Called when an item is ticked or no longer is. */
  changed: () => void;
}

export const emptyDraft = (): Draft => ({ reason: '', ticked: new Set(), key: undefined, changed: () => {} });

interface Prepared {
  unsigned: { id: string; digest: string; decision: string };
  challenge: string;
  rpId: string;
  credential: { id: string; transports: string[] };
}

/** Approve and deny, each signed with the passkey over exactly the digest that is shown; or revoke, while there is time. */
export function decisionForm(
  frame: Frame,
  request: ApprovalRequest,
  draft: Draft,
  changed: () => Promise<void>,
): HTMLElement {
  const { id, state, digest } = request;
  const signs = h(
    'p',
    { class: 'digest' },
    'Digest of all that is shown here, which a decision signs: ',
    h('code', { id: 'digest' }, digest),
    ' of ',
    h('code', {}, id),
  );
  if (state === 'approved')
    return h(
      'div',
      { class: 'card' },
      h('h2', {}, 'Take it back'),
      reasonField(draft, 'Why (optional)'),
      revokeButton(id, draft, changed),
      signs,
    );
  if (state !== 'pending')
    return h('div', { class: 'card' }, h('p', {}, `This request is ${state}: there is nothing to decide.`), signs);
  const { passkeys } = frame.me;
  if (passkeys.length === 0) return h('div', { class: 'card' }, h('h2', {}, 'Your decision'), enrolment(frame), signs);
  return h(
    'div',
    { class: 'card', id: 'decision' },
    h('h2', {}, 'Your decision'),
    openItems(request, draft),
    reasonField(draft, `Reason (${request.terms.reasonRequired ? 'needed' : 'needed to deny'}; the agent reads it)`),
    keyChoice(frame, draft),
    h(
      'div',
      { class: 'buttons' },
      decideButton('approve', frame, request, draft, changed),
      decideButton('deny', frame, request, draft, changed),
    ),
    h(
      'p',
      { class: 'muted' },
      'Your passkey signs it. Approving runs nothing by itself: it lets the agent run exactly this, once.',
    ),
    signs,
  );
}

function reasonField(draft: Draft, label: string): HTMLElement {
  const field = h('textarea', {
    id: 'reason',
    rows: '3',
    maxlength: '2000',
    input: () => void (draft.reason = field.value),
  });
  field.value = draft.reason;
  return h('div', {}, h('label', { for: 'reason' }, label), field);
}

/** How much of the checklist is still to be ticked: it is ticked where it stands. */
function openItems(request: ApprovalRequest, draft: Draft): Child {
  const open = tickable(request);
  if (open.length === 0) return undefined;
  const count = h('a', { href: '#s-checklist', id: 'open-items' });
  const write = () => {
    const left = open.filter(({ id }) => !draft.ticked.has(id)).length;
    count.textContent =
      left === 0
        ? 'All items of the checklist are ticked.'
        : `${left} of ${open.length} items of the checklist are to be ticked.`;
  };
  draft.changed = write;
  write();
  return h('p', {}, count);
}

/** Which passkey signs, where there is a choice: the signature covers which. */
function keyChoice({ me }: Frame, draft: Draft): Child {
  draft.key ??= me.passkeys.some(({ fingerprint }) => fingerprint === me.key)
    ? me.key
    : me.passkeys.at(-1)?.fingerprint;
  if (me.passkeys.length < 2) return undefined;
  const choice = h('select', { id: 'key', change: () => void (draft.key = choice.value) });
  choice.append(
    ...me.passkeys.map(({ fingerprint, addedAt }) =>
      h(
        'option',
        { value: fingerprint, selected: fingerprint === draft.key },
        `${fingerprint.slice(7, 19)}…, added ${addedAt.slice(0, 10)}`,
      ),
    ),
  );
  return h('div', {}, h('label', { for: 'key' }, 'Passkey'), choice);
}

function decideButton(
  decision: 'approve' | 'deny',
  frame: Frame,
  { id, digest }: ApprovalRequest,
  draft: Draft,
  changed: () => Promise<void>,
): HTMLElement {
  const label = decision === 'approve' ? 'Approve' : 'Deny';
  return button(label, decision, decision === 'approve' ? 'primary' : 'danger', async () => {
    if (decision === 'deny' && draft.reason.trim() === '') {
      document.getElementById('reason')?.focus();
      return complain(new Error('A denial needs a reason: the agent reads it.'));
    }
    const { reason, key } = draft;
    const ticked = decision === 'approve' ? [...draft.ticked].sort() : [];
    const prepared = await post<Prepared>(`requests/${id}/prepare`, { decision, reason, ticked, key });
    const { unsigned, challenge, rpId, credential } = prepared;
    if (unsigned.id !== id || unsigned.digest !== digest || unsigned.decision !== decision)
      throw new Error('The server asks to sign something other than what is shown. Nothing was signed.');
    const assertion = await signWithPasskey(challenge, rpId, credential);
    const { state } = await post<{ state: string }>(`requests/${id}/decide`, { unsigned, assertion });
    draft.reason = '';
    await frame.reload();
    await changed();
    announce(`You ${decision === 'approve' ? 'approved' : 'denied'} it. The request is ${state}.`);
    document.querySelector('h1')?.focus();
  });
}

function revokeButton(id: string, draft: Draft, changed: () => Promise<void>): HTMLElement {
  return button('Revoke the approval', 'revoke', 'danger', async () => {
    await post(`requests/${id}/revoke`, { reason: draft.reason });
    await changed();
    announce('The approval was revoked.');
    document.querySelector('h1')?.focus();
  });
}
