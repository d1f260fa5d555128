import { HoldpointError } from '../../core/errors.ts';
import { fileTarget, withReal } from '../../core/paths.ts';
import type { Plan } from '../../core/plan.ts';
import { principalId } from '../../core/principal.ts';
import type { RunContext } from '../../core/tool.ts';
import type { FileIdentity } from '../files/port.ts';
import type { Artifact, Definition, WorkflowNode } from './definition.ts';
import { artifactPath, bindings, readWorkflow, seeArtifact, type Context, type Seen } from './looking.ts';
import { apply, nodeOf, objection, type Move } from './machine.ts';
import { readState, firstState, stateText, STATE_FILE, type WorkflowState } from './state.ts';

export type MoveName = Move['did'];

export type MoveData = { move: Move; identity: FileIdentity };

type Running = Pick<RunContext<'files' | 'workflow'>, 'files' | 'workflow' | 'principal' | 'stepDone'>;

/**
 * Plans a move of a node.
 *
 * @throws HoldpointError `conflict` with all that is missing, and whose it is to deliver.
 */
export async function planMove(
  { did, node: id, reason }: { did: MoveName; node: string; reason: string | undefined },
  context: Context,
): Promise<Plan<MoveData>> {
  const { definition, state, file } = await readWorkflow(context);
  const node = nodeOf(definition, id);
  const refused = objection(state, definition, { did, node: node.id });
  if (refused) throw refused;
  const { move, seen } = await demanded(did, node, reason, { definition, state }, context);
  const after = apply(state, definition, move, { by: 'preview', at: new Date(0).toISOString() });
  const changes = definition.nodes.flatMap((each) => {
    const [was, is] = [state.nodes[each.id]?.state, after.nodes[each.id]?.state];
    return was === is ? [] : [`${each.id}: ${was} → ${is}`];
  });
  const { targets, preconditions } = bindings(seen);
  const summary = `${did} ${node.id}`;
  return {
    effect: 'write',
    targets: [...withReal(fileTarget(STATE_FILE, 'write'), file.handle.real), ...targets],
    preconditions: [
      { id: `file:${STATE_FILE}`, says: `the content of ${STATE_FILE}`, value: file.identity },
      ...preconditions,
    ],
    steps: [{ id: 'write', does: `${summary} in ${STATE_FILE}`, call: { write: STATE_FILE, changes } }],
    preview: { summary, text: changes.join('\n') },
    data: { move, identity: file.identity },
  };
}

async function demanded(
  did: MoveName,
  node: WorkflowNode,
  reason: string | undefined,
  now: { definition: Definition; state: WorkflowState },
  context: Context,
): Promise<{ move: Move; seen: Seen[] }> {
  const before = now.state.nodes[node.id];
  if (did === 'abandon') {
    if (!reason?.trim()) throw new HoldpointError('invalid_input', 'To abandon a node say why: "reason".');
    return { move: { did, node: node.id, reason: context.redact(reason.trim()).slice(0, 300) }, seen: [] };
  }
  const wanted = { start: node.inputs, complete: node.outputs, route: node.onFailure ? [node.onFailure.needs] : [] }[
    did
  ];
  const seen: Seen[] = [];
  // In order, so that of several faults the first is told first.
  for (const id of wanted) {
    // oxlint-disable-next-line no-await-in-loop
    seen.push(await seeArtifact(artifactOf(now.definition, id), context));
  }
  const faults = seen.flatMap(({ artifact, sha256, faults: own }) => {
    const all = [...own];
    if (did === 'start' && own.length === 0 && changedSince(artifact, sha256, now))
      all.push('it changed since it was completed; complete its node once more to take the change over');
    const again =
      did === 'complete'
        ? before?.state === 'active' && node.eachTime && before.artifacts?.[artifact.id]
        : before?.state !== 'failed' && node.eachTime && before?.decisions?.[artifact.id];
    if (own.length === 0 && sha256 !== undefined && again === sha256) all.push('it is the one of the last time');
    return all.map((says) => `${artifactPath(artifact)}${artifact.from ? ` (${artifact.from}’s)` : ''}: ${says}`);
  });
  if (faults.length > 0)
    throw new HoldpointError(
      'conflict',
      `${node.id} cannot ${did === 'route' ? 'be routed' : did}: ${faults.join('; ')}.`,
      {
        hint: hintFor(did, seen.find(({ faults: own }) => own.length > 0)?.artifact),
      },
    );
  const hashes = Object.fromEntries(seen.map(({ artifact, sha256 }) => [artifact.id, sha256 ?? '']));
  if (did === 'complete') return { move: { did, node: node.id, artifacts: hashes }, seen };
  const decided = seen
    .filter(({ artifact }) => artifact.decision)
    .map(({ artifact: { id } }) => [id, hashes[id] ?? '']);
  return { move: { did, node: node.id, decisions: Object.fromEntries(decided) as Record<string, string> }, seen };
}

function hintFor(did: MoveName, artifact: Artifact | undefined): string {
  if (artifact?.decision)
    return `Once a person has approved it, workflow { action: "artifact", id: "${artifact.id}" } writes it.`;
  if (artifact?.from) return `Ask ${artifact.from} for it; the workflow does not write what others deliver.`;
  if (did === 'complete') return 'workflow { action: "artifact", id } begins one from its template; then fill it in.';
  return 'The action status says what is missing.';
}

/** Whether an input of this workflow's own is no more what its node gave. */
function changedSince(
  { id }: Artifact,
  sha256: string | undefined,
  { definition, state }: { definition: Definition; state: WorkflowState },
): boolean {
  const maker = definition.nodes.find(({ outputs }) => outputs.includes(id));
  const given = maker && state.nodes[maker.id]?.artifacts?.[id];
  return given !== undefined && given !== sha256;
}

export function artifactOf({ artifacts }: Definition, written: string): Artifact {
  const id = /^([A-Z]+\d+)(?:-|$)/.exec(written)?.[1] ?? '';
  const found = artifacts.get(id);
  if (found && [id, found.file, found.file.replace(/\.md$/, '')].includes(written)) return found;
  throw new HoldpointError('not_found', `The workflow has no artifact "${written.slice(0, 80)}".`, {
    hint: found ? `Did you mean ${found.file}?` : `Its artifacts: ${[...artifacts.keys()].join(', ')}.`,
  });
}

/** Writes the state as the move leaves it. @throws HoldpointError `stale` where somebody else has moved it. */
export async function runMove(
  { move, identity }: MoveData,
  context: Running,
): Promise<{ state: string; next: string[] }> {
  const { files, workflow, principal, stepDone } = context;
  const definition = await workflow.definition();
  return workflow.alone(async () => {
    const file = await files.expect(STATE_FILE, identity);
    const before =
      file.type === 'missing'
        ? firstState(definition)
        : await readState(
            new TextDecoder().decode((await files.read(file, { maxBytes: file.size })).bytes),
            definition,
          );
    const who = { by: principalId(principal).slice(0, 300), at: new Date().toISOString() };
    const after = apply(before, definition, move, who);
    const { undo } = await files.write(file, new TextEncoder().encode(stateText(after)));
    stepDone('write', { undo });
    const ready = definition.nodes.filter(({ id }) => after.nodes[id]?.state === 'ready').map(({ id }) => id);
    return { state: after.nodes[nodeOf(definition, move.node).id]?.state ?? 'pending', next: ready };
  });
}
