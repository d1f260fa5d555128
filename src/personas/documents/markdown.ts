import { fromMarkdown } from 'mdast-util-from-markdown';
import { gfmTableFromMarkdown } from 'mdast-util-gfm-table';
import { gfmTable } from 'micromark-extension-gfm-table';

import { unusable } from './unusable.ts';

/** The parser takes quadratic time for some texts; within these bounds none takes longer than a few seconds. */
export const MOST_BYTES = 131_072;
const MOST_NESTED = 16;
const MOST_INDENT = 100;

/** One thing that a document says: a heading, a list item, a table's row, a line of prose, or a block of code. */
export interface Entry {
  kind: 'heading' | 'item' | 'row' | 'text' | 'code';
  /** In the document, counted from 1; of code, its first line. */
  line: number;
  /** Without marks, list signs, emphasis and code ticks; of code, as it stands. */
  text: string;
  /** What stands in code ticks. */
  spans: string[];
  /** The headings above, outermost first. */
  path: string[];
  /** Of a heading its rank, of an item how deep its list is nested, from 1. */
  depth: number;
  /** Whether it is an item with a box to tick. */
  box: boolean;
  /** Of a row: its cells, with their code ticks. */
  cells: string[];
  /** Of code: the language named at its fence. */
  lang: string;
}

export interface Markdown {
  /** What stands between the lines `---` at the very beginning, and the line that it begins on. */
  frontMatter?: { text: string; line: number };
  entries: Entry[];
  lines: string[];
}

type Node = ReturnType<typeof fromMarkdown> | ReturnType<typeof fromMarkdown>['children'][number];

/**
 * A Markdown document as a flat list of what it says, each with its line and the headings above it. Marks such as ✅ are
 * left out wherever they lead, since they may be mis-encoded: headings, words and tables decide.
 *
 * @throws HoldpointError `invalid_input` for what is too long, too deeply nested, no text, or has front matter that never ends.
 */
export function readMarkdown(bytes: string, file: string): Markdown {
  const { lines } = readLines(bytes, file);
  const front = frontMatterOf(lines, file);
  // Its lines stay, empty, so that every line keeps its number.
  const body = front === undefined ? lines : [...lines.slice(0, front.end).map(() => ''), ...lines.slice(front.end)];
  const entries: Entry[] = [];
  const tree = fromMarkdown(body.join('\n'), { extensions: [gfmTable()], mdastExtensions: [gfmTableFromMarkdown()] });
  walk(tree, { lines: body, entries, path: [], depth: 0 });
  return {
    ...(front === undefined ? {} : { frontMatter: { text: lines.slice(1, front.end - 1).join('\n'), line: 2 } }),
    entries,
    lines,
  };
}

/** A document's lines, where it is a text of a size that is read. */
export function readLines(bytes: string, file: string): Markdown {
  const text = bytes.replace(/^\uFEFF/, '').replace(/\r\n?/g, '\n');
  const lines = text.split('\n');
  refuseHostile(text, lines, file);
  return { entries: [], lines };
}

/** A line that stands by itself, as an item under a heading. */
export function itemOf(text: string, line: number, heading: string): Entry {
  return { ...entryOf('item', line, text, [heading]), depth: 1 };
}

function refuseHostile(text: string, lines: readonly string[], file: string): void {
  const size = Buffer.byteLength(text);
  if (size > MOST_BYTES)
    throw unusable(file, undefined, `it has ${size} bytes; a persona document has at most ${MOST_BYTES}`);
  for (const [index, line] of lines.entries()) {
    // eslint-disable-next-line no-control-regex
    if (/[\0-\x08\x0B\x0C\x0E-\x1F\x7F]/.test(line))
      throw unusable(file, index + 1, 'it has control characters, which no text has');
    const lead = /^(?:[ \t]*(?:>|[-*+][ \t]|\d{1,9}[.)][ \t]))*[ \t]*/.exec(line)?.[0] ?? '';
    const markers = lead.match(/>|[-*+]|\d+[.)]/g)?.length ?? 0;
    const spaces = /^[ \t]*/.exec(line)?.[0].length ?? 0;
    if (markers > MOST_NESTED || (markers > 0 && spaces > MOST_INDENT))
      throw unusable(file, index + 1, `lists and quotations are nested more than ${MOST_NESTED} deep`);
  }
}

function frontMatterOf(lines: readonly string[], file: string): { end: number } | undefined {
  if (!/^---[ \t]*$/.test(lines[0] ?? '')) return undefined;
  const at = lines.findIndex((line, index) => index > 0 && /^(?:---|\.\.\.)[ \t]*$/.test(line));
  if (at > 0) return { end: at + 1 };
  if (/^[\w"'-]+[ \t]*:/.test(lines[1] ?? ''))
    throw unusable(file, 1, 'its front matter never ends; close it with a line ---');
  return undefined;
}

interface Walk {
  lines: readonly string[];
  entries: Entry[];
  path: string[];
  depth: number;
}

function walk(node: Node, at: Walk): void {
  const line = node.position?.start.line ?? 1;
  const end = node.position?.end.line ?? line;
  const add = (kind: Entry['kind'], where: number, raw: string, more: Partial<Entry> = {}) =>
    at.entries.push({ ...entryOf(kind, where, raw, at.path), depth: at.depth, ...more });
  const lineAt = (number: number) => at.lines[number - 1] ?? '';
  if (node.type === 'heading') {
    const raw = lineAt(line)
      .replace(/^[ \t>]*#{1,6}[ \t]+/, '')
      .replace(/[ \t]+#+[ \t]*$/, '');
    at.path.length = Math.min(at.path.length, node.depth - 1);
    while (at.path.length < node.depth - 1) at.path.push('');
    add('heading', line, raw, { depth: node.depth });
    at.path.push(plain(raw));
  } else if (node.type === 'paragraph') for (let each = line; each <= end; each++) add('text', each, lineAt(each));
  else if (node.type === 'listItem') {
    const [first, ...rest] = node.children;
    const last = first?.type === 'paragraph' ? (first.position?.end.line ?? line) : line;
    const raw = at.lines.slice(line - 1, last).join(' ');
    add('item', line, raw, { box: /^[\s>]*(?:[-*+]|\d+[.)])\s+\[[ xX]\]/.test(raw) });
    for (const child of first?.type === 'paragraph' ? rest : node.children) walk(child, at);
  } else if (node.type === 'table') {
    for (const row of node.children.slice(1)) {
      const cells = row.children.map((cell) => source(cell, at.lines));
      add('row', row.position?.start.line ?? line, cells.join(' | '), { cells });
    }
  } else if (node.type === 'code') {
    const fenced = /^[\s>]*(?:[-*+][ \t]+|\d+[.)][ \t]+)*(?:```|~~~)/.test(lineAt(line));
    add('code', fenced ? line + 1 : line, '', { text: node.value, lang: node.lang?.toLowerCase() ?? '' });
  } else if ('children' in node) {
    const below = node.type === 'list' ? { ...at, depth: at.depth + 1 } : at;
    for (const child of node.children) walk(child, below);
  }
}

function source(node: { position?: Node['position'] }, lines: readonly string[]): string {
  const { start, end } = node.position ?? {};
  if (start === undefined || end === undefined) return '';
  return (lines[start.line - 1] ?? '')
    .slice(start.column - 1, end.column - 1)
    .replace(/^[ \t]*\|/, '')
    .replace(/\|[ \t]*$/, '')
    .trim();
}

function entryOf(kind: Entry['kind'], line: number, raw: string, path: readonly string[]): Entry {
  const spans = [...raw.matchAll(/`([^`]{1,400})`/g)].map((match) => (match[1] ?? '').trim());
  return {
    kind,
    line,
    text: plain(raw),
    spans,
    path: [...path],
    depth: 0,
    box: false,
    cells: [],
    lang: '',
  };
}

/** A line's words: without list signs, boxes, emphasis, code ticks, and what leads it that has no letter of ASCII. */
export function plain(raw: string): string {
  return raw
    .trim()
    .replace(/^(?:>[ \t]?)+/, '')
    .replace(/^(?:[-*+]|\d{1,9}[.)])[ \t]+/, '')
    .replace(/^\[[ xX]\][ \t]+/, '')
    .replace(/\*\*|__|`/g, '')
    .replace(/^(?:[^\x20-\x7E\t]+[ \t]+)+/, '')
    .trim();
}
