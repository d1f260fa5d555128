import { z } from 'zod';

const base64url = (most: number) =>
  z
    .string()
    .regex(/^[\w-]+$/)
    .max(most);
const reason = z.string().max(2000);
const ticked = z.array(z.string().max(200)).max(200);
const decision = z.enum(['approve', 'deny']);

const requestId = z.string().regex(/^apr_[0-9a-f]{32}$/);

const assertion = z.strictObject({
  credentialId: base64url(2048),
  authenticatorData: base64url(8192),
  clientDataJSON: base64url(8192),
  signature: base64url(4096),
});

/** What the page sends, each body by what it is for. */
export const nothing = z.strictObject({});
export const linkSignIn = z.strictObject({ token: base64url(128) });
export const passkeySignIn = z.strictObject({ nonce: base64url(128), assertion });
export const newPasskey = z.strictObject({
  challenge: base64url(128),
  credential: z.strictObject({
    id: base64url(2048),
    attestationObject: base64url(49_152),
    clientDataJSON: base64url(8192),
    transports: z.array(z.string().max(32)).max(10),
  }),
});
/** `key`: fingerprint of the passkey that will sign. */
export const wantedDecision = z.strictObject({ decision, reason, ticked, key: z.string().max(200) });
export const signedDecision = z.strictObject({
  unsigned: z.strictObject({
    id: requestId,
    digest: z.string().max(100),
    decision,
    approver: z.string().max(100),
    at: z.int().min(0),
    reason: z.string().max(4000),
    ticked,
    key: z.string().max(200),
  }),
  assertion,
});
export const revocation = z.strictObject({ reason });
