import { createHash, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';

import { wireString } from '../../../src/approvals/ssh-wire.ts';

/** Signs as `ssh-keygen -Y sign` does, for what that cannot do in a test: security keys, and signatures that are wrong. */
export interface SoftSshKey {
  /** As in an `id_….pub`. */
  line: string;
  sign(message: Buffer, circumstances?: Circumstances): string;
}

export interface Circumstances {
  namespace?: string;
  hash?: string;
  flags?: number;
  /** Instead of the key type's own. */
  algorithm?: string;
}

export type SoftType = 'ssh-ed25519' | 'sk-ssh-ed25519@openssh.com' | 'sk-ecdsa-sha2-nistp256@openssh.com';

const APPLICATION = 'ssh:';

export function softSshKey(type: SoftType): SoftSshKey {
  const isEcdsa = type.includes('ecdsa');
  const { publicKey, privateKey }: { publicKey: KeyObject; privateKey: KeyObject } = isEcdsa
    ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
    : generateKeyPairSync('ed25519');
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
  const [left, right] = [Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')];
  const point = isEcdsa
    ? [wireString('nistp256'), wireString(Buffer.concat([Buffer.from([4]), left, right]))]
    : [wireString(left)];
  const isSecurityKey = type.startsWith('sk-');
  const blob = Buffer.concat([wireString(type), ...point, ...(isSecurityKey ? [wireString(APPLICATION)] : [])]);

  const signatureOf = (signed: Buffer, { flags = 1, algorithm = type }: Circumstances): Buffer => {
    const sha = (data: Buffer | string) => createHash('sha256').update(data).digest();
    const tail = Buffer.from([flags, 0, 0, 0, 7]);
    const message = isSecurityKey ? Buffer.concat([sha(APPLICATION), tail, sha(signed)]) : signed;
    const raw = isEcdsa ? ecdsa(message, privateKey) : sign(null, message, privateKey);
    return Buffer.concat([wireString(algorithm), wireString(raw), ...(isSecurityKey ? [tail] : [])]);
  };

  return {
    line: `${type} ${blob.toString('base64')}`,
    sign(message, circumstances = {}) {
      const { namespace = 'holdpoint', hash = 'sha512' } = circumstances;
      const content = createHash(hash).update(message).digest();
      const head = [namespace, '', hash].map(wireString);
      const signed = Buffer.concat([Buffer.from('SSHSIG'), ...head, wireString(content)]);
      const version = Buffer.from([0, 0, 0, 1]);
      const body = Buffer.concat([
        Buffer.from('SSHSIG'),
        version,
        wireString(blob),
        ...head,
        wireString(signatureOf(signed, circumstances)),
      ]);
      const lines = body.toString('base64').replaceAll(/.{70}(?=.)/g, '$&\n');
      return `-----BEGIN SSH SIGNATURE-----\n${lines}\n-----END SSH SIGNATURE-----\n`;
    },
  };
}

function ecdsa(message: Buffer, privateKey: KeyObject): Buffer {
  const raw = sign('sha256', message, { key: privateKey, dsaEncoding: 'ieee-p1363' });
  const mpint = (number: Buffer) => {
    const first = number.findIndex((byte) => byte !== 0);
    const least = number.subarray(Math.max(0, first));
    return wireString((least[0] ?? 0) & 0x80 ? Buffer.concat([Buffer.from([0]), least]) : least);
  };
  return Buffer.concat([mpint(raw.subarray(0, 32)), mpint(raw.subarray(32))]);
}
