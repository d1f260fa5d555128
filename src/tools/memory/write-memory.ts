import { z } from 'zod';

import { writeParts, type FileHandle, type FileIdentity } from '../../adapters/files/port.ts';
import {
  bothTargets,
  bytesOf,
  checkWrite,
  lookForWriting,
  MEMORY_TYPES,
  memoryPath,
  memoryText,
  movedTo,
  parseMemory,
  refuseAlike,
  serenaNames,
  serenasMemory,
  serenasName,
  written,
} from '../../adapters/memory/port.ts';
import type { MemoryWrite } from '../../adapters/memory/port.ts';
import { alias } from '../../core/alias.ts';
import { HoldpointError } from '../../core/errors.ts';
import { fileTarget, withReal } from '../../core/paths.ts';
import type { JsonObject } from '../../core/json.ts';
import { defineTool } from '../../core/tool.ts';

/** Found with find-tools; str-replace-editor edits a memory's file as well. */
const RARE = { unlisted: true };

const input = z.strictObject({
  name: z.string(),
  content: z.string().optional(),
  type: z.enum(MEMORY_TYPES).meta({ unlisted: 'values' }).optional(),
  oldText: z.string().meta(RARE).optional(),
  newText: z.string().meta(RARE).optional(),
  rename: z.string().meta(RARE).optional(),
  links: z.array(z.string()).max(100).meta(RARE).optional(),
  tags: z.array(z.string().max(60)).max(100).meta(RARE).optional(),
  /** Of oldText: that it is a regular expression; that every place is meant. */
  regex: z.boolean().meta(RARE).optional(),
  all: z.boolean().meta(RARE).optional(),
});

export default defineTool({
  name: 'write-memory',
  title: 'Write a memory',
  description: 'Keep a memory (Markdown). find-tools: edit, rename, links.',
  keywords: ['store', 'remember', 'decision', 'note', 'status', 'completion', 'knowledge', 'edit', 'rename', 'serena'],
  effect: 'write',
  needs: ['files', 'git', 'memory'],
  input,
  output: z.strictObject({
    name: z.string(),
    did: z.enum(['created', 'replaced', 'edited', 'renamed']),
    bytes: z.int(),
    /** Id for `holdpoint files restore`. */
    undo: z.string(),
    /** Links that lead to no memory; and memories that link to the name that is gone. */
    missing: z.array(z.string()).optional(),
    linkedFrom: z.array(z.string()).optional(),
  }),
  aliases: serenaNames({
    write_memory: alias(
      z.strictObject({
        ...serenasName,
        content: z.string(),
        max_chars: z.int().optional(),
        max_answer_chars: z.int().optional(),
      }),
      ({ content, max_chars: most = -1, ...given }) => {
        if (most >= 0 && content.length > most)
          throw new HoldpointError('invalid_input', `The content has more than max_chars (${most}) characters.`, {
            hint: 'Shorten it, or leave max_chars out.',
          });
        return { name: serenasMemory(given), content };
      },
    ),
    rename_memory: alias(z.strictObject({ old_name: z.string(), new_name: z.string() }), ({ old_name, new_name }) => ({
      name: serenasMemory({ memory_name: old_name }),
      rename: serenasMemory({ memory_name: new_name }),
    })),
    edit_memory: alias(
      z.strictObject({
        ...serenasName,
        needle: z.string(),
        repl: z.string(),
        mode: z.enum(['literal', 'regex']).default('literal'),
        allow_multiple_occurrences: z.boolean().default(false),
      }),
      ({ needle, repl, mode, allow_multiple_occurrences: all, ...given }) => ({
        name: serenasMemory(given),
        oldText: needle,
        newText: repl,
        ...(mode === 'regex' && { regex: true }),
        ...(all && { all }),
      }),
    ),
  }),

  // What is there is read as well: its front matter stays, and whether a piece occurs says something of it.
  targets: ({ name, rename }) => [
    ...bothTargets(memoryPath(name)),
    ...(rename === undefined ? [] : bothTargets(memoryPath(rename))),
  ],

  async plan(wanted, { files, permits, principal, signal }) {
    checkWrite(wanted);
    const { name, rename } = wanted;
    const path = memoryPath(name);
    const file = await lookForWriting(path, files, permits);
    const exists = file.type === 'file';
    if (!exists && wanted.content === undefined)
      throw new HoldpointError('not_found', `There is no memory ${name} to change.`, {
        hint: 'Give content to write it, or look for it with read-memory.',
      });
    const identity = await files.identity(file);
    const before = exists ? await memoryText(file, files) : undefined;
    const to = rename === undefined ? undefined : memoryPath(rename);
    if (!exists || to !== undefined) await refuseAlike(to ?? path, files, signal);
    const target = to === undefined ? file : await lookForWriting(to, files, permits);
    if (to !== undefined && target.type !== 'missing')
      throw new HoldpointError('conflict', `There is a memory ${rename ?? ''} already; nothing was renamed.`, {
        hint: 'Choose another name, or put both together and delete one.',
      });
    const targetIdentity = to === undefined ? null : await files.identity(target);
    const after = written(before, wanted, principal.agent);
    const bytes = bytesOf(after).length;
    const verb =
      to === undefined ? (exists ? (wanted.content === undefined ? 'edit' : 'replace') : 'create') : 'rename';
    const says = to === undefined ? `${verb} the memory ${name}` : `rename the memory ${name} to ${rename ?? ''}`;
    const known = (at: string, value: FileIdentity) => ({ id: `file:${at}`, says: `the content of ${at}`, value });
    return {
      effect: 'write' as const,
      targets: [...real(path, file), ...(to === undefined ? [] : real(to, target))],
      preconditions: [
        known(path, identity),
        ...(to !== undefined && targetIdentity ? [known(to, targetIdentity)] : []),
      ],
      steps: [
        { id: 'write', does: `write ${target.real}`, call: { write: target.real, bytes } },
        ...(to === undefined ? [] : [{ id: 'remove', does: `remove ${file.real}`, call: { remove: file.real } }]),
      ],
      preview: {
        summary: `${says} (${bytes} bytes)`,
        text: [path, file.real].every((one) => permits(fileTarget(one, 'read')))
          ? await files.diff(target, to === undefined ? (before ?? '') : '', after)
          : 'The content there is now is not shown: reading it is not allowed at once.',
      },
      data: { wanted: wanted as MemoryWrite & JsonObject, path, identity, to: to ?? null, targetIdentity, verb, after },
    };
  },

  preview: ({ data: { path, to, after, verb }, preview: { text = '' } }, context) =>
    writeParts(
      { path: to ?? path, content: after, diff: text, exists: verb === 'edit' || verb === 'replace' },
      context,
    ),

  async run({ data: { wanted, path, identity, to, targetIdentity, verb } }, context) {
    const { files, memory, principal, stepDone } = context;
    const file = await files.expect(path, identity);
    const before = file.type === 'file' ? await memoryText(file, files) : undefined;
    const text = written(before, wanted, principal.agent, new Date().toISOString());
    const bytes = bytesOf(text);
    const moved = to !== null && targetIdentity !== null;
    const change = moved
      ? await movedTo(await files.expect(to, targetIdentity), bytes, file, files)
      : await files.write(file, bytes);
    stepDone('write', { undo: change.undo, before: change.before, after: change.after });
    if (moved) stepDone('remove', {});
    const { memories } = await memory.list(context);
    const name = wanted.rename ?? wanted.name;
    const names = new Set(memories.map((each) => each.name));
    const missing = parseMemory(text).links.filter((link) => link !== name && !names.has(link));
    const linkedFrom = moved
      ? memories.filter(({ links }) => links.includes(wanted.name)).map((each) => each.name)
      : [];
    return {
      name,
      did: DONE[verb as keyof typeof DONE],
      bytes: change.after,
      undo: change.undo,
      ...(missing.length > 0 && { missing }),
      ...(linkedFrom.length > 0 && { linkedFrom: linkedFrom.slice(0, 50) }),
    };
  },

  render: ({ name, did, bytes, undo, missing = [], linkedFrom = [] }) =>
    [
      `${did} ${name}: ${bytes} bytes (undo: ${undo})`,
      ...(missing.length > 0 ? [`Links to nothing: ${missing.join(', ')}`] : []),
      ...(linkedFrom.length > 0 ? [`Still linked by the old name from: ${linkedFrom.join(', ')}`] : []),
    ].join('\n'),
});

const DONE = { create: 'created', replace: 'replaced', edit: 'edited', rename: 'renamed' } as const;

function real(path: string, file: FileHandle) {
  return bothTargets(path).flatMap((target) => withReal(target, file.real));
}
