import { createHash, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';

import { decisionBytes } from '../../../src/approvals/digest.ts';
import type { Passkey } from '../../../src/approvals/keys.ts';
import { fingerprintOf } from '../../../src/approvals/own-key.ts';
import { passkeyChallenge, passkeySignature, type PasskeyAssertion } from '../../../src/approvals/passkey.ts';
import type { SignedDecision, UnsignedDecision } from '../../../src/approvals/request.ts';

export type Algorithm = 'ES256' | 'EdDSA' | 'RS256';

/** What an authenticator and the browser around it put into an assertion; all as they should be unless a test says otherwise. */
interface Circumstances {
  type?: string;
  challenge?: string;
  origin?: string;
  crossOrigin?: boolean;
  rpId?: string;
  flags?: number;
  credentialId?: string;
  /** Signs something else than what it says. */
  signed?: Buffer;
}

export interface SoftPasskey {
  key: Passkey;
  sign(decision: Omit<UnsignedDecision, 'key'>, circumstances?: Circumstances): SignedDecision;
}

const RP_ID = 'holdpoint.example';
const ORIGIN = 'https://holdpoint.example';

/** An authenticator in software: a key pair, and assertions as a browser would hand them over. */
export function softPasskey(algorithm: Algorithm = 'ES256'): SoftPasskey {
  const { publicKey, privateKey } = pairOf(algorithm);
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const credentialId = createHash('sha256').update(pem).digest('base64url');
  const key: Passkey = {
    kind: 'passkey',
    fingerprint: fingerprintOf(pem),
    credentialId,
    publicKey: pem,
    rpId: RP_ID,
    origin: ORIGIN,
    addedAt: '1970-01-01T00:00:00.000Z',
  };
  return {
    key,
    sign(decision, circumstances = {}) {
      const unsigned = { ...decision, key: key.fingerprint };
      return { ...unsigned, signature: passkeySignature(assert(unsigned, circumstances)) };
    },
  };

  function assert(unsigned: UnsignedDecision, circumstances: Circumstances): PasskeyAssertion {
    const client = Buffer.from(
      JSON.stringify({
        type: circumstances.type ?? 'webauthn.get',
        challenge: circumstances.challenge ?? passkeyChallenge(decisionBytes(unsigned)),
        origin: circumstances.origin ?? ORIGIN,
        crossOrigin: circumstances.crossOrigin ?? false,
      }),
    );
    const authenticator = Buffer.concat([
      createHash('sha256')
        .update(circumstances.rpId ?? RP_ID)
        .digest(),
      Buffer.from([circumstances.flags ?? 0x1d, 0, 0, 0, 0]),
    ]);
    const over = Buffer.concat([authenticator, createHash('sha256').update(client).digest()]);
    return {
      credentialId: circumstances.credentialId ?? credentialId,
      authenticatorData: authenticator.toString('base64url'),
      clientDataJSON: client.toString('base64url'),
      signature: sign(algorithm === 'EdDSA' ? null : 'sha256', circumstances.signed ?? over, privateKey).toString(
        'base64url',
      ),
    };
  }
}

function pairOf(algorithm: Algorithm): { publicKey: KeyObject; privateKey: KeyObject } {
  if (algorithm === 'ES256') return generateKeyPairSync('ec', { namedCurve: 'P-256' });
  if (algorithm === 'EdDSA') return generateKeyPairSync('ed25519');
  return generateKeyPairSync('rsa', { modulusLength: 2048 });
}
