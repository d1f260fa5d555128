import type { Effect } from './effect.ts';
import { HoldpointError } from './errors.ts';
import type { Target } from './target.ts';

const MAX_PATH = 4096;
const MAX_NAME = 255;

/** Control, format and other characters that no reader sees: a name with one looks like another name. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Default_Ignorable_Code_Point}]/u;
/** `.`, `/`, `\`, NUL and `%` itself, percent-encoded, and the lead bytes of their overlong forms. */
const ENCODED = /%(?:00|25|2e|2f|5c|c0|c1)/i;
/** Some systems drop these from a name's end, so that two spellings reach one file. */
const EDGES = /^\p{Zs}|[\p{Zs}.]$/u;

/**
 * What an agent wrote as a path, as the path from the workspace: POSIX separators, NFC, no `.`, `..` or empty parts; the
 * workspace itself is `.`. Purely lexical; links are the files adapter's to resolve.
 *
 * @throws HoldpointError `denied` where the path leaves the workspace or could mean different files to different readers
 *   (control or invisible characters, backslashes, encoded or look-alike separators, names that begin or end with a space
 *   or end with a dot: THREATS.md, Paths).
 */
export function workspacePath(written: string): string {
  const refuse = (why: string) =>
    new HoldpointError('denied', `The path ${JSON.stringify(written.slice(0, 200))} ${why}.`, {
      rule: 'paths',
      hint: 'Use a path relative to the workspace, with / between names, such as "kubernetes/deployment.yaml".',
    });
  if (written.length > MAX_PATH) throw refuse(`is longer than ${MAX_PATH} characters`);
  if (INVISIBLE.test(written)) throw refuse('has control or invisible characters');
  if (written.includes('\\')) throw refuse('has a backslash');
  if (ENCODED.test(written)) throw refuse('has an encoded separator or dot');
  if (written.startsWith('/') || written.startsWith('~')) throw refuse('is not relative to the workspace');
  const parts: string[] = [];
  for (const part of written.normalize('NFC').split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..') {
      if (parts.pop() === undefined) throw refuse('leaves the workspace');
      continue;
    }
    // NFKC shows what compatibility characters stand for: a full-width slash, a two-dot leader.
    const plain = part.normalize('NFKC');
    if (/[/\\]/.test(plain)) throw refuse('has a character that looks like a separator');
    if (EDGES.test(part) || EDGES.test(plain))
      throw refuse('has a name that begins or ends with a space, or ends with a dot');
    if (Buffer.byteLength(part) > MAX_NAME) throw refuse(`has a name longer than ${MAX_NAME} bytes`);
    parts.push(part);
  }
  // What `..` took away may have stood before a name such as `~`.
  if (parts[0]?.startsWith('~')) throw refuse('is not relative to the workspace');
  return parts.join('/') || '.';
}

/** A file as a target. `path` is a workspacePath. */
export function fileTarget(path: string, effect: Effect): Target {
  return { kind: 'file', id: path, effect, path };
}

/** A folder whose names are read. `path` is a workspacePath. */
export function folderTarget(path: string): Target {
  return { kind: 'folder', id: path, effect: 'read', path };
}

/** The target for `path` and, where a link on the way leads elsewhere, the one for where it leads, so that policy decides on both. */
export function withReal(target: Target, real: string): Target[] {
  return real === target.path ? [target] : [target, { ...target, id: real, path: real }];
}

/**
 * What a search glob touches: the file itself where the glob has no wildcard, else the folder that its fixed names lead to
 * (`kubernetes/**` reads `kubernetes`, `**` the workspace).
 *
 * @throws HoldpointError `denied` as workspacePath does.
 */
export function globTarget(glob: string): Target {
  const parts = glob.split('/');
  const wild = parts.findIndex((part) => /[*?[\]{}]/.test(part));
  if (wild === -1) return fileTarget(workspacePath(glob), 'read');
  // The names after the wildcard are checked as well: `**/../..` must not pass.
  if (parts.slice(wild).some((part) => part === '..' || part === '.')) workspacePath('..');
  return folderTarget(workspacePath(parts.slice(0, wild).join('/')));
}

/**
 * What is known of a path to be viewed before looking: a name with an extension is taken for a file's; one without may be
 * either and is decided as a folder, of which only names are read. The plan, which has looked, says what it is.
 */
export function viewTarget(written: string): Target {
  const path = workspacePath(written);
  const name = path.split('/').at(-1) ?? '.';
  return /.\.[^.]+$/.test(name) && !written.endsWith('/') ? fileTarget(path, 'read') : folderTarget(path);
}
