import type { Found } from './finding.ts';
import { commandsOf, heredocEnds, wordsOf } from './shell.ts';
import type { Command, Line } from './shell.ts';

export interface Instruction {
  line: number;
  /** In capitals: `RUN`. */
  word: string;
  /** `--from=x` as `from` → `x`. */
  flags: ReadonlyMap<string, readonly string[]>;
  /** What follows word and flags, continued lines joined. */
  rest: string;
  /** The same by lines of the file. */
  parts: readonly Line[];
  /** Bodies of here-documents. */
  heredocs: readonly (readonly Line[])[];
}

export interface Stage {
  line: number;
  /** As far as build arguments' defaults tell it. */
  image: string;
  /** The stage that it builds on, where that is one of this file. */
  parent?: Stage;
  instructions: Instruction[];
}

export interface Dockerfile {
  stages: Stage[];
  /** Of all stages, and the arguments before the first. */
  instructions: Instruction[];
  /** Names and numbers by which stages are copied from. */
  stageNames: ReadonlySet<string>;
  problems: Found[];
}

const KNOWN = new Set(
  'ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL MAINTAINER ONBUILD RUN SHELL STOPSIGNAL USER VOLUME WORKDIR'.split(
    ' ',
  ),
);
const WITH_HEREDOC = new Set(['RUN', 'COPY', 'ADD']);
const MAX_PROBLEMS = 10;

/** A Dockerfile's logical lines and stages: continuations, comments inside them, here-documents, the escape directive. */
export function readDockerfileSource(source: string): Dockerfile {
  const problems: Found[] = [];
  const instructions = [...readInstructions(source.split(/\r?\n/), problems)];
  const globals = new Map<string, string>();
  const byName = new Map<string, Stage>();
  const stages: Stage[] = [];
  for (const instruction of instructions) {
    if (instruction.word === 'FROM') {
      const [image = '', as = '', name = ''] = wordsOf(instruction.rest);
      const filled = fillIn(image, globals);
      const parent = byName.get(filled.toLowerCase());
      const stage: Stage = { line: instruction.line, image: filled, ...(parent && { parent }), instructions: [] };
      byName.set(String(stages.length), stage);
      if (as.toLowerCase() === 'as') byName.set(name.toLowerCase(), stage);
      stages.push(stage);
    } else if (stages.length > 0) stages.at(-1)?.instructions.push(instruction);
    else if (instruction.word === 'ARG') {
      for (const [name, value] of assignments(instruction)) if (value !== undefined) globals.set(name, value);
    } else problems.push({ line: instruction.line, what: `has ${instruction.word} before the first FROM` });
  }
  if (stages.length === 0) problems.push({ line: 1, what: 'has no FROM' });
  return { stages, instructions, stageNames: new Set(byName.keys()), problems: problems.slice(0, MAX_PROBLEMS) };
}

/** The names, and values where there are any, that an ENV or ARG sets. */
export function assignments({ word, rest }: Instruction): [name: string, value: string | undefined][] {
  const old = /^([^\s=]+)\s+(\S.*)$/s.exec(rest);
  if (word === 'ENV' && old) return [[old[1] ?? '', old[2] ?? '']];
  const pairs: [string, string | undefined][] = [];
  for (const [, name = '', double, single, plain] of rest.matchAll(
    /([^\s="']+)(?:=(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|((?:[^\s\\]|\\.)*)))?/gs,
  ))
    pairs.push([name, double ?? single ?? plain]);
  return pairs;
}

/** The line of an instruction that has a word, its first where none has. */
export function lineOf({ line, parts }: Instruction, word: string): number {
  return parts.find(({ text }) => text.includes(word))?.line ?? line;
}

/** What a stage has of a kind of instruction, what it inherits from its parents included, in order. */
export function effective(stage: Stage | undefined, word: string): Instruction[] {
  const found: Instruction[][] = [];
  for (let each = stage; each; each = each.parent) found.push(each.instructions.filter((one) => one.word === word));
  return found.toReversed().flat();
}

/** The image at the bottom of a stage's parents. */
export function baseOf(stage: Stage): string {
  let bottom = stage;
  while (bottom.parent) bottom = bottom.parent;
  return bottom.image;
}

/** What a RUN runs, here-documents included. */
export function runCommands({ word, rest, parts, heredocs }: Instruction): Command[] {
  if (word !== 'RUN') return [];
  const list = execForm(rest);
  const [first = { line: 0, text: '' }] = parts;
  if (list) return commandsOf([{ line: first.line, text: list.map((each) => JSON.stringify(each)).join(' ') }]);
  if (/^<<-?["']?\w+["']?\s*$/.test(rest)) return commandsOf(heredocs[0] ?? []);
  return commandsOf(
    parts.map(({ line, text }, index) => ({ line, text: index < parts.length - 1 ? `${text} \\` : text })),
  );
}

/** The words of the JSON form; undefined for the shell form, which is also what broken JSON is. */
export function execForm(rest: string): string[] | undefined {
  if (!rest.startsWith('[')) return undefined;
  try {
    const list: unknown = JSON.parse(rest);
    return Array.isArray(list) ? list.map(String) : undefined;
  } catch {
    return undefined;
  }
}

/** The sources of a COPY or ADD, here-documents left out. */
export function copied({ rest }: Instruction): string[] {
  return (execForm(rest) ?? wordsOf(rest)).slice(0, -1).filter((source) => !source.startsWith('<<'));
}

function* readInstructions(lines: readonly string[], problems: Found[]): Generator<Instruction> {
  const escape = escapeOf(lines);
  const endOfHeredoc = heredocEnds(lines);
  for (let index = 0; index < lines.length; index++) {
    const parts: Line[] = [];
    for (; index < lines.length; index++) {
      const line = lines[index] ?? '';
      // Comments and empty lines may stand inside a continued instruction.
      if (/^\s*(?:#|$)/.test(line)) {
        if (parts.length === 0) break;
        continue;
      }
      const trimmed = line.trimEnd();
      const continued = trimmed.endsWith(escape);
      parts.push({ line: index + 1, text: continued ? trimmed.slice(0, -1) : line });
      if (!continued) break;
    }
    const [first] = parts;
    if (!first) continue;
    const [head = '', written = ''] = /^\s*(\S+)\s*/.exec(first.text) ?? [];
    const word = written.toUpperCase();
    if (!KNOWN.has(word)) {
      problems.push({ line: first.line, what: 'begins with a word that is no instruction' });
      continue;
    }
    const rest = [{ line: first.line, text: first.text.slice(head.length) }, ...parts.slice(1)];
    const { flags, joined } = flagsOf(
      rest
        .map(({ text }) => text)
        .join(' ')
        .trim(),
    );
    const heredocs: Line[][] = [];
    if (WITH_HEREDOC.has(word)) {
      for (const [, delimiter = ''] of joined.matchAll(/(?<!<)<<-?["']?([A-Za-z_]\w{0,60})["']?/g)) {
        const end = endOfHeredoc(delimiter, index);
        if (end === undefined) {
          problems.push({ line: first.line, what: 'has a here-document that never ends' });
          continue;
        }
        const from = index + 1;
        heredocs.push(lines.slice(from, end).map((text, at) => ({ line: from + at + 1, text })));
        index = end;
      }
    }
    yield { line: first.line, word, flags, rest: joined, parts: rest, heredocs };
  }
}

/** Directives stand at the very top; the first line that is none ends them. */
function escapeOf(lines: readonly string[]): string {
  for (const line of lines) {
    const [, name = '', value = ''] = /^\s*#\s*(\w+)\s*=\s*(\S+)\s*$/.exec(line) ?? [];
    if (name === '') break;
    if (name.toLowerCase() === 'escape') return value === '`' ? '`' : '\\';
  }
  return '\\';
}

function flagsOf(rest: string): { flags: Map<string, string[]>; joined: string } {
  const flags = new Map<string, string[]>();
  let joined = rest;
  for (;;) {
    const [whole, name = '', value = ''] = /^--([a-z-]{1,40})(?:=(\S*))?(?:\s+|$)/.exec(joined) ?? [];
    if (whole === undefined) return { flags, joined };
    const values = flags.get(name);
    if (values) values.push(value);
    else flags.set(name, [value]);
    joined = joined.slice(whole.length);
  }
}

/** `$X`, `${X}` and `${X:-default}` filled in; what is unknown stays. */
function fillIn(written: string, values: ReadonlyMap<string, string>): string {
  return written.replace(
    /\$(?:(\w+)|\{(\w+)(?::?-([^}]*))?\})/g,
    (whole, plain?: string, braced?: string, fallback?: string) => {
      const value = values.get(plain ?? braced ?? '');
      return value === undefined || value === '' ? (fallback ?? whole) : value;
    },
  );
}
