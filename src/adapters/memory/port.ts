import type { PlanContext } from '../../core/tool.ts';
import type { EditRecord } from './edits.ts';
import type { FrontMatter } from './front-matter.ts';

/** Who looks: what the policy lets them read is all there is for them. A tool's own context is one. */
export type MemoryReader = Pick<PlanContext<'files'>, 'files' | 'permits' | 'redact' | 'signal'>;

/** A memory without its text. */
export interface MemoryFacts extends FrontMatter {
  name: string;
  path: string;
  /** Its first heading; empty where it has none. */
  title: string;
  bytes: number;
}

export interface MemoryList {
  /** By name. */
  memories: MemoryFacts[];
  /** Files in the folder whose names can be no memory's, and those that cannot be opened. */
  others: string[];
  /** How many the policy keeps from this reader. */
  hidden: number;
  /** Whether there are more than are looked at. */
  cut: boolean;
}

export interface MemoryHit extends MemoryFacts {
  snippet: string;
}

/** The team's memories: Markdown files below docs/memory, and what is recorded of edits. Writing goes through the files port. */
export interface MemoryPort {
  list(reader: MemoryReader): Promise<MemoryList>;
  /** Those that have the query's words, best first; those with some of them where none has all. */
  search(reader: MemoryReader, query: string): Promise<MemoryHit[]>;
  /** Edits of files that the reader may read, newest first; those that have every word of the query. */
  edits(reader: MemoryReader, options: { query?: string; limit: number }): Promise<EditRecord[]>;
}

export { MEMORY_TYPES, parseMemory } from './front-matter.ts';
export { MEMORY_FOLDER, memoryFolder, memoryName, memoryPath } from './names.ts';
export type { EditRecord } from './edits.ts';
export { serenaNames, serenasMemory, serenasName } from './serena.ts';
export { editOf, fitted, listedOf, remembered } from './shown.ts';
export type { MemoryWrite } from './writing.ts';
export {
  bothTargets,
  bytesOf,
  checkWrite,
  lookForWriting,
  memoryText,
  movedTo,
  refuseAlike,
  written,
} from './writing.ts';

declare module '../../core/tool.ts' {
  interface Ports {
    memory: MemoryPort;
  }
}
