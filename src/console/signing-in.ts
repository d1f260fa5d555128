import { approverRecord, type Approver } from '../approvals/approvers.ts';
import { HoldpointError } from '../core/errors.ts';
import type { SignedInVisit, Visit } from './console.ts';
import { readJson, sendJson } from './exchange.ts';
import { creationOptions, readPasskey, signedInBy, signInChallenge } from './passkeys.ts';
import { linkSignIn, newPasskey, nothing, passkeySignIn } from './shapes.ts';

/** Opens a session with a one-time link's token. */
export async function signInByLink(visit: Visit): Promise<void> {
  const { room, request } = visit;
  const { token } = await readJson(request, linkSignIn);
  const name = await attempt(visit, () => room.links.spend(token, room.now()));
  const approver = room.approvers.list().find((each) => each.name === name);
  if (!approver)
    throw new HoldpointError('denied', 'This link does not work: it was used already, or its time is over.', {
      hint: 'Sign in with your passkey, or make a new link: `holdpoint console link --as NAME`.',
    });
  await open(visit, approver, 'link');
}

/** What a passkey has to sign for signing in: whose it is, shows with the signature. */
export async function beginSignIn({ room, request, response, place }: Visit): Promise<void> {
  await readJson(request, nothing);
  const nonce = room.challenges.make('sign-in');
  sendJson(response, 200, { nonce, challenge: signInChallenge(nonce), rpId: place.rpId });
}

export async function signInByPasskey(visit: Visit): Promise<void> {
  const { room, request, place } = visit;
  const { nonce, assertion } = await readJson(request, passkeySignIn);
  const found = await attempt(visit, () =>
    room.challenges.take(nonce, 'sign-in') ? signedInBy(room.approvers.list(), place, nonce, assertion) : undefined,
  );
  if (!found)
    throw new HoldpointError('denied', 'This passkey opens nothing here.', {
      hint: 'Use one that was added at this address, or make a link: `holdpoint console link --as NAME`.',
    });
  await open(visit, found.approver, 'passkey', found.key.fingerprint);
}

/** Counts what fails, so that nobody tries for long; what is tried has 256 bits. */
async function attempt<T>({ room, request }: Visit, work: () => T | undefined): Promise<T | undefined> {
  const address = request.socket.remoteAddress ?? '';
  if (room.attempts.tooMany(address))
    throw new HoldpointError('rate_limited', 'Too many attempts to sign in failed.', { hint: 'Wait a minute.' });
  const found = work();
  if (found === undefined) room.attempts.failed(address);
  return found;
}

async function open(
  { room, response, place }: Visit,
  approver: Approver,
  how: 'link' | 'passkey',
  key?: string,
): Promise<void> {
  room.audit.append({
    kind: 'console.signed-in',
    data: {
      approver: approver.name,
      person: approver.person,
      how,
      origin: place.origin,
      ...(key !== undefined && { key }),
    },
  });
  await room.audit.flush();
  const { pageKey, cookie } = room.sessions.open(approver, how, key, place);
  response.setHeader('Set-Cookie', cookie);
  sendJson(response, 200, { approver: approver.name, pageKey });
}

export async function endSession({ room, request, response, session }: SignedInVisit): Promise<void> {
  await readJson(request, nothing);
  response.setHeader('Set-Cookie', room.sessions.close(session));
  sendJson(response, 200, {});
}

/** What the browser makes a passkey from. */
export async function offerPasskey({ room, request, response, session, who, place }: SignedInVisit): Promise<void> {
  await readJson(request, nothing);
  if (!session.mayEnrol(room.now())) throw mayNotEnrol(who.name);
  sendJson(response, 200, creationOptions(who, place, room.challenges.make(`enrol ${who.name}`)));
}

/** Registers the passkey that the browser made, with the approver's other keys. */
export async function addPasskey({ room, request, response, session, who, place }: SignedInVisit): Promise<void> {
  const { challenge, credential } = await readJson(request, newPasskey);
  if (!session.mayEnrol(room.now()) || !room.challenges.take(challenge, `enrol ${who.name}`))
    throw mayNotEnrol(who.name);
  const { id, transports, ...response64 } = credential;
  const key = await readPasskey(
    {
      id,
      rawId: id,
      type: 'public-key',
      clientExtensionResults: {},
      response: { ...response64, transports },
    },
    place,
    challenge,
    room.now(),
  );
  // Another one may have been added while this was checked.
  if (!session.mayEnrol(room.now())) throw mayNotEnrol(who.name);
  const approver = room.approvers.addKey(who.name, key);
  room.sessions.enrolled(session, key.fingerprint);
  room.audit.append({ kind: 'approver.changed', data: { approver: approver.name, ...approverRecord(approver) } });
  await room.audit.flush();
  sendJson(response, 200, { fingerprint: key.fingerprint });
}

function mayNotEnrol(name: string): HoldpointError {
  return new HoldpointError(
    'denied',
    'A passkey is added within ten minutes of signing in with a link; one for each link.',
    {
      hint: `Make a new link: \`holdpoint console link --as ${name}\`.`,
    },
  );
}
