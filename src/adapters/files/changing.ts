import { createHash } from 'node:crypto';
import { accessSync, closeSync, constants, renameSync, rmSync } from 'node:fs';

import { HoldpointError } from '../../core/errors.ts';
import type { Json } from '../../core/json.ts';
import { makeFolders, stale, syncFolder, unlinkChecked, writeTemporary } from './acts.ts';
import { same, type Descriptors, type Entry } from './descriptors.ts';
import type { Change } from './port.ts';
import { hashOf, readBytes } from './reading.ts';
import { withPlace, type Place, type Spot } from './resolve.ts';
import type { UndoRecord, UndoStore } from './undo.ts';

/** The largest file that is replaced or removed: its copy must be kept. */
const MAX_KEPT = 67_108_864;

export interface Changing {
  identity: (path: string) => Promise<Json>;
  /** `mode`: permission bits of the new file; those of the old one, or the usual ones, where it is absent. */
  write: (path: string, bytes: Uint8Array, expected: Json, mode?: number) => Promise<Change>;
  remove: (path: string, expected: Json) => Promise<Change>;
}

/** What a change finds; all absent where there is no file. */
interface Before {
  bytes: Buffer | undefined;
  sha256: string | undefined;
  mode: number | undefined;
}

/**
 * Writing and removing through checked descriptors, each change kept for undo before it is made. `protect`: paths from the
 * workspace that are never changed, nor what is below them.
 */
export function createChanging(descriptors: Descriptors, undo: UndoStore, protect: readonly string[]): Changing {
  const isProtected = protect.map((path) => path.normalize('NFC').toLowerCase());

  async function identity(place: Place): Promise<Json> {
    const file = place.entry && fileOf(place);
    return identityWith(place, file && (await hashOf(descriptors, file)));
  }

  /** The file as it is now, its bytes and their hash. */
  async function before(place: Place, expected: Json): Promise<Before> {
    refuseGitsOwn(place);
    refuseProtected(place, isProtected);
    const file = place.entry && fileOf(place);
    const bytes = file && (await readBytes(descriptors, file, { maxBytes: MAX_KEPT }));
    const sha256 = bytes && sha256Of(bytes);
    const is = identityWith(place, sha256);
    if (JSON.stringify(is) !== JSON.stringify(expected)) throw stale(place.path, expected, is);
    return { bytes, sha256, mode: file && Number(file.stat.mode & 0o777n) };
  }

  /** Throws where the name has become something else since it was opened, or its folder has moved. */
  function checkUnmoved({ folder, folderNames, name }: Spot, { entry, path }: Place): void {
    descriptors.checkWhereabouts(folder, folderNames);
    const now = descriptors.child(folder, name);
    if (now && 'entry' in now) closeSync(now.entry.fd);
    const unmoved = entry ? now && 'entry' in now && isUnchanged(now.entry, entry) : now === undefined;
    if (!unmoved)
      throw stale(path, 'as it was when this call read it', 'changed, exchanged or removed in the meantime');
  }

  async function put(spot: Spot, place: Place, bytes: Uint8Array, expected: Json, mode?: number): Promise<Change> {
    const { real, entry } = place;
    const old = await before(place, expected);
    if (entry) accessSync(entry.at, constants.W_OK);
    const temporary = await writeTemporary(spot.folder, bytes, mode ?? old.mode);
    try {
      return await keeping({ path: real, did: entry ? 'replaced' : 'created', after: sha256Of(bytes) }, old, () => {
        checkUnmoved(spot, place);
        renameSync(temporary, `${spot.folder.at}/${spot.name}`);
        syncFolder(descriptors, spot.folder);
        return bytes.length;
      });
    } catch (error) {
      rmSync(temporary, { force: true });
      throw error;
    }
  }

  /** Keeps what is there, then makes the change, which gives the bytes there are afterwards. */
  async function keeping(
    change: Pick<UndoRecord, 'path' | 'did' | 'after'>,
    old: Before,
    make: () => number,
  ): Promise<Change> {
    const id = await undo.keep(
      {
        ...change,
        workspace: descriptors.rootPath,
        mode: old.mode ?? 0,
        ...(old.sha256 !== undefined && { before: old.sha256 }),
      },
      old.bytes,
    );
    try {
      return { undo: id, before: old.bytes?.length ?? 0, after: make() };
    } catch (error) {
      undo.forget(id);
      throw error;
    }
  }

  return {
    identity: (path) => withPlace(descriptors, path, identity),

    write: (path, bytes, expected, mode) =>
      withPlace(descriptors, path, async (place) => {
        if (place.missing.length <= 1) return put(place.spot, place, bytes, expected, mode);
        await before(place, expected);
        return makeFolders(descriptors, place, (spot) => put(spot, place, bytes, expected, mode));
      }),

    remove: (path, expected) =>
      withPlace(descriptors, path, async (place) => {
        const old = await before(place, expected);
        const file = fileOf(place);
        return keeping({ path: place.real, did: 'removed' }, old, () => {
          checkUnmoved(place.spot, place);
          unlinkChecked(descriptors, place, file);
          return 0;
        });
      }),
  };
}

/** A file that can be changed: one of which a copy can be kept. */
function fileOf({ entry, path }: Place): Entry {
  if (!entry) throw new HoldpointError('not_found', `${path} is not there.`, { hint: 'View its folder for what is.' });
  if (!entry.stat.isFile())
    throw new HoldpointError('invalid_input', `${path} is a folder, not a file.`, { hint: 'Name a file.' });
  if (entry.stat.size > MAX_KEPT)
    throw new HoldpointError(
      'denied',
      `${path} has more than ${MAX_KEPT} bytes, so that no copy of it would be kept.`,
      {
        rule: 'paths',
        hint: 'Ask a person to change or remove it.',
      },
    );
  return entry;
}

/** Hooks and settings in `.git` run programs the next time that anybody uses git here. */
function refuseGitsOwn({ path, real }: Place): void {
  if (!real.split('/').some((name) => name.toLowerCase() === '.git')) return;
  throw new HoldpointError('denied', `${path} belongs to git, which alone changes it.`, {
    rule: 'paths',
    hint: 'Use git through launch-process.',
  });
}

/** What decides on the agent is not the agent's to change, whatever the policy says. */
function refuseProtected({ path, real }: Place, isProtected: readonly string[]): void {
  const folded = real.toLowerCase();
  if (!isProtected.some((one) => folded === one || folded.startsWith(`${one}/`))) return;
  throw new HoldpointError('denied', `${path} governs what this agent may do, and no agent changes it.`, {
    rule: 'paths',
    hint: 'Tell a person what should be changed in it, and why.',
  });
}

function isUnchanged(now: Entry, then: Entry): boolean {
  return (
    same(now.stat, then.stat) &&
    now.stat.mtimeNs === then.stat.mtimeNs &&
    now.stat.ctimeNs === then.stat.ctimeNs &&
    now.stat.size === then.stat.size
  );
}

/** Its keys are in canonical order, so that two identities are the same when their JSON is. */
function identityWith({ real, entry }: Place, sha256: string | undefined): Json {
  return entry && sha256 !== undefined ? { inode: String(entry.stat.ino), real, sha256 } : { missing: true, real };
}

function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
