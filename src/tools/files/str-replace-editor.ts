import { z } from 'zod';

import { writeParts } from '../../adapters/files/port.ts';
import { HoldpointError } from '../../core/errors.ts';
import { fileTarget, withReal, workspacePath } from '../../core/paths.ts';
import { defineTool } from '../../core/tool.ts';

const MAX_BYTES = 1_048_576;

export default defineTool({
  name: 'str-replace-editor',
  title: 'Edit a file',
  description: 'Replace one piece of a file. oldText must occur exactly once, white space included.',
  keywords: ['change', 'patch', 'modify'],
  effect: 'write',
  needs: ['files', 'git'],
  input: z.strictObject({ path: z.string(), oldText: z.string(), newText: z.string() }),
  output: z.strictObject({
    path: z.string(),
    /** Where the piece was, counted from 1. */
    line: z.int(),
    bytes: z.int(),
    /** Id for `holdpoint files restore`. */
    undo: z.string(),
  }),

  // Whether a piece occurs says something of the content, so an edit reads, too.
  targets: ({ path }) => bothTargets(workspacePath(path)),

  async plan({ path: written, oldText, newText }, { files, permits }) {
    const path = workspacePath(written);
    if (oldText === '')
      throw new HoldpointError('invalid_input', 'oldText is empty.', {
        hint: 'Give the piece to replace; save-file writes whole files.',
      });
    if (oldText === newText)
      throw new HoldpointError('invalid_input', 'oldText and newText are the same.', { hint: 'Nothing would change.' });
    if (!newText.isWellFormed())
      throw new HoldpointError(
        'invalid_input',
        'newText has half a character (a lone surrogate), which no file can hold.',
        { hint: 'Send well-formed Unicode.' },
      );
    const file = await files.look(path);
    const { real } = file;
    // What a link leads to is decided on after planning, and errors of planning must not tell what is in it.
    if (real !== path && !bothTargets(real).every(permits))
      throw new HoldpointError('denied', `${path} is a link to a file that is not allowed here at once.`, {
        rule: 'paths',
        hint: 'Name the file itself.',
      });
    const identity = await files.identity(file);
    const { bytes, size } = await files.read(file, { maxBytes: MAX_BYTES });
    if (size > MAX_BYTES)
      throw new HoldpointError('invalid_input', `${path} has ${size} bytes; at most ${MAX_BYTES} are edited.`, {
        hint: 'Edit a smaller file.',
      });
    const before = textOf(bytes, path);
    const at = before.indexOf(oldText);
    const mayShow = permits(fileTarget(path, 'read'));
    if (at === -1)
      throw new HoldpointError('invalid_input', `oldText does not occur in ${path}.`, {
        hint: mayShow ? nearest(before, oldText) : 'View the file first.',
      });
    const count = occurrences(before, oldText);
    if (count > 1)
      throw new HoldpointError('invalid_input', `oldText occurs ${count} times in ${path}; it must be the only one.`, {
        hint: `Add lines around it, so that it means one place. First: line ${lineAt(before, at)}.`,
      });
    const content = before.slice(0, at) + newText + before.slice(at + oldText.length);
    const line = lineAt(before, at);
    return {
      effect: 'write' as const,
      targets: bothTargets(path).flatMap((target) => withReal(target, real)),
      preconditions: [{ id: `file:${path}`, says: `the content of ${path}`, value: identity }],
      steps: [{ id: 'write', does: `edit ${real}`, call: { write: real, replace: oldText, by: newText } }],
      preview: { summary: `edit ${path} at line ${line}`, text: await files.diff(file, before, content) },
      data: { path, content, line, identity },
    };
  },

  preview: ({ data: { path, content }, preview: { text = '' } }, context) =>
    writeParts({ path, content, diff: text, exists: true }, context),

  async run({ data: { path, content, line, identity } }, { files, stepDone }) {
    const file = await files.expect(path, identity);
    const { undo, before, after } = await files.write(file, new TextEncoder().encode(content));
    stepDone('write', { undo, before, after });
    return { path, line, bytes: after, undo };
  },

  render: ({ path, line, bytes, undo }) => `edited ${path} at line ${line}: ${bytes} bytes (undo: ${undo})`,
});

function bothTargets(path: string) {
  return [fileTarget(path, 'write'), fileTarget(path, 'read')];
}

function textOf(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new HoldpointError(
      'invalid_input',
      `${path} is no UTF-8 text, and editing it would change other bytes as well.`,
      { hint: 'Replace it as a whole with save-file.', cause },
    );
  }
}

/** How often `piece` occurs, overlapping ones included: `aa` is twice in `aaa`. */
function occurrences(text: string, piece: string): number {
  let count = 0;
  for (let at = text.indexOf(piece); at !== -1; at = text.indexOf(piece, at + 1)) count++;
  return count;
}

function lineAt(text: string, index: number): number {
  return text.slice(0, index).split('\n').length;
}

/** Where the agent may have meant, for a piece that does not occur. */
function nearest(text: string, piece: string): string {
  if (text.includes('\r\n') && !piece.includes('\r') && text.replaceAll('\r\n', '\n').includes(piece))
    return 'The lines of this file end in \\r\\n: write oldText so, or replace one line at a time.';
  const squeezed = (line: string) => line.trim().replace(/\s+/g, ' ');
  const wanted = squeezed(piece.split('\n').find((line) => line.trim() !== '') ?? '');
  const words = new Set(wanted.split(/[^\p{L}\p{N}_]+/u).filter(Boolean));
  const score = (line: string) =>
    squeezed(line) === wanted ? Infinity : line.split(/[^\p{L}\p{N}_]+/u).filter((word) => words.has(word)).length;
  const lines = text.split('\n').map((line, index) => ({ line, number: index + 1, score: score(line) }));
  const best = lines.reduce((a, b) => (b.score > a.score ? b : a), { line: '', number: 0, score: 0 });
  if (best.score === 0) return 'No line is like it. View the file and copy the piece from it.';
  const why =
    best.score === Infinity
      ? 'Line %d differs only in white space, or the lines after it differ'
      : 'The nearest is line %d';
  return `${why.replace('%d', String(best.number))}: ${JSON.stringify(best.line.slice(0, 200))}. View it and copy the piece exactly.`;
}
