import type { JsonObject } from '../../core/json.ts';
import type { Call } from './api.ts';
import type { Bound, WorkloadChange } from './changes.ts';
import type { Description, ObjectRef } from './describe.ts';
import type { ResourceType } from './discovery.ts';
import type { EventQuery, Events } from './events.ts';
import type { WorkloadRef } from './family.ts';
import type { ImageBinding } from './images.ts';
import type { LogQuery, Logs } from './logs.ts';
import type { Reach } from './reach.ts';
import type { Revision } from './revisions.ts';
import type { Surroundings } from './surroundings.ts';
import type { ListQuery, Table } from './tables.ts';
import type { RolloutState, Workload } from './workloads.ts';

export type {
  Bound,
  ImageBinding,
  Reach,
  Surroundings,
  Revision,
  RolloutState,
  Table,
  Workload,
  WorkloadChange,
  WorkloadRef,
};

/** Which cluster a context really leads to. */
interface ClusterIdentity {
  /** UID of the namespace kube-system, which lives as long as the cluster. */
  uid: string;
  /** False where the kubeconfig switches the check of the server's certificate off. */
  verifiesTls: boolean;
}

/**
 * The clusters of the operator's kubeconfig. Every method names the context; the current one is nowhere assumed. Throws
 * HoldpointError: `unavailable` without kubeconfig or connection, `timeout`, `upstream` for refused rights, `not_found`,
 * `invalid_input` for what the cluster calls invalid, `stale` where something moved. Texts of the cluster in results are
 * bounded, one line, free of control characters (logs excepted, which are as they are).
 */
export interface KubernetesPort {
  cluster(context: string, call: Call): Promise<ClusterIdentity>;
  /** The kind as the cluster serves it, from any of its names. */
  resource(context: string, kind: string, call: Call): Promise<ResourceType>;
  list(type: ResourceType, query: ListQuery, call: Call): Promise<Table>;
  describe(ref: ObjectRef, call: Call): Promise<Description>;
  events(query: EventQuery, call: Call): Promise<Events>;
  logs(ref: ObjectRef, query: LogQuery, call: Call): Promise<Logs>;
  workload(ref: WorkloadRef, call: Call): Promise<Workload>;
  /** Newest first; the first is the current one. */
  revisions(ref: WorkloadRef, call: Call): Promise<Revision[]>;
  /** Services and autoscalers that hang on a workload. */
  reach(ref: WorkloadRef, call: Call): Promise<Reach>;
  /** Digests that nodes hold behind images' tags; null where nodes may not be listed. */
  nodeDigests(context: string, images: readonly string[], call: Call): Promise<Record<string, string[] | null>>;
  /** Makes the change if the workload still is as bound, else throws `stale`. */
  change(ref: WorkloadRef, change: WorkloadChange, bound: Bound, call: Call): Promise<void>;
  /**
   * What a change would make of the object, by a server-side dry run of the very request: a unified diff of live and result as
   * YAML. @throws HoldpointError where the cluster would refuse the change, or it is no longer as bound
   */
  rehearse(ref: WorkloadRef, change: WorkloadChange, bound: Bound, call: Call): Promise<string>;
  /** What a change of the workload can break. */
  surroundings(ref: WorkloadRef, call: Call): Promise<Surroundings>;
  rollout(ref: WorkloadRef, call: Call): Promise<RolloutState>;
  /** Watches a rollout for at most `seconds`, or until it is ready, paused or failing for good. */
  follow(ref: WorkloadRef, seconds: number, report: (state: RolloutState) => void, call: Call): Promise<RolloutState>;
  /** The request that `change` will send, verbatim but for what only the run knows. */
  planned(ref: WorkloadRef, change: WorkloadChange, workload: Workload): JsonObject;
}

export { CLUSTER_EVENTS } from './events.ts';
export { lookText } from './looks.ts';
export { changeParts } from './change-parts.ts';
export { plannedChange } from './plan.ts';
export { placeOf, workloadTarget } from './targets.ts';
export { WORKLOAD_KINDS } from './workloads.ts';

declare module '../../core/tool.ts' {
  interface Ports {
    kubernetes: KubernetesPort;
  }
}
