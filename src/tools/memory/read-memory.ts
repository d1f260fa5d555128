import { z } from 'zod';

import {
  editOf,
  fitted,
  listedOf,
  MEMORY_FOLDER,
  MEMORY_TYPES,
  memoryFolder,
  memoryName,
  memoryPath,
  parseMemory,
  remembered,
  serenaNames,
  serenasMemory,
  serenasName,
} from '../../adapters/memory/port.ts';
import type { MemoryFacts, MemoryHit } from '../../adapters/memory/port.ts';
import { alias } from '../../core/alias.ts';
import { HoldpointError } from '../../core/errors.ts';
import { fitting } from '../../core/fitting.ts';
import { likely } from '../../core/nearest.ts';
import { fileTarget, folderTarget, withReal } from '../../core/paths.ts';
import { defineTool, type RunContext } from '../../core/tool.ts';

const MAX_FILE = 1_048_576;
/** Room for texts and lists in a result, as JSON, in bytes. */
const ROOM = 6000;
const MAX_LINE = 1000;
const MOST = 50;

const facts = {
  name: z.string(),
  type: z.enum(MEMORY_TYPES),
  bytes: z.int(),
  agent: z.string().optional(),
  created: z.string().optional(),
  updated: z.string().optional(),
  links: z.array(z.string()).optional(),
  tags: z.array(z.string()).optional(),
};

export default defineTool({
  name: 'read-memory',
  title: 'Read, search or list memory',
  description: "Team memory: one by name, search by query, or the list. Files' edits too.",
  keywords: ['recall', 'remember', 'decisions', 'knowledge', 'notes', 'edit', 'status', 'completion', 'serena'],
  effect: 'read',
  needs: ['files', 'memory'],
  input: z.strictObject({
    name: z.string().optional(),
    query: z.string().optional(),
    type: z.enum(MEMORY_TYPES).meta({ unlisted: 'values' }).optional(),
    limit: z.int().optional(),
  }),
  output: z.strictObject({
    memory: z
      .strictObject({
        ...facts,
        text: z.string(),
        /** Names that it links to and that are not there; and of those that link to it. */
        missing: z.array(z.string()).optional(),
        linkedFrom: z.array(z.string()).optional(),
      })
      .optional(),
    memories: z
      .array(z.strictObject({ ...facts, title: z.string().optional(), snippet: z.string().optional() }))
      .optional(),
    /** What file tools changed, recorded by itself; newest first. */
    edits: z
      .array(
        z.strictObject({
          type: z.literal('edit'),
          path: z.string(),
          did: z.enum(['created', 'changed', 'removed']),
          bytes: z.int(),
          tool: z.string(),
          agent: z.string(),
          person: z.string(),
          at: z.string(),
          call: z.string(),
          /** Id for `holdpoint files restore`. */
          undo: z.string(),
        }),
      )
      .optional(),
    /** What is not shown, and why. */
    note: z.string().optional(),
  }),
  aliases: serenaNames({
    read_memory: alias(z.strictObject({ ...serenasName, max_answer_chars: z.int().optional() }), (given) => ({
      name: serenasMemory(given),
    })),
    list_memories: alias(z.strictObject({ topic: z.string().optional() }), ({ topic = '' }) =>
      topic === '' ? {} : { name: `${serenasMemory({ memory_name: topic })}/` },
    ),
  }),

  targets: ({ name }) => [
    name === undefined
      ? folderTarget(MEMORY_FOLDER)
      : name.endsWith('/')
        ? folderTarget(memoryFolder(name))
        : fileTarget(memoryPath(name), 'read'),
  ],

  async plan({ name, query, type, limit = MOST }, { files }) {
    if (name !== undefined && !name.endsWith('/') && (query !== undefined || type !== undefined))
      throw new HoldpointError('invalid_input', 'A name says which memory; query and type are for searching them.', {
        hint: 'Give name alone, or leave it out; a name that ends in / is a folder of memories.',
      });
    if (limit < 1 || limit > MOST)
      throw new HoldpointError('invalid_input', `limit is ${limit}.`, { hint: `Give 1 to ${MOST}.` });
    if (query?.trim() === '')
      throw new HoldpointError('invalid_input', 'The query is empty.', {
        hint: 'Give words to look for, or leave it out for the list.',
      });
    const one = name === undefined || name.endsWith('/') ? null : memoryPath(name);
    const path = one ?? (name === undefined ? MEMORY_FOLDER : memoryFolder(name));
    const { real } = await files.look(path);
    const target = one === null ? folderTarget(path) : fileTarget(path, 'read');
    return {
      effect: 'read' as const,
      targets: withReal(target, real),
      preconditions: [],
      steps: [],
      preview: { summary: one === null ? 'look through the memories' : `read the memory ${name ?? ''}` },
      data: {
        one,
        path,
        real,
        begins: one === null ? (name ?? null) : null,
        query: query ?? null,
        type: type ?? null,
        limit,
      },
    };
  },

  async run({ data: { one, real, begins, query, type, limit } }, context) {
    if (one !== null) return theOne(one, real, context);
    const { memory } = context;
    const listed = query === null ? await memory.list(context) : undefined;
    const found: (MemoryFacts | MemoryHit)[] = listed?.memories ?? (await memory.search(context, query ?? ''));
    const fits = found.filter((each) => (type === null || each.type === type) && each.name.startsWith(begins ?? ''));
    const wanted = fits.slice(0, limit);
    const mayBeEdits = begins === null && (type === null || type === 'edit');
    const edits = mayBeEdits
      ? await memory.edits(context, {
          ...(query !== null && { query }),
          limit: type === 'edit' ? limit : Math.min(limit, 5),
        })
      : [];
    const editLines = fitted(edits.map(editOf), wanted.length > 0 ? ROOM / 3 : ROOM);
    const lines = fitted(wanted.map(listedOf), editLines.length > 0 ? (2 * ROOM) / 3 : ROOM);
    const notes = [
      lines.length < fits.length
        ? `${fits.length - lines.length} more memories: search with a query, or give a type.`
        : '',
      editLines.length > 0 && type !== 'edit' ? 'Earlier edits: type "edit".' : '',
      listed?.cut ? 'There are more files than are looked at.' : '',
      listed && listed.hidden > 0 ? `${listed.hidden} not allowed by policy.` : '',
      listed && listed.others.length > 0 ? `No names of memories: ${listed.others.slice(0, 5).join(', ')}.` : '',
      ...wanted.flatMap(({ name, problem }) =>
        problem === undefined ? [] : [`The front matter of ${name} cannot be read: ${problem.slice(0, 200)}.`],
      ),
    ].filter(Boolean);
    return {
      memories: lines,
      ...(editLines.length > 0 && { edits: editLines }),
      ...(notes.length > 0 && { note: notes.join(' ') }),
    };
  },

  render: remembered,
});

async function theOne(path: string, real: string, context: RunContext<'files' | 'memory'>) {
  const { files, memory, redact } = context;
  const name = memoryName(path) ?? path;
  const file = await files.look(path, { real });
  const { memories } = await memory.list(context);
  if (file.type !== 'file') {
    const near = likely(
      name,
      memories.map((each) => each.name),
    );
    throw new HoldpointError('not_found', `There is no memory ${name}.`, {
      hint: near.length > 0 ? `Did you mean ${near.join(' or ')}?` : 'Call read-memory without a name for the list.',
    });
  }
  const { bytes, size } = await files.read(file, { maxBytes: MAX_FILE });
  const { body, problem, ...front } = parseMemory(new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes));
  const lines = redact(body.replace(/^(?:\r?\n)+/, ''))
    .split('\n')
    .map((line) => (line.length > MAX_LINE ? `${line.slice(0, MAX_LINE)}…` : line));
  const shown = fitting(lines, ROOM);
  const names = new Set(memories.map((each) => each.name));
  const missing = front.links.filter((link) => !names.has(link));
  const linkedFrom = memories.filter(({ links }) => links.includes(name)).map((each) => each.name);
  const notes = [
    shown.length < lines.length || size > bytes.length ? `Cut to fit; the rest is in ${path}: view it by lines.` : '',
    problem === undefined ? '' : `Its front matter cannot be read: ${problem}.`,
  ].filter(Boolean);
  return {
    memory: {
      ...listedOf({ ...front, name, path, title: '', bytes: size }),
      text: shown.join('\n'),
      ...(missing.length > 0 && { missing }),
      ...(linkedFrom.length > 0 && { linkedFrom: linkedFrom.slice(0, MOST) }),
    },
    ...(notes.length > 0 && { note: notes.join(' ') }),
  };
}
