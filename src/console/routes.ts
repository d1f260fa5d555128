import { OPEN_STATES, STATES, type State } from '../approvals/states.ts';
import { parse, sendJson } from './exchange.ts';
import type { SignedInVisit, Visit } from './console.ts';
import { decide, prepare, revoke } from './deciding.ts';
import { addPasskey, beginSignIn, endSession, offerPasskey, signInByLink, signInByPasskey } from './signing-in.ts';
import { passkeysOf } from './passkeys.ts';
import { timeline, timelineFilter } from './timeline.ts';
import { rowOf } from './view.ts';

type Route = { method: 'GET' | 'POST'; path: RegExp } & (
  | { handle: (visit: SignedInVisit) => Promise<void> }
  /** For those who are not signed in yet. */
  | { open: (visit: Visit) => Promise<void> }
);

const REQUEST = '(apr_[0-9a-f]{32})';

/** Everything below `/console/api/`. A POST comes from the console's own origin alone, as JSON. */
export const ROUTES: readonly Route[] = [
  { method: 'POST', path: /^sign-in\/link$/, open: signInByLink },
  { method: 'POST', path: /^sign-in\/begin$/, open: beginSignIn },
  { method: 'POST', path: /^sign-in\/passkey$/, open: signInByPasskey },
  { method: 'POST', path: /^sign-out$/, handle: endSession },
  { method: 'GET', path: /^me$/, handle: me },
  { method: 'POST', path: /^passkey\/offer$/, handle: offerPasskey },
  { method: 'POST', path: /^passkey$/, handle: addPasskey },
  { method: 'GET', path: /^requests$/, handle: list },
  { method: 'GET', path: new RegExp(`^requests/${REQUEST}$`), handle: show },
  { method: 'POST', path: new RegExp(`^requests/${REQUEST}/prepare$`), handle: prepare },
  { method: 'POST', path: new RegExp(`^requests/${REQUEST}/decide$`), handle: decide },
  { method: 'POST', path: new RegExp(`^requests/${REQUEST}/revoke$`), handle: revoke },
  { method: 'GET', path: /^audit$/, handle: audit },
  {
    method: 'GET',
    path: /^changes$/,
    handle: ({ room, response, session }) => room.changes.listen(response, () => room.sessions.isOpen(session)),
  },
];

/** Who is signed in, and the passkeys that work at this address. */
async function me({ room, response, session, who, place }: SignedInVisit): Promise<void> {
  sendJson(response, 200, {
    approver: who.name,
    how: session.how,
    until: session.until,
    mayEnrol: session.mayEnrol(room.now()),
    key: session.key,
    passkeys: passkeysOf(who, place).map(({ fingerprint, addedAt }) => ({ fingerprint, addedAt })),
  });
}

const LISTS: Readonly<Record<string, readonly State[]>> = {
  pending: ['pending'],
  active: [...OPEN_STATES.filter((state) => state !== 'pending'), 'unknown'],
  ended: STATES.filter((state) => state !== 'unknown' && !(OPEN_STATES as readonly State[]).includes(state)),
};

async function list({ room, response, url }: SignedInVisit): Promise<void> {
  const states = LISTS[url.searchParams.get('in') ?? 'pending'] ?? LISTS['pending'] ?? [];
  const [found, altered] = await Promise.all([room.approvals.list({ states }), room.approvals.altered()]);
  sendJson(response, 200, { now: await room.approvals.now(), requests: found.map(rowOf), altered });
}

async function show({ room, response, id }: SignedInVisit): Promise<void> {
  const request = await room.examined(await room.approvals.find(id));
  const history = await timeline(room.store, { approval: id });
  sendJson(response, 200, { now: await room.approvals.now(), request, history });
}

async function audit({ room, response, url }: SignedInVisit): Promise<void> {
  const given = Object.fromEntries([...url.searchParams].filter(([, value]) => value !== ''));
  sendJson(response, 200, await timeline(room.store, parse(timelineFilter, given)));
}
