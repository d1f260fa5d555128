import { HoldpointError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import type { Precondition } from '../../core/plan.ts';
import type { Call } from './api.ts';
import type { ImageBinding, KubernetesPort, Revision, Workload, WorkloadChange, WorkloadRef } from './port.ts';
import { previewText } from './preview.ts';
import { chosenRevision } from './revisions.ts';

/** A change as an agent wrote it. */
export interface WantedChange {
  action: WorkloadChange['action'];
  images: Record<string, string> | undefined;
  toRevision: number | undefined;
}

export interface PlannedChange {
  change: WorkloadChange;
  bound: { uid: string; hash: string };
  /** How to go back once it has run; null where there is no way. */
  undo: string | null;
  preconditions: Precondition[];
  /** The API request, verbatim but for what only the run knows. */
  call: JsonObject;
  /** In two words: `set images of`. */
  does: string;
  text: string;
}

const DOES: Readonly<Record<WorkloadChange['action'], string>> = {
  restart: 'restart',
  undo: 'go back to an earlier revision of',
  pause: 'pause',
  resume: 'resume',
  'set-image': 'set images of',
};

/** An image reference: no white space, nothing that could be a flag. */
const IMAGE = /^[a-z0-9][a-zA-Z0-9._/:@-]{0,512}$/;

/**
 * Reads what a change relies on and says what it will do. `engineImage` gives the id behind a reference on the Docker
 * Engine, null for none.
 *
 * @throws HoldpointError `conflict` where the workload's state leaves nothing to do or forbids it, `invalid_input`,
 *   `not_found`.
 */
export async function plannedChange(
  kubernetes: KubernetesPort,
  ref: WorkloadRef,
  wanted: WantedChange,
  engineImage: (reference: string) => Promise<string | null>,
  call: Call,
): Promise<PlannedChange> {
  refuseArguments(ref, wanted);
  const [cluster, workload, revisions, reach] = await Promise.all([
    kubernetes.cluster(ref.context, call),
    kubernetes.workload(ref, call),
    kubernetes.revisions(ref, call),
    kubernetes.reach(ref, call),
  ]);
  const change = resolved(ref, wanted, workload, revisions);
  const what = `${ref.kind}/${ref.name} in ${ref.namespace}`;
  const images = await imageBindings(kubernetes, ref, change, workload, revisions, engineImage, call);
  const preconditions: Precondition[] = [
    { id: `cluster:${ref.context}`, says: `the cluster behind context ${ref.context}`, value: cluster.uid },
    {
      id: `${ref.kind}:${ref.namespace}/${ref.name}`,
      says: `pod template, strategy and paused flag of ${what}`,
      // The hash binds; beside it what people can compare, should it move.
      value: { uid: workload.uid, hash: workload.hash, paused: workload.paused, images: imagesOf(workload) },
    },
    ...(change.action === 'undo'
      ? [
          {
            id: `revision:${ref.namespace}/${ref.name}`,
            says: `revision ${change.revision} of ${what}`,
            value: { revision: change.revision, hash: change.hash },
          },
        ]
      : []),
    ...images.map(({ image, value }) => ({ id: `image:${image}`, says: `the image behind ${image}`, value })),
  ];
  const undo = wayBack(change, revisions);
  return {
    change,
    bound: { uid: workload.uid, hash: workload.hash },
    undo,
    preconditions,
    call: kubernetes.planned(ref, change, workload),
    does: DOES[change.action],
    text: previewText({ change, workload, revisions, reach, images, verifiesTls: cluster.verifiesTls, undo }),
  };
}

function refuseArguments(ref: WorkloadRef, { action, images, toRevision }: WantedChange): void {
  const refuse = (message: string, hint: string) => new HoldpointError('invalid_input', message, { hint });
  const names = Object.keys(images ?? {});
  if (action === 'set-image' && names.length === 0)
    throw refuse('set-image needs images.', 'Give images as { "container": "image:tag" }.');
  if (action !== 'set-image' && images !== undefined)
    throw refuse(`${action} takes no images.`, 'Use the action set-image.');
  if (action !== 'undo' && toRevision !== undefined)
    throw refuse(`${action} takes no toRevision.`, 'Use the action undo.');
  if ((action === 'pause' || action === 'resume') && ref.kind !== 'deployment') {
    throw refuse(`A ${ref.kind} cannot be paused or resumed.`, 'Only deployments can.');
  }
  const wrong = Object.values(images ?? {}).find((image) => !IMAGE.test(image));
  if (wrong !== undefined)
    throw refuse(
      `${JSON.stringify(wrong.slice(0, 200))} is no image reference.`,
      'Write host/name:tag or name@sha256:….',
    );
}

function resolved(
  ref: WorkloadRef,
  { action, images = {}, toRevision }: WantedChange,
  workload: Workload,
  revisions: readonly Revision[],
): WorkloadChange {
  const what = `${ref.kind}/${ref.name} in ${ref.namespace}`;
  const conflict = (message: string, hint: string) => new HoldpointError('conflict', message, { hint });
  if (workload.paused && (action === 'restart' || action === 'undo'))
    throw conflict(`${what} is paused.`, 'Resume it first.');
  switch (action) {
    case 'restart':
      return { action };
    case 'pause':
    case 'resume':
      if (workload.paused === (action === 'pause'))
        throw conflict(`${what} is ${action}d already.`, 'There is nothing to do.');
      return { action };
    case 'undo': {
      const { revision, hash } = chosenRevision(revisions, toRevision, what);
      return { action, revision, hash };
    }
    case 'set-image':
    default: {
      const known = new Map(workload.containers.map((container) => [container.name, container.image]));
      const unknown = Object.keys(images).find((name) => !known.has(name));
      if (unknown !== undefined) {
        throw new HoldpointError('not_found', `${what} has no container ${JSON.stringify(unknown)}.`, {
          hint: `Its containers: ${[...known.keys()].join(', ')}.`,
        });
      }
      if (Object.entries(images).every(([name, image]) => known.get(name) === image)) {
        throw conflict(`${what} has these images already.`, 'To start its pods anew use the action restart.');
      }
      return { action, images };
    }
  }
}

/** The images that the pods will start with, where a tag could move: for the tag alone says nothing about the content. */
async function imageBindings(
  kubernetes: KubernetesPort,
  ref: WorkloadRef,
  change: WorkloadChange,
  workload: Workload,
  revisions: readonly Revision[],
  engineImage: (reference: string) => Promise<string | null>,
  call: Call,
): Promise<ImageBinding[]> {
  const named = imagesAfter(change, workload, revisions);
  const tagged = [...new Set(named)].filter((image) => image !== '' && !image.includes('@')).sort();
  if (tagged.length === 0) return [];
  const nodes = await kubernetes.nodeDigests(ref.context, tagged, call);
  return Promise.all(
    tagged.map(async (image) => ({ image, value: { engine: await engineImage(image), nodes: nodes[image] ?? null } })),
  );
}

/** The images that pods start with once the change is made; none where it starts no pod. */
function imagesAfter(change: WorkloadChange, workload: Workload, revisions: readonly Revision[]): string[] {
  switch (change.action) {
    case 'set-image':
      return Object.values(change.images);
    case 'undo':
      return Object.values(revisions.find(({ revision }) => revision === change.revision)?.images ?? {});
    case 'restart':
    case 'resume':
      return workload.containers.map(({ image }) => image);
    case 'pause':
      return [];
  }
}

function imagesOf({ containers }: Workload): Record<string, string> {
  return Object.fromEntries(containers.map(({ name, image }) => [name, image]));
}

function wayBack(change: WorkloadChange, revisions: readonly Revision[]): string | null {
  if (change.action === 'pause') return 'kubectl-rollout with action resume';
  if (change.action === 'resume') return 'kubectl-rollout with action pause';
  const current = revisions[0]?.revision;
  return current === undefined ? null : `kubectl-rollout with action undo and toRevision ${current}`;
}
