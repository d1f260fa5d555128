import { readFileSync } from 'node:fs';

import type { Decision } from '../approvals/approvers.ts';
import { unsignedDecision } from '../approvals/decision-schema.ts';
import { decisionBytes } from '../approvals/digest.ts';
import { isBreakGlass, type SshKey } from '../approvals/keys.ts';
import type { SignedDecision, UnsignedDecision } from '../approvals/request.ts';
import type { Config } from '../config/config.ts';
import { HoldpointError } from '../core/errors.ts';
import { ask, hasTerminal } from './prompt.ts';
import type { Records } from './records.ts';
import { fingerprintOfFile, signWithSsh } from './ssh-keygen.ts';

/** How an approver signs; without any of these with the own key in the keys directory. */
export interface SigningFlags {
  /** Do not ask again. */
  yes?: boolean;
  /** With an SSH key: its file, or true for the one that is enrolled. */
  ssh?: string | true;
  /** What was signed elsewhere, and the signature. */
  statement?: string;
  signature?: string;
}

/** Signs a decision as the flags say, asking on the terminal for what it takes. @throws HoldpointError */
export async function signed(
  decision: Decision,
  flags: SigningFlags,
  config: Config,
  records: Records,
): Promise<SignedDecision> {
  if (flags.signature !== undefined) return signedElsewhere(decision, flags.signature, flags.statement);
  if (flags.ssh !== undefined) {
    const key = sshKeyFor(decision, flags.ssh, records);
    const unsigned = withKey(decision, key);
    await reallySign(decision, flags);
    const file = flags.ssh === true ? undefined : flags.ssh;
    return { ...unsigned, signature: await signWithSsh(key, file, decisionBytes(unsigned), config) };
  }
  return records.approvers.sign(decision, await passphraseFor(decision, flags, config, records));
}

/** What is to be signed on another machine: exactly these bytes, with this key. @throws HoldpointError */
export function statementOf(decision: Decision, ssh: string | true | undefined, records: Records): Buffer {
  return decisionBytes(withKey(decision, sshKeyFor(decision, ssh ?? true, records)));
}

function withKey({ ticked = [], ...decision }: Decision, { fingerprint }: SshKey): UnsignedDecision {
  return { ...decision, ticked, key: fingerprint };
}

/** The approver's SSH key of a file, or the only one that is enrolled. */
function sshKeyFor({ approver: name, breakGlass }: Decision, ssh: string | true, { approvers }: Records): SshKey {
  const keys = (approvers.list().find((each) => each.name === name)?.keys ?? []).filter(
    (key): key is SshKey => key.kind === 'ssh' && isBreakGlass(key) === (breakGlass === true),
  );
  const wanted = ssh === true ? undefined : fingerprintOfFile(ssh);
  const found = keys.filter(({ fingerprint }) => wanted === undefined || fingerprint === wanted);
  const [key] = found;
  if (key && found.length === 1) return key;
  if (key)
    throw new HoldpointError('invalid_input', `"${name}" has ${found.length} SSH keys.`, {
      hint: 'Say which: --ssh FILE.',
    });
  throw new HoldpointError('not_found', `"${name}" has no such ${breakGlass ? 'break-glass ' : ''}SSH key.`, {
    hint: 'Enrol it: `holdpoint approver key add NAME --ssh FILE.pub`.',
  });
}

/** A statement and its signature, where the statement says what the command line says. */
function signedElsewhere(decision: Decision, signatureFile: string, given: string | undefined): SignedDecision {
  const file = given ?? signatureFile.replace(/\.sig$/, '');
  if (file === signatureFile)
    throw new HoldpointError('invalid_input', 'What was signed is not known.', {
      hint: 'Give the file that `holdpoint approvals statement` wrote: --statement FILE.',
    });
  const [bytes, signature] = [readStatement(file), readStatement(signatureFile).toString('utf8')];
  const unsigned = parseStatement(bytes, file);
  for (const key of ['id', 'digest', 'decision', 'approver'] as const)
    if (unsigned[key] !== decision[key])
      throw new HoldpointError(
        'invalid_input',
        `The statement is about another ${key}: ${unsigned[key].slice(0, 80)}.`,
        {
          hint: `Write a new one: holdpoint approvals statement ${decision.id} --as ${decision.approver}.`,
        },
      );
  return { ...unsigned, signature };
}

function parseStatement(bytes: Buffer, file: string): UnsignedDecision {
  try {
    const text = bytes.toString('utf8');
    const unsigned = unsignedDecision.parse(JSON.parse(text.slice(text.indexOf('\n') + 1)));
    if (decisionBytes(unsigned).equals(bytes)) return unsigned;
    throw new Error('not what would be signed');
  } catch (cause) {
    throw new HoldpointError('invalid_input', `The file ${file} is no statement as it was written.`, {
      hint: 'Give the file that `holdpoint approvals statement` wrote, unchanged.',
      cause,
    });
  }
}

function readStatement(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new HoldpointError('invalid_input', `The file ${file} cannot be read.`, { hint: 'Check its name.', cause });
  }
}

/** The passphrase where the key has one; asking for it, or for a yes, is also the last moment to stop. */
async function passphraseFor(
  decision: Decision,
  flags: SigningFlags,
  config: Config,
  { approvers }: Records,
): Promise<string> {
  const locked = approvers.isLocked(decision.approver, decision.breakGlass);
  // Without a private half here there is nothing to open; signing says so.
  if (locked === undefined) return '';
  if (!locked) {
    await reallySign(decision, flags);
    return '';
  }
  if (config.passphrase) return config.passphrase;
  if (hasTerminal()) return ask(`Passphrase of ${decision.approver} to ${decision.decision}: `, { hidden: true });
  throw new HoldpointError('denied', `The key of ${decision.approver} wants a passphrase.`, {
    hint: 'Run this on a terminal, or set HOLDPOINT_APPROVER_PASSPHRASE.',
  });
}

async function reallySign({ decision, approver }: Decision, { yes }: SigningFlags): Promise<void> {
  if (yes || !hasTerminal() || /^y(?:es)?$/i.test(await ask(`Really ${decision} as ${approver}? [y/N] `))) return;
  throw new HoldpointError('denied', 'Not decided.', { hint: 'Nothing was changed.' });
}
