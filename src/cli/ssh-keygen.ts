import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';

import type { SshKey } from '../approvals/keys.ts';
import { parsePublicLine } from '../approvals/ssh-key.ts';
import { SSH_NAMESPACE } from '../approvals/ssh-signature.ts';
import type { Config } from '../config/config.ts';
import { HoldpointError } from '../core/errors.ts';

/**
 * Signs with an SSH key through `ssh-keygen -Y sign`, which asks for passphrases and touches on the terminal itself and
 * knows keys in an agent and on security keys.
 *
 * @param file the private or public key's file; without it the agent has the key, or it lies in ~/.ssh
 * @returns the armored signature
 * @throws HoldpointError `unavailable` without ssh-keygen, `denied` where it does not sign.
 */
export async function signWithSsh(
  key: SshKey,
  file: string | undefined,
  message: Buffer,
  { environment }: Pick<Config, 'environment'>,
): Promise<string> {
  const given = file ?? fileInHome(key, environment['HOME'] ?? homedir());
  if (given !== undefined) return keygen(given, message, environment);
  const folder = mkdtempSync(join(tmpdir(), 'holdpoint-ssh-'));
  try {
    const publicFile = join(folder, 'key.pub');
    writeFileSync(publicFile, `${key.publicKey}\n`, { mode: 0o600 });
    return await keygen(publicFile, message, environment);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The fingerprint of the public half of a key file, whichever half is named. @throws HoldpointError `invalid_input`. */
export function fingerprintOfFile(file: string): string {
  const publicFile = file.endsWith('.pub') ? file : `${file}.pub`;
  try {
    return parsePublicLine(readFileSync(publicFile, 'utf8')).fingerprint;
  } catch (cause) {
    if (cause instanceof HoldpointError) throw cause;
    throw new HoldpointError('invalid_input', `The file ${publicFile} cannot be read.`, {
      hint: 'Give an SSH key whose public half lies beside it.',
      cause,
    });
  }
}

/** A key that lies where ssh itself looks. */
function fileInHome({ fingerprint }: SshKey, home: string): string | undefined {
  const folder = join(home, '.ssh');
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith('.pub'))
      .map((name) => join(folder, name))
      .find((file) => isKey(file, fingerprint));
  } catch {
    return undefined;
  }
}

function isKey(file: string, fingerprint: string): boolean {
  try {
    return fingerprintOfFile(file) === fingerprint;
  } catch {
    return false;
  }
}

function keygen(file: string, message: Buffer, env: Readonly<Record<string, string>>): Promise<string> {
  return new Promise((done, fail) => {
    const child = spawn('ssh-keygen', ['-Y', 'sign', '-n', SSH_NAMESPACE, '-f', file], {
      env,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    let signature = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (signature += text));
    // Where it refuses the key it does not read the message; its exit says so.
    child.stdin.on('error', () => {});
    child.stdin.end(message);
    child.on('error', (cause) =>
      fail(
        new HoldpointError('unavailable', 'ssh-keygen could not be started.', {
          hint: 'Install the OpenSSH client, or sign elsewhere: `holdpoint approvals statement`.',
          cause,
        }),
      ),
    );
    child.on('close', (code) => {
      if (code === 0) return done(signature);
      fail(
        new HoldpointError('denied', `ssh-keygen did not sign with ${file}.`, {
          hint: 'It says why above. Give the key with --ssh FILE, or add it to the agent: ssh-add FILE.',
        }),
      );
    });
  });
}
