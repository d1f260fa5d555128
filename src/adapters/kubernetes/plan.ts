import { HoldpointError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import type { Precondition } from '../../core/plan.ts';
import type { Call } from './api.ts';
import type { KubernetesPort, Reach, Revision, Workload, WorkloadChange, WorkloadRef } from './port.ts';
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
  const images = await imageBindings(kubernetes, ref, change, workload, engineImage, call);
  const preconditions: Precondition[] = [
    { id: `cluster:${ref.context}`, says: `the cluster behind context ${ref.context}`, value: cluster.uid },
    {
      id: `${ref.kind}:${ref.namespace}/${ref.name}`,
      says: `pod template, strategy and paused flag of ${what}`,
      value: { uid: workload.uid, hash: workload.hash },
    },
    ...(change.action === 'undo'
      ? [{ id: `revision:${ref.namespace}/${ref.name}`, says: `revision ${change.revision} of ${what}`, value: { revision: change.revision, hash: change.hash } }]
      : []),
    ...images.map(({ image, value }) => ({ id: `image:${image}`, says: `the image behind ${image}`, value })),
  ];
  const undo = wayBack(change, revisions);
  const lines = [
    ...changeLines(change, workload, revisions),
    `replicas ${workload.replicas}, ${workload.strategy}`,
    `services: ${listed(reach.services)}; autoscaler: ${listed(reach.autoscalers)}; volume claims: ${listed(workload.claims)}`,
    ...images.map(imageLine),
    ...warnings(change, workload, reach, cluster.verifiesTls),
    undo === null ? 'there is nothing to go back to' : `to go back: ${undo}`,
  ];
  return {
    change,
    bound: { uid: workload.uid, hash: workload.hash },
    undo,
    preconditions,
    call: kubernetes.planned(ref, change, workload),
    does: DOES[change.action],
    text: lines.join('\n'),
  };
}

function refuseArguments(ref: WorkloadRef, { action, images, toRevision }: WantedChange): void {
  const refuse = (message: string, hint: string) => new HoldpointError('invalid_input', message, { hint });
  const names = Object.keys(images ?? {});
  if (action === 'set-image' && names.length === 0) throw refuse('set-image needs images.', 'Give images as { "container": "image:tag" }.');
  if (action !== 'set-image' && images !== undefined) throw refuse(`${action} takes no images.`, 'Use the action set-image.');
  if (action !== 'undo' && toRevision !== undefined) throw refuse(`${action} takes no toRevision.`, 'Use the action undo.');
  if ((action === 'pause' || action === 'resume') && ref.kind !== 'deployment') {
    throw refuse(`A ${ref.kind} cannot be paused or resumed.`, 'Only deployments can.');
  }
  const wrong = Object.values(images ?? {}).find((image) => !IMAGE.test(image));
  if (wrong !== undefined) throw refuse(`${JSON.stringify(wrong.slice(0, 200))} is no image reference.`, 'Write host/name:tag or name@sha256:….');
}

function resolved(ref: WorkloadRef, { action, images = {}, toRevision }: WantedChange, workload: Workload, revisions: readonly Revision[]): WorkloadChange {
  const what = `${ref.kind}/${ref.name} in ${ref.namespace}`;
  const conflict = (message: string, hint: string) => new HoldpointError('conflict', message, { hint });
  if (workload.paused && (action === 'restart' || action === 'undo')) throw conflict(`${what} is paused.`, 'Resume it first.');
  switch (action) {
    case 'restart':
      return { action };
    case 'pause':
    case 'resume':
      if (workload.paused === (action === 'pause')) throw conflict(`${what} is ${action}d already.`, 'There is nothing to do.');
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
        throw new HoldpointError('not_found', `${what} has no container ${JSON.stringify(unknown)}.`, { hint: `Its containers: ${[...known.keys()].join(', ')}.` });
      }
      if (Object.entries(images).every(([name, image]) => known.get(name) === image)) {
        throw conflict(`${what} has these images already.`, 'To start its pods anew use the action restart.');
      }
      return { action, images };
    }
  }
}

interface ImageBinding {
  image: string;
  value: { engine: string | null; nodes: string[] | null };
}

/** The images that the pods will start with, where a tag could move: for the tag alone says nothing about the content. */
async function imageBindings(
  kubernetes: KubernetesPort,
  ref: WorkloadRef,
  change: WorkloadChange,
  workload: Workload,
  engineImage: (reference: string) => Promise<string | null>,
  call: Call,
): Promise<ImageBinding[]> {
  const named = change.action === 'set-image' ? Object.values(change.images) : change.action === 'restart' ? workload.containers.map(({ image }) => image) : [];
  const tagged = [...new Set(named)].filter((image) => image !== '' && !image.includes('@')).sort();
  if (tagged.length === 0) return [];
  const nodes = await kubernetes.nodeDigests(ref.context, tagged, call);
  return Promise.all(tagged.map(async (image) => ({ image, value: { engine: await engineImage(image), nodes: nodes[image] ?? null } })));
}

function imageLine({ image, value }: ImageBinding): string {
  const known = [...(value.engine === null ? [] : [`${value.engine} on the Docker Engine`]), ...(value.nodes ?? []).map((digest) => `${digest} on the nodes`)];
  return known.length === 0
    ? `image ${image}: what its tag stands for is not known here; the nodes take what they find when they start the pods`
    : `image ${image}: ${known.join(', ')}`;
}

function changeLines(change: WorkloadChange, workload: Workload, revisions: readonly Revision[]): string[] {
  const from = Object.fromEntries(workload.containers.map(({ name, image }) => [name, image]));
  const arrow = (to: Record<string, string>) =>
    Object.entries(to).map(([name, image]) => (from[name] === image ? `${name}: ${image} (as now)` : `${name}: ${from[name] ?? '(none)'} → ${image}`));
  switch (change.action) {
    case 'set-image':
      return arrow(change.images);
    case 'undo': {
      const target = revisions.find((revision) => revision.revision === change.revision);
      const cause = target?.cause === null || target === undefined ? '' : `, cause: ${JSON.stringify(target.cause.slice(0, 200))}`;
      return [`revision ${revisions[0]?.revision ?? '?'} → ${change.revision} (made ${target?.created ?? '?'}${cause})`, ...arrow(target?.images ?? {})];
    }
    case 'restart':
      return [`every pod is replaced, images stay: ${[...new Set(Object.values(from))].join(', ')}`];
    case 'pause':
      return ['changes made from now on do not roll out until it is resumed'];
    case 'resume':
    default:
      return ['changes made while it was paused roll out now'];
  }
}

function warnings(change: WorkloadChange, workload: Workload, reach: Reach, verifiesTls: boolean): string[] {
  const replaces = change.action !== 'pause';
  return [
    ...(replaces && !workload.rolls ? ['warning: the strategy is OnDelete, so pods take the change only when somebody deletes them'] : []),
    ...(replaces && workload.strategy.startsWith('Recreate') ? ['warning: the strategy is Recreate, so there is a gap without any pod'] : []),
    ...(replaces && workload.replicas === 1 && (reach.services ?? []).length > 0 ? ['warning: one replica serves these services'] : []),
    ...(verifiesTls ? [] : ["warning: the kubeconfig switches off the check of this cluster's certificate"]),
  ];
}

function wayBack(change: WorkloadChange, revisions: readonly Revision[]): string | null {
  if (change.action === 'pause') return 'kubectl-rollout with action resume';
  if (change.action === 'resume') return 'kubectl-rollout with action pause';
  const current = revisions[0]?.revision;
  return current === undefined ? null : `kubectl-rollout with action undo and toRevision ${current}`;
}

function listed(names: readonly string[] | null): string {
  if (names === null) return 'not readable';
  return names.length === 0 ? 'none' : names.join(', ');
}
