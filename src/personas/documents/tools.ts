import type { Entry } from './markdown.ts';
import { plain } from './markdown.ts';
import type { Cited, ToolFact } from './facts.ts';
import { verdictOf } from './senses.ts';

/** What coding agents and other servers call a tool that Holdpoint has under another name. */
const ALSO_CALLED: Readonly<Record<string, string>> = {
  Read: 'view',
  Write: 'save-file',
  Edit: 'str-replace-editor',
  MultiEdit: 'str-replace-editor',
  Bash: 'launch-process',
  BashOutput: 'read-process',
  Grep: 'codebase-retrieval',
  Glob: 'file-search',
  LS: 'view',
  WebFetch: 'web-fetch',
  read_memory: 'read-memory',
  read_memory_Serena: 'read-memory',
  write_memory: 'write-memory',
  write_memory_Serena: 'write-memory',
};

/** The name that a tool has here. */
export function toolName(named: string): string {
  return Object.hasOwn(ALSO_CALLED, named) ? ALSO_CALLED[named]! : named;
}

/** Tools in tables and lists under a heading that says whether they are allowed. */
export function namedTools(entries: readonly Entry[]): ToolFact[] {
  return entries.flatMap((entry): ToolFact[] => {
    if (entry.kind !== 'row' && entry.kind !== 'item') return [];
    const heading = entry.path.findLast((each) => verdictOf(each) !== undefined && /\btools?\b/i.test(each));
    const verdict = heading === undefined ? undefined : verdictOf(heading);
    const [tool] = entry.spans;
    if (verdict === undefined || tool === undefined || !/^[\w.-]{2,64}$/.test(tool)) return [];
    const cell = plain(entry.cells[0] ?? '');
    const inBrackets = /\(([^()]{1,100})\)/.exec(cell)?.[1];
    const condition = entry.kind === 'row' ? (inBrackets ?? plain(entry.cells.at(-1) ?? '')) : '';
    return [{ tool, verdict, condition, line: entry.line, words: entry.text }];
  });
}

/** Tools that front matter gives: `Read, Bash(git:*)`; all that stands in brackets is the client's own. */
export function listedTools(listed: readonly Cited[]): ToolFact[] {
  return listed.map(({ words, line }) => {
    const [, tool = words, condition = ''] = /^([^()]+)(?:\((.*)\))?$/.exec(words) ?? [];
    return { tool: tool.trim(), verdict: 'allow', condition, line, words };
  });
}

/** Of the tools here, those that a coding agent has of its own; all others are ways of running commands. */
const OWN_OF_AGENTS = new Set(
  Object.values(ALSO_CALLED).filter((name) => name !== 'launch-process' && name !== 'read-process'),
);

/** Front matter that gives tools gives them alone: every other one is denied, commands by any tool where there are none. */
export function leftOut(listed: readonly ToolFact[], known: readonly string[]): ToolFact[] {
  const [first] = listed;
  if (first === undefined) return [];
  const given = new Set(listed.map(({ tool }) => toolName(tool)));
  const runs = given.has('launch-process');
  return known
    .filter((name) => !given.has(name) && !(runs && !OWN_OF_AGENTS.has(name)))
    .map((tool) => ({ tool, verdict: 'deny', condition: '', line: first.line, words: first.words }));
}
