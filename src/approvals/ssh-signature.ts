import { createHash, verify } from 'node:crypto';

import { parsePublicLine, readKey, type SshPublicKey } from './ssh-key.ts';
import { readWire, wireString } from './ssh-wire.ts';

/** What signatures are made for (`ssh-keygen -Y sign -n holdpoint`): one for a file or a mail means nothing here. */
export const SSH_NAMESPACE = 'holdpoint';

const MAGIC = 'SSHSIG';
const ARMOR = /^-----BEGIN SSH SIGNATURE-----\n([A-Za-z0-9+/=\n]+)\n-----END SSH SIGNATURE-----\n?$/;
/** Of a security key: somebody touched it (CTAP2 §6.2, flag UP). */
const TOUCHED = 0x01;

/** Hash of the content by the signature's own word. */
const HASHES: ReadonlySet<string> = new Set(['sha256', 'sha512']);

/** How each key type may sign, and with which hash. `ssh-rsa` itself would be SHA-1 and is missing. */
const ALGORITHMS: Readonly<Record<string, Readonly<Record<string, string | null>>>> = {
  'ssh-ed25519': { 'ssh-ed25519': null },
  'sk-ssh-ed25519@openssh.com': { 'sk-ssh-ed25519@openssh.com': null },
  'ecdsa-sha2-nistp256': { 'ecdsa-sha2-nistp256': 'sha256' },
  'ecdsa-sha2-nistp384': { 'ecdsa-sha2-nistp384': 'sha384' },
  'ecdsa-sha2-nistp521': { 'ecdsa-sha2-nistp521': 'sha512' },
  'sk-ecdsa-sha2-nistp256@openssh.com': { 'sk-ecdsa-sha2-nistp256@openssh.com': 'sha256' },
  'ssh-rsa': { 'rsa-sha2-256': 'sha256', 'rsa-sha2-512': 'sha512' },
};

/**
 * Why an armored signature (OpenSSH's PROTOCOL.sshsig) over `message` is not by the key of this public line, or undefined
 * where it is. The hash of the key that the signature names counts for nothing: the registered key verifies.
 *
 * @throws where the signature cannot be read.
 */
export function sshFault(publicLine: string, message: Buffer, armored: string): string | undefined {
  const armor = ARMOR.exec(armored.replaceAll('\r\n', '\n'));
  if (!armor?.[1]) return 'its signature is no SSH signature';
  const wire = readWire(Buffer.from(armor[1], 'base64'));
  if (wire.bytes(MAGIC.length).toString('latin1') !== MAGIC || wire.uint32() !== 1)
    return 'its signature is of another version';
  const registered = parsePublicLine(publicLine);
  const named = readKey(wire.string());
  const namespace = wire.text();
  const reserved = wire.string();
  const hash = wire.text();
  const signature = wire.string();
  wire.end();
  if (!named.blob.equals(registered.blob)) return "its signature is not by this approver's registered key";
  if (namespace !== SSH_NAMESPACE) return `its signature is for "${namespace.slice(0, 40)}", not for ${SSH_NAMESPACE}`;
  if (!HASHES.has(hash)) return `its signature is over a ${hash.slice(0, 20)} hash`;
  const content = createHash(hash).update(message).digest();
  const signed = Buffer.concat([
    Buffer.from(MAGIC),
    ...[Buffer.from(namespace), reserved, Buffer.from(hash), content].map(wireString),
  ]);
  return faultOf(registered, signed, signature);
}

/** The signature proper (RFC 4253 §6.6; of security keys PROTOCOL.u2f, where flags and counter follow and are signed with). */
function faultOf({ type, key, application }: SshPublicKey, signed: Buffer, signature: Buffer): string | undefined {
  const wire = readWire(signature);
  const algorithm = wire.text();
  const algorithms = ALGORITHMS[type] ?? {};
  if (!Object.hasOwn(algorithms, algorithm))
    return `its signature is of the kind ${algorithm.slice(0, 40)}, which is not taken`;
  const raw = wire.string();
  let message = signed;
  if (application !== undefined) {
    const flags = wire.byte();
    const counter = wire.bytes(4);
    if ((flags & TOUCHED) === 0) return 'nobody touched the security key for its signature';
    const sha = (data: Buffer | string) => createHash('sha256').update(data).digest();
    message = Buffer.concat([sha(application), Buffer.from([flags]), counter, sha(signed)]);
  }
  wire.end();
  const isEcdsa = type.includes('ecdsa');
  const verifies = isEcdsa
    ? verify(
        algorithms[algorithm] ?? null,
        message,
        { key, dsaEncoding: 'ieee-p1363' },
        fixed(raw, key.asymmetricKeyDetails?.namedCurve),
      )
    : verify(algorithms[algorithm] ?? null, message, key, raw);
  return verifies ? undefined : "its signature is not by this approver's registered key, or is over something else";
}

/** The two numbers of an ECDSA signature (RFC 5656 §3.1.2), each as long as the curve's field. */
function fixed(raw: Buffer, curve = ''): Buffer {
  const bytes = { prime256v1: 32, secp384r1: 48, secp521r1: 66 }[curve] ?? 0;
  const wire = readWire(raw);
  const numbers = [wire.string(), wire.string()].map((number) => {
    const plain = number[0] === 0 ? number.subarray(1) : number;
    if (plain.length > bytes) throw new RangeError('no number of this curve');
    return Buffer.concat([Buffer.alloc(bytes - plain.length), plain]);
  });
  wire.end();
  return Buffer.concat(numbers);
}
