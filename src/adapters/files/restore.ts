import { HoldpointError } from '../../core/errors.ts';
import type { Changing } from './changing.ts';
import type { FileHandle } from './port.ts';
import type { UndoRecord, UndoStore } from './undo.ts';

export interface RestoreOptions {
  /** Also over content that is newer than the change; that content is kept as well. */
  force?: boolean;
}

export interface Restored {
  path: string;
  /** The change that was undone. */
  undid: string;
  /** Bytes there are now; undefined where the change had made the file, which is gone now. */
  size: number | undefined;
  /** Id that undoes the restoring; absent where nothing had to be done. */
  undo?: string;
}

interface Request {
  undo: UndoStore;
  changing: Changing;
  look: (path: string) => Promise<FileHandle>;
  kept: UndoRecord;
  options: RestoreOptions;
}

/**
 * Puts a file back to what it was before one change: earlier bytes and permissions, or no file where the change had made it.
 *
 * @throws HoldpointError `conflict` where the file has changed since that change, unless forced.
 */
export async function restore({ undo, changing, look, kept, options }: Request): Promise<Restored> {
  const found = await look(kept.path);
  const now = await changing.identity(found);
  const hash = 'missing' in now ? undefined : now.sha256;
  const bytes = undo.bytes(kept);
  const done = { path: kept.path, undid: kept.id, size: bytes?.length };
  if (hash === kept.before) return done;
  if (hash !== kept.after && !options.force)
    throw new HoldpointError('conflict', `${kept.path} has changed since ${kept.id}.`, {
      hint: `With --force it is restored all the same; what is there now (${found.size} bytes) is kept and can be restored again.`,
    });
  const file = await changing.expect(kept.path, now);
  const change = bytes ? await changing.write(file, bytes, kept.mode) : await changing.remove(file);
  return { ...done, undo: change.undo };
}

/**
 * The change that an undo id names, or the newest one of a path; of one workspace, where it is given.
 *
 * @throws HoldpointError `not_found`
 */
export function findKept(undo: UndoStore, which: string, workspace?: string): UndoRecord {
  const path = which.normalize('NFC').replace(/^\.\//, '');
  const newest = undo
    .list()
    .find(
      (kept) => (kept.id === which || kept.path === path) && (workspace === undefined || kept.workspace === workspace),
    );
  if (newest) return newest;
  throw new HoldpointError('not_found', `Nothing is kept for ${JSON.stringify(which.slice(0, 200))}.`, {
    hint: 'See "holdpoint files list" for what can be restored.',
  });
}
