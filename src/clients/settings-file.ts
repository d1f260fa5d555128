import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  copyFileSync,
  fchmodSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, isAbsolute, join, relative } from 'node:path';

import { HoldpointError } from '../core/errors.ts';

/** A client's settings file as it was found. */
export interface SettingsFile {
  /** As it was named. */
  file: string;
  /** Where it really is; differs where a link leads there. */
  real: string;
  /** Empty where there is none yet. */
  text: string;
  exists: boolean;
}

/**
 * Reads a client's file, following links.
 *
 * @param within the folder that the file may not leave through a link: the workspace, for a file that lies there, since an
 *   agent can make links there.
 * @throws HoldpointError `conflict` for one that leaves it or is no file, `unavailable` where it cannot be read.
 */
export function readSettings(file: string, within?: string): SettingsFile {
  const real = realOf(file);
  if (within !== undefined && !isInside(realpathSync(within), real))
    throw new HoldpointError('conflict', `${file} leads out of the workspace, to ${real}. It was not touched.`, {
      hint: 'Take the link away, or name that file with --file.',
    });
  const found = statSync(real, { throwIfNoEntry: false });
  if (found === undefined) return { file, real, text: '', exists: false };
  if (!found.isFile())
    throw new HoldpointError('conflict', `${file} is no file.`, { hint: 'Give another with --file.' });
  try {
    return { file, real, text: readFileSync(real, 'utf8'), exists: true };
  } catch (cause) {
    throw new HoldpointError('unavailable', `${file} cannot be read.`, { hint: 'Check whose file it is.', cause });
  }
}

/** Where the copy of a file is kept before it is changed. */
export function backupOf({ real }: SettingsFile): string {
  return `${real}.holdpoint.bak`;
}

/**
 * Puts a text in place of a settings file, whole or not at all, with the file's mode; a file that was there is copied first.
 *
 * @param backup false where the copy of this run is made already.
 * @throws HoldpointError `unavailable` for a file that is read-only or a folder that cannot be written; nothing has changed then.
 */
export function writeSettings(settings: SettingsFile, text: string, { backup = true } = {}): void {
  const { real, exists } = settings;
  const mode = exists ? statSync(real).mode & 0o777 : undefined;
  if (mode !== undefined && (mode & 0o200) === 0)
    throw new HoldpointError('unavailable', `${settings.file} is read-only. It was not touched.`, {
      hint: 'Make it writable, or put in by hand what --print shows.',
    });
  const draft = join(dirname(real), `.${basename(real)}.${randomBytes(6).toString('hex')}.tmp`);
  try {
    mkdirSync(dirname(real), { recursive: true });
    writeDraft(draft, text, mode);
    if (exists && backup) keepCopy(real, backupOf(settings));
    renameSync(draft, real);
  } catch (cause) {
    rmSync(draft, { force: true });
    throw new HoldpointError('unavailable', `${settings.file} cannot be written. It was not touched.`, {
      hint: 'Check that the folder is yours and that there is space, or put in by hand what --print shows.',
      cause,
    });
  }
}

/** A link of the copy's name would be written through, so whatever has the name goes first. */
function keepCopy(real: string, copy: string): void {
  rmSync(copy, { force: true });
  copyFileSync(real, copy, constants.COPYFILE_EXCL);
}

function writeDraft(draft: string, text: string, mode: number | undefined): void {
  const descriptor = openSync(draft, 'wx', mode ?? 0o666);
  try {
    // The umask has no say in the mode of a file that was there.
    if (mode !== undefined) fchmodSync(descriptor, mode);
    writeFileSync(descriptor, text);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** The file behind links; of what is missing, the nearest folder that is there with the rest appended. */
function realOf(path: string): string {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true && !reaches(path))
    throw new HoldpointError('conflict', `${path} is a link that leads nowhere. It was not touched.`, {
      hint: 'Take the link away, or make what it leads to.',
    });
  const parent = dirname(path);
  if (reaches(path)) return realpathSync(path);
  return parent === path ? path : join(realOf(parent), basename(path));
}

function reaches(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}

function isInside(folder: string, path: string): boolean {
  const rest = relative(folder, path);
  return rest === '' || (!rest.startsWith('..') && !isAbsolute(rest));
}
