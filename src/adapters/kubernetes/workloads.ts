import { hashOf } from './hash.ts';
import type { WorkloadObject } from './objects.ts';
import { plain } from './quoted.ts';

export const WORKLOAD_KINDS = ['deployment', 'statefulset', 'daemonset'] as const;

export type WorkloadKind = (typeof WORKLOAD_KINDS)[number];

/** What a rollout reads or writes of a workload. */
export interface Workload {
  uid: string;
  /** Over pod template, paused flag and strategy; not over replicas (autoscalers move them) nor status. */
  hash: string;
  paused: boolean;
  /** As asked for; for a daemon set as scheduled. */
  replicas: number;
  strategy: string;
  /** Whether changed pods are replaced by themselves; not with `OnDelete`. */
  rolls: boolean;
  containers: { name: string; image: string; init: boolean; pullPolicy: string }[];
  /** Names of the persistent volume claims its pods mount. */
  claims: string[];
}

export interface RolloutState {
  state: 'ready' | 'rolling' | 'failing' | 'paused';
  message: string;
  desired: number;
  updated: number;
  available: number;
  /** Why it is not ready. */
  reasons: string[];
}

export function isWorkloadKind(kind: string): kind is WorkloadKind {
  return (WORKLOAD_KINDS as readonly string[]).includes(kind);
}

export function workloadOf(object: WorkloadObject): Workload {
  const { template, paused, strategy, updateStrategy, volumeClaimTemplates } = object.spec;
  const containers = (init: boolean) =>
    ((init ? template.spec.initContainers : template.spec.containers) ?? []).map(
      ({ name, image, imagePullPolicy }) => ({
        name,
        image: image ?? '',
        init,
        pullPolicy: imagePullPolicy ?? 'IfNotPresent',
      }),
    );
  const mounted = (template.spec.volumes ?? []).flatMap((volume) => volume.persistentVolumeClaim?.claimName ?? []);
  const own = (volumeClaimTemplates ?? []).map((claim) => `${claim.metadata.name}-${object.metadata.name}-*`);
  return {
    uid: object.metadata.uid ?? '',
    hash: hashOf({ template, paused: paused ?? false, strategy: strategy ?? updateStrategy ?? null }),
    paused: paused ?? false,
    replicas: object.spec.replicas ?? object.status?.desiredNumberScheduled ?? 1,
    strategy: describeStrategy(object),
    rolls: (strategy ?? updateStrategy)?.type !== 'OnDelete',
    containers: [...containers(true), ...containers(false)],
    claims: [...mounted, ...own],
  };
}

function describeStrategy(object: WorkloadObject): string {
  const { type, rollingUpdate } = object.spec.strategy ?? object.spec.updateStrategy ?? {};
  const limits = Object.entries(rollingUpdate ?? {}).map(([key, value]) => `${key} ${value}`);
  return limits.length === 0 ? (type ?? 'RollingUpdate') : `${type ?? 'RollingUpdate'} (${limits.join(', ')})`;
}

/** How far a rollout is, by the rules of `kubectl rollout status`. Reasons hold only what the object itself says. */
export function rolloutState(kind: WorkloadKind, object: WorkloadObject): RolloutState {
  const counts = countsOf(kind, object);
  const status = object.status ?? {};
  const reasons = (status.conditions ?? [])
    .filter((condition) => condition.type === 'ReplicaFailure' && condition.status === 'True')
    .map((condition) => `pods cannot be made: ${plain(condition.message ?? condition.reason ?? '')}`);
  const at = (state: RolloutState['state'], message: string): RolloutState => ({ state, message, ...counts, reasons });
  if ((status.observedGeneration ?? 0) < (object.metadata.generation ?? 0))
    return at('rolling', 'the controller has not seen the change yet');
  if (object.spec.paused === true) return at('paused', 'the deployment is paused: changes roll out when it is resumed');
  const progressing = status.conditions?.find((condition) => condition.type === 'Progressing');
  if (progressing?.reason === 'ProgressDeadlineExceeded')
    return at('failing', plain(progressing.message ?? 'the progress deadline was exceeded'));
  if (!workloadOf(object).rolls && status.updateRevision !== status.currentRevision) {
    return at('paused', 'the update strategy is OnDelete: a pod takes the change only when it is deleted');
  }
  const waiting = stillWaiting(kind, object, counts);
  if (waiting === undefined)
    return at('ready', `${counts.available} of ${counts.desired} replicas are updated and available`);
  return at(reasons.length > 0 ? 'failing' : 'rolling', waiting);
}

type Counts = Pick<RolloutState, 'desired' | 'updated' | 'available'>;

function countsOf(kind: WorkloadKind, { spec, status = {} }: WorkloadObject): Counts {
  if (kind === 'daemonset') {
    return {
      desired: status.desiredNumberScheduled ?? 0,
      updated: status.updatedNumberScheduled ?? 0,
      available: status.numberAvailable ?? 0,
    };
  }
  // Old servers count no available replicas of stateful sets.
  const available = kind === 'statefulset' ? status.readyReplicas : status.availableReplicas;
  const settled = kind === 'statefulset' && status.updateRevision === status.currentRevision;
  return {
    desired: spec.replicas ?? 1,
    updated: (settled ? status.replicas : status.updatedReplicas) ?? 0,
    available: available ?? 0,
  };
}

function stillWaiting(kind: WorkloadKind, { spec, status = {} }: WorkloadObject, counts: Counts): string | undefined {
  const partition = spec.updateStrategy?.rollingUpdate?.partition ?? 0;
  const wanted = kind === 'statefulset' ? Math.max(0, counts.desired - partition) : counts.desired;
  if (counts.updated < wanted) return `${counts.updated} of ${wanted} replicas are updated`;
  const old = kind === 'deployment' ? (status.replicas ?? 0) - counts.updated : 0;
  if (old > 0) return `${old} old replicas are still to end`;
  if (counts.available < counts.desired) return `${counts.available} of ${counts.desired} replicas are available`;
  if (kind === 'statefulset' && partition === 0 && status.updateRevision !== status.currentRevision)
    return 'the last pods are being replaced';
  return undefined;
}
