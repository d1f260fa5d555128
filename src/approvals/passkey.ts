import { createHash, createPublicKey, verify } from 'node:crypto';
import { z } from 'zod';

import type { Passkey } from './keys.ts';

/** A decision's signature by a passkey: an assertion (WebAuthn §5.2.2), everything base64url. */
const assertion = z.strictObject({
  credentialId: z.string(),
  authenticatorData: z.string(),
  clientDataJSON: z.string(),
  signature: z.string(),
});

export type PasskeyAssertion = z.output<typeof assertion>;

const clientData = z.object({
  type: z.string(),
  challenge: z.string(),
  origin: z.string(),
  crossOrigin: z.boolean().optional(),
});

/** Flags of the authenticator data (WebAuthn §6.1). */
const PRESENT = 0x01;
const VERIFIED = 0x04;
/** Hash of the relying party's id, flags and counter come first in authenticator data. */
const RP_ID_BYTES = 32;
const LEAST_BYTES = 37;

/** What an authenticator signs for a decision: the assertion's challenge, base64url. */
export function passkeyChallenge(decisionBytes: Buffer): string {
  return createHash('sha256').update(decisionBytes).digest('base64url');
}

/** An assertion as `SignedDecision.signature` has it. */
export function passkeySignature(value: PasskeyAssertion): string {
  return Buffer.from(JSON.stringify(assertion.parse(value)), 'utf8').toString('base64url');
}

/**
 * Why an assertion is not over `message` by this passkey, or undefined where it is. The checks are those of WebAuthn §7.2
 * that need no memory; the signature counter is not looked at, since passkeys that synchronise have none.
 *
 * @throws where the signature cannot be read.
 */
export function passkeyFault(key: Passkey, message: Buffer, signature: string): string | undefined {
  const made = assertion.parse(JSON.parse(Buffer.from(signature, 'base64url').toString('utf8')));
  const [authenticator, client, signed] = [made.authenticatorData, made.clientDataJSON, made.signature].map((text) =>
    Buffer.from(text, 'base64url'),
  ) as [Buffer, Buffer, Buffer];
  const said = clientData.parse(JSON.parse(client.toString('utf8')));
  if (made.credentialId !== key.credentialId) return 'its signature is by another passkey';
  if (said.type !== 'webauthn.get') return 'its signature is no assertion of a passkey';
  if (said.challenge !== passkeyChallenge(message)) return 'its passkey signed something else';
  if (said.origin !== key.origin || said.crossOrigin === true)
    return `its passkey signed for ${said.origin.slice(0, 80)}, not for ${key.origin}`;
  const rpId = createHash('sha256').update(key.rpId).digest();
  const flags = authenticator[RP_ID_BYTES] ?? 0;
  if (authenticator.length < LEAST_BYTES || !authenticator.subarray(0, RP_ID_BYTES).equals(rpId))
    return `its passkey is not for ${key.rpId}`;
  if ((flags & PRESENT) === 0) return 'nobody was present at its passkey';
  if ((flags & VERIFIED) === 0) return 'its passkey did not verify who was there (PIN or biometrics)';
  const over = Buffer.concat([authenticator, createHash('sha256').update(client).digest()]);
  const publicKey = createPublicKey(key.publicKey);
  // ES256 and RS256 hash with SHA-256; EdDSA takes the message itself.
  const hash = publicKey.asymmetricKeyType === 'ed25519' ? null : 'sha256';
  return verify(hash, over, publicKey, signed) ? undefined : "its signature is not by this approver's passkey";
}
