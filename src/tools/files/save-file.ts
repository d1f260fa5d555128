import { z } from 'zod';

import { writeParts } from '../../adapters/files/port.ts';
import { HoldpointError } from '../../core/errors.ts';
import { fileTarget, withReal, workspacePath } from '../../core/paths.ts';
import { defineTool } from '../../core/tool.ts';

/** Bytes that are written at most, and that are compared for the preview. */
const MAX_BYTES = 1_048_576;

export default defineTool({
  name: 'save-file',
  title: 'Save a file',
  description: 'Create a file or replace all of it. For small edits use str-replace-editor.',
  keywords: ['write', 'create'],
  effect: 'write',
  needs: ['files', 'git'],
  input: z.strictObject({ path: z.string(), content: z.string() }),
  output: z.strictObject({
    path: z.string(),
    did: z.enum(['created', 'replaced']),
    bytes: z.int(),
    /** Id for `holdpoint files restore`. */
    undo: z.string(),
  }),

  targets: ({ path }) => [fileTarget(workspacePath(path), 'write')],

  async plan({ path: written, content }, { files, permits }) {
    const path = workspacePath(written);
    const bytes = new TextEncoder().encode(content).length;
    if (bytes > MAX_BYTES)
      throw new HoldpointError('invalid_input', `The content has ${bytes} bytes; at most ${MAX_BYTES} are written.`, {
        hint: 'Split it into several files.',
      });
    if (!content.isWellFormed())
      throw new HoldpointError(
        'invalid_input',
        'The content has half a character (a lone surrogate), which no file can hold.',
        { hint: 'Send well-formed Unicode.' },
      );
    const found = await files.look(path);
    const { real, type, size } = found;
    if (type === 'folder')
      throw new HoldpointError('invalid_input', `${path} is a folder.`, { hint: 'Name a file in it.' });
    // Before reading the content: if it changes in between, the check before the run sees another identity.
    const identity = await files.identity(found);
    const exists = type === 'file';
    const mayShow = [path, real].every((one) => permits(fileTarget(one, 'read')));
    const text = mayShow
      ? await files.diff(found, exists ? await textOf() : '', content)
      : `The content there is now is not shown: reading it is not allowed at once.`;
    return {
      effect: 'write' as const,
      targets: withReal(fileTarget(path, 'write'), real),
      preconditions: [{ id: `file:${path}`, says: `the content of ${path}`, value: identity }],
      steps: [{ id: 'write', does: `${exists ? 'replace' : 'create'} ${real}`, call: { write: real, bytes } }],
      preview: {
        summary: exists ? `replace ${path} (${size} → ${bytes} bytes)` : `create ${path} (${bytes} bytes)`,
        text,
      },
      data: { path, content, identity },
    };

    async function textOf(): Promise<string> {
      if (size > MAX_BYTES) return `(${size} bytes, too large to compare)\n`;
      const { bytes: old } = await files.read(found, { maxBytes: MAX_BYTES });
      return old.includes(0)
        ? `(${size} bytes of binary data)\n`
        : new TextDecoder('utf-8', { ignoreBOM: true }).decode(old);
    }
  },

  preview: ({ data: { path, content, identity }, preview: { text = '' } }, context) =>
    writeParts({ path, content, diff: text, exists: !('missing' in identity) }, context),

  async run({ data: { path, content, identity } }, { files, stepDone }) {
    const file = await files.expect(path, identity);
    const { undo, before, after } = await files.write(file, new TextEncoder().encode(content));
    const did = file.type === 'missing' ? ('created' as const) : ('replaced' as const);
    stepDone('write', { did, undo, before, after });
    return { path, did, bytes: after, undo };
  },

  render: ({ path, did, bytes, undo }) => `${did} ${path}: ${bytes} bytes (undo: ${undo})`,
});
