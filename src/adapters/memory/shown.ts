import { fitting } from '../../core/fitting.ts';
import type { EditRecord } from './edits.ts';
import type { MemoryFacts, MemoryHit } from './port.ts';

/** What a result says of a memory, besides its text. */
export interface ListedMemory {
  name: string;
  type: MemoryFacts['type'];
  bytes: number;
  title?: string | undefined;
  agent?: string | undefined;
  created?: string | undefined;
  updated?: string | undefined;
  links?: string[] | undefined;
  tags?: string[] | undefined;
  snippet?: string | undefined;
}

export type ListedEdit = EditRecord & { type: 'edit' };

export function listedOf(memory: MemoryFacts | MemoryHit): ListedMemory {
  const { name, type, bytes, agent, created, updated, links, tags, title } = memory;
  return {
    name,
    type,
    bytes,
    ...(title !== '' && { title }),
    ...(agent !== undefined && { agent }),
    ...(created !== undefined && { created }),
    ...(updated !== undefined && { updated }),
    ...(links.length > 0 && { links }),
    ...(tags.length > 0 && { tags }),
    ...('snippet' in memory && memory.snippet !== '' && { snippet: memory.snippet }),
  };
}

export function editOf({ path, did, bytes, tool, agent, person, at, call, undo }: EditRecord): ListedEdit {
  return { type: 'edit' as const, path, did, bytes, tool, agent, person, at, call, undo };
}

/** As many of the first as there is room for. */
export function fitted<T>(values: readonly T[], room: number): T[] {
  return values.slice(
    0,
    fitting(
      values.map((value) => JSON.stringify(value)),
      room,
    ).length,
  );
}

interface Remembered {
  memory?:
    | (ListedMemory & { text: string; missing?: string[] | undefined; linkedFrom?: string[] | undefined })
    | undefined;
  memories?: ListedMemory[] | undefined;
  edits?: ListedEdit[] | undefined;
  note?: string | undefined;
}

/** A result of read-memory as text. */
export function remembered({ memory, memories = [], edits = [], note }: Remembered): string {
  const lines = memory
    ? [
        `${memory.name}: ${about(memory)}`,
        ...(memory.missing ? [`Links to nothing: ${memory.missing.join(', ')}`] : []),
        ...(memory.linkedFrom ? [`Linked from: ${memory.linkedFrom.join(', ')}`] : []),
        '',
        memory.text,
      ]
    : [
        ...memories.map((each) => `${each.name}: ${about(each)}${each.snippet ? `\n  ${each.snippet}` : ''}`),
        ...edits.map(
          ({ at, agent, did, path, bytes, tool, undo }) =>
            `edit ${at}: ${agent} ${did} ${path} (${bytes} bytes, ${tool}, ${undo})`,
        ),
        ...(memories.length + edits.length === 0 ? ['Nothing is remembered of that.'] : []),
      ];
  return [...lines, ...(note ? [note] : [])].join('\n');
}

function about({ type, bytes, agent, updated, links = [] }: ListedMemory): string {
  const parts = [type, `${bytes} bytes`, updated, agent && `by ${agent}`, links.length > 0 && `→ ${links.join(', ')}`];
  return parts.filter(Boolean).join(', ');
}
