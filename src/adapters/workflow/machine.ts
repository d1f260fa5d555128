import { HoldpointError } from '../../core/errors.ts';
import type { Definition, WorkflowNode } from './definition.ts';
import { comesAfter, mayBegin, withHistory, type NodeRecord, type WorkflowState } from './state.ts';

/** One step of a node's life. Who and when are the caller's to know. */
export type Move =
  | { did: 'start'; node: string; decisions: Record<string, string> }
  | { did: 'complete'; node: string; artifacts: Record<string, string> }
  | { did: 'route'; node: string; decisions: Record<string, string> }
  | { did: 'abandon'; node: string; reason: string };

/** @throws HoldpointError `not_found` with the names there are. */
export function nodeOf({ nodes }: Definition, id: string): WorkflowNode {
  const found = nodes.find((node, index) => node.id === id || String(index + 1) === id);
  if (found) return found;
  throw new HoldpointError('not_found', `The workflow has no node "${id.slice(0, 60)}".`, {
    hint: `Its nodes: ${nodes.map((node) => node.id).join(', ')}.`,
  });
}

/** Every node that comes after one, on failure too. */
export function followersOf(id: string, definition: Definition): string[] {
  const seen = new Set<string>();
  const visit = (from: string): void => {
    const node = definition.nodes.find((each) => each.id === from);
    for (const each of [...(node?.next ?? []), ...(node?.onFailure ? [node.onFailure.to] : [])]) {
      if (seen.has(each)) continue;
      seen.add(each);
      visit(each);
    }
  };
  visit(id);
  return [...seen];
}

/**
 * Why a move is not possible as the state is; undefined where it is. Artifacts aside: those are looked at by whoever asks.
 */
export function objection(state: WorkflowState, definition: Definition, { did, node: id }: Pick<Move, 'did' | 'node'>) {
  const node = nodeOf(definition, id);
  const now = state.nodes[node.id]?.state ?? 'pending';
  const refuse = (says: string, hint: string) => new HoldpointError('conflict', says, { hint });
  if (did === 'complete' || did === 'abandon') {
    if (now === 'active' || (did === 'complete' && now === 'done')) return undefined;
    return refuse(`${node.id} is ${now}, not active.`, 'Start it first; the action status says what can start.');
  }
  if (did === 'route') {
    if (!node.onFailure)
      return refuse(`${node.id} has no route on failure.`, 'Use abandon with a reason, and start it again later.');
    if (now !== 'active' && now !== 'done')
      return refuse(`${node.id} is ${now}; only a node that is active or done is routed.`, 'Start it first.');
  }
  if (did === 'start' && now === 'active') return refuse(`${node.id} is active already.`, 'Complete or abandon it.');
  if (did === 'start' && !mayBegin(node.id, state.nodes, definition)) {
    const missing = comesAfter(node.id, definition).filter(({ node: each }) => state.nodes[each]?.state !== 'done');
    const says = missing.map(({ node: each, route }) => `${each} is to be ${route ? 'routed to it' : 'done'}`);
    return refuse(`${node.id} cannot start: ${says.join(', ')} first.`, 'The action status says what can start.');
  }
  const busy = followersOf(node.id, definition).filter((each) => state.nodes[each]?.state === 'active');
  if (busy.length > 0)
    return refuse(`${busy.join(', ')} is active and comes after ${node.id}.`, 'Complete or abandon it first.');
  return undefined;
}

/**
 * The state after a move. Pure; the state given stays as it is.
 *
 * @throws HoldpointError `conflict` where the move is not possible, or a node would be done without its artifacts.
 */
export function apply(
  state: WorkflowState,
  definition: Definition,
  move: Move,
  who: { by: string; at: string },
): WorkflowState {
  const refused = objection(state, definition, move);
  if (refused) throw refused;
  const node = nodeOf(definition, move.node);
  const before: NodeRecord = state.nodes[node.id] ?? { state: 'pending' };
  const nodes = { ...state.nodes };
  const kept = { artifacts: before.artifacts, decisions: before.decisions };
  const set = (record: NodeRecord) => {
    nodes[node.id] = defined({ ...record, ...who });
  };
  switch (move.did) {
    case 'start':
      reset(nodes, followersOf(node.id, definition));
      set({ ...kept, state: 'active', decisions: { ...before.decisions, ...move.decisions } });
      break;
    case 'complete': {
      const lacking = node.outputs.filter((each) => move.artifacts[each] === undefined);
      if (lacking.length > 0)
        throw new HoldpointError('conflict', `${node.id} cannot be done without ${lacking.join(', ')}.`, {
          hint: 'Write them; the action artifact begins one from its template.',
        });
      set({ ...kept, state: 'done', artifacts: move.artifacts });
      for (const each of node.next)
        if (nodes[each]?.state === 'pending' && mayBegin(each, nodes, definition))
          nodes[each] = defined({ ...nodes[each], state: 'ready', ...who });
      break;
    }
    case 'route': {
      reset(nodes, followersOf(node.id, definition));
      set({ ...kept, state: 'routed', decisions: { ...before.decisions, ...move.decisions } });
      const to = node.onFailure?.to ?? '';
      nodes[to] = defined({ ...nodes[to], state: 'ready', ...who });
      break;
    }
    case 'abandon':
      set({ ...kept, state: 'failed', reason: move.reason });
  }
  const reason = move.did === 'abandon' ? { reason: move.reason } : {};
  return withHistory({ ...state, nodes }, { ...who, node: node.id, did: move.did, ...reason });
}

/** Nodes that come after one that is done anew wait again; what they once gave is remembered, to tell it from what is new. */
function reset(nodes: WorkflowState['nodes'], ids: readonly string[]): void {
  for (const id of ids) {
    const { artifacts, decisions } = nodes[id] ?? {};
    nodes[id] = defined({ state: 'pending', artifacts, decisions });
  }
}

/** Without the keys that are undefined, which JSON would leave out and a strict type forbids. */
function defined(record: { [K in keyof NodeRecord]: NodeRecord[K] | undefined } & { state: NodeRecord['state'] }) {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as NodeRecord;
}
