import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

import { HoldpointError } from '../core/errors.ts';
import { privateDirectory } from '../store/directory.ts';
import { approverKey, type ApproverKey } from './keys.ts';
import { fingerprintOf, privateHalf, requireKeyType, type PrivateHalf } from './own-key.ts';
import { parsePublicLine } from './ssh-key.ts';

/** An approver as others may know them. */
export const publicApprover = z.strictObject({
  name: z.string(),
  /** Who it is: the operating system's user who was at the machine when the approver was added, or as was said then. */
  person: z.string(),
  /** Other identities of the same person, such as the `SUB@ISSUER` of a token. */
  also: z.array(z.string()),
  groups: z.array(z.string()),
  roles: z.array(z.string()),
  /** ISO 8601, UTC. */
  addedAt: z.string(),
  keys: z.array(approverKey),
});

/** `approver export`: the public halves of a registry. */
const approversExport = z.strictObject({ approvers: z.array(publicApprover) });

const storedApprover = publicApprover.extend({
  /** Of own keys, by fingerprint. */
  private: z.record(z.string(), privateHalf),
});

/** As files were when an approver had one key, of this machine. */
const firstForm = z
  .strictObject({
    name: z.string(),
    person: z.string(),
    publicKey: z.string(),
    fingerprint: z.string(),
    addedAt: z.string(),
    ...privateHalf.shape,
  })
  .transform(({ name, person, addedAt, publicKey, fingerprint, ...half }): StoredApprover => ({
    name,
    person,
    also: [],
    groups: [],
    roles: [],
    addedAt,
    keys: [{ kind: 'own', fingerprint, publicKey, addedAt }],
    private: { [fingerprint]: half },
  }));

export type PublicApprover = z.output<typeof publicApprover>;
export interface StoredApprover extends PublicApprover {
  private: Record<string, PrivateHalf>;
}

/** Whether every private half that lies here needs a passphrase. */
export function isProtected({ private: halves }: StoredApprover): boolean {
  return Object.values(halves).every(({ salt }) => salt !== undefined);
}

/** Every approver's file, in the order of their names. @throws HoldpointError `unavailable` where one is damaged. */
export function readApprovers(folder: string): StoredApprover[] {
  privateDirectory(folder);
  const files = readdirSync(folder).filter((file) => file.endsWith('.json'));
  return files.sort().map((file) => readApprover(join(folder, file), file.slice(0, -'.json'.length)));
}

/** @throws HoldpointError `unavailable` for a file that is not this approver's, or whose keys are not what they say. */
export function readApprover(file: string, name: string): StoredApprover {
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
    const isFirst = typeof value === 'object' && value !== null && 'privateKey' in value;
    const entry = isFirst ? firstForm.parse(value) : storedApprover.parse(value);
    if (entry.name !== name) throw new Error('the name does not fit');
    for (const key of entry.keys) checkKey(key);
    return entry;
  } catch (cause) {
    throw new HoldpointError('unavailable', `The approver's file ${file} is damaged.`, {
      hint: 'Put it back from a backup, or delete it and add the approver again.',
      cause,
    });
  }
}

/**
 * Registries that `approver export` wrote, for proving who approved what from public keys alone.
 *
 * @throws HoldpointError `invalid_input` for a file that is none.
 */
export function readApproversExport(file: string): PublicApprover[] {
  try {
    const { approvers } = approversExport.parse(JSON.parse(readFileSync(file, 'utf8')));
    for (const { keys } of approvers) for (const key of keys) checkKey(key);
    return approvers;
  } catch (cause) {
    throw new HoldpointError('invalid_input', `The file ${file} has no approvers' public keys.`, {
      hint: 'Give a file that `holdpoint approver export` wrote.',
      cause,
    });
  }
}

/** A key under another's fingerprint would stand for it wherever fingerprints are compared. @throws HoldpointError */
export function checkKey(key: ApproverKey): void {
  if (key.kind !== 'ssh') requireKeyType(key.publicKey, key.kind === 'own' ? ['ed25519'] : ['ec', 'ed25519', 'rsa']);
  const fingerprint = key.kind === 'ssh' ? parsePublicLine(key.publicKey).fingerprint : fingerprintOf(key.publicKey);
  if (fingerprint !== key.fingerprint)
    throw new HoldpointError('invalid_input', `The fingerprint ${key.fingerprint} is not that of its key.`, {
      hint: 'Enrol the key again.',
    });
}
