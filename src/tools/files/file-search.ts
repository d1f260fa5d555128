import { z } from 'zod';

import type { FileFacts } from '../../adapters/files/port.ts';
import { fitting } from '../../core/fitting.ts';
import { fileTarget, globTarget, withReal } from '../../core/paths.ts';
import { defineTool } from '../../core/tool.ts';

const MAX_FILES = 1000;
/** Room for the paths, as JSON, in bytes. */
const ROOM = 7000;

export default defineTool({
  name: 'file-search',
  title: 'Find files',
  description: 'Find files by path: kubernetes/**/*.yaml. Leaves out what .gitignore names.',
  keywords: ['find', 'glob', 'list', 'names'],
  effect: 'read',
  needs: ['files'],
  input: z.strictObject({ glob: z.string() }),
  output: z.strictObject({
    paths: z.array(z.string()),
    /** What is not shown, and why. */
    note: z.string().optional(),
  }),

  targets: ({ glob }) => [globTarget(glob)],

  async plan({ glob }, { files }) {
    const target = globTarget(glob);
    const folder = target.path ?? '.';
    const { real } = await files.look(folder);
    return {
      effect: 'read' as const,
      targets: withReal(target, real),
      preconditions: [],
      steps: [],
      preview: { summary: `find ${glob}` },
      data: { glob: target.kind === 'file' ? null : glob, folder, real },
    };
  },

  async run({ data: { glob, folder, real } }, { files, permits, signal }) {
    const seen = (file: FileFacts) => [file.path, file.real].every((one) => permits(fileTarget(one, 'read')));
    const found = await files.look(folder, { real });
    if (glob === null) return { paths: found.type === 'file' && seen(found) ? [folder] : [] };
    if (found.type !== 'folder') return { paths: [], note: `There is no folder ${folder}.` };
    const { entries, hidden, refused, cut } = await files.list(found, {
      recursive: true,
      glob,
      permits: seen,
      limit: MAX_FILES,
      signal,
    });
    const all = entries.map(({ path }) => path);
    const paths = fitting(all, ROOM);
    const notes = [
      paths.length < all.length || cut
        ? `${cut ? 'More' : all.length - paths.length} files not shown: use a narrower glob.`
        : '',
      hidden > 0 ? `${hidden} not allowed by policy.` : '',
      refused.length > 0
        ? `${refused.length} that cannot be opened (links out of the workspace, hard links, odd names).`
        : '',
    ].filter(Boolean);
    return { paths, ...(notes.length > 0 && { note: notes.join(' ') }) };
  },

  render: ({ paths, note }) => [...(paths.length > 0 ? paths : ['No file found.']), ...(note ? [note] : [])].join('\n'),
});
