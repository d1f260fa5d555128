import { findNodeAtLocation, parseTree } from 'jsonc-parser';
import type { Node } from 'jsonc-parser';

import type { Json } from '../core/json.ts';
import type { JsonText } from './json-text.ts';

/** The file's own indentation and line ends. */
interface Style {
  unit: string;
  eol: string;
}

/**
 * The text with a value put at a path; objects on the way there are made. Everything else keeps its bytes: the parser's own
 * `modify` would lay out the neighbours anew and take over their comments.
 */
export function setAt(json: JsonText, path: readonly string[], value: Json): JsonText {
  const root = rootOf(json);
  const found = findNodeAtLocation(root, [...path]);
  const style = styleOf(json.text);
  if (found !== undefined) {
    const shown = layout(value, indentAt(json.text, (found.parent ?? found).offset), style);
    return { ...json, text: replaced(json.text, found.offset, found.offset + found.length, shown) };
  }
  let depth = path.length - 1;
  while (depth > 0 && findNodeAtLocation(root, path.slice(0, depth)) === undefined) depth -= 1;
  const holder = findNodeAtLocation(root, path.slice(0, depth)) ?? root;
  const nested = path.slice(depth + 1).reduceRight<Json>((inner, key) => ({ [key]: inner }), value);
  const child = (indent: string) => `${JSON.stringify(path[depth])}: ${layout(nested, indent, style)}`;
  return { ...json, text: inserted(json.text, holder, child, 'end', style) };
}

/** The text with a value put at the start or the end of a list. */
export function insertAt(json: JsonText, path: readonly string[], where: 'start' | 'end', value: Json): JsonText {
  const list = findNodeAtLocation(rootOf(json), [...path]);
  if (list?.type !== 'array') return setAt(json, path, [value]);
  const style = styleOf(json.text);
  return { ...json, text: inserted(json.text, list, (indent) => layout(value, indent, style), where, style) };
}

function inserted(
  text: string,
  holder: Node,
  child: (indent: string) => string,
  where: 'start' | 'end',
  { unit, eol }: Style,
): string {
  const close = holder.offset + holder.length - 1;
  const base = indentAt(text, holder.parent?.type === 'property' ? holder.parent.offset : holder.offset);
  const children = holder.children ?? [];
  const [first] = children;
  const last = children.at(-1);
  const ownLine = first !== undefined && /^[ \t]*$/.test(text.slice(lineStart(text, first.offset), first.offset));
  const indent = first !== undefined && ownLine ? indentAt(text, first.offset) : base + unit;
  const flat = last !== undefined && holder.type === 'array' && !text.slice(holder.offset, close).includes('\n');
  const lead = eol + indent;

  if (first === undefined || last === undefined) {
    const inside = text.slice(holder.offset + 1, close);
    if (inside.trim() === '') return replaced(text, holder.offset + 1, close, lead + child(indent) + eol + base);
    return replaced(
      text,
      holder.offset + 1,
      holder.offset + 1,
      `${lead}${child(indent)}${inside.includes('\n') ? '' : lead}`,
    );
  }
  if (where === 'start') {
    const gap = ownLine ? '' : lead;
    return replaced(
      text,
      holder.offset + 1,
      ownLine ? holder.offset + 1 : first.offset,
      `${lead}${child(indent)},${gap}`,
    );
  }
  const { comma, lineEnd } = after(text, last.offset + last.length);
  if (flat && comma === undefined)
    return replaced(text, last.offset + last.length, last.offset + last.length, `, ${child(indent)}`);
  // A comment behind the last child stays on its line; ours comes below it.
  const at = lineEnd ?? comma ?? last.offset + last.length;
  const ending = lineEnd === undefined ? eol + base : '';
  const to = lineEnd === undefined && text.slice(at, close).trim() === '' ? close : at;
  const grown = replaced(text, at, to, `${lead}${child(indent)}${comma === undefined ? '' : ','}${ending}`);
  return comma === undefined ? replaced(grown, last.offset + last.length, last.offset + last.length, ',') : grown;
}

/** What follows a child: the end of a comma, and the end of the line where nothing but comments stand on the rest of it. */
function after(text: string, offset: number): { comma?: number; lineEnd?: number } {
  const found: { comma?: number; lineEnd?: number } = {};
  const token = /[ \t]+|(\r?\n)|\/\/[^\r\n]*|\/\*[\s\S]*?\*\/|(,)/y;
  token.lastIndex = offset;
  for (let match = token.exec(text); match !== null; match = token.exec(text)) {
    const [, lineBreak, comma] = match;
    if (lineBreak !== undefined) found.lineEnd ??= match.index;
    // One on a later line: ours goes right behind it.
    if (comma !== undefined)
      return found.lineEnd === undefined ? afterComma(text, match.index + 1) : { comma: match.index + 1 };
  }
  return found;
}

function afterComma(text: string, comma: number): { comma: number; lineEnd?: number } {
  const rest = /(?:[ \t]+|\/\/[^\r\n]*|\/\*[\s\S]*?\*\/)*(?=\r?\n)/y;
  rest.lastIndex = comma;
  const match = rest.exec(text);
  return match === null ? { comma } : { comma, lineEnd: match.index + match[0].length };
}

/** A value as a file of this style has it. */
function layout(value: Json, indent: string, { unit, eol }: Style): string {
  return JSON.stringify(value, null, unit).replaceAll('\n', eol + indent);
}

function styleOf(text: string): Style {
  const unit = /^([ \t]+)\S/m.exec(text)?.[1] ?? '  ';
  return { unit: unit.startsWith('\t') ? '\t' : unit, eol: text.includes('\r\n') ? '\r\n' : '\n' };
}

function rootOf({ text }: JsonText): Node {
  // It was found sound when it was read.
  return parseTree(text, [], { allowTrailingComma: true })!;
}

function lineStart(text: string, offset: number): number {
  return text.lastIndexOf('\n', offset - 1) + 1;
}

function indentAt(text: string, offset: number): string {
  return /^[ \t]*/.exec(text.slice(lineStart(text, offset), offset))?.[0] ?? '';
}

function replaced(text: string, from: number, to: number, by: string): string {
  return text.slice(0, from) + by + text.slice(to);
}
