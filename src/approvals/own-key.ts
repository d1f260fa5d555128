import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  scryptSync,
  sign,
} from 'node:crypto';
import { z } from 'zod';

import { HoldpointError } from '../core/errors.ts';
import type { OwnKey } from './keys.ts';

/** Makes each guess at a passphrase cost about a tenth of a second and 64 MB; PKCS#8 by itself costs next to nothing. */
const SCRYPT = { N: 2 ** 16, r: 8, p: 1, maxmem: 2 ** 27 };

/** The half of a key pair that only the registry's files have. */
export const privateHalf = z.strictObject({
  /** PKCS#8 PEM; encrypted where there is a salt. */
  privateKey: z.string(),
  /** Base64; absent where the private half has no passphrase. */
  salt: z.string().optional(),
});

export type PrivateHalf = z.output<typeof privateHalf>;

/** A new Ed25519 pair; with an empty passphrase or none, whoever can read the private half can use it. */
export function makeOwnKey(
  passphrase: string | undefined,
  addedAt: string,
  breakGlass: boolean,
): { key: OwnKey; half: PrivateHalf } {
  const salt = passphrase ? randomBytes(16) : undefined;
  const { publicKey, privateKey } = generateKeyPairSync('ed25519', {
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: {
      type: 'pkcs8',
      format: 'pem',
      ...(salt && passphrase ? { cipher: 'aes-256-cbc', passphrase: stretch(passphrase, salt) } : {}),
    },
  });
  return {
    key: {
      kind: 'own',
      fingerprint: fingerprintOf(publicKey),
      publicKey,
      addedAt,
      ...(breakGlass && { breakGlass }),
    },
    half: { privateKey, ...(salt && { salt: salt.toString('base64') }) },
  };
}

/** @throws where the passphrase is wrong or the key damaged. */
export function signWith({ privateKey, salt }: PrivateHalf, passphrase: string | undefined, bytes: Buffer): string {
  const secret = salt ? stretch(passphrase ?? '', Buffer.from(salt, 'base64')) : undefined;
  return sign(null, bytes, createPrivateKey({ key: privateKey, ...(secret && { passphrase: secret }) })).toString(
    'base64',
  );
}

/** `sha256:…` of a public key's SPKI PEM, by which decisions name own keys and passkeys. */
export function fingerprintOf(publicKey: string): string {
  return `sha256:${createHash('sha256').update(publicKey).digest('hex')}`;
}

/** @throws HoldpointError `invalid_input` for a PEM that is no public key of one of these types. */
export function requireKeyType(publicKey: string, types: readonly string[]): void {
  const type = createPublicKey(publicKey).asymmetricKeyType ?? '';
  if (!types.includes(type))
    throw new HoldpointError('invalid_input', `A key of the type ${type} is not taken here.`, {
      hint: `Use one of ${types.join(', ')}.`,
    });
}

function stretch(passphrase: string, salt: Buffer): string {
  return scryptSync(passphrase.normalize('NFC'), salt, 32, SCRYPT).toString('base64');
}
