import { z } from 'zod';

import type { FileFacts } from '../../adapters/files/port.ts';
import { HoldpointError } from '../../core/errors.ts';
import { fitting } from '../../core/fitting.ts';
import { fileTarget, globTarget, withReal } from '../../core/paths.ts';
import { defineTool } from '../../core/tool.ts';

const MAX_LINES = 60;
/** Room for the lines, as JSON, in bytes. */
const ROOM = 7000;

export default defineTool({
  name: 'codebase-retrieval',
  title: 'Search in files',
  description: 'Find lines by text, or by a regular expression written /…/ or /…/i. Best first.',
  keywords: ['grep', 'search', 'content', 'code'],
  effect: 'read',
  needs: ['files'],
  input: z.strictObject({ query: z.string(), glob: z.string().optional() }),
  output: z.strictObject({
    /** `path:line: text`. */
    lines: z.array(z.string()),
    /** Lines that matched, in how many files searched. */
    total: z.int(),
    files: z.int(),
    /** What was not searched or is not shown, and why. */
    note: z.string().optional(),
  }),

  targets: ({ glob }) => [glob === undefined ? globTarget('**') : globTarget(glob)],

  async plan({ query, glob }, { files }) {
    const target = globTarget(glob ?? '**');
    const path = target.path ?? '.';
    const { real } = await files.look(path);
    return {
      effect: 'read' as const,
      targets: withReal(target, real),
      preconditions: [],
      steps: [],
      preview: { summary: `search ${glob ?? 'the workspace'} for ${query.slice(0, 80)}` },
      data: { query, glob: target.kind === 'file' ? null : (glob ?? null), path, real },
    };
  },

  async run({ data: { query, glob, path, real } }, { files, permits, redact, signal }) {
    const place = await files.look(path, { real });
    if (place.type === 'missing')
      throw new HoldpointError('not_found', `${path} is not there.`, {
        hint: 'Search with a wider glob, or without one.',
      });
    const seen = (file: FileFacts) => [file.path, file.real].every((one) => permits(fileTarget(one, 'read')));
    const found = await files.search(place, {
      redact,
      query,
      ...(glob !== null && { glob }),
      permits: seen,
      limit: MAX_LINES,
      signal,
    });
    const lines = fitting(
      found.matches.map((match) => `${match.path}:${match.line}: ${match.text}`),
      ROOM,
    );
    const { policy, large, binary, refused } = found.skipped;
    const skipped = [
      [policy, 'not allowed by policy'],
      [large, 'larger than 4 MiB'],
      [binary, 'binary'],
      [refused, 'that cannot be opened'],
    ] as const;
    const notes = [
      !found.whole && found.total > 0 ? 'No line has all of the text; these have words of it.' : '',
      found.total > lines.length
        ? `${found.total - lines.length} more lines matched: narrow the query or the glob.`
        : '',
      found.cut ? 'The search stopped before the last file: narrow the glob.' : '',
      ...skipped.map(([count, why]) => (count > 0 ? `${count} files ${why}.` : '')),
    ].filter(Boolean);
    return { lines, total: found.total, files: found.files, ...(notes.length > 0 && { note: notes.join(' ') }) };
  },

  render: ({ lines, files, note }) =>
    [...(lines.length > 0 ? lines : [`No match in ${files} files.`]), ...(note ? [note] : [])].join('\n'),
});
