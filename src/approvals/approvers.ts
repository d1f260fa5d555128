import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  scryptSync,
  sign,
} from 'node:crypto';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

import { HoldpointError } from '../core/errors.ts';
import { createPrivateFile, privateDirectory } from '../store/directory.ts';
import { decisionBytes } from './digest.ts';
import type { SignedDecision } from './request.ts';

/** Makes each guess at a passphrase cost about a tenth of a second and 64 MB; PKCS#8 by itself costs next to nothing. */
const SCRYPT = { N: 2 ** 16, r: 8, p: 1, maxmem: 2 ** 27 };

const approverSchema = z.strictObject({
  name: z.string(),
  /** The operating system's user who was at the machine when the approver was added. */
  person: z.string(),
  /** Ed25519, SPKI PEM. */
  publicKey: z.string(),
  /** `sha256:…` of the public key. */
  fingerprint: z.string(),
  /** ISO 8601, UTC. */
  addedAt: z.string(),
  /** PKCS#8 PEM; encrypted where there is a salt. */
  privateKey: z.string(),
  /** Base64; absent where the private half has no passphrase. */
  salt: z.string().optional(),
});

type Entry = z.output<typeof approverSchema>;

export type Approver = Readonly<Omit<Entry, 'privateKey' | 'salt'>> & {
  /** Whether the private half needs a passphrase. */
  readonly protected: boolean;
};

/** The registry in the keys directory: one JSON file per approver. Nothing of it is in the store. */
export interface Approvers {
  /** Read anew each time: somebody removed no longer counts from then on. */
  list(): Approver[];
  /**
   * @param passphrase empty or undefined for a private half that whoever can read the file can use
   * @throws HoldpointError `conflict` for a name that is taken, `invalid_input` for one that cannot be used.
   */
  add(approver: { name: string; person: string; passphrase?: string | undefined; at: number }): Approver;
  /** @throws HoldpointError `not_found`. */
  remove(name: string): Approver;
  /** @throws HoldpointError `not_found`, or `denied` for a wrong passphrase. */
  sign(decision: Omit<SignedDecision, 'signature'>, passphrase?: string): SignedDecision;
}

export function openApprovers(keysDir: string): Approvers {
  const folder = join(keysDir, 'approvers');
  const fileOf = (name: string) => join(folder, `${name}.json`);

  const entries = (): Entry[] => {
    privateDirectory(keysDir);
    privateDirectory(folder);
    const files = readdirSync(folder).filter((file) => file.endsWith('.json'));
    return files.sort().map((file) => readEntry(join(folder, file), file.slice(0, -'.json'.length)));
  };

  const find = (name: string): Entry => {
    const found = entries().find((entry) => entry.name === name);
    if (found) return found;
    throw new HoldpointError('not_found', `There is no approver "${name}".`, {
      hint: 'See `holdpoint approver list`; add one with `holdpoint approver add NAME`.',
    });
  };

  return {
    list: () => entries().map(publicHalf),

    add({ name, person, passphrase, at }) {
      if (!/^[a-z0-9][a-z0-9._-]{0,63}$/i.test(name))
        throw new HoldpointError('invalid_input', `"${name}" cannot be an approver's name.`, {
          hint: 'Use letters, digits, dots, dashes and underscores, such as "alice".',
        });
      // Two names that differ in case alone would be one file on some systems, and one person to most readers.
      if (entries().some((entry) => entry.name.toLowerCase() === name.toLowerCase())) throw taken(name);
      const salt = passphrase ? randomBytes(16) : undefined;
      const { publicKey, privateKey } = generateKeyPairSync('ed25519', {
        publicKeyEncoding: { type: 'spki', format: 'pem' },
        privateKeyEncoding: {
          type: 'pkcs8',
          format: 'pem',
          ...(salt && passphrase ? { cipher: 'aes-256-cbc', passphrase: stretch(passphrase, salt) } : {}),
        },
      });
      const entry: Entry = {
        name,
        person,
        publicKey,
        fingerprint: `sha256:${createHash('sha256').update(publicKey).digest('hex')}`,
        addedAt: new Date(at).toISOString(),
        privateKey,
        ...(salt && { salt: salt.toString('base64') }),
      };
      if (!createPrivateFile(fileOf(name), `${JSON.stringify(entry, null, 2)}\n`)) throw taken(name);
      return publicHalf(entry);
    },

    remove(name) {
      const entry = find(name);
      rmSync(fileOf(name));
      return publicHalf(entry);
    },

    sign(decision, passphrase) {
      const { name, privateKey, salt } = find(decision.approver);
      const secret = salt ? stretch(passphrase ?? '', Buffer.from(salt, 'base64')) : undefined;
      try {
        const key = createPrivateKey({ key: privateKey, ...(secret && { passphrase: secret }) });
        return { ...decision, signature: sign(null, decisionBytes(decision), key).toString('base64') };
      } catch (cause) {
        throw new HoldpointError('denied', `The key of "${name}" does not open.`, {
          hint: salt
            ? 'Give the passphrase that was chosen when the approver was added.'
            : `The file ${fileOf(name)} is damaged.`,
          cause,
        });
      }
    },
  };
}

function publicHalf({ name, person, publicKey, fingerprint, addedAt, salt }: Entry): Approver {
  return { name, person, publicKey, fingerprint, addedAt, protected: salt !== undefined };
}

function taken(name: string): HoldpointError {
  return new HoldpointError('conflict', `There is an approver "${name}" already.`, {
    hint: `Choose another name, or remove the old key with \`holdpoint approver remove ${name}\`: what it approved and has not run yet then counts no more.`,
  });
}

function readEntry(file: string, name: string): Entry {
  try {
    const entry = approverSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
    if (entry.name !== name || createPublicKey(entry.publicKey).asymmetricKeyType !== 'ed25519')
      throw new Error('name or key does not fit');
    return entry;
  } catch (cause) {
    throw new HoldpointError('unavailable', `The approver's file ${file} is damaged.`, {
      hint: 'Put it back from a backup, or delete it and add the approver again.',
      cause,
    });
  }
}

function stretch(passphrase: string, salt: Buffer): string {
  return scryptSync(passphrase.normalize('NFC'), salt, 32, SCRYPT).toString('base64');
}
