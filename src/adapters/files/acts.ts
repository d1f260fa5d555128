import { randomBytes } from 'node:crypto';
import { closeSync, constants, fchmodSync, fsyncSync, mkdirSync, renameSync, rmdirSync, unlinkSync } from 'node:fs';
import { open } from 'node:fs/promises';

import { HoldpointError } from '../../core/errors.ts';
import type { Json } from '../../core/json.ts';
import { same, type Descriptors, type Entry } from './descriptors.ts';
import type { Place, Spot } from './resolve.ts';

/** Moves the file aside first: what is unlinked then is known to be the file that was checked and kept. */
export function unlinkChecked(descriptors: Descriptors, { spot: { folder, name }, path }: Place, entry: Entry): void {
  const aside = temporaryName();
  renameSync(`${folder.at}/${name}`, `${folder.at}/${aside}`);
  const taken = descriptors.child(folder, aside);
  if (taken && 'entry' in taken) closeSync(taken.entry.fd);
  if (!taken || !('entry' in taken) || !same(taken.entry.stat, entry.stat)) {
    renameSync(`${folder.at}/${aside}`, `${folder.at}/${name}`);
    throw stale(path, 'the file that was checked', 'another one');
  }
  unlinkSync(`${folder.at}/${aside}`);
  syncFolder(descriptors, folder);
}

/** Makes the folders that are missing, each through its parent's descriptor; takes them away again when `use` fails. */
export async function makeFolders<T>(
  descriptors: Descriptors,
  place: Place,
  use: (spot: Spot) => Promise<T>,
): Promise<T> {
  const opened: Entry[] = [];
  const made: string[] = [];
  try {
    let { folder } = place.spot;
    const folderNames = [...place.spot.folderNames];
    for (const name of place.missing.slice(0, -1)) {
      mkdirSync(`${folder.at}/${name}`);
      made.push(`${folder.at}/${name}`);
      const child = descriptors.child(folder, name);
      if (!child || !('entry' in child)) throw stale(place.path, 'missing', 'a link');
      opened.push(child.entry);
      syncFolder(descriptors, folder);
      folder = child.entry;
      folderNames.push(name);
    }
    return await use({ folder, folderNames, name: place.missing.at(-1) ?? place.spot.name });
  } catch (error) {
    for (const path of made.toReversed()) removeEmptyFolder(path);
    throw error;
  } finally {
    for (const entry of opened) closeSync(entry.fd);
  }
}

function removeEmptyFolder(path: string): void {
  try {
    rmdirSync(path);
  } catch {
    // Somebody uses it by now: it stays.
  }
}

export async function writeTemporary(folder: Entry, bytes: Uint8Array, mode: number | undefined): Promise<string> {
  const path = `${folder.at}/${temporaryName()}`;
  const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;
  const handle = await open(path, O_WRONLY | O_CREAT | O_EXCL | (O_NOFOLLOW ?? 0), 0o666);
  try {
    if (mode !== undefined) fchmodSync(handle.fd, mode);
    await handle.writeFile(bytes);
    await handle.sync();
    return path;
  } catch (error) {
    unlinkSync(path);
    throw error;
  } finally {
    await handle.close();
  }
}

function temporaryName(): string {
  return `.holdpoint-${randomBytes(8).toString('hex')}.tmp`;
}

export function syncFolder(descriptors: Descriptors, folder: Entry): void {
  const fd = descriptors.reopen(folder, constants.O_RDONLY);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

export function stale(path: string, was: Json, is: Json): HoldpointError {
  const text = (value: Json) => (typeof value === 'string' ? value : JSON.stringify(value));
  return new HoldpointError('stale', `${path} is not what it was any more; nothing was changed.`, {
    hint: 'Look at it again and repeat the call.',
    changes: [{ what: path, was: text(was), is: text(is) }],
  });
}
