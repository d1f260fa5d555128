import { readFileSync } from 'node:fs';
import type { Command } from 'commander';

import { approverRecord, type Approver } from '../approvals/approvers.ts';
import type { ApproverKey } from '../approvals/keys.ts';
import { parsePublicLine } from '../approvals/ssh-key.ts';
import type { AuditKind } from '../audit/chain.ts';
import type { Config, Flags } from '../config/config.ts';
import { HoldpointError } from '../core/errors.ts';
import { ask, hasTerminal } from './prompt.ts';
import type { Records } from './records.ts';

export interface KeyFlags extends Flags {
  ssh?: string;
  breakGlass?: boolean;
}

export function keyOptions(command: Command): Command {
  return command
    .option('--ssh <file.pub>', 'an SSH public key, whose private half stays where it is, instead of a new key pair')
    .option('--break-glass', 'the key is for break-glass alone');
}

/** Writes to the log who may approve now, and with which keys. */
export async function recorded(kind: AuditKind, approver: Approver, { audit }: Records): Promise<void> {
  audit.append({ kind, data: { approver: approver.name, ...approverRecord(approver) } });
  await audit.flush();
}

/** The SSH key that `--ssh` names; undefined without it. @throws HoldpointError `invalid_input`. */
export function sshKeyOf({ ssh, breakGlass }: KeyFlags): ApproverKey | undefined {
  if (ssh === undefined) return undefined;
  const { line, fingerprint } = parsePublicLine(publicTextOf(ssh));
  return {
    kind: 'ssh',
    fingerprint,
    publicKey: line,
    addedAt: new Date().toISOString(),
    ...(breakGlass && { breakGlass }),
  };
}

function publicTextOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new HoldpointError('invalid_input', `The file ${file} cannot be read.`, {
      hint: 'Give an SSH public key, such as ~/.ssh/id_ed25519.pub.',
      cause,
    });
  }
}

export async function newPassphrase(config: Config): Promise<string> {
  if (config.passphrase !== undefined || !hasTerminal()) return config.passphrase ?? '';
  const first = await ask('Passphrase (empty: none): ', { hidden: true });
  if (first !== '' && (await ask('Once more: ', { hidden: true })) !== first)
    throw new HoldpointError('invalid_input', 'The two passphrases differ.', { hint: 'Try again.' });
  return first;
}

export function warnOfOpenKey(name: string): void {
  console.error(
    'Without a passphrase whoever can read that folder can approve in this name: also an agent that has a shell as the same user.\n' +
      `To have one: holdpoint approver remove ${name}, then add it again on a terminal or with HOLDPOINT_APPROVER_PASSPHRASE.`,
  );
}

/** Own keys' and passkeys' fingerprints are long; SSH's are compared with what ssh-keygen prints. */
export function short(key: ApproverKey | undefined): string {
  return key?.kind === 'ssh' ? key.fingerprint : `${key?.fingerprint.slice(0, 23)}…`;
}
