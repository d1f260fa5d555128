import { HoldpointError } from '../../core/errors.ts';
import { fileTarget, folderTarget, withReal } from '../../core/paths.ts';
import type { Plan } from '../../core/plan.ts';
import type { RunContext } from '../../core/tool.ts';
import type { FileIdentity } from '../files/port.ts';
import { fillSlots, lacksOf, slotsOf } from './contents.ts';
import type { Artifact } from './definition.ts';
import { decisionText } from './decisions.ts';
import { slotText } from './facts.ts';
import { artifactPath, readFileAt, type Context } from './looking.ts';
import { artifactOf } from './moves.ts';
import { SUMS, sumsOf } from './release.ts';

export type ArtifactData = { path: string; text: string; identity: FileIdentity; lacks: string[] };

type Running = Pick<RunContext<'files' | 'workflow'>, 'files' | 'workflow' | 'stepDone'>;

/**
 * Plans an artifact: from its template with what the ledger knows, from a decision of people, or a release's checksums.
 *
 * @throws HoldpointError `conflict` where it is there already or there is nothing to make it from, `invalid_input` for what
 *   others deliver.
 */
export async function planArtifact(written: string, context: Context): Promise<Plan<ArtifactData>> {
  const artifact = artifactOf(await context.workflow.definition(), written);
  if (artifact.from !== undefined && artifact.decision === undefined)
    throw new HoldpointError(
      'invalid_input',
      `${artifact.file} is delivered by ${artifact.from}, not by this workflow.`,
      {
        hint: `Ask ${artifact.from} for it.`,
      },
    );
  const path = artifact.folder ? `${artifactPath(artifact)}/${SUMS}` : artifactPath(artifact);
  const { identity, handle, text: there = '' } = await readFileAt(path, context);
  const exists = handle.type === 'file';
  if (exists && !artifact.folder && !artifact.decision)
    throw new HoldpointError('conflict', `${path} is there already.`, {
      hint: 'Edit it with str-replace-editor. To begin anew take it away first (remove-files).',
    });
  const { text, lacks } = await textFor(artifact, context);
  const does = `${exists ? 'write again' : 'write'} ${path}`;
  return {
    effect: 'write',
    targets: [
      ...withReal(fileTarget(path, 'write'), handle.real),
      ...(artifact.folder ? [folderTarget(artifactPath(artifact))] : []),
    ],
    preconditions: [{ id: `file:${path}`, says: `the content of ${path}`, value: identity }],
    steps: [{ id: 'write', does, call: { write: path, bytes: Buffer.byteLength(text) } }],
    preview: { summary: `${does}: ${artifact.title}`, text: await context.files.diff(handle, there, text) },
    data: { path, text, identity, lacks },
  };
}

async function textFor(artifact: Artifact, context: Context): Promise<{ text: string; lacks: string[] }> {
  if (artifact.decision) return { text: await decisionText(artifact, context), lacks: [] };
  if (artifact.folder) {
    const text = await sumsOf(artifactPath(artifact), context);
    if (text !== '') return { text, lacks: [] };
    throw new HoldpointError('conflict', `${artifactPath(artifact)} has no files yet.`, {
      hint: 'Put the release’s packages there, or a manifest of what a registry holds, by digest.',
    });
  }
  const template = await context.workflow.template(artifact.template ?? '');
  const facts = new Map<string, string | undefined>();
  for (const slot of slotsOf(template)) {
    // oxlint-disable-next-line no-await-in-loop -- each is a look at the same ledger
    facts.set(slot, await slotText(slot, context));
  }
  const text = fillSlots(template, (slot) => facts.get(slot));
  return { text, lacks: lacksOf(text, template) };
}

export async function runArtifact(
  { path, text, identity, lacks }: ArtifactData,
  { files, workflow, stepDone }: Running,
): Promise<{ path: string; undo: string; lacks: string[] }> {
  return workflow.alone(async () => {
    const { undo } = await files.write(await files.expect(path, identity), new TextEncoder().encode(text));
    stepDone('write', { undo });
    return { path, undo, lacks };
  });
}
