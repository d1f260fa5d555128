import { isMap, isNode, isPair, isScalar, LineCounter, parseDocument } from 'yaml';
import type { Document } from 'yaml';

import { HoldpointError } from '../core/errors.ts';
import { likely } from '../core/nearest.ts';

const MAX_SHOWN = 20;

/** One thing wrong with a policy file. */
export interface Problem {
  /** Counted from 1. */
  line: number;
  /** The rule it is in, where it is in one. */
  rule?: string;
  /** What is wrong, and what to write instead. */
  says: string;
  /** Where it is, by keys and indexes. */
  path?: readonly PropertyKey[];
  /** What sort of mistake it is, where that is one of these. */
  sort?: 'matches-nothing' | 'bad-pattern' | 'costly-pattern' | 'window-never-opens' | 'freeze-never-ends';
}

/** A YAML file whose values can be traced back to their lines. */
export interface Source {
  file: string;
  /** The content as plain data. */
  data: unknown;
  /** The line of the value (or, with `ofKey`, the key) at a path, or of the nearest thing around it. */
  line(path: readonly PropertyKey[], ofKey?: string): number;
}

/** A place in a text, counted from 1. */
export interface Place {
  line: number;
  column: number;
}

/** A source of which the columns are known too. */
export interface YamlSource extends Source {
  place(path: readonly PropertyKey[], ofKey?: string): Place;
}

/** @throws HoldpointError `invalid_input` with file and line where the text is not YAML, or has a key twice. */
export function readYaml(text: string, file: string): YamlSource {
  const counter = new LineCounter();
  const document = parseDocument(text, { lineCounter: counter, uniqueKeys: true, merge: false, prettyErrors: false });
  const lineAt = (offset: number) => counter.linePos(offset).line;
  const broken = [...document.errors, ...document.warnings];
  if (broken.length > 0)
    throw invalidPolicy(
      file,
      broken.map((error) => ({ line: lineAt(error.pos[0]), says: `not readable as YAML: ${error.message}` })),
    );
  const place = (path: readonly PropertyKey[], ofKey?: string): Place => {
    const { line, col } = counter.linePos(offsetOf(document, path, ofKey));
    return { line, column: col };
  };
  return { file, data: asData(document, file), line: (path, ofKey) => place(path, ofKey).line, place };
}

function asData(document: Document, file: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (cause) {
    throw invalidPolicy(file, [
      { line: 1, says: `not readable as YAML: ${String(cause)}; write it without so many aliases` },
    ]);
  }
}

function offsetOf(document: Document, path: readonly PropertyKey[], ofKey: string | undefined): number {
  for (let length = path.length; length >= 0; length--) {
    const node = length === 0 ? document.contents : document.getIn(path.slice(0, length), true);
    if (length === path.length && ofKey !== undefined && isMap(node)) {
      const pair = node.items.find((item) => isPair(item) && isScalar(item.key) && item.key.value === ofKey);
      if (pair !== undefined && isScalar(pair.key) && pair.key.range) return pair.key.range[0];
    }
    if (isNode(node) && node.range) return node.range[0];
  }
  return 0;
}

/** All problems as one error: file, line, rule and what to write instead, one per line, in the order of the file. */
export function invalidPolicy(file: string, problems: readonly Problem[]): HoldpointError {
  const lines = [...problems]
    .sort((a, b) => a.line - b.line)
    .map(({ line, rule, says }) => `${file}:${line}: ${rule === undefined ? '' : `rule "${rule}": `}${says}`);
  const rest = lines.length - MAX_SHOWN;
  const shown = rest > 0 ? [...lines.slice(0, MAX_SHOWN), `and ${rest} more`] : lines;
  const head = lines.length === 1 ? 'The policy is not valid:' : `The policy is not valid; ${lines.length} problems:`;
  return new HoldpointError('invalid_input', [head, ...shown].join('\n'), {
    hint: `Correct ${file}, then check it with: holdpoint policy test ${file}`,
  });
}

/** ` (did you mean "x"?)` for the known word nearest to a wrong one; empty where none is near. */
export function didYouMean(wrong: string, known: readonly string[]): string {
  const [best] = likely(wrong, known, 1);
  return best === undefined ? '' : ` (did you mean "${best}"?)`;
}

/** What a file that a policy names is refused with, on one line. */
export function textOf(thrown: unknown): string {
  if (!(thrown instanceof HoldpointError)) throw thrown;
  return thrown.message.split('\n').slice(1).join('; ');
}
