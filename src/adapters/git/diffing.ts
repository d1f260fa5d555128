import { HoldpointError } from '../../core/errors.ts';
import { fileTarget, workspacePath } from '../../core/paths.ts';
import { exactPathspec } from '../../core/process-paths.ts';
import type { Context } from './port.ts';
import { counted, plainLine, plainText } from './text.ts';
import type { Looking } from './wanted.ts';

const SHOWN = 20;
const MAX_FILES = 200;
/** Characters of a patch in a result. */
const PATCH = 5500;

export interface Diff {
  text: string;
  /** Changed files whose content is not shown. */
  hidden?: string[];
  /** What else was left out, and how to get it. */
  more?: string;
}

/** The patch of the changed files that may be read, masked and then cut; the others by name alone. */
export async function runDiff(
  { range, paths }: Pick<Extract<Looking, { action: 'diff' }>, 'range' | 'paths'>,
  call: Context,
): Promise<Diff> {
  const changed = await call.git.changedPaths(range, paths, call);
  // Against the working tree git reads the files themselves: what they are is asked of the workspace first.
  const onDisk = !range.includes('..');
  const [shown, hidden]: [string[], string[]] = [[], []];
  for (const path of changed) {
    if (shown.length > MAX_FILES) break;
    const visible = isPermitted(path, call) && (!onDisk || (await isPlain(path, call)));
    (visible ? shown : hidden).push(path);
  }
  const files = shown.slice(0, MAX_FILES);
  const { text, cut, left } = await patchOf(range, files, PATCH, call);
  const more = [
    ...(cut ? [left > 0 ? `${left} characters more` : 'more'] : []),
    ...(shown.length > files.length ? [`files after the first ${MAX_FILES}`] : []),
    ...(hidden.length > SHOWN ? [counted(hidden.length - SHOWN, 'hidden file')] : []),
  ];
  return {
    text,
    ...(hidden.length > 0 ? { hidden: hidden.slice(0, SHOWN).map((path) => plainLine(path, 200)) } : {}),
    ...(more.length > 0 ? { more: `left out: ${more.join(', ')}. Name fewer files with paths.` } : {}),
  };
}

/** A patch of exactly these files, at most `max` characters of it, cut at the end of a line. */
export async function patchOf(
  range: string,
  files: readonly string[],
  max: number,
  call: Context,
): Promise<{ text: string; cut: boolean; left: number }> {
  const patch = await call.git.patch(range, files, call);
  const masked = plainText(call.redact(patch.text));
  if (masked.length <= max) return { text: masked.trimEnd(), cut: patch.cut, left: 0 };
  const text = masked.slice(0, masked.lastIndexOf('\n', max) + 1 || max);
  return { text: text.trimEnd(), cut: true, left: patch.cut ? 0 : masked.length - text.length };
}

/** Whether a path of the repository may be read, and git can be held to it alone. */
function isPermitted(path: string, call: Context): boolean {
  try {
    exactPathspec(path);
    return call.permits(fileTarget(workspacePath(path), 'read'));
  } catch {
    return false;
  }
}

/** Whether a path is a file of the workspace, reached by its own name alone, or gone. */
async function isPlain(path: string, call: Context): Promise<boolean> {
  try {
    const { real, type } = await call.files.look(path);
    return real === path && type !== 'folder';
  } catch (error) {
    if (error instanceof HoldpointError && error.code === 'not_found') return true;
    if (error instanceof HoldpointError && error.code === 'denied') return false;
    throw error;
  }
}
