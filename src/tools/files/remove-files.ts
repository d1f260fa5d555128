import { z } from 'zod';

import { removalParts } from '../../adapters/files/port.ts';
import type { FileHandle, FileIdentity } from '../../adapters/files/port.ts';
import { HoldpointError } from '../../core/errors.ts';
import { fileTarget, withReal, workspacePath } from '../../core/paths.ts';
import { defineTool } from '../../core/tool.ts';

const MAX_PATHS = 100;

export default defineTool({
  name: 'remove-files',
  title: 'Remove files',
  description: 'Delete files, not folders. A person approves first; all are checked before any goes.',
  keywords: ['delete', 'rm', 'unlink'],
  effect: 'destroy',
  needs: ['files', 'git'],
  input: z.strictObject({ paths: z.array(z.string()).min(1).max(MAX_PATHS) }),
  output: z.strictObject({
    removed: z.array(
      z.strictObject({
        path: z.string(),
        bytes: z.int(),
        /** Id for `holdpoint files restore`. */
        undo: z.string(),
      }),
    ),
  }),

  targets: ({ paths }) => distinct(paths).map((path) => fileTarget(path, 'destroy')),

  async plan({ paths }, { files }) {
    const found: { file: FileHandle; identity: FileIdentity }[] = [];
    for (const path of distinct(paths)) {
      const file = await files.look(path);
      if (file.type === 'folder')
        throw new HoldpointError('invalid_input', `${path} is a folder; only files are removed.`, {
          hint: `List its files with file-search { "glob": "${path === '.' ? '' : `${path}/`}**" } and give their paths.`,
        });
      if (file.type === 'missing')
        throw new HoldpointError('not_found', `${path} is not there.`, {
          hint: 'Nothing was removed. Leave it out, or look for it with file-search.',
        });
      if (found.some((other) => other.file.real === file.real))
        throw new HoldpointError('invalid_input', `${path} is a file that another path names already.`, {
          hint: 'Name each file once, by its own path.',
        });
      found.push({ file, identity: await files.identity(file) });
    }
    const total = found.reduce((sum, { file }) => sum + file.size, 0);
    const first = found[0]?.file;
    return {
      effect: 'destroy' as const,
      targets: found.flatMap(({ file: { path, real } }) => withReal(fileTarget(path, 'destroy'), real)),
      preconditions: found.map(({ file: { path }, identity }) => ({
        id: `file:${path}`,
        says: `the content of ${path}`,
        value: identity,
      })),
      steps: found.map(({ file: { path, real } }) => ({ id: path, does: `remove ${real}`, call: { remove: real } })),
      preview: {
        summary:
          found.length === 1 && first
            ? `remove ${first.path} (${first.size} bytes)`
            : `remove ${found.length} files (${total} bytes)`,
        text: found
          .map(({ file: { path, real, size } }) => `${path}${real === path ? '' : ` -> ${real}`}  ${size} bytes`)
          .join('\n'),
      },
      data: { files: found.map(({ file: { path }, identity }) => ({ path, identity })) },
    };
  },

  preview: ({ data }, context) =>
    removalParts(
      data.files.map(({ path }) => path),
      context,
    ),

  async run({ data }, { files, stepDone }) {
    // All or nothing as far as can be: one that has changed keeps the others in place.
    const expected = [];
    for (const { path, identity } of data.files) expected.push(await files.expect(path, identity));
    const removed = [];
    for (const file of expected) {
      const { path } = file;
      const { undo, before } = await files.remove(file);
      stepDone(path, { removed: true, undo });
      removed.push({ path, bytes: before, undo });
    }
    return { removed };
  },

  render: ({ removed }) =>
    removed.map(({ path, bytes, undo }) => `removed ${path}: ${bytes} bytes (undo: ${undo})`).join('\n'),
});

function distinct(paths: readonly string[]): string[] {
  return [...new Set(paths.map(workspacePath))];
}
