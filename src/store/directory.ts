import { randomBytes } from 'node:crypto';
import { chmodSync, linkSync, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';

import { HoldpointError } from '../core/errors.ts';

const OTHERS = 0o077;
const WORLD_WRITABLE = 0o002;

/**
 * Makes sure that `path` is a folder which only its owner can look into (mode 0700), making it where it is missing.
 *
 * @throws HoldpointError `unavailable` where it belongs to somebody else, is writable for everybody (such as /tmp), or
 *   cannot be made.
 */
export function privateDirectory(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    const { mode, uid } = statSync(path);
    const user = process.getuid?.();
    if (user === undefined || (mode & OTHERS) === 0) return;
    if (uid !== user || mode & WORLD_WRITABLE)
      throw new HoldpointError('unavailable', `The folder ${path} is open to other users.`, {
        hint: 'Give a folder of your own, which need not exist yet.',
      });
    chmodSync(path, 0o700);
  } catch (cause) {
    if (cause instanceof HoldpointError) throw cause;
    throw new HoldpointError('unavailable', `The folder ${path} cannot be made or opened.`, {
      hint: 'Check that its parent exists and is yours, or give another folder.',
      cause,
    });
  }
}

/**
 * Makes a file that only its owner can read (mode 0600), whole or not at all, even if the process dies meanwhile.
 *
 * @returns false where there is a file of this name already; of several processes, one makes it
 * @throws HoldpointError `unavailable`.
 */
export function createPrivateFile(file: string, text: string): boolean {
  const draft = `${file}.${randomBytes(8).toString('hex')}.draft`;
  try {
    writeFileSync(draft, text, { mode: 0o600, flag: 'wx', flush: true });
    linkSync(draft, file);
    return true;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw new HoldpointError('unavailable', `The file ${file} cannot be made.`, {
      hint: 'Check that its folder is yours and that there is space.',
      cause,
    });
  } finally {
    rmSync(draft, { force: true });
  }
}

/**
 * Puts a private file in the place of another one, whole or not at all.
 *
 * @throws HoldpointError `unavailable`.
 */
export function replacePrivateFile(file: string, text: string): void {
  const draft = `${file}.${randomBytes(8).toString('hex')}.draft`;
  try {
    writeFileSync(draft, text, { mode: 0o600, flag: 'wx', flush: true });
    renameSync(draft, file);
  } catch (cause) {
    rmSync(draft, { force: true });
    throw new HoldpointError('unavailable', `The file ${file} cannot be written.`, {
      hint: 'Check that its folder is yours and that there is space.',
      cause,
    });
  }
}
