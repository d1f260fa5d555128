import { createHash } from 'node:crypto';

import { HoldpointError } from '../../core/errors.ts';
import type { Json } from '../../core/json.ts';
import { unifiedDiff } from './diff.ts';
import { globTest } from './globs.ts';
import type { FileFacts, FilesPort, Listing, ListOptions, ReadOptions } from './port.ts';
import { search } from './search.ts';

export interface FakeFiles extends FilesPort {
  /** What there is now, as text by path. */
  contents(): Record<string, string>;
  /** Changes a file behind everybody's back; undefined takes it away. */
  set(path: string, text: string | undefined): void;
}

/** A workspace in memory, for tests: files alone, no links, no .gitignore. `contents`: text by path. */
export function createFakeFiles(contents: Readonly<Record<string, string>> = {}): FakeFiles {
  const files = new Map<string, { bytes: Buffer; inode: number }>();
  let inodes = 0;
  let undos = 0;
  const set = (path: string, bytes: Uint8Array) => files.set(path, { bytes: Buffer.from(bytes), inode: ++inodes });
  for (const [path, text] of Object.entries(contents)) set(path, Buffer.from(text));

  const isFolder = (path: string) => path === '.' || [...files.keys()].some((file) => file.startsWith(`${path}/`));
  const factsOf = (path: string): FileFacts => {
    const file = files.get(path);
    if (file) return { path, real: path, type: 'file', size: file.bytes.length };
    return { path, real: path, type: isFolder(path) ? 'folder' : 'missing', size: 0 };
  };
  const fileAt = (path: string) => {
    const file = files.get(path);
    if (file) return file;
    if (isFolder(path)) throw new HoldpointError('invalid_input', `${path} is a folder, not a file.`);
    throw new HoldpointError('not_found', `${path} is not there.`);
  };
  const identityOf = (path: string): Json => {
    const file = files.get(path);
    return file
      ? { inode: String(file.inode), real: path, sha256: createHash('sha256').update(file.bytes).digest('hex') }
      : { missing: true, real: path };
  };
  const expect = (path: string, expected: Json) => {
    const is = identityOf(path);
    if (JSON.stringify(is) !== JSON.stringify(expected))
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

  function list(path: string, { recursive = false, glob, permits = () => true, limit }: ListOptions): Listing {
    if (factsOf(path).type === 'missing') throw new HoldpointError('not_found', `${path} is not there.`);
    const depth = path === '.' ? 1 : path.split('/').length + 1;
    const fits = glob === undefined ? () => true : globTest(glob);
    const found = below(path)
      .filter((entry) => recursive || entry.split('/').length === depth)
      .map(factsOf)
      .filter((entry) => glob === undefined || (entry.type === 'file' && fits(entry.path)));
    const seen = found.filter(permits);
    return { entries: seen.slice(0, limit), refused: [], hidden: found.length - seen.length, cut: seen.length > limit };
  }

  const read = async (path: string, { maxBytes, offset = 0 }: ReadOptions) => {
    const { bytes } = fileAt(path);
    return { bytes: bytes.subarray(offset, offset + maxBytes), size: bytes.length, real: path };
  };

  return {
    look: async (path) => factsOf(path),
    read,
    identity: async (path) => identityOf(path),
    list: async (path, options) => list(path, options),
    search: (options) =>
      search(
        {
          async *files(folder) {
            for (const path of below(folder)) yield { facts: factsOf(path) };
          },
          look: async (path) => factsOf(path),
          read,
        },
        options,
      ),
    diff: unifiedDiff,
    async write(path, bytes, expected) {
      expect(path, expected);
      const before = files.get(path)?.bytes.length ?? 0;
      set(path, bytes);
      return { undo: `undo-${++undos}`, before, after: bytes.length };
    },
    async remove(path, expected) {
      expect(path, expected);
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
