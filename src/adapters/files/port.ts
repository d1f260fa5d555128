import type { Json } from '../../core/json.ts';

/** One entry as it was found through its descriptor. */
export interface FileFacts {
  /** The path as asked for, from the workspace. */
  path: string;
  /** The path with every link resolved, from the workspace; differs from `path` where a link was on the way. */
  real: string;
  type: 'file' | 'folder' | 'missing';
  /** Bytes; 0 for folders and missing files. */
  size: number;
  /** Of a file: whether its owner may execute it; absent where that is not known. */
  executable?: boolean;
}

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
  /** The `real` that was decided on; when the path leads elsewhere by now, throws `stale` and reads nothing. */
  real?: string;
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
  entries: FileFacts[];
  refused: RefusedEntry[];
  /** How many entries `permits` left out. */
  hidden: number;
  /** Whether entries were left out because of `limit`, or because the folder is too large to walk. */
  cut: boolean;
}

export interface SearchOptions {
  /** Text (letter case does not matter), or a regular expression written `/…/` or `/…/i`, matched line by line in linear time. */
  query: string;
  /** A glob or a file's path; the whole workspace where it is absent. At most 256 characters; `*`, `?`, `**`, `[…]`, `{a,b}`. */
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
 * The workspace, and nothing else on the machine. Paths are `workspacePath`s (core/paths.ts). Every method opens through
 * descriptors checked to lie inside, and throws HoldpointError: `denied` for what leads outside, is hard-linked, or is no
 * regular file or folder; `not_found` for what is missing; `stale` where an expectation does not hold.
 */
export interface FilesPort {
  /** Resolves links and says what is there, reading no content. Links are followed only inside the workspace. */
  look(path: string): Promise<FileFacts>;
  /** Bytes of a file from `offset` on, at most `maxBytes`, with the size of the whole. */
  read(path: string, options: ReadOptions): Promise<{ bytes: Uint8Array; size: number; real: string }>;
  /**
   * What binds a plan to a file's state: its real path, inode and SHA-256 of the bytes; for a missing file that it is missing.
   * Equal ones have equal JSON. Files above 64 MiB have none (`denied`): no tool changes them.
   */
  identity(path: string): Promise<Json>;
  /** The entries of a folder, sorted by path; links are reported as what they lead to. */
  list(path: string, options: ListOptions): Promise<Listing>;
  /** Lines that match, best first. */
  search(options: SearchOptions): Promise<SearchResult>;
  /** A unified diff between two texts of one file; says so in words where it would be too large to make. */
  diff(path: string, before: string, after: string): Promise<string>;
  /**
   * Writes a whole file, atomically and durably, making missing folders; what was there before is kept for undo.
   * `expected` is an `identity`: when the file no longer has it, throws `stale` and changes nothing.
   */
  write(path: string, bytes: Uint8Array, expected: Json): Promise<Change>;
  /** Removes a file (not a folder), keeping it for undo. `expected` as for `write`. */
  remove(path: string, expected: Json): Promise<Change>;
}

declare module '../../core/tool.ts' {
  interface Ports {
    files: FilesPort;
  }
}
