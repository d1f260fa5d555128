import { decisionBytes } from '../approvals/digest.ts';
import { passkeyChallenge, passkeySignature } from '../approvals/passkey.ts';
import type { UnsignedDecision } from '../approvals/request.ts';
import { HoldpointError } from '../core/errors.ts';
import type { Place } from './address.ts';
import type { SignedInVisit } from './console.ts';
import { readJson, sendJson } from './exchange.ts';
import { passkeysOf } from './passkeys.ts';
import { revocation, signedDecision, wantedDecision } from './shapes.ts';
import { rowOf } from './view.ts';

/** Writes down what is about to be decided, and what the passkey has to sign for it. Nothing is stored. */
export async function prepare({ room, request, response, who, place, id }: SignedInVisit): Promise<void> {
  const { decision, reason, ticked, key: fingerprint } = await readJson(request, wantedDecision);
  const said = room.redact(reason.trim());
  if (decision === 'deny' && said === '')
    throw new HoldpointError('invalid_input', 'A denial needs a reason: the agent reads it.', {
      hint: 'Write why, and what would be acceptable.',
    });
  const key = ownKey(fingerprint, place, who);
  const { digest } = await room.approvals.find(id);
  const unsigned: UnsignedDecision = {
    id,
    digest,
    decision,
    approver: who.name,
    at: await room.approvals.now(),
    reason: said,
    ticked,
    key: fingerprint,
  };
  const { credentialId, transports = [] } = key;
  const challenge = passkeyChallenge(decisionBytes(unsigned));
  sendJson(response, 200, { unsigned, challenge, rpId: place.rpId, credential: { id: credentialId, transports } });
}

/** Takes a signed decision, as any other way to decide does: the signature is verified where all are. */
export async function decide({ room, request, response, who, place, id }: SignedInVisit): Promise<void> {
  const { unsigned, assertion } = await readJson(request, signedDecision);
  ownKey(unsigned.key, place, who);
  if (unsigned.id !== id || unsigned.approver !== who.name)
    throw new HoldpointError('denied', 'This decision was prepared for another request or another approver.', {
      hint: 'Reload the page and decide again.',
    });
  const decided = await room.approvals.decide({ ...unsigned, signature: passkeySignature(assertion) });
  sendJson(response, 200, rowOf(decided));
}

/** Takes an approval back before it runs; nothing is signed, for this only stops. */
export async function revoke({ room, request, response, who, id }: SignedInVisit): Promise<void> {
  const { reason } = await readJson(request, revocation);
  const said = room.redact(reason.trim()) || 'no reason given';
  sendJson(response, 200, rowOf(await room.approvals.revoke(id, who.name, said)));
}

function ownKey(fingerprint: string, place: Place, who: SignedInVisit['who']) {
  const key = passkeysOf(who, place).find((each) => each.fingerprint === fingerprint);
  if (key) return key;
  throw new HoldpointError('denied', 'This is none of your passkeys at this address.', {
    hint: `Add one: open a new link from \`holdpoint console link --as ${who.name}\`.`,
  });
}
