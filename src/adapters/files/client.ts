import { realpathSync } from 'node:fs';
import { isAbsolute, relative } from 'node:path';

import { HoldpointError } from '../../core/errors.ts';
import { createChanging } from './changing.ts';
import { openWorkspace, type Descriptors, type Reach } from './descriptors.ts';
import { unifiedDiff } from './diff.ts';
import { globTest } from './globs.ts';
import { createOpening, type Opening } from './opening.ts';
import type { FileFacts, FileHandle, FilesPort, ListOptions, Listing, ReadOptions, RefusedEntry } from './port.ts';
import { UNDO_LIMITS, type UndoLimits } from './pruning.ts';
import { readBytes } from './reading.ts';
import { findKept, restore, type Restored, type RestoreOptions } from './restore.ts';
import { search } from './search.ts';
import { createUndoStore, type UndoRecord } from './undo.ts';
import { walk } from './walk.ts';

export interface FilesSettings {
  /** The workspace's folder. */
  workspace: string;
  /** Where copies for undo are kept; outside the workspace. */
  undoDir: string;
  /** 32 bytes that encrypt the copies; without it they are kept as they are. */
  undoKey?: Uint8Array;
  /** How much is kept for undo. */
  undoLimits?: UndoLimits;
  /** Files and folders that are never written or removed, wherever they are: the policy, the persona. */
  protect?: readonly string[];
  /** How entries are reached; for tests. Descriptors where the system has them. */
  reach?: Reach;
}

/** The files port on a real folder, and what `holdpoint files` needs besides. */
export interface WorkspaceFiles extends FilesPort {
  /** What can be restored in this workspace, newest first. */
  kept(): UndoRecord[];
  /** Undoes the change of an undo id, or the newest of a path; see restore.ts. */
  restore(which: string, options?: RestoreOptions): Promise<Restored>;
  /** Closes the descriptor of the workspace. */
  close: () => void;
}

/**
 * Opens a workspace, pinning the folder that has this name now.
 *
 * @throws HoldpointError `invalid_input` where the workspace is no folder, or `undoDir` lies in it.
 */
export function createFiles({
  workspace,
  undoDir,
  undoKey,
  undoLimits = UNDO_LIMITS,
  protect = [],
  reach = process.platform === 'linux' ? 'descriptors' : 'paths',
}: FilesSettings): WorkspaceFiles {
  const descriptors = pin(workspace, reach);
  const fromWorkspace = relative(descriptors.rootPath, realOf(undoDir));
  if (!fromWorkspace.startsWith('..') && !isAbsolute(fromWorkspace)) {
    descriptors.close();
    throw new HoldpointError('invalid_input', `The copies for undo (${undoDir}) would lie inside the workspace.`, {
      hint: 'Choose another state directory.',
    });
  }
  const undo = createUndoStore({ dir: undoDir, key: undoKey, limits: undoLimits });
  const opening = createOpening(descriptors);
  const changing = createChanging(
    opening,
    undo,
    protect.map((path) => relative(descriptors.rootPath, realOf(path))),
  );
  const { look } = opening;
  const read = (file: FileHandle, options: ReadOptions) => readFile(opening, file, options);
  return {
    look,
    version: (file) => opening.handles.versionOf(file),
    read,
    list: (folder, options) => list(opening, folder, options),
    search: (place, options) =>
      search(
        {
          files: (folder, signal) =>
            walk(opening, folder, { recursive: true, respectIgnore: true, ...(signal && { signal }) }),
          read,
        },
        place,
        options,
      ),
    diff: ({ path }, before, after) => unifiedDiff(path, before, after),
    identity: changing.identity,
    expect: changing.expect,
    write: (file, bytes) => changing.write(file, bytes),
    remove: changing.remove,
    kept: () => undo.list().filter((kept) => kept.workspace === descriptors.rootPath),
    restore: (which, options = {}) =>
      restore({ undo, changing, look, kept: findKept(undo, which, descriptors.rootPath), options }),
    close: descriptors.close,
  };
}

async function readFile(
  opening: Opening,
  file: FileHandle,
  range: ReadOptions,
): Promise<{ bytes: Uint8Array; size: number }> {
  return opening.open(file, async ({ path, entry }) => {
    if (!entry)
      throw new HoldpointError('not_found', `${path} is not there.`, {
        hint: 'View its folder, or use file-search to find it.',
      });
    if (!entry.stat.isFile())
      throw new HoldpointError('invalid_input', `${path} is a folder, not a file.`, { hint: 'Name a file in it.' });
    return { bytes: await readBytes(opening.descriptors, entry, range), size: Number(entry.stat.size) };
  });
}

async function list(opening: Opening, folder: FileHandle, options: ListOptions): Promise<Listing> {
  const { recursive = false, respectIgnore = true, glob, permits = () => true, limit, signal } = options;
  const fits = glob === undefined ? () => true : globTest(glob);
  const entries: FileHandle[] = [];
  const refused: RefusedEntry[] = [];
  let hidden = 0;
  let cut = false;
  for await (const found of walk(opening, folder, { recursive, respectIgnore, ...(signal && { signal }) })) {
    if ('cut' in found) {
      cut = true;
      continue;
    }
    const facts: FileFacts | undefined =
      'facts' in found
        ? found.facts
        : found.refused.path === undefined
          ? undefined
          : { path: found.refused.path, real: found.refused.path, type: 'file', size: 0 };
    if (facts && glob !== undefined && (facts.type === 'folder' || !fits(facts.path))) continue;
    if (facts && !permits(facts)) hidden++;
    else if (entries.length >= limit) {
      cut = true;
      break;
    } else if ('facts' in found) entries.push(found.facts);
    else refused.push(found.refused);
  }
  return { entries: entries.sort((a, b) => (a.path < b.path ? -1 : 1)), refused, hidden, cut };
}

function pin(workspace: string, reach: Reach): Descriptors {
  try {
    return openWorkspace(workspace, reach);
  } catch (cause) {
    if (cause instanceof HoldpointError) throw cause;
    throw new HoldpointError('invalid_input', `The workspace ${workspace} is no folder that can be opened.`, {
      hint: 'Give a folder that is there with --workspace.',
      cause,
    });
  }
}

/** The real path of the nearest folder that is there, with the rest appended. */
function realOf(path: string): string {
  for (let above = path, rest = ''; ;) {
    try {
      return `${realpathSync.native(above)}${rest}`;
    } catch {
      const cutAt = above.lastIndexOf('/');
      if (cutAt <= 0) return path;
      rest = above.slice(cutAt) + rest;
      above = above.slice(0, cutAt);
    }
  }
}
