import { createHash, createPublicKey, type JsonWebKey } from 'node:crypto';
import type { RegistrationResponseJSON } from '@simplewebauthn/server';

import type { Approver } from '../approvals/approvers.ts';
import type { Passkey } from '../approvals/keys.ts';
import { fingerprintOf } from '../approvals/own-key.ts';
import { passkeyChallenge, passkeyFault, passkeySignature, type PasskeyAssertion } from '../approvals/passkey.ts';
import { HoldpointError } from '../core/errors.ts';
import type { Place } from './address.ts';

/** ES256, EdDSA and RS256 (IANA's COSE algorithms): what nearly every authenticator has. */
const ALGORITHMS = [-7, -8, -257];
/** Keeps a signature made for signing in from meaning anything elsewhere. */
const SIGN_IN_DOMAIN = 'holdpoint console sign-in v1\n';

/** An approver's passkeys that can be used here. */
export function passkeysOf(approver: Approver, { origin }: Place): Passkey[] {
  return approver.keys.filter((key): key is Passkey => key.kind === 'passkey' && key.origin === origin);
}

/** What `navigator.credentials.create` takes; bytes as base64url. */
export function creationOptions(approver: Approver, place: Place, challenge: string) {
  return {
    challenge,
    rp: { id: place.rpId, name: 'Holdpoint' },
    user: {
      // The same for all passkeys of an approver at one place, so that an authenticator keeps one of them.
      id: createHash('sha256').update(`holdpoint approver\n${approver.name}`).digest('base64url'),
      name: approver.name,
      displayName: approver.name,
    },
    pubKeyCredParams: ALGORITHMS.map((alg) => ({ type: 'public-key', alg })),
    excludeCredentials: passkeysOf(approver, place).map(({ credentialId }) => ({
      type: 'public-key',
      id: credentialId,
    })),
    authenticatorSelection: { residentKey: 'required', requireResidentKey: true, userVerification: 'required' },
    attestation: 'none',
    timeout: 300_000,
  };
}

/**
 * The passkey that a browser made.
 *
 * @throws HoldpointError `denied` where it was not made here, for this challenge, with a person verified.
 */
export async function readPasskey(
  response: RegistrationResponseJSON,
  place: Place,
  challenge: string,
  at: number,
): Promise<Passkey> {
  const { verifyRegistrationResponse } = await import('@simplewebauthn/server');
  const verified = await verifyRegistrationResponse({
    response,
    expectedChallenge: challenge,
    expectedOrigin: place.origin,
    expectedRPID: place.rpId,
    requireUserVerification: true,
    supportedAlgorithmIDs: ALGORITHMS,
  }).catch((cause: unknown) => {
    throw new HoldpointError('denied', 'This passkey cannot be added.', {
      hint: cause instanceof Error ? cause.message.slice(0, 200) : 'Try again.',
      cause,
    });
  });
  if (!verified.verified) throw new HoldpointError('denied', 'This passkey cannot be added.', { hint: 'Try again.' });
  const { id, publicKey, transports } = verified.registrationInfo.credential;
  const pem = createPublicKey({ key: await jwkOf(publicKey), format: 'jwk' })
    .export({ type: 'spki', format: 'pem' })
    .toString();
  return {
    kind: 'passkey',
    fingerprint: fingerprintOf(pem),
    credentialId: id,
    publicKey: pem,
    rpId: place.rpId,
    origin: place.origin,
    addedAt: new Date(at).toISOString(),
    ...(transports && { transports }),
  };
}

/** A COSE key (RFC 9052 §7) as a JSON Web Key. */
async function jwkOf(cose: Uint8Array<ArrayBuffer>): Promise<JsonWebKey> {
  const { decodeCredentialPublicKey, cose: fields } = await import('@simplewebauthn/server/helpers');
  const key = decodeCredentialPublicKey(cose);
  const text = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString('base64url');
  if (fields.isCOSEPublicKeyEC2(key) && key.get(fields.COSEKEYS.crv) === fields.COSECRV.P256)
    return { kty: 'EC', crv: 'P-256', x: text(key.get(fields.COSEKEYS.x)), y: text(key.get(fields.COSEKEYS.y)) };
  if (fields.isCOSEPublicKeyOKP(key) && key.get(fields.COSEKEYS.crv) === fields.COSECRV.ED25519)
    return { kty: 'OKP', crv: 'Ed25519', x: text(key.get(fields.COSEKEYS.x)) };
  if (fields.isCOSEPublicKeyRSA(key))
    return { kty: 'RSA', n: text(key.get(fields.COSEKEYS.n)), e: text(key.get(fields.COSEKEYS.e)) };
  throw new HoldpointError('denied', 'This passkey has a kind of key that is not taken.', {
    hint: 'Use an authenticator with P-256, Ed25519 or RSA keys.',
  });
}

/** The challenge for signing in, from a nonce of ours. Base64url. */
export function signInChallenge(nonce: string): string {
  return passkeyChallenge(signInBytes(nonce));
}

/** Whose passkey signed this nonce here; undefined where it is nobody's. */
export function signedInBy(
  approvers: readonly Approver[],
  place: Place,
  nonce: string,
  assertion: PasskeyAssertion,
): { approver: Approver; key: Passkey } | undefined {
  for (const approver of approvers) {
    const key = passkeysOf(approver, place).find(({ credentialId }) => credentialId === assertion.credentialId);
    if (key) return isBy(key, nonce, assertion) ? { approver, key } : undefined;
  }
  return undefined;
}

function isBy(key: Passkey, nonce: string, assertion: PasskeyAssertion): boolean {
  try {
    return passkeyFault(key, signInBytes(nonce), passkeySignature(assertion)) === undefined;
  } catch {
    return false;
  }
}

function signInBytes(nonce: string): Buffer {
  return Buffer.from(SIGN_IN_DOMAIN + nonce, 'utf8');
}
