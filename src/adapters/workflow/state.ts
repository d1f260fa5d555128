import type { ParseError } from 'jsonc-parser';
import { z } from 'zod';

import { HoldpointError } from '../../core/errors.ts';
import type { Definition } from './definition.ts';

export const STATE_FILE = 'docs/workflow/state.json';
export const ARTIFACTS = 'docs/workflow/artifacts';
/** Of the history, the last so many entries are kept. */
const HISTORY = 500;
/** Of what is wrong with a file, so much is said. */
const FAULTS = 5;

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'write a SHA-256 in lower-case hex');
const when = z.iso.datetime();
const NODE_STATES = ['pending', 'ready', 'active', 'done', 'failed', 'routed'] as const;

const nodeRecord = z.strictObject({
  state: z.enum(NODE_STATES),
  /** Who brought it to this state, and when. */
  by: z.string().max(300).optional(),
  at: when.optional(),
  reason: z.string().max(500).optional(),
  /** SHA-256 of what it gave when it was last completed, by artifact; of a folder, of its list of checksums. */
  artifacts: z.record(z.string(), sha256).optional(),
  /** SHA-256 of the decisions that it began with. */
  decisions: z.record(z.string(), sha256).optional(),
});

export const stateSchema = z
  .strictObject({
    $schema: z.string().optional(),
    version: z.literal(1),
    workflow: z.string(),
    nodes: z.record(z.string(), nodeRecord),
    history: z
      .array(
        z.strictObject({
          at: when,
          by: z.string().max(300),
          node: z.string(),
          did: z.enum(['start', 'complete', 'route', 'abandon']),
          reason: z.string().max(500).optional(),
        }),
      )
      .max(HISTORY),
  })
  .meta({ title: 'State of a Holdpoint workflow', description: 'docs/workflow/state.json; see docs/workflow.md.' });

type NodeState = (typeof NODE_STATES)[number];
export type NodeRecord = z.output<typeof nodeRecord>;
export type WorkflowState = z.output<typeof stateSchema>;

/** The state before anything was done: the nodes that follow none are ready. */
export function firstState({ name, nodes }: Definition): WorkflowState {
  const followers = new Set(nodes.flatMap(({ next, onFailure }) => [...next, ...(onFailure ? [onFailure.to] : [])]));
  const state = (id: string): NodeState => (followers.has(id) ? 'pending' : 'ready');
  return {
    version: 1,
    workflow: name,
    nodes: Object.fromEntries(nodes.map(({ id }) => [id, { state: state(id) }])),
    history: [],
  };
}

export function withHistory(state: WorkflowState, entry: WorkflowState['history'][number]): WorkflowState {
  return { ...state, history: [...state.history, entry].slice(-HISTORY) };
}

export function stateText(state: WorkflowState): string {
  return `${JSON.stringify(state, null, 2)}\n`;
}

/**
 * The state that a text holds.
 *
 * @throws HoldpointError `conflict` with the line of what is wrong and how to mend it; nothing is ever written over it.
 */
export async function readState(text: string, definition: Definition): Promise<WorkflowState> {
  const { parseTree, findNodeAtLocation } = await import('jsonc-parser');
  const errors: ParseError[] = [];
  const lineAt = (offset: number) => text.slice(0, offset).split('\n').length;
  let tree: ReturnType<typeof parseTree>;
  try {
    tree = parseTree(text, errors, { disallowComments: true });
  } catch {
    // Nested deeper than the parser goes.
  }
  if (!tree || errors[0]) throw broken([{ line: lineAt(errors[0]?.offset ?? 0), says: 'this is not JSON' }]);
  const value: unknown = JSON.parse(text);
  const lineOf = (path: readonly PropertyKey[]): number => {
    for (let length = path.length; length > 0; length--) {
      const found = findNodeAtLocation(tree, path.slice(0, length) as (string | number)[]);
      if (found) return lineAt(found.offset);
    }
    return 1;
  };
  const version = (value as { version?: unknown } | null)?.version;
  if (typeof version === 'number' && version > 1)
    throw new HoldpointError('conflict', `${STATE_FILE} is of version ${version}; this Holdpoint knows version 1.`, {
      hint: 'Update Holdpoint. The file was left as it is.',
    });
  const parsed = stateSchema.safeParse(value);
  if (!parsed.success)
    throw broken(
      parsed.error.issues.slice(0, FAULTS).map(({ path, message }) => ({
        line: lineOf(path),
        says: `${path.join('.').slice(0, 100)}: ${message.slice(0, 200)}`,
      })),
    );
  const faults = faultsOf(parsed.data, definition);
  if (faults.length > 0) throw broken(faults.slice(0, FAULTS).map(({ path, says }) => ({ line: lineOf(path), says })));
  return parsed.data;
}

/** What no sequence of actions could have made. */
export function faultsOf(
  { workflow, nodes }: WorkflowState,
  definition: Definition,
): { path: string[]; says: string }[] {
  const faults: { path: string[]; says: string }[] = [];
  if (workflow !== definition.name)
    faults.push({
      path: ['workflow'],
      says: `it is of the workflow "${workflow}", this persona's is "${definition.name}"`,
    });
  const ids = definition.nodes.map(({ id }) => id);
  for (const id of Object.keys(nodes))
    if (!ids.includes(id)) faults.push({ path: ['nodes', id], says: `the workflow has no node ${id}` });
  for (const { id, outputs, onFailure } of definition.nodes) {
    const node = nodes[id];
    const path = ['nodes', id];
    if (!node) faults.push({ path: ['nodes'], says: `the node ${id} is missing` });
    else if (node.state === 'done' && outputs.some((each) => node.artifacts?.[each] === undefined))
      faults.push({ path, says: `${id} is done without the SHA-256 of each of ${outputs.join(', ')}` });
    else if (node.state === 'routed' && !onFailure) faults.push({ path, says: `${id} has no route on failure` });
  }
  for (const { id } of definition.nodes) {
    const { state = 'pending' } = nodes[id] ?? {};
    if (state !== 'pending' && state !== 'failed' && !mayBegin(id, nodes, definition))
      faults.push({ path: ['nodes', id], says: `${id} is ${state}, and what comes before it is not done` });
  }
  return faults;
}

/** Whether everything that leads to a node is done, or one that failed is routed to it. */
export function mayBegin(id: string, nodes: WorkflowState['nodes'], definition: Definition): boolean {
  const before = comesAfter(id, definition);
  const [routes, ways] = [before.filter(({ route }) => route), before.filter(({ route }) => !route)];
  if (routes.some(({ node }) => nodes[node]?.state === 'routed')) return true;
  return (ways.length > 0 || routes.length === 0) && ways.every(({ node }) => nodes[node]?.state === 'done');
}

/** The nodes that lead to this one; by `route`, on failure. */
export function comesAfter(id: string, { nodes }: Definition): { node: string; route: boolean }[] {
  return nodes.flatMap(({ id: node, next, onFailure }) => [
    ...(next.includes(id) ? [{ node, route: false }] : []),
    ...(onFailure?.to === id ? [{ node, route: true }] : []),
  ]);
}

function broken(faults: readonly { line: number; says: string }[]): HoldpointError {
  const shown = faults.map(({ line, says }) => `line ${line}: ${says}`);
  return new HoldpointError('conflict', `${STATE_FILE} is not a state of this workflow: ${shown.join('; ')}.`, {
    hint: `It was left as it is. Put back the version that git has (git log -- ${STATE_FILE}) or the copy kept for undo (holdpoint files list), or take the file away to begin anew.`,
  });
}
