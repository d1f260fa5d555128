import { createPublicKey, verify } from 'node:crypto';
import { z } from 'zod';

import { decisionBytes } from './digest.ts';
import { passkeyFault } from './passkey.ts';
import type { SignedDecision } from './request.ts';
import { sshFault } from './ssh-signature.ts';

/** ISO 8601, UTC. */
const addedAt = z.string();

const ownKey = z.strictObject({
  kind: z.literal('own'),
  /** `sha256:…` of the public key. */
  fingerprint: z.string(),
  /** Ed25519, SPKI PEM. */
  publicKey: z.string(),
  addedAt,
  /** A key for emergencies alone; it signs nothing else. */
  breakGlass: z.literal(true).exactOptional(),
});

const sshKey = z.strictObject({
  kind: z.literal('ssh'),
  /** `SHA256:…`, as `ssh-keygen -l` prints it. */
  fingerprint: z.string(),
  /** Type and base64, as in an `id_ed25519.pub`, without the comment. */
  publicKey: z.string(),
  addedAt,
  breakGlass: z.literal(true).exactOptional(),
});

const passkey = z.strictObject({
  kind: z.literal('passkey'),
  /** `sha256:…` of the public key. */
  fingerprint: z.string(),
  /** Base64url. */
  credentialId: z.string(),
  /** SPKI PEM: P-256, Ed25519 or RSA. */
  publicKey: z.string(),
  /** The host name that the passkey is for, and the one origin that its assertions may come from. */
  rpId: z.string(),
  origin: z.string(),
  addedAt,
  transports: z.array(z.string()).optional(),
});

/** A key that an approver signs with: its public half. */
export const approverKey = z.discriminatedUnion('kind', [ownKey, sshKey, passkey]);

export type ApproverKey = z.output<typeof approverKey>;
export type OwnKey = z.output<typeof ownKey>;
export type SshKey = z.output<typeof sshKey>;
export type Passkey = z.output<typeof passkey>;

/** Why a decision's signature is not by this key, or undefined where it is. Pure. */
export function signatureFault(decision: SignedDecision, key: ApproverKey): string | undefined {
  if (isBreakGlass(key) !== (decision.breakGlass === true))
    return isBreakGlass(key) ? 'its key is for break-glass alone' : 'it takes a break-glass key to break the glass';
  const bytes = decisionBytes(decision);
  try {
    if (key.kind === 'ssh') return sshFault(key.publicKey, bytes, decision.signature);
    if (key.kind === 'passkey') return passkeyFault(key, bytes, decision.signature);
    return verify(null, bytes, createPublicKey(key.publicKey), Buffer.from(decision.signature, 'base64'))
      ? undefined
      : "its signature is not by this approver's registered key";
  } catch {
    return 'its signature cannot be read';
  }
}

export function isBreakGlass(key: ApproverKey): boolean {
  return key.kind !== 'passkey' && key.breakGlass === true;
}
