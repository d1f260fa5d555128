import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readlinkSync,
  realpathSync,
  statfsSync,
  statSync,
  type BigIntStats,
} from 'node:fs';
import { join } from 'node:path';

import { HoldpointError } from '../../core/errors.ts';

/**
 * An open file or folder. `at` is a path by which the operating system reaches this very entry: on Linux
 * `/proc/self/fd/N`, which goes through the descriptor whatever has happened to the names since, so that
 * `/proc/self/fd/N/name` is what openat(2) is in C.
 */
export interface Entry {
  fd: number;
  at: string;
  stat: BigIntStats;
}

/** What a folder has under a name: an entry to be closed, a link's text, or nothing. */
export type Child = { entry: Entry } | { link: string } | undefined;

/** How entries are reached; see `Entry.at`. */
export type Reach = 'descriptors' | 'paths';

export interface Descriptors {
  root: Entry;
  /** The root's path, without links. */
  rootPath: string;
  /** Throws where the workspace is no longer the folder it was at the start. */
  checkRoot(): void;
  /** Opens without following links and without touching devices. */
  child(folder: Entry, name: string): Child;
  /** The entry opened again for reading its bytes or names, or for fsync. Returns a descriptor to be closed. */
  reopen(entry: Entry, flags: number): number;
  /** Throws where the entry is not, at this moment, at `names` below the workspace. */
  checkWhereabouts(entry: Entry, names: readonly string[]): void;
  close: () => void;
}

/** O_PATH, which Node does not name: the same number on every Linux that Node runs on. */
const O_PATH = 0o10000000;
const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;
/** What Windows takes for a stream of another file (`.env::$DATA`), a drive, a pattern or a device (`NUL.txt`). */
const WINDOWS_MEANS_MORE = /[:*?"<>|]|^(?:con|prn|aux|nul|conin\$|conout\$|com[\d¹²³]|lpt[\d¹²³])(?:\.|$)/i;
/** File systems whose entries are views on the machine, from statfs(2): proc, sysfs, cgroup, debugfs, devpts. */
const VIEWS_OF_THE_MACHINE = new Set([0x9fa0, 0x62656572, 0x27e0eb, 0x63677270, 0x64626720, 0x1cd1]);

/**
 * The workspace's root, pinned: the folder that has this name now stays the workspace, and an exchanged one is refused.
 *
 * `paths` is for systems without `/proc/self/fd`. There every entry is opened by its path without following a link at
 * its end, and its place is checked after opening; somebody who exchanges parent folders in the very moment in between
 * is not excluded, as no call of Node's can exclude it there.
 */
export function openWorkspace(
  workspace: string,
  reach: Reach,
  platform: NodeJS.Platform = process.platform,
): Descriptors {
  const pinned = realpathSync.native(workspace);
  const open = reach === 'descriptors' ? O_PATH | O_NOFOLLOW : O_RDONLY | (O_NOFOLLOW ?? 0) | (O_NONBLOCK ?? 0);
  const root = enter(openSync(pinned, open | (O_DIRECTORY ?? 0)), pinned);

  function enter(fd: number, path: string): Entry {
    return { fd, at: reach === 'descriptors' ? `/proc/self/fd/${fd}` : path, stat: fstatSync(fd, { bigint: true }) };
  }

  /** Where the operating system says that the entry is. */
  function whereabouts(entry: Entry): string {
    return reach === 'descriptors' ? readlinkSync(entry.at) : realpathSync.native(entry.at);
  }

  refuseViews(root);
  return {
    root,
    rootPath: pinned,
    checkRoot() {
      const now = statSync(pinned, { bigint: true, throwIfNoEntry: false });
      if (now && same(now, root.stat)) return;
      throw new HoldpointError('conflict', 'The workspace folder was moved or exchanged while Holdpoint was running.', {
        hint: 'Put the folder back, or ask the person who runs Holdpoint to start it again on the new one.',
      });
    },
    child(folder, name) {
      if (platform === 'win32' && WINDOWS_MEANS_MORE.test(name)) throw noRegularFile();
      const path = `${folder.at}/${name}`;
      const seen = reach === 'paths' ? lstatSync(path, { bigint: true, throwIfNoEntry: false }) : undefined;
      if (reach === 'paths') {
        if (!seen) return undefined;
        if (seen.isSymbolicLink()) return { link: readlinkSync(path) };
        // Opening a FIFO or a device by its path may block or do something; its facts are enough to refuse it.
        if (!seen.isFile() && !seen.isDirectory()) throw noRegularFile();
      }
      let entry: Entry;
      try {
        entry = enter(openSync(path, open), path);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw error;
      }
      try {
        if (seen && !same(seen, entry.stat)) throw moved();
        // A hard link that was taken away in between would look like a file of one name.
        if (seen?.isFile() && seen.nlink !== entry.stat.nlink) throw moved();
        if (entry.stat.isSymbolicLink()) {
          const link = readlinkSync(path);
          closeSync(entry.fd);
          return { link };
        }
        if (!entry.stat.isFile() && !entry.stat.isDirectory()) throw noRegularFile();
        if (entry.stat.dev !== folder.stat.dev) refuseViews(entry);
        return { entry };
      } catch (error) {
        closeSync(entry.fd);
        throw error;
      }
    },
    reopen(entry, flags) {
      const fd = openSync(entry.at, flags | (O_NONBLOCK ?? 0));
      if (same(fstatSync(fd, { bigint: true }), entry.stat)) return fd;
      closeSync(fd);
      throw moved();
    },
    checkWhereabouts(entry, names) {
      if (whereabouts(entry) !== join(whereabouts(root), ...names)) throw moved();
    },
    close: () => closeSync(root.fd),
  };
}

/** Whether both are the same file, whatever its name. */
export function same(a: BigIntStats, b: BigIntStats): boolean {
  return a.ino === b.ino && a.dev === b.dev;
}

export function moved(): HoldpointError {
  return new HoldpointError(
    'stale',
    'The file or a folder above it was moved or exchanged while it was being opened.',
    {
      hint: 'Look at it again and repeat the call.',
    },
  );
}

function noRegularFile(): HoldpointError {
  return new HoldpointError('denied', 'This is no regular file or folder (a pipe, socket or device).', {
    rule: 'paths',
    hint: 'Only regular files and folders of the workspace can be used.',
  });
}

function refuseViews(entry: Entry): void {
  if (!VIEWS_OF_THE_MACHINE.has(statfsSync(entry.at).type)) return;
  throw new HoldpointError('denied', 'This is no file of the workspace but a view on the machine (such as /proc).', {
    rule: 'paths',
    hint: 'Use files of the workspace itself.',
  });
}
