import { HoldpointError } from '../../core/errors.ts';
import { fileTarget } from '../../core/paths.ts';
import type { FileFacts, FileHandle } from '../files/port.ts';
import type { Edits } from './edits.ts';
import { parseMemory } from './front-matter.ts';
import { createFullText, type FullText } from './full-text.ts';
import { MEMORY_FOLDER, memoryName } from './names.ts';
import type { MemoryFacts, MemoryList, MemoryPort, MemoryReader } from './port.ts';

/** So many memories, and so many bytes of each, are looked at. */
const MAX_MEMORIES = 2000;
const MAX_BYTES = 262_144;
const MAX_TITLE = 200;
const ALL = 1_000_000;

interface Known {
  version: string;
  facts: MemoryFacts;
}

/** A file that has changed since it was last read, read again. */
interface Fresh extends Known {
  body: string;
}

/** The memories of the workspace that the reader's files port opens. What has not changed is not read again. */
export function createMemory(edits: Pick<Edits, 'list'>): MemoryPort {
  const known = new Map<string, Known>();
  let index: FullText | undefined;

  /** What is there now for this reader. With `indexed`, the index holds exactly that afterwards, until the next await. */
  async function refresh(reader: MemoryReader, indexed: boolean): Promise<MemoryList> {
    const { files, redact } = reader;
    const found = await filesOf(reader);
    const fresh = new Map<string, Fresh>();
    const memories: MemoryFacts[] = [];
    const others = [...found.others];
    for (const file of found.entries) {
      const name = memoryName(file.path);
      if (name === undefined) {
        others.push(file.path);
        continue;
      }
      const version = `${file.real} ${files.version(file) ?? ''}`;
      const before = known.get(name);
      if (before?.version === version && (!indexed || index?.version(name) === version)) {
        memories.push(before.facts);
        continue;
      }
      const text = await textOf(reader, file);
      if (text === undefined) continue;
      const { body, ...front } = parseMemory(text);
      const facts = { name, path: file.path, title: titleOf(body), bytes: file.size, ...front };
      fresh.set(name, { version, facts, body: redact(body) });
      memories.push(facts);
    }
    // No await from here on: readers with other permissions may be under way.
    for (const [name, { version, facts }] of fresh) known.set(name, { version, facts });
    if (indexed) {
      index ??= createFullText();
      index.keep(new Set(memories.map(({ name }) => name)));
      for (const [name, { version, facts, body }] of fresh) {
        const words = (text: string) => redact(text.replaceAll(/[-/]/g, ' '));
        index.set(
          { name, title: `${words(name)} ${redact(facts.title)}`, tags: words(facts.tags.join(' ')), body },
          version,
        );
      }
    }
    return { memories, others, hidden: found.hidden, cut: found.cut };
  }

  return {
    list: (reader) => refresh(reader, false),
    async search(reader, query) {
      const { memories } = await refresh(reader, true);
      const byName = new Map(memories.map((facts) => [facts.name, facts]));
      return (index?.search(query) ?? []).flatMap(({ name, snippet }) => {
        const facts = byName.get(name);
        return facts ? [{ ...facts, snippet }] : [];
      });
    },
    async edits({ permits }, { query, limit }) {
      const words = query?.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
      if (query !== undefined && words.length === 0) return [];
      const all = await edits.list(query === undefined ? Math.max(limit, 200) : ALL);
      const fits = ({ path, did, tool, agent }: (typeof all)[number]) => {
        const text = `${path} ${did} ${tool} ${agent} edit`.toLowerCase();
        return words.every((word) => text.includes(word));
      };
      return all.filter((edit) => fits(edit) && permits(fileTarget(edit.path, 'read'))).slice(0, limit);
    },
  };
}

async function filesOf({ files, permits, signal }: MemoryReader): Promise<{
  entries: FileHandle[];
  others: string[];
  hidden: number;
  cut: boolean;
}> {
  const folder = await files.look(MEMORY_FOLDER);
  if (folder.type !== 'folder') return { entries: [], others: [], hidden: 0, cut: false };
  const seen = (file: FileFacts) => [file.path, file.real].every((path) => permits(fileTarget(path, 'read')));
  const { entries, refused, hidden, cut } = await files.list(folder, {
    recursive: true,
    glob: `${MEMORY_FOLDER}/**/*.md`,
    respectIgnore: false,
    permits: seen,
    limit: MAX_MEMORIES,
    signal,
  });
  return { entries, others: refused.map(({ shown, why }) => `${shown} (${why})`), hidden, cut };
}

/** Nothing where the file went away, or became another, since it was listed. */
async function textOf({ files }: MemoryReader, file: FileHandle): Promise<string | undefined> {
  try {
    const { bytes } = await files.read(file, { maxBytes: MAX_BYTES });
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  } catch (error) {
    if (error instanceof HoldpointError && (error.code === 'stale' || error.code === 'not_found')) return undefined;
    throw error;
  }
}

function titleOf(body: string): string {
  return /^#{1,6}[ \t]+(\S[^\n]*)/m.exec(body)?.[1]?.trim().slice(0, MAX_TITLE) ?? '';
}
