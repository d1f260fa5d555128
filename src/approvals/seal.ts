import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { HoldpointError } from '../core/errors.ts';
import type { Json } from '../core/json.ts';
import { createPrivateFile, privateDirectory } from '../store/directory.ts';

const ALGORITHM = 'aes-256-gcm';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * The key that seals what the state directory must not show, from `seal.key` in the keys directory; made where it is
 * missing (mode 0600).
 *
 * @throws HoldpointError `unavailable` where the file is damaged or the folder cannot be used.
 */
export function openSealKey(keysDir: string): Buffer {
  privateDirectory(keysDir);
  const file = join(keysDir, 'seal.key');
  const found = readKey(file);
  // Of several processes that start at once one makes the key, and all use that one.
  if (!found) createPrivateFile(file, `${randomBytes(KEY_BYTES).toString('base64')}\n`);
  const bytes = found ?? readKey(file);
  if (bytes?.length !== KEY_BYTES)
    throw new HoldpointError('unavailable', `The file ${file} is no sealing key.`, {
      hint: 'Put the right file back from a backup. Without it no stored request can run; moved away, a new one is made and calls must be made again.',
    });
  return bytes;
}

function readKey(file: string): Buffer | undefined {
  try {
    return Buffer.from(readFileSync(file, 'utf8').trim(), 'base64');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new HoldpointError('unavailable', `The file ${file} cannot be read.`, {
      hint: 'Check that it is yours and readable.',
      cause,
    });
  }
}

/** A value encrypted for one place (`apr_…/plan`): moved to another place, it does not open. Base64. */
export function seal(key: Buffer, place: string, value: Json): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(ALGORITHM, key, nonce).setAAD(Buffer.from(place));
  const body = Buffer.concat([cipher.update(JSON.stringify(value), 'utf8'), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64');
}

/** @throws HoldpointError `unavailable` where the key, the place or the text is not the one it was sealed with. */
export function unseal(key: Buffer, place: string, sealed: string): Json {
  try {
    const bytes = Buffer.from(sealed, 'base64');
    const decipher = createDecipheriv(ALGORITHM, key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
      .setAAD(Buffer.from(place))
      .setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
    return JSON.parse(
      decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES), undefined, 'utf8') + decipher.final('utf8'),
    ) as Json;
  } catch (cause) {
    throw new HoldpointError('unavailable', `What was stored for ${place} does not open with the sealing key.`, {
      hint: 'The keys directory belongs to another state directory, or the stored bytes were changed. Check --keys; else make the call again.',
      cause,
    });
  }
}
