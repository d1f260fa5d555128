import { createHash } from 'node:crypto';
import { accessSync, closeSync, constants, renameSync, rmSync } from 'node:fs';

import { HoldpointError } from '../../core/errors.ts';
import { makeFolders, stale, syncFolder, unlinkChecked, writeTemporary } from './acts.ts';
import { same, type Entry } from './descriptors.ts';
import type { Opening } from './opening.ts';
import type { BoundFile, Change, FileHandle, FileIdentity, FilesPort } from './port.ts';
import { hashOf, readBytes } from './reading.ts';
import type { Place, Spot } from './resolve.ts';
import type { UndoRecord, UndoStore } from './undo.ts';

/** The largest file that is replaced or removed: its copy must be kept. */
const MAX_KEPT = 67_108_864;

export interface Changing extends Pick<FilesPort, 'identity' | 'expect' | 'remove'> {
  /** `mode`: permission bits of the new file; those of the old one, or the usual ones, where it is absent. */
  write(file: BoundFile, bytes: Uint8Array, mode?: number): Promise<Change>;
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
export function createChanging(opening: Opening, undo: UndoStore, protect: readonly string[]): Changing {
  const { descriptors, handles } = opening;
  const isProtected = protect.map((path) => path.normalize('NFC').toLowerCase());

  const identity = (file: FileHandle) =>
    opening.open(file, async (place) => {
      const entry = place.entry && fileOf(place);
      return identityWith(place, entry && (await hashOf(descriptors, entry)));
    });

  /** The file as it is now, its bytes and their hash. */
  async function before(place: Place, expected: FileIdentity): Promise<Before> {
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

  async function put(
    spot: Spot,
    place: Place,
    bytes: Uint8Array,
    expected: FileIdentity,
    mode?: number,
  ): Promise<Change> {
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
    let after: number;
    try {
      after = make();
    } catch (error) {
      undo.forget(id);
      throw error;
    }
    undo.made(id);
    return { undo: id, before: old.bytes?.length ?? 0, after };
  }

  return {
    identity,

    async expect(path, expected) {
      const file = await opening.look(path);
      const is = await identity(file);
      if (JSON.stringify(is) !== JSON.stringify(expected)) throw stale(path, expected, is);
      return handles.bind(file, expected);
    },

    write: (file, bytes, mode) =>
      opening.open(file, async (place) => {
        const expected = handles.identityOf(file);
        if (place.missing.length <= 1) return put(place.spot, place, bytes, expected, mode);
        await before(place, expected);
        return makeFolders(descriptors, place, (spot) => put(spot, place, bytes, expected, mode));
      }),

    remove: (file) =>
      opening.open(file, async (place) => {
        const old = await before(place, handles.identityOf(file));
        const entry = fileOf(place);
        return keeping({ path: place.real, did: 'removed' }, old, () => {
          checkUnmoved(place.spot, place);
          unlinkChecked(descriptors, place, entry);
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

/** Its keys are in canonical order: two that are the same are the same JSON. */
function identityWith({ real, entry }: Place, sha256: string | undefined): FileIdentity {
  return entry && sha256 !== undefined ? { inode: String(entry.stat.ino), real, sha256 } : { missing: true, real };
}

function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
