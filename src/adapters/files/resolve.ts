import { closeSync, readdirSync } from 'node:fs';

import { asHoldpointError, HoldpointError } from '../../core/errors.ts';
import { workspacePath } from '../../core/paths.ts';
import type { Child, Descriptors, Entry } from './descriptors.ts';

/** A name in an open folder. */
export interface Spot {
  folder: Entry;
  /** The folder's names below the workspace, as they are on the disk. */
  folderNames: readonly string[];
  name: string;
}

/** Where a path leads: an open entry, or the deepest folder that is there and the names missing below it. */
export interface Place {
  path: string;
  real: string;
  /** Where the entry is, or the first of `missing` would be; for the root itself the root. */
  spot: Spot;
  entry: Entry | undefined;
  /** Names that are not there, outermost first; empty where `entry` is. */
  missing: readonly string[];
}

const MAX_LINKS = 40;
const MAX_DEPTH = 256;

interface Step {
  name: string;
  /** Whether the name comes from a link's text and not from the path as asked for. */
  linked: boolean;
}

/**
 * Resolves `path` name by name and calls `use` with the place, open; closes it afterwards. Links are followed inside the
 * workspace only; their texts are resolved here and never by the operating system, so that magic links have no magic.
 *
 * @throws HoldpointError `denied` for a link that leads outside or nowhere, and for what is no regular file or folder.
 */
export async function withPlace<T>(
  descriptors: Descriptors,
  path: string,
  use: (place: Place) => Promise<T> | T,
): Promise<T> {
  const open: Entry[] = [];
  try {
    return await use(resolveNaming(descriptors, path, open));
  } catch (error) {
    throw translated(error, path);
  } finally {
    for (const entry of open) closeSync(entry.fd);
  }
}

/** Puts the path, as the agent wrote it, in front of what is wrong with it. */
function resolveNaming(descriptors: Descriptors, path: string, open: Entry[]): Place {
  try {
    descriptors.checkRoot();
    return resolve(descriptors, path, open);
  } catch (error) {
    if (!(error instanceof HoldpointError)) throw error;
    const { code, message, hint, rule } = error;
    throw new HoldpointError(code, `${path}: ${message}`, {
      ...(hint && { hint }),
      ...(rule && { rule }),
      cause: error,
    });
  }
}

function resolve(descriptors: Descriptors, path: string, open: Entry[]): Place {
  const { root } = descriptors;
  /** The folders gone through, the root first, and their names on the disk. */
  const folders: Entry[] = [root];
  const names: string[] = [];
  let todo: Step[] = steps(path, false);
  let links = 0;
  for (let step = todo.shift(); step; step = todo.shift()) {
    const folder = folders.at(-1) ?? root;
    if (step.name === '..') {
      if (names.pop() === undefined) throw outside();
      folders.pop();
      continue;
    }
    if (folders.length > MAX_DEPTH)
      throw new HoldpointError('denied', `The path has more than ${MAX_DEPTH} folders.`, { rule: 'paths' });
    if (!folder.stat.isDirectory())
      throw new HoldpointError('not_found', `${names.join('/')} is a file, so nothing is below it.`);
    const { child, name } = find(descriptors, folder, step.name);
    if (!child) {
      if (step.linked) throw danglingLink();
      const missing = [step.name, ...todo.map((next) => next.name)];
      return place(folder, undefined, names, missing);
    }
    if ('link' in child) {
      if (++links > MAX_LINKS)
        throw new HoldpointError('denied', 'The path goes through too many links.', { rule: 'paths' });
      todo = [...steps(child.link, true), ...todo];
      continue;
    }
    open.push(child.entry);
    folders.push(child.entry);
    names.push(name);
  }
  const entry = folders.pop() ?? root;
  return place(folders.at(-1) ?? root, entry, names, []);

  function place(
    folder: Entry,
    entry: Entry | undefined,
    diskNames: readonly string[],
    missing: readonly string[],
  ): Place {
    const real = [...diskNames, ...missing].join('/').normalize('NFC') || '.';
    // A link may lead to names that no path may have, such as one with a line break.
    if (workspacePath(real) !== real) throw outside();
    descriptors.checkWhereabouts(entry ?? folder, diskNames);
    if (entry?.stat.isFile() && entry.stat.nlink > 1n) throw hardLink();
    const folderNames = entry ? diskNames.slice(0, -1) : diskNames;
    const name = (entry ? diskNames.at(-1) : missing[0]) ?? '.';
    return { path, real, spot: { folder, folderNames, name }, entry, missing };
  }

  function steps(text: string, linked: boolean): Step[] {
    let inside = text;
    if (linked && text.startsWith('/')) {
      const base = descriptors.rootPath;
      if (text !== base && !text.startsWith(base === '/' ? base : `${base}/`)) throw outside();
      inside = text.slice(base.length);
      folders.splice(1);
      names.length = 0;
    }
    return inside
      .split('/')
      .filter((name) => name !== '' && name !== '.')
      .map((name) => ({ name, linked }));
  }
}

/** The child of that name; where the disk spells it differently in Unicode (NFD), the one that reads the same. */
function find(descriptors: Descriptors, folder: Entry, name: string): { child: Child; name: string } {
  const child = descriptors.child(folder, name);
  if (child || /^[\x20-\x7e]*$/.test(name)) return { child, name };
  const alike = readdirSync(folder.at).filter((other) => other.normalize('NFC') === name.normalize('NFC'));
  if (alike.length > 1)
    throw new HoldpointError('denied', 'Several names on the disk read the same here.', { rule: 'paths' });
  return alike[0] === undefined ? { child, name } : { child: descriptors.child(folder, alike[0]), name: alike[0] };
}

function outside(): HoldpointError {
  return new HoldpointError('denied', 'A link on the way leads outside the workspace.', {
    rule: 'paths',
    hint: 'Use the files of the workspace; links are followed inside it only.',
  });
}

function danglingLink(): HoldpointError {
  return new HoldpointError('denied', 'A link on the way leads to nothing, and nothing is created through a link.', {
    rule: 'paths',
    hint: 'Name the file itself, not a link to it.',
  });
}

function hardLink(): HoldpointError {
  return new HoldpointError(
    'denied',
    'The file has more than one name (a hard link), so its path does not say what it is.',
    {
      rule: 'paths',
      hint: 'A person can replace the hard link by a copy.',
    },
  );
}

/** An error of the operating system in words; others as they are. */
function translated(error: unknown, path: string): HoldpointError {
  const refusal =
    error instanceof HoldpointError ? undefined : SYSTEM_ERRORS[(error as NodeJS.ErrnoException).code ?? ''];
  return refusal
    ? new HoldpointError(refusal[0], `${path}: ${refusal[1]}`, { hint: refusal[2], cause: error })
    : asHoldpointError(error);
}

const SYSTEM_ERRORS: Record<string, [HoldpointError['code'], string, string] | undefined> = {
  ENOENT: ['stale', 'It went away while it was being used.', 'Look at its folder again.'],
  EEXIST: ['stale', 'Something appeared under its name while it was being made.', 'Look at its folder again.'],
  ENOTDIR: ['stale', 'A folder on the way was exchanged while it was being used.', 'Look at its folder again.'],
  // readlink(2) of what was a link a moment ago, and rename(2) onto what was a file.
  EINVAL: ['stale', 'A link was exchanged while it was being followed.', 'Look at it again.'],
  EISDIR: ['stale', 'A folder took its place while it was being used.', 'Look at it again.'],
  ELOOP: ['stale', 'A link took its place while it was being used.', 'Look at it again.'],
  EACCES: ['denied', 'The operating system does not let Holdpoint use it.', 'A person can change its permissions.'],
  EPERM: ['denied', 'The operating system does not let Holdpoint use it.', 'A person can change its permissions.'],
  EROFS: ['denied', 'Its file system is read-only.', 'A person can mount it writable.'],
  ENAMETOOLONG: ['invalid_input', 'The name is too long for the file system.', 'Use a shorter name.'],
  EMFILE: ['unavailable', 'Holdpoint has too many files open.', 'Try again in a moment.'],
  ENFILE: ['unavailable', 'The machine has too many files open.', 'Try again in a moment.'],
  ENOSPC: ['unavailable', 'The disk is full.', 'A person has to make room.'],
  EDQUOT: ['unavailable', "The disk's quota is used up.", 'A person has to make room.'],
};
