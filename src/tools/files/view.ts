import { z } from 'zod';

import type { FileFacts } from '../../adapters/files/port.ts';
import { HoldpointError } from '../../core/errors.ts';
import { fitting } from '../../core/fitting.ts';
import { fileTarget, folderTarget, viewTarget, withReal, workspacePath } from '../../core/paths.ts';
import { defineTool } from '../../core/tool.ts';

/** Only so much of a file is looked at, in bytes. */
const MAX_FILE = 4_194_304;
/** Room for the text of a result, as JSON, in bytes. */
const ROOM = 7000;
/** Of one line, in characters: also with every one escaped it fits. */
const MAX_LINE = 1000;
const MAX_ENTRIES = 2000;

export default defineTool({
  name: 'view',
  title: 'View a file or folder',
  description: 'Read lines of a file, or list a folder.',
  keywords: ['read', 'cat', 'open', 'ls', 'directory'],
  effect: 'read',
  needs: ['files'],
  input: z.strictObject({ path: z.string(), startLine: z.int().min(1).optional(), endLine: z.int().min(1).optional() }),
  output: z.strictObject({
    path: z.string(),
    /** Of a file: which lines, of how many, and their text. */
    lines: z.string().optional(),
    total: z.int().optional(),
    text: z.string().optional(),
    /** Of a folder: names with sizes in bytes; those of folders end in a slash. */
    entries: z.array(z.string()).optional(),
    /** What is not shown, why, and how to go on. */
    note: z.string().optional(),
  }),

  targets: ({ path }) => [viewTarget(path)],

  async plan({ path: written, startLine, endLine }, { files }) {
    const path = workspacePath(written);
    if (startLine !== undefined && endLine !== undefined && endLine < startLine)
      throw new HoldpointError('invalid_input', 'endLine is before startLine.', {
        hint: 'Give the first and the last line, counted from 1.',
      });
    // What is missing is a file like any other here, so that policy speaks before anybody learns whether it is there.
    const { real, type } = await files.look(path);
    const target = type === 'folder' ? folderTarget(path) : fileTarget(path, 'read');
    return {
      effect: 'read' as const,
      targets: withReal(target, real),
      preconditions: [],
      steps: [],
      preview: { summary: `view ${path}` },
      data: { path, real, type, from: startLine ?? 1, to: endLine ?? null },
    };
  },

  async run({ data: { path, real, type, from, to } }, { files, permits, redact, signal }) {
    const found = await files.look(path, { real });
    if (type === 'folder') {
      const seen = ({ path: entry, real: leadsTo, type: kind }: FileFacts) =>
        [entry, leadsTo].every((one) => permits(kind === 'folder' ? folderTarget(one) : fileTarget(one, 'read')));
      const listing = await files.list(found, { respectIgnore: false, permits: seen, limit: MAX_ENTRIES, signal });
      const names = listing.entries.map((entry) => nameOf(real, entry));
      const entries = fitting(names, ROOM);
      const notes = [
        entries.length < names.length || listing.cut
          ? `${listing.cut ? 'More' : names.length - entries.length} entries not shown: use file-search.`
          : '',
        listing.hidden > 0 ? `${listing.hidden} not allowed by policy.` : '',
        ...listing.refused.slice(0, 10).map(({ shown, why }) => `${shown}: ${why}`),
      ].filter(Boolean);
      return { path, entries, ...(notes.length > 0 && { note: notes.join(' ') }) };
    }
    const { bytes, size } = await files.read(found, { maxBytes: MAX_FILE });
    if (bytes.subarray(0, 8192).includes(0)) return { path, note: `Binary file of ${size} bytes, not shown.` };
    return { path, ...linesOf(redact(new TextDecoder().decode(bytes)), from, to, size > bytes.length) };
  },

  render: ({ path, lines, total, text, entries, note }) =>
    [entries ? `${path}/` : lines ? `${path} (lines ${lines} of ${total})` : path, ...(entries ?? []), text, note]
      .filter((part) => part !== undefined)
      .join('\n'),
});

/** The lines asked for, as many as fit, and what is missing. */
function linesOf(content: string, from: number, to: number | null, isLarger: boolean) {
  const all = content.split('\n');
  if (all.at(-1) === '') all.pop();
  if (from > Math.max(1, all.length))
    throw new HoldpointError(
      'invalid_input',
      `It has only ${all.length} lines${isLarger ? ' in its first 4 MiB, and no more is shown' : ''}.`,
      { hint: 'Start at an earlier line.' },
    );
  const wanted = all
    .slice(from - 1, to ?? undefined)
    .map((line) =>
      line.length > MAX_LINE ? `${line.slice(0, MAX_LINE)}… (${line.length - MAX_LINE} more characters)` : line,
    );
  const shown = fitting(wanted, ROOM);
  const last = from + shown.length - 1;
  const notes = [
    shown.length < wanted.length ? `Cut to fit: go on with startLine ${last + 1}.` : '',
    isLarger ? 'The file is larger than 4 MiB; lines are counted in its first 4 MiB.' : '',
  ].filter(Boolean);
  return {
    lines: `${shown.length > 0 ? from : 0}-${last}`,
    total: all.length,
    text: shown.join('\n'),
    ...(notes.length > 0 && { note: notes.join(' ') }),
  };
}

/** `docker/`, `Dockerfile 612` (bytes), `current 612 -> docker/Dockerfile` for a link. */
function nameOf(folder: string, { path, real, type, size }: FileFacts): string {
  const name = path.split('/').at(-1) ?? path;
  const link = real === (folder === '.' ? name : `${folder}/${name}`) ? '' : ` -> ${real}`;
  return (type === 'folder' ? `${name}/` : `${name} ${size}`) + link;
}
