import { isAlias, isMap, isScalar, isSeq, LineCounter, parseAllDocuments } from 'yaml';
import type { Document, Node, Pair, Scalar } from 'yaml';

import type { Found } from './finding.ts';
import type { Line } from './shell.ts';

/** A value of a YAML file with its place in it. */
export interface YamlNode {
  /** Of an entry of a mapping the line of its key, else where the value begins; from 1. */
  line: number;
  value: string | number | boolean | null | readonly YamlNode[] | ReadonlyMap<string, YamlNode>;
  /** Of a scalar: as it was written, in its lines. */
  lines: readonly Line[];
  /** Nodes in it, itself included. */
  size: number;
}

export interface YamlFile {
  /** The documents that hold anything. */
  documents: YamlNode[];
  problems: Found[];
}

/** Nodes that aliases and merge keys may add to a file: without a bound, a few lines could stand for billions. */
const MAX_REPEATED = 20_000;
const MAX_PROBLEMS = 10;

/** The mapping, sequence or scalar at a path of keys. */
export function at(node: YamlNode | undefined, ...keys: readonly string[]): YamlNode | undefined {
  let found = node;
  for (const key of keys)
    found = found?.value instanceof Map ? (found.value.get(key) as YamlNode | undefined) : undefined;
  return found;
}

/** The entries of a mapping; none where it is something else. */
export function entries(node: YamlNode | undefined): [string, YamlNode][] {
  return node?.value instanceof Map ? [...(node.value as ReadonlyMap<string, YamlNode>)] : [];
}

/** The items of a sequence; none where it is something else. */
export function items(node: YamlNode | undefined): readonly YamlNode[] {
  return Array.isArray(node?.value) ? (node.value as readonly YamlNode[]) : [];
}

/** A scalar as text; undefined for null and for what is no scalar. */
export function text(node: YamlNode | undefined): string | undefined {
  const value = node?.value;
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? (node?.lines[0]?.text ?? `${value}`) : undefined;
}

export function isMapping(node: YamlNode | undefined): boolean {
  return node?.value instanceof Map;
}

/**
 * Reads every document of a file. What is wrong is listed and the rest read as far as it goes; of a YAML error only its kind
 * is told, for its text quotes the file.
 */
export function readYaml(source: string): YamlFile {
  const counter = new LineCounter();
  try {
    // Unique keys are checked while converting: the library compares each key with each other.
    const parsed = parseAllDocuments(source, {
      version: '1.2',
      uniqueKeys: false,
      prettyErrors: false,
      logLevel: 'silent',
      lineCounter: counter,
    });
    const documents: readonly Document[] = Array.isArray(parsed) ? parsed : [];
    const reader = createReader(source, counter);
    const nodes = documents.map(({ contents }) => reader.read(contents));
    const errors = documents.flatMap((document) =>
      document.errors.slice(0, MAX_PROBLEMS).map(({ code, pos }) => ({
        line: counter.linePos(pos[0]).line,
        what: `is no YAML: ${code.toLowerCase().replaceAll('_', ' ')}`,
      })),
    );
    return {
      documents: nodes.filter(({ value }) => value !== null),
      problems: [...errors, ...reader.problems].slice(0, MAX_PROBLEMS),
    };
  } catch {
    // Nesting deeper than the stack is thrown and not reported.
    return { documents: [], problems: [{ line: 1, what: 'nests too deeply to be read' }] };
  }
}

function createReader(source: string, counter: LineCounter) {
  const problems: Found[] = [];
  const anchors = new Map<string, YamlNode>();
  let repeated = 0;
  const lineAt = (offset: number | undefined) => counter.linePos(offset ?? 0).line;
  const empty = (line: number): YamlNode => ({ line, value: null, lines: [], size: 1 });

  function read(node: Node | null | undefined): YamlNode {
    const line = lineAt(node?.range?.[0]);
    if (isAlias(node)) {
      const known = anchors.get(node.source);
      // One that is not known here is an error of the parser's, or stands inside its own anchor.
      if (!known) return empty(line);
      repeated += known.size;
      if (repeated <= MAX_REPEATED) return { ...known, line };
      if (repeated - known.size <= MAX_REPEATED) problems.push({ line, what: 'repeats too much through aliases' });
      return empty(line);
    }
    let result = empty(line);
    if (isMap(node)) result = readMap(node.items as Pair<Node, Node | null>[], line);
    else if (isSeq(node))
      result = collection(
        node.items.map((item) => read(item as Node)),
        line,
      );
    else if (isScalar(node)) result = readScalar(node, line);
    const anchor = node && 'anchor' in node ? node.anchor : undefined;
    if (anchor !== undefined) anchors.set(anchor, result);
    return result;
  }

  function readMap(pairs: readonly Pair<Node, Node | null>[], line: number): YamlNode {
    const map = new Map<string, YamlNode>();
    const merged: YamlNode[] = [];
    for (const { key, value } of pairs) {
      const keyLine = lineAt(key?.range?.[0]);
      const node = { ...read(value), line: keyLine };
      if (!isScalar(key)) {
        problems.push({ line: keyLine, what: 'has a key that is no word' });
        continue;
      }
      const name = String(key.value);
      if (name === '<<') merged.push(...(isMapping(node) ? [node] : items(node)));
      else if (map.has(name)) problems.push({ line: keyLine, what: `has the key ${name} twice in one mapping` });
      else map.set(name, node);
    }
    for (const each of merged) for (const [name, node] of entries(each)) if (!map.has(name)) map.set(name, node);
    const size = [...map.values()].reduce((sum, node) => sum + node.size, 1);
    return { line, value: map, lines: [], size };
  }

  function readScalar(node: Scalar, line: number): YamlNode {
    const { value } = node;
    if (typeof value === 'number' || typeof value === 'boolean')
      return { line, value, lines: [{ line, text: node.source ?? `${value}` }], size: 1 };
    if (typeof value !== 'string') return empty(line);
    if (node.type !== 'BLOCK_LITERAL' && node.type !== 'BLOCK_FOLDED')
      return { line, value, lines: [{ line, text: value }], size: 1 };
    const raw = source.slice(node.range?.[0], node.range?.[1]).split('\n').slice(1);
    return { line, value, lines: raw.map((each, index) => ({ line: line + 1 + index, text: each })), size: 1 };
  }

  function collection(nodes: readonly YamlNode[], line: number): YamlNode {
    return { line, value: nodes, lines: [], size: nodes.reduce((sum, { size }) => sum + size, 1) };
  }

  return { read, problems };
}
