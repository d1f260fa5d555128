import { z } from 'zod';

import { removalParts } from '../../adapters/files/port.ts';
import { memoryPath, serenaNames, serenasMemory, serenasName } from '../../adapters/memory/port.ts';
import { alias } from '../../core/alias.ts';
import { HoldpointError } from '../../core/errors.ts';
import { fileTarget, withReal } from '../../core/paths.ts';
import { defineTool } from '../../core/tool.ts';

export default defineTool({
  name: 'delete-memory',
  title: 'Delete a memory',
  description: 'Delete one memory. A person approves first; a copy is kept.',
  keywords: ['remove', 'forget', 'serena'],
  effect: 'destroy',
  needs: ['files', 'git', 'memory'],
  input: z.strictObject({ name: z.string() }),
  output: z.strictObject({
    name: z.string(),
    bytes: z.int(),
    /** Id for `holdpoint files restore`. */
    undo: z.string(),
    /** Memories that link to it still. */
    linkedFrom: z.array(z.string()).optional(),
  }),
  aliases: serenaNames({
    delete_memory: alias(z.strictObject(serenasName), (given) => ({ name: serenasMemory(given) })),
  }),

  targets: ({ name }) => [fileTarget(memoryPath(name), 'destroy')],

  async plan({ name }, { files }) {
    const path = memoryPath(name);
    const file = await files.look(path);
    if (file.type !== 'file')
      throw new HoldpointError('not_found', `There is no memory ${name}.`, {
        hint: 'Nothing was deleted. read-memory without a name lists what there is.',
      });
    const identity = await files.identity(file);
    return {
      effect: 'destroy' as const,
      targets: withReal(fileTarget(path, 'destroy'), file.real),
      preconditions: [{ id: `file:${path}`, says: `the content of ${path}`, value: identity }],
      steps: [{ id: 'remove', does: `remove ${file.real}`, call: { remove: file.real } }],
      preview: { summary: `delete the memory ${name} (${file.size} bytes)`, text: `${path}  ${file.size} bytes` },
      data: { name, path, identity },
    };
  },

  preview: ({ data: { path } }, context) => removalParts([path], context),

  async run({ data: { name, path, identity } }, context) {
    const { files, memory, stepDone } = context;
    const file = await files.expect(path, identity);
    const { undo, before } = await files.remove(file);
    stepDone('remove', { path, undo, before });
    const { memories } = await memory.list(context);
    const linkedFrom = memories.filter(({ links }) => links.includes(name)).map((each) => each.name);
    return { name, bytes: before, undo, ...(linkedFrom.length > 0 && { linkedFrom: linkedFrom.slice(0, 50) }) };
  },

  render: ({ name, bytes, undo, linkedFrom = [] }) =>
    `deleted ${name}: ${bytes} bytes (undo: ${undo})${linkedFrom.length > 0 ? `\nStill linked from: ${linkedFrom.join(', ')}` : ''}`,
});
