/** One entry as it was found through its descriptor. */
export interface FileFacts {
  /** The path as asked for, from the workspace. */
  readonly path: string;
  /** The path with every link resolved, from the workspace; differs from `path` where a link was on the way. */
  readonly real: string;
  readonly type: 'file' | 'folder' | 'missing';
  /** Bytes; 0 for folders and missing files. */
  readonly size: number;
  /** Of a file: whether its owner may execute it; absent where the system has no such mark (Windows). */
  readonly executable?: boolean;
}

declare const looked: unique symbol;
declare const bound: unique symbol;

/**
 * What was looked at, and what is opened: whoever has one says which file by it, not by a path. It is bound to the real path
 * and to the very file or folder (device, inode, time of birth), or to there being none. Only the port makes them; the facts are frozen.
 * It does not outlive its process and is not JSON: a plan stores `path` and `real`, or a FileIdentity, and `run` looks again.
 */
export interface FileHandle extends FileFacts {
  readonly [looked]: true;
}

/** A handle bound to the file's content too, and so good for changing it. */
export interface BoundFile extends FileHandle {
  readonly [bound]: true;
}

/**
 * What binds a plan to a file's state: its real path, inode and SHA-256 of the bytes (hex), or that it is missing. Equal ones
 * have equal JSON.
 */
export type FileIdentity = { inode: string; real: string; sha256: string } | { missing: true; real: string };

/** An entry that is there and cannot be opened: a hard link, a device, a link that leads outside, a name with a line break. */
export interface RefusedEntry {
  /** Absent where its name cannot be a path. */
  path?: string;
  /** For showing only: characters that could mislead are escaped. */
  shown: string;
  why: string;
}

export interface ReadOptions {
  maxBytes: number;
  offset?: number;
}

export interface ListOptions {
  /** Whether to go into folders (never into linked ones); default false. */
  recursive?: boolean;
  /** Only files whose path from the workspace matches; see `search` for the limits. */
  glob?: string;
  /** Whether to leave out what .gitignore names, and `.git`; default true. */
  respectIgnore?: boolean;
  /** Leaves out the entries for which it answers false, and counts them as `hidden`. */
  permits?: (entry: FileFacts) => boolean;
  /** Stop after this many entries; the caller sees `cut`. */
  limit: number;
  signal?: AbortSignal;
}

export interface Listing {
  entries: FileHandle[];
  refused: RefusedEntry[];
  /** How many entries `permits` left out. */
  hidden: number;
  /** Whether entries were left out because of `limit`, or because the folder is too large to walk. */
  cut: boolean;
}

export interface SearchOptions {
  /** Text (letter case does not matter), or a regular expression written `/…/` or `/…/i`, matched line by line in linear time. */
  query: string;
  /** Only files whose path from the workspace matches. At most 512 characters; `*`, `?`, `**`, `[…]`, `{a,b}`. */
  glob?: string;
  /** No file is opened for which it answers false. */
  permits: (file: FileFacts) => boolean;
  /** Masks secrets in a file's whole text, line by line; only what matches and is shown after that counts. */
  redact?: (text: string) => string;
  /** Matches to return at most, best first. */
  limit: number;
  signal?: AbortSignal;
}

export interface SearchResult {
  matches: { path: string; line: number; text: string }[];
  /** Lines that matched, those beyond `limit` included. */
  total: number;
  /** Files searched. */
  files: number;
  /** False where no line has the whole text and the matches have half of its words or more. */
  whole: boolean;
  /** Files not searched, by why. */
  skipped: { policy: number; large: number; binary: number; refused: number };
  /** Whether the search stopped before the last file. */
  cut: boolean;
}

export interface Change {
  /** Id for `holdpoint files restore`. */
  undo: string;
  /** Bytes before and after; 0 for none. */
  before: number;
  after: number;
}

/**
 * The workspace, and nothing else on the machine. `look` and `expect` alone take a path (a `workspacePath`, core/paths.ts);
 * everything else takes the handle that they give, and opens only what the handle stands for. Every method opens through
 * descriptors checked to lie inside, and throws HoldpointError: `denied` for what leads outside, is hard-linked, or is no
 * regular file or folder; `not_found` for what is missing; `stale` where the handle's file is no longer at its place.
 */
export interface FilesPort {
  /**
   * Resolves links and says what is there, reading no content. Links are followed only inside the workspace.
   *
   * @param decided Where the path led when it was decided on: where it leads elsewhere by now, throws `stale`.
   */
  look(path: string, decided?: { real: string }): Promise<FileHandle>;
  /** What the file was told by when it was looked at: another one whenever its content may be another. Nothing where it is missing. */
  version(file: FileHandle): string | undefined;
  /** Bytes of a file from `offset` on, at most `maxBytes`, with the size of the whole. */
  read(file: FileHandle, options: ReadOptions): Promise<{ bytes: Uint8Array; size: number }>;
  /** For a plan to store and a run to `expect`. Files above 64 MiB have none (`denied`): no tool changes them. */
  identity(file: FileHandle): Promise<FileIdentity>;
  /** The file of that path, for changing it. @throws HoldpointError `stale` where it does not have the identity any more */
  expect(path: string, identity: FileIdentity): Promise<BoundFile>;
  /** The entries of a folder, sorted by path; links are reported as what they lead to. */
  list(folder: FileHandle, options: ListOptions): Promise<Listing>;
  /** Lines that match, best first, in a file or in the files below a folder. */
  search(place: FileHandle, options: SearchOptions): Promise<SearchResult>;
  /** A unified diff between two texts of one file; says so in words where it would be too large to make. */
  diff(file: FileHandle, before: string, after: string): Promise<string>;
  /**
   * Writes a whole file, atomically and durably, making missing folders; what was there before is kept for undo.
   * Where the file is not what the handle is bound to, throws `stale` and changes nothing.
   */
  write(file: BoundFile, bytes: Uint8Array): Promise<Change>;
  /** Removes a file (not a folder), keeping it for undo; `stale` as for `write`. */
  remove(file: BoundFile): Promise<Change>;
}

export { removalParts, writeParts } from './held.ts';

declare module '../../core/tool.ts' {
  interface Ports {
    files: FilesPort;
  }
}
