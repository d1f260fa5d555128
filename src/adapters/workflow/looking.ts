import { createHash } from 'node:crypto';

import { HoldpointError } from '../../core/errors.ts';
import { fileTarget, folderTarget, withReal } from '../../core/paths.ts';
import type { Target } from '../../core/target.ts';
import type { PlanContext } from '../../core/tool.ts';
import type { FileHandle, FileIdentity } from '../files/port.ts';
import type { Artifact, Definition } from './definition.ts';
import { lacksOf } from './contents.ts';
import { decisionFaults } from './decisions.ts';
import { releaseFaults, SUMS } from './release.ts';
import { ARTIFACTS, firstState, readState, STATE_FILE, type WorkflowState } from './state.ts';

/** What the tool's plans have to look with. */
export type Context = PlanContext<'files' | 'git' | 'workflow' | 'records'>;

/** Bytes of a state file or an artifact at most. */
const MAX_BYTES = 1_048_576;

/** One file as it was read: `text` is undefined where there is none. */
export interface Read {
  path: string;
  identity: FileIdentity;
  text: string | undefined;
  sha256: string | undefined;
  /** What was looked at, for the policy. */
  targets: Target[];
  handle: FileHandle;
}

export function artifactPath({ file }: Artifact): string {
  return `${ARTIFACTS}/${file}`;
}

/**
 * A file that the policy lets be read at once, link targets included.
 *
 * @throws HoldpointError `denied` where it may not be read, `invalid_input` where it is too large or a folder.
 */
export async function readFileAt(path: string, { files, permits }: Context): Promise<Read> {
  const handle = await files.look(path);
  const targets = withReal(fileTarget(path, 'read'), handle.real);
  if (!targets.every(permits))
    throw new HoldpointError('denied', `The policy does not let ${path} be read at once.`, {
      hint: 'The workflow needs an allowing rule for docs/workflow/**; docs/workflow.md shows one.',
    });
  const wrong = (why: string) => new HoldpointError('invalid_input', `${path} ${why}.`);
  if (handle.type === 'folder') throw wrong('is a folder, not a file');
  if (handle.size > MAX_BYTES) throw wrong(`has ${handle.size} bytes; at most ${MAX_BYTES} are read`);
  const identity = await files.identity(handle);
  if (handle.type === 'missing') return { path, identity, text: undefined, sha256: undefined, targets, handle };
  const { bytes } = await files.read(handle, { maxBytes: MAX_BYTES });
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  if (!('sha256' in identity) || identity.sha256 !== sha256)
    throw new HoldpointError('stale', `${path} changed while it was being read.`, { hint: 'Repeat the call.' });
  return { path, identity, text: new TextDecoder().decode(bytes), sha256, targets, handle };
}

/** The workflow with its state as the workspace has it; where there is no file, as it is before anything was done. */
export async function readWorkflow(
  context: Context,
): Promise<{ definition: Definition; state: WorkflowState; file: Read }> {
  const definition = await context.workflow.definition();
  const file = await readFileAt(STATE_FILE, context);
  const state = file.text === undefined ? firstState(definition) : await readState(file.text, definition);
  return { definition, state, file };
}

/** An artifact as it lies there. `faults`: why it does not do, in words; `sha256` of its bytes, of a folder of its checksums. */
export interface Seen {
  artifact: Artifact;
  sha256: string | undefined;
  faults: string[];
  reads: Read[];
}

/** Looks at an artifact: whether it is there and says something, has its checksums, or is the decision that the ledger has. */
export async function seeArtifact(artifact: Artifact, context: Context): Promise<Seen> {
  const path = artifactPath(artifact);
  if (artifact.folder) {
    const sums = await readFileAt(`${path}/${SUMS}`, context);
    const faults = await releaseFaults(path, sums.text, context);
    return { artifact, sha256: sums.sha256, faults, reads: [sums] };
  }
  const read = await readFileAt(path, context);
  const seen = (faults: string[]): Seen => ({ artifact, sha256: read.sha256, faults, reads: [read] });
  if (read.text === undefined) return seen(['it is not there']);
  if (artifact.decision) return seen(await decisionFaults(artifact, read.text, context));
  const template = artifact.template === undefined ? undefined : await context.workflow.template(artifact.template);
  return seen(lacksOf(read.text, template));
}

/** What looking at these touched, for the policy, and what a plan that relies on them is bound to. */
export function bindings(seen: readonly Seen[]) {
  const reads = seen.flatMap((each) => each.reads);
  const folders = seen
    .filter(({ artifact }) => artifact.folder)
    .map(({ artifact }) => folderTarget(artifactPath(artifact)));
  return {
    targets: [...reads.flatMap(({ targets }) => targets), ...folders],
    preconditions: reads.map(({ path, identity }) => ({
      id: `file:${path}`,
      says: `the content of ${path}`,
      value: identity,
    })),
  };
}
