import type { Call, KubernetesApi } from './api.ts';
import { listPath, objectPath } from './api.ts';
import { eventObjects } from './events.ts';
import { ownedBy, selectorQuery } from './objects.ts';
import type { ControllerRevision, KubeEvent, KubeObject, Pod, WorkloadObject } from './objects.ts';
import { isReady, podTroubles } from './pods.ts';
import { plain } from './quoted.ts';
import { rolloutState } from './workloads.ts';
import type { RolloutState, WorkloadKind } from './workloads.ts';

export interface WorkloadRef {
  context: string;
  namespace: string;
  kind: WorkloadKind;
  name: string;
}

/** A workload with what it made. */
export interface Family {
  object: WorkloadObject;
  /** Newest first; replica sets of a deployment. */
  replicaSets: WorkloadObject[];
  /** Newest first; of a stateful or daemon set. */
  controllerRevisions: ControllerRevision[];
  /** All its pods, old and new. */
  pods: Pod[];
  /** Those of the newest revision. */
  newPods: Pod[];
}

export async function readWorkload(api: KubernetesApi, ref: WorkloadRef, call: Call): Promise<WorkloadObject> {
  const path = objectPath('apps/v1', `${ref.kind}s`, ref.namespace, ref.name);
  return (await api.json({ context: ref.context, method: 'GET', path }, call)) as unknown as WorkloadObject;
}

/** Objects of a kind that the workload's selector picks and that the workload controls, newest first. */
export async function readOwned<T extends KubeObject>(
  api: KubernetesApi,
  ref: WorkloadRef,
  object: WorkloadObject,
  [groupVersion, plural]: [string, string],
  call: Call,
): Promise<T[]> {
  const list = await api.json(
    {
      context: ref.context,
      method: 'GET',
      path: listPath(groupVersion, plural, ref.namespace),
      query: { labelSelector: selectorQuery(object.spec.selector), limit: '500' },
    },
    call,
  );
  const items = (Array.isArray(list.items) ? list.items : []) as unknown as T[];
  return items
    .filter((item) => ownedBy(item, object.metadata.uid))
    .sort((a, b) => revisionNumber(b) - revisionNumber(a));
}

/** The revision number of a replica set or controller revision; 0 for what has none. */
export function revisionNumber(object: KubeObject): number {
  if ('revision' in object && typeof object.revision === 'number') return object.revision;
  return Number(object.metadata.annotations?.['deployment.kubernetes.io/revision'] ?? 0);
}

export async function readFamily(api: KubernetesApi, ref: WorkloadRef, call: Call): Promise<Family> {
  const object = await readWorkload(api, ref, call);
  const deployment = ref.kind === 'deployment';
  const [replicaSets, controllerRevisions] = await Promise.all([
    deployment ? readOwned<WorkloadObject>(api, ref, object, ['apps/v1', 'replicasets'], call) : [],
    deployment ? [] : readOwned<ControllerRevision>(api, ref, object, ['apps/v1', 'controllerrevisions'], call),
  ]);
  const list = await api.json(
    {
      context: ref.context,
      method: 'GET',
      path: listPath('v1', 'pods', ref.namespace),
      query: { labelSelector: selectorQuery(object.spec.selector), limit: '500' },
    },
    call,
  );
  const owners = deployment ? replicaSets : [object];
  const items = (Array.isArray(list.items) ? list.items : []) as unknown as Pod[];
  const pods = items.filter((pod) => owners.some((owner) => ownedBy(pod, owner.metadata.uid)));
  const revision =
    controllerRevisions[0]?.metadata.labels?.['controller-revision-hash'] ?? controllerRevisions[0]?.metadata.name;
  const newPods = deployment
    ? pods.filter((pod) => ownedBy(pod, replicaSets[0]?.metadata.uid))
    : pods.filter((pod) => pod.metadata.labels?.['controller-revision-hash'] === revision);
  return { object, replicaSets, controllerRevisions, pods, newPods };
}

/** Warning events about the workload and what it made, newest first. */
export async function familyEvents(
  api: KubernetesApi,
  ref: WorkloadRef,
  family: Family,
  warningsOnly: boolean,
  call: Call,
): Promise<KubeEvent[]> {
  const uids = new Set([family.object, ...family.replicaSets, ...family.pods].map((member) => member.metadata.uid));
  const events = await eventObjects(api, { context: ref.context, namespace: ref.namespace, warningsOnly }, call);
  return events.filter((event) => uids.has(event.involvedObject?.uid));
}

/** Event reasons that say why a pod is not made or not ready, where the pod's own status does not. */
const TELLING = new Set(['FailedCreate', 'Unhealthy', 'FailedMount', 'FailedAttachVolume', 'FailedCreatePodSandBox']);
const MAX_REASONS = 6;

/** The rollout's state with the reasons found in the new pods and their events; `failing` once a reason will not pass. */
export async function judgedState(api: KubernetesApi, ref: WorkloadRef, call: Call): Promise<RolloutState> {
  const object = await readWorkload(api, ref, call);
  const state = rolloutState(ref.kind, object);
  const unseen = (object.status?.observedGeneration ?? 0) < (object.metadata.generation ?? 0);
  if (state.state === 'ready' || state.state === 'paused' || unseen) return state;
  const family = await readFamily(api, ref, call);
  return withReasons(state, family, await familyEvents(api, ref, family, true, call));
}

export function withReasons(state: RolloutState, family: Family, events: readonly KubeEvent[]): RolloutState {
  const troubles = family.newPods
    .filter((pod) => !isReady(pod) && pod.metadata.deletionTimestamp === undefined)
    .flatMap((pod) =>
      podTroubles(pod).map((trouble) => ({ ...trouble, text: `pod ${pod.metadata.name}: ${trouble.text}` })),
    );
  const current = new Set(
    [family.object, family.replicaSets[0], ...family.newPods.filter((pod) => !isReady(pod))].map(
      (member) => member?.metadata.uid,
    ),
  );
  const told = events
    .filter((event) => TELLING.has(event.reason ?? '') && current.has(event.involvedObject?.uid))
    .map(
      (event) =>
        `${(event.involvedObject?.kind ?? '').toLowerCase()} ${event.involvedObject?.name}: ${event.reason}: ${plain(event.message ?? '', 300)}`,
    );
  const reasons = [...new Set([...state.reasons, ...troubles.map((trouble) => trouble.text), ...told])].slice(
    0,
    MAX_REASONS,
  );
  const failing = state.state === 'failing' || troubles.some((trouble) => trouble.lasting);
  return { ...state, state: failing ? 'failing' : state.state, reasons };
}
