import { parseTree, type Node, type ParseError } from 'jsonc-parser';

import type { Cited, Note } from './facts.ts';
import { slug } from './facts.ts';
import { unusable } from './unusable.ts';

/** An agent's entry in a configuration of Orchestra's. */
export interface AgentEntry {
  name: Cited;
  type?: Cited;
  model?: Cited;
  specialties: Cited[];
  unused: Note[];
}

/** What a JSON text is, with the line of each value; undefined where it is no JSON with unique keys. */
export function readJson(text: string): Node | undefined {
  const errors: ParseError[] = [];
  const tree = parseTree(text, errors, { disallowComments: true });
  return errors.length > 0 ? undefined : tree;
}

/** The value under a key, where the key stands there once. */
export function valueOf(node: Node | undefined, key: string): Node | undefined {
  const found = (node?.type === 'object' ? (node.children ?? []) : []).filter(
    ({ children }) => children?.[0]?.value === key,
  );
  return found.length === 1 ? found[0]?.children?.[1] : undefined;
}

/** Keys and values of an object, in their order; none of another value. */
export function pairsOf(node: Node | undefined): { key: string; value: Node; offset: number }[] {
  if (node?.type !== 'object') return [];
  return (node.children ?? []).flatMap(({ children, offset }) => {
    const [key, value] = children ?? [];
    return key && value ? [{ key: String(key.value), value, offset }] : [];
  });
}

/** Every agent's entry in a JSON value: the value itself, or an array of them under any key. */
export function agentsIn(text: string, first: number, file: string): AgentEntry[] {
  const tree = readJson(text);
  if (tree === undefined) return [];
  const lineOf = (offset: number) => first + (text.slice(0, offset).match(/\n/g)?.length ?? 0);
  const found: AgentEntry[] = [];
  const visit = (node: Node, depth: number): void => {
    if (isAgent(node)) found.push(agentOf(node, lineOf, file));
    else if (depth < 8) for (const child of node.children ?? []) visit(child, depth + 1);
  };
  visit(tree, 0);
  return found;
}

/** The one that is asked for by its name. @throws HoldpointError `invalid_input` with the names that there are. */
export function chosenAgent(agents: readonly AgentEntry[], wanted: string | undefined, file: string): AgentEntry {
  const names = agents.map(({ name }) => name.words);
  const chosen =
    wanted === undefined
      ? agents
      : agents.filter(({ name }) => name.words === wanted || slug(name.words) === slug(wanted));
  const [agent] = chosen;
  if (agent === undefined)
    throw unusable(
      file,
      undefined,
      wanted === undefined
        ? 'there is no agent in it: an object with name, type and specialties'
        : `there is no agent "${wanted.slice(0, 60)}" in it; it has ${names.join(', ') || 'none'}`,
    );
  if (chosen.length > 1)
    throw unusable(
      file,
      undefined,
      `it has several agents; add one's name as in ${file}#${slug(names[0] ?? '')}: ${names.join(', ')}`,
    );
  return agent;
}

function isAgent(node: Node): boolean {
  return (
    valueOf(node, 'name')?.type === 'string' &&
    (valueOf(node, 'specialties')?.type === 'array' ||
      (valueOf(node, 'type')?.type === 'string' && valueOf(node, 'model')?.type === 'string'))
  );
}

function agentOf(node: Node, lineOf: (offset: number) => number, file: string): AgentEntry {
  const agent: AgentEntry = { name: { words: '', line: 0 }, specialties: [], unused: [] };
  for (const { key, value, offset } of pairsOf(node)) {
    const line = lineOf(offset);
    if (key === 'name' || key === 'type' || key === 'model') {
      if (value.type !== 'string') throw unusable(file, line, `${key} must be a text`);
      agent[key] = { words: String(value.value), line };
    } else if (key === 'specialties')
      agent.specialties = (value.children ?? []).flatMap((each) =>
        each.type === 'string' ? [{ words: String(each.value), line: lineOf(each.offset) }] : [],
      );
    else agent.unused.push({ says: `unknown key ${JSON.stringify(key.slice(0, 60))}`, lines: [line] });
  }
  if (agent.model !== undefined)
    agent.unused.push({ says: 'model has no effect: the client chooses the model', lines: [agent.model.line] });
  return agent;
}
