import type { Definition, WorkflowNode } from './definition.ts';
import { artifactPath, readWorkflow, seeArtifact, type Context } from './looking.ts';
import { nodeOf } from './machine.ts';
import { mayBegin, type WorkflowState } from './state.ts';

export interface Status {
  workflow: string;
  /** Every node with its number and state. */
  nodes: string[];
  /** Nodes that are under way, with what they still lack. */
  active: { node: string; lacks: string[] }[];
  /** Nodes that may start now. */
  canStart: string[];
  /** Nodes that would start but for an input, with whose it is. */
  waiting: { node: string; for: string[] }[];
  /** Artifacts of nodes that are done which are no more what they were. */
  changed: string[];
  /** Of the one node that was asked for. */
  detail?: {
    node: string;
    group: string;
    state: string;
    steps: string[];
    inputs: string[];
    outputs: string[];
    next: string[];
  };
}

/** Where the workspace's workflow stands, by its state file and by what really lies there. */
export async function statusOf(asked: string | undefined, context: Context): Promise<Status> {
  const { definition, state } = await readWorkflow(context);
  const stateOf = (id: string) => state.nodes[id]?.state ?? 'pending';
  const status: Status = {
    workflow: definition.name,
    nodes: definition.nodes.map(({ id }, index) => `${index + 1} ${id}: ${stateOf(id)}`),
    active: [],
    canStart: [],
    waiting: [],
    changed: [],
  };
  const looked = new Map<string, Promise<{ faults: string[]; sha256: string | undefined }>>();
  const look = (id: string) => {
    const found = looked.get(id) ?? seeArtifact(artifactIn(definition, id), context);
    looked.set(id, found);
    return found;
  };
  const lacking = async (ids: readonly string[]): Promise<string[]> => {
    const lists = await Promise.all(
      ids.map(async (id) => {
        const artifact = artifactIn(definition, id);
        const { faults } = await look(id);
        return faults.map(
          (says) => `${artifactPath(artifact)}${artifact.from ? ` (${artifact.from}’s)` : ''}: ${says}`,
        );
      }),
    );
    return lists.flat();
  };
  for (const node of definition.nodes) {
    const now = stateOf(node.id);
    // oxlint-disable no-await-in-loop -- in the workflow's order
    if (now === 'active') status.active.push({ node: node.id, lacks: await lacking(node.outputs) });
    else if (now !== 'done' && now !== 'routed' && mayBegin(node.id, state.nodes, definition)) {
      const missing = await lacking(node.inputs);
      if (missing.length === 0) status.canStart.push(node.id);
      else status.waiting.push({ node: node.id, for: missing });
    }
    if (now === 'done') status.changed.push(...(await changedOf(node, state, look)));
    // oxlint-enable no-await-in-loop
  }
  if (asked === undefined) return status;
  return { ...status, detail: detailOf(nodeOf(definition, asked), definition, state) };
}

async function changedOf(
  { id, outputs }: WorkflowNode,
  state: WorkflowState,
  look: (id: string) => Promise<{ faults: string[]; sha256: string | undefined }>,
): Promise<string[]> {
  const lists = await Promise.all(
    outputs.map(async (each) => {
      const { faults, sha256 } = await look(each);
      if (faults.length > 0) return [`${each} of ${id}: ${faults.join(', ')}`];
      return sha256 === state.nodes[id]?.artifacts?.[each] ? [] : [`${each} of ${id} changed since it was completed`];
    }),
  );
  return lists.flat();
}

function detailOf(node: WorkflowNode, definition: Definition, state: WorkflowState): NonNullable<Status['detail']> {
  const named = (id: string) => {
    const artifact = artifactIn(definition, id);
    const maker = definition.nodes.find(({ outputs }) => outputs.includes(id))?.id;
    return `${artifactPath(artifact)} (${artifact.title}${maker === undefined || maker === node.id ? '' : `, from ${maker}`}${artifact.from ? `, ${artifact.from}’s` : ''})`;
  };
  return {
    node: node.id,
    group: node.group,
    state: state.nodes[node.id]?.state ?? 'pending',
    steps: node.steps,
    inputs: node.inputs.map(named),
    outputs: node.outputs.map(named),
    next: [...node.next, ...(node.onFailure ? [`${node.onFailure.to} after ${node.onFailure.decision}`] : [])],
  };
}

function artifactIn({ artifacts }: Definition, id: string) {
  const found = artifacts.get(id);
  if (found) return found;
  throw new Error(`A checked workflow has no artifact ${id}.`);
}

/** The status as lines. */
export function statusText({ workflow, nodes, active, canStart, waiting, changed, detail }: Status): string {
  const list = (title: string, lines: readonly string[]) =>
    lines.length === 0 ? [] : [title, ...lines.map((each) => `- ${each}`)];
  return [
    `workflow ${workflow}`,
    ...nodes,
    ...active.flatMap(({ node, lacks }) =>
      lacks.length === 0
        ? [`${node} is active and lacks nothing: complete it`]
        : list(`${node} is active and lacks:`, lacks),
    ),
    ...(canStart.length > 0 ? [`can start: ${canStart.join(', ')}`] : []),
    ...waiting.flatMap((each) => list(`${each.node} waits for:`, each.for)),
    ...list('changed since:', changed),
    ...(detail
      ? [
          `${detail.node} (${detail.group}) is ${detail.state}`,
          ...list('steps:', detail.steps),
          ...list('takes:', detail.inputs),
          ...list('gives:', detail.outputs),
          `next: ${detail.next.join(', ') || 'the end'}`,
        ]
      : []),
  ].join('\n');
}
