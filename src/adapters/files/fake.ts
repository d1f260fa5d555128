import { createHash } from 'node:crypto';

import { HoldpointError } from '../../core/errors.ts';
import { unifiedDiff } from './diff.ts';
import { globTest } from './globs.ts';
import { moved } from './descriptors.ts';
import { createHandles } from './handles.ts';
import type { FileHandle, FileIdentity, FilesPort, Listing, ListOptions, ReadOptions } from './port.ts';
import { search } from './search.ts';

export interface FakeFiles extends FilesPort {
  /** What there is now, as text by path. */
  contents(): Record<string, string>;
  /** Changes a file behind everybody's back; undefined takes it away. */
  set(path: string, text: string | undefined): void;
}

/** A workspace in memory, for tests: files alone, no links, no .gitignore. `contents`: text by path. */
export function createFakeFiles(contents: Readonly<Record<string, string>> = {}): FakeFiles {
  const handles = createHandles();
  const files = new Map<string, { bytes: Buffer; inode: number }>();
  let inodes = 0;
  let undos = 0;
  const set = (path: string, bytes: Uint8Array) => files.set(path, { bytes: Buffer.from(bytes), inode: ++inodes });
  for (const [path, text] of Object.entries(contents)) set(path, Buffer.from(text));

  const isFolder = (path: string) => path === '.' || [...files.keys()].some((file) => file.startsWith(`${path}/`));
  const entryOf = (path: string) =>
    files.has(path) ? String(files.get(path)?.inode) : isFolder(path) ? path : undefined;
  const look = (path: string): FileHandle => {
    const file = files.get(path);
    const facts = file
      ? { path, real: path, type: 'file' as const, size: file.bytes.length, executable: false }
      : { path, real: path, type: isFolder(path) ? ('folder' as const) : ('missing' as const), size: 0 };
    return handles.handle(facts, entryOf(path), entryOf(path));
  };
  /** The path of what the handle stands for, if that is still there. */
  const opened = (file: FileHandle): string => {
    if (handles.entryOf(file) !== entryOf(file.path)) throw moved();
    return file.path;
  };
  const fileAt = (path: string) => {
    const file = files.get(path);
    if (file) return file;
    if (isFolder(path)) throw new HoldpointError('invalid_input', `${path} is a folder, not a file.`);
    throw new HoldpointError('not_found', `${path} is not there.`);
  };
  const identityOf = (path: string): FileIdentity => {
    const file = files.get(path);
    return file
      ? { inode: String(file.inode), real: path, sha256: createHash('sha256').update(file.bytes).digest('hex') }
      : { missing: true, real: path };
  };
  const checked = (path: string, expected: FileIdentity) => {
    const is = identityOf(path);
    if (JSON.stringify(is) === JSON.stringify(expected)) return path;
    throw new HoldpointError('stale', `${path} is not what it was any more; nothing was changed.`, {
      changes: [{ what: path, was: JSON.stringify(expected), is: JSON.stringify(is) }],
    });
  };

  /** Everything below a folder, folders included, sorted. */
  const below = (folder: string): string[] => {
    const within = [...files.keys()].filter((file) => folder === '.' || file.startsWith(`${folder}/`));
    const folders = within.flatMap((file) =>
      file
        .split('/')
        .slice(0, -1)
        .map((_, index, names) => names.slice(0, index + 1).join('/')),
    );
    return [
      ...new Set([...within, ...folders.filter((path) => folder === '.' || path.startsWith(`${folder}/`))]),
    ].sort();
  };

  function list(folder: FileHandle, { recursive = false, glob, permits = () => true, limit }: ListOptions): Listing {
    const path = opened(folder);
    if (folder.type === 'missing') throw new HoldpointError('not_found', `${path} is not there.`);
    const depth = path === '.' ? 1 : path.split('/').length + 1;
    const fits = glob === undefined ? () => true : globTest(glob);
    const found = below(path)
      .filter((entry) => recursive || entry.split('/').length === depth)
      .map(look)
      .filter((entry) => glob === undefined || (entry.type === 'file' && fits(entry.path)));
    const seen = found.filter(permits);
    return { entries: seen.slice(0, limit), refused: [], hidden: found.length - seen.length, cut: seen.length > limit };
  }

  const read = async (file: FileHandle, { maxBytes, offset = 0 }: ReadOptions) => {
    const { bytes } = fileAt(opened(file));
    return { bytes: bytes.subarray(offset, offset + maxBytes), size: bytes.length };
  };

  return {
    async look(path, decided) {
      if (decided && decided.real !== path) throw moved();
      return look(path);
    },
    version: (file) => handles.versionOf(file),
    read,
    identity: async (file) => identityOf(opened(file)),
    expect: async (path, identity) => handles.bind(look(checked(path, identity)), identity),
    list: async (folder, options) => list(folder, options),
    search: (place, options) =>
      search(
        {
          async *files(folder) {
            for (const path of below(opened(folder))) yield { facts: look(path) };
          },
          read,
        },
        place,
        options,
      ),
    diff: ({ path }, before, after) => unifiedDiff(path, before, after),
    async write(file, bytes) {
      const path = checked(opened(file), handles.identityOf(file));
      const before = files.get(path)?.bytes.length ?? 0;
      set(path, bytes);
      return { undo: `undo-${++undos}`, before, after: bytes.length };
    },
    async remove(file) {
      const path = checked(opened(file), handles.identityOf(file));
      const before = fileAt(path).bytes.length;
      files.delete(path);
      return { undo: `undo-${++undos}`, before, after: 0 };
    },
    contents: () => Object.fromEntries([...files].map(([path, { bytes }]) => [path, bytes.toString('utf8')])),
    set(path, text) {
      if (text === undefined) files.delete(path);
      else set(path, Buffer.from(text));
    },
  };
}
