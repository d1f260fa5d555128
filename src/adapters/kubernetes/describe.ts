import type { JsonObject } from '../../core/json.ts';
import { objectPath } from './api.ts';
import type { Call, KubernetesApi } from './api.ts';
import type { ResourceType } from './discovery.ts';
import { CLUSTER_EVENTS, eventLines, eventObjects } from './events.ts';
import type { EventLine } from './events.ts';
import { familyEvents, readFamily, revisionNumber, withReasons } from './family.ts';
import type { WorkloadRef } from './family.ts';
import type { KubeObject, Pod } from './objects.ts';
import { environment, isReady, podStatus, podTroubles, readyContainers } from './pods.ts';
import { conditionsOf, summaryOf } from './summaries.ts';
import { isWorkloadKind, rolloutState, workloadOf } from './workloads.ts';
import type { WorkloadKind } from './workloads.ts';

export interface Description {
  /** In a few words: `Running, 1/1 ready`. */
  status: string;
  /** What is wrong, most telling first; empty when nothing is seen to be. */
  problems: string[];
  details: JsonObject;
  /** Recent ones, newest first; where there are warnings, these alone. */
  events: EventLine[];
  /** How many are left out. */
  moreEvents?: number;
}

export interface ObjectRef {
  context: string;
  namespace: string;
  type: ResourceType;
  name: string;
}

const EVENTS = 5;
/** Conditions of a pod that say something only when they are not true. */
const GOOD_WHEN_TRUE = new Set([
  'PodScheduled',
  'PodReadyToStartContainers',
  'Initialized',
  'ContainersReady',
  'Ready',
]);

/** One object, in the way of `kubectl describe` but shorter and with a verdict. Of Secrets only keys and sizes. */
export async function describeObject(api: KubernetesApi, ref: ObjectRef, now: Date, call: Call): Promise<Description> {
  const kind = ref.type.kind.toLowerCase();
  if (ref.type.groupVersion === 'apps/v1' && isWorkloadKind(kind))
    return describeWorkload(api, workloadRef(ref, kind), now, call);
  const namespace = ref.type.namespaced ? ref.namespace : undefined;
  const path = objectPath(ref.type.groupVersion, ref.type.plural, namespace, ref.name);
  const object = (await api.json({ context: ref.context, method: 'GET', path }, call)) as unknown as KubeObject;
  const about = {
    context: ref.context,
    namespace: namespace ?? CLUSTER_EVENTS,
    about: { kind: ref.type.kind, name: ref.name },
  };
  const events = eventLines(await eventObjects(api, about, call).catch(() => []), now);
  const isPod = ref.type.groupVersion === 'v1' && kind === 'pod';
  return { ...(isPod ? describePod(object as Pod, events) : summaryOf(ref.type, object)), ...shownEvents(events) };
}

function shownEvents(events: readonly EventLine[]): Pick<Description, 'events' | 'moreEvents'> {
  const warnings = events.filter(({ type }) => type === 'Warning');
  const shown = (warnings.length > 0 ? warnings : events).slice(0, EVENTS);
  return { events: shown, ...(shown.length === events.length ? {} : { moreEvents: events.length - shown.length }) };
}

export function workloadRef(
  ref: { context: string; namespace: string; name: string },
  kind: WorkloadKind,
): WorkloadRef {
  return { context: ref.context, namespace: ref.namespace, kind, name: ref.name };
}

async function describeWorkload(api: KubernetesApi, ref: WorkloadRef, now: Date, call: Call): Promise<Description> {
  const family = await readFamily(api, ref, call);
  const events = await familyEvents(api, ref, family, true, call).catch(() => []);
  const state = withReasons(rolloutState(ref.kind, family.object), family, events);
  const workload = workloadOf(family.object);
  const newest = family.replicaSets[0] ?? family.controllerRevisions[0];
  // Old pods that are in trouble matter too: they are what still serves.
  const old = family.pods
    .filter((pod) => !family.newPods.includes(pod) && !isReady(pod))
    .flatMap((pod) => podTroubles(pod).map((t) => `old pod ${pod.metadata.name}: ${t.text}`));
  return {
    status: `${state.state}: ${state.message}`,
    problems: state.state === 'ready' ? old.slice(0, 3) : [state.message, ...state.reasons, ...old.slice(0, 3)],
    details: {
      replicas: { desired: state.desired, updated: state.updated, available: state.available },
      strategy: workload.strategy,
      ...(newest === undefined ? {} : { revision: revisionNumber(newest), newest: newest.metadata.name }),
      containers: family.object.spec.template.spec.containers.map((container) => ({
        name: container.name,
        image: container.image ?? '',
        ports: (container.ports ?? []).map((port) => port.containerPort),
        resources: (container.resources ?? {}) as JsonObject,
        probes: ['startupProbe', 'readinessProbe', 'livenessProbe'].filter((probe) => probe in container),
        env: environment(container),
      })),
      ...(workload.claims.length === 0 ? {} : { claims: workload.claims }),
      pods: family.pods
        .slice(0, 10)
        .map((pod) => `${pod.metadata.name} ${podLine(pod)}${family.newPods.includes(pod) ? '' : ' (old revision)'}`),
    },
    ...shownEvents(eventLines(events, now)),
  };
}

function describePod(pod: Pod, events: readonly EventLine[]): Omit<Description, 'events'> {
  const troubles = podTroubles(pod);
  // A probe's own words are only in the events.
  const probe = isReady(pod) ? undefined : events.find((event) => event.reason === 'Unhealthy');
  const mount = isReady(pod)
    ? undefined
    : events.find((event) => event.reason.startsWith('Failed') && event.reason !== 'Failed');
  const told = [probe, mount].flatMap((event) => (event === undefined ? [] : `${event.reason}: ${event.message}`));
  return {
    status: podLine(pod),
    problems: [...new Set([...troubles.map((trouble) => trouble.text), ...told])],
    details: {
      node: pod.spec.nodeName ?? '(none yet)',
      ip: pod.status?.podIP ?? '',
      owner: pod.metadata.ownerReferences?.map((owner) => `${owner.kind.toLowerCase()}/${owner.name}`)[0] ?? '(none)',
      labels: pod.metadata.labels ?? {},
      ...badConditions(pod),
      containers: pod.spec.containers.map((container) => {
        const status = pod.status?.containerStatuses?.find(({ name }) => name === container.name);
        const env = environment(container);
        return {
          name: container.name,
          image: container.image ?? '',
          ...(status?.imageID ? { imageID: status.imageID } : {}),
          ready: status?.ready ?? false,
          restarts: status?.restartCount ?? 0,
          ...(env.length === 0 ? {} : { env }),
        };
      }),
    },
  };
}

/** Ready repeats word for word what ContainersReady says, where it is for the containers. */
function badConditions(pod: Pod): JsonObject {
  const bad = (pod.status?.conditions ?? []).filter(
    ({ type, status }) => status !== 'True' || !GOOD_WHEN_TRUE.has(type),
  );
  const told = bad.filter(
    ({ type, message }) =>
      type !== 'ContainersReady' || !bad.some((each) => each.type === 'Ready' && each.message === message),
  );
  return told.length === 0 ? {} : { conditions: conditionsOf(told) };
}

function podLine(pod: Pod): string {
  const { ready, total, restarts } = readyContainers(pod);
  return `${podStatus(pod)}, ${ready}/${total} ready, ${restarts} restarts`;
}
