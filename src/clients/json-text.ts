import { findNodeAtLocation, getNodeValue, parseTree, printParseErrorCode } from 'jsonc-parser';
import type { Node, ParseError } from 'jsonc-parser';

import { HoldpointError } from '../core/errors.ts';
import type { Json } from '../core/json.ts';

/** A settings file's text that was read and found sound: an object, comments and trailing commas allowed. */
export interface JsonText {
  readonly text: string;
  /** For messages. */
  readonly file: string;
}

/**
 * Reads a settings file's text; nothing at all counts as an empty object.
 *
 * @throws HoldpointError `conflict` for what is no JSON object, or names a key twice on the way to one of `paths`: which of
 *   the two a client takes, nobody knows.
 */
export function readJson(text: string, file: string, paths: readonly (readonly string[])[] = []): JsonText {
  const bare = text.replace(/^\uFEFF/, '');
  const read = { text: bare.trim() === '' ? '{}\n' : bare, file };
  const errors: ParseError[] = [];
  const root = parseTree(read.text, errors, { allowTrailingComma: true });
  const [first] = errors;
  if (first !== undefined)
    throw unusable(
      file,
      `is no valid JSON: ${printParseErrorCode(first.error)} at line ${lineOf(read.text, first.offset)}`,
    );
  if (root?.type !== 'object') throw unusable(file, 'holds no JSON object');
  for (const path of paths) checkPath(root, path, file);
  return read;
}

export function valueAt({ text }: JsonText, path: readonly string[]): Json | undefined {
  const root = parseTree(text, [], { allowTrailingComma: true });
  const node = root && findNodeAtLocation(root, [...path]);
  // The parser's objects have no prototype, by which they would differ from ours.
  return node === undefined ? undefined : (JSON.parse(JSON.stringify(getNodeValue(node))) as Json);
}

function checkPath(root: Node, path: readonly string[], file: string): void {
  let node: Node | undefined = root;
  for (const [depth, key] of path.entries()) {
    if (node === undefined) return;
    const where = path.slice(0, depth).join('.');
    if (node.type !== 'object') throw unusable(file, `has a "${where}" that is no object`);
    const named: Node[] = (node.children ?? []).filter((each) => each.children?.[0]?.value === key);
    if (named.length > 1) throw unusable(file, `has the key "${[...path.slice(0, depth), key].join('.')}" twice`);
    node = named[0]?.children?.[1];
  }
}

function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

function unusable(file: string, why: string): HoldpointError {
  return new HoldpointError('conflict', `${file} ${why}. It was not touched.`, {
    hint: 'Mend the file, or give another with --file; --print shows what belongs in it.',
  });
}
