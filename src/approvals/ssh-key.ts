import { createHash, createPublicKey, type KeyObject } from 'node:crypto';

import { HoldpointError } from '../core/errors.ts';
import { readWire } from './ssh-wire.ts';

/** An SSH public key, read. */
export interface SshPublicKey {
  /** `ssh-ed25519`, `sk-ssh-ed25519@openssh.com` … */
  type: string;
  /** What the line has in base64. */
  blob: Buffer;
  key: KeyObject;
  /** Of a security key: what it was made for (`ssh:`); its signatures say so. */
  application?: string;
}

const CURVES: Readonly<Record<string, { crv: string; bytes: number }>> = {
  nistp256: { crv: 'P-256', bytes: 32 },
  nistp384: { crv: 'P-384', bytes: 48 },
  nistp521: { crv: 'P-521', bytes: 66 },
};

/** Smaller ones have been broken or soon will be (NIST SP 800-131A). */
const LEAST_RSA_BITS = 2048;

/**
 * A public key as in an `id_ed25519.pub`: its type and base64, without the comment. Options as in `authorized_keys` are
 * no part of a key.
 *
 * @throws HoldpointError `invalid_input` for what is no such line or a type that is not taken.
 */
export function parsePublicLine(line: string): { line: string; fingerprint: string } & SshPublicKey {
  const [type = '', base64 = ''] = line.trim().split(/\s+/);
  const blob = Buffer.from(base64, 'base64');
  if (/PRIVATE KEY/.test(line))
    throw new HoldpointError('invalid_input', 'This is a private key.', {
      hint: 'Give the public half: the file beside it whose name ends in .pub.',
    });
  if (
    line.trim().includes('\n') ||
    base64 === '' ||
    blob.toString('base64').replace(/=+$/, '') !== base64.replace(/=+$/, '')
  )
    throw notTaken('This is no SSH public key.');
  const key = readKey(blob, type);
  return {
    ...key,
    line: `${type} ${base64}`,
    fingerprint: `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`,
  };
}

/** A key's binary form (RFC 4253 §6.6, RFC 5656, RFC 8709, PROTOCOL.u2f). @throws HoldpointError `invalid_input`. */
export function readKey(blob: Buffer, wanted?: string): SshPublicKey {
  let found: SshPublicKey | undefined;
  try {
    found = decode(blob);
  } catch (cause) {
    throw notTaken('This is no SSH public key.', cause);
  }
  if (!found || (wanted !== undefined && found.type !== wanted))
    throw notTaken(`Keys of the type "${(wanted ?? '').slice(0, 64)}" are not taken.`);
  const bits = found.key.asymmetricKeyDetails?.modulusLength;
  if (bits !== undefined && bits < LEAST_RSA_BITS)
    throw notTaken(`This RSA key has ${bits} bits; ${LEAST_RSA_BITS} are the least.`);
  return found;
}

/** Undefined for a type that is not taken. */
function decode(blob: Buffer): SshPublicKey | undefined {
  const wire = readWire(blob);
  const type = wire.text();
  const of = (jwk: Record<string, string>, withApplication = false): SshPublicKey => {
    const application = withApplication ? wire.text() : undefined;
    wire.end();
    const key = createPublicKey({ key: jwk, format: 'jwk' });
    return { type, blob, key, ...(application !== undefined && { application }) };
  };
  switch (type) {
    case 'ssh-ed25519':
    case 'sk-ssh-ed25519@openssh.com':
      return of({ kty: 'OKP', crv: 'Ed25519', x: wire.string().toString('base64url') }, type.startsWith('sk-'));
    case 'ecdsa-sha2-nistp256':
    case 'ecdsa-sha2-nistp384':
    case 'ecdsa-sha2-nistp521':
    case 'sk-ecdsa-sha2-nistp256@openssh.com':
      return of(pointOf(wire.text(), wire.string()), type.startsWith('sk-'));
    case 'ssh-rsa': {
      const [e, n] = [wire.string(), wire.string()].map((number) => number.toString('base64url'));
      return of({ kty: 'RSA', e: e ?? '', n: n ?? '' });
    }
    default:
      return undefined;
  }
}

function pointOf(curve: string, point: Buffer): Record<string, string> {
  const { crv, bytes } = CURVES[curve] ?? { crv: '', bytes: 0 };
  if (point[0] !== 4 || point.length !== 1 + 2 * bytes) throw new RangeError('no point of this curve');
  const [x, y] = [point.subarray(1, 1 + bytes), point.subarray(1 + bytes)].map((each) => each.toString('base64url'));
  return { kty: 'EC', crv, x: x ?? '', y: y ?? '' };
}

function notTaken(message: string, cause?: unknown): HoldpointError {
  return new HoldpointError('invalid_input', message, {
    hint: 'Give the line of an id_ed25519.pub, or of an ECDSA, RSA (2048 bits or more) or security key (sk-…).',
    cause,
  });
}
