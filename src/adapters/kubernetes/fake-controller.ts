import { hashOf } from './hash.ts';
import type { KubeObject, Pod, WorkloadObject } from './objects.ts';
import { ownedBy } from './objects.ts';

/** What the controller sees of the fake cluster. */
interface Cluster {
  all(groupVersion: string, plural: string): KubeObject[];
  add(groupVersion: string, plural: string, object: KubeObject): void;
  forget(plural: string, namespace: string, name: string): void;
  /** Image → why pods with it do not start. */
  broken: ReadonlyMap<string, string>;
}

const REVISION = 'deployment.kubernetes.io/revision';

/** One step of every deployment: see the change, start its pods, then let them be ready and the old ones go. */
export function rollForward(cluster: Cluster): void {
  for (const object of cluster.all('apps/v1', 'deployments')) step(cluster, object as WorkloadObject);
}

function step(cluster: Cluster, deployment: WorkloadObject): void {
  if (deployment.spec.paused === true) {
    if (deployment.status?.observedGeneration !== deployment.metadata.generation)
      update(cluster, deployment, deployment.status ?? {});
    return;
  }
  const sets = cluster
    .all('apps/v1', 'replicasets')
    .filter((set) => ownedBy(set, deployment.metadata.uid)) as WorkloadObject[];
  const wanted = hashOf(deployment.spec.template).slice(7, 17);
  const newest = Math.max(0, ...sets.map(revisionOf));
  const set = sets.find((candidate) => candidate.metadata.labels?.['pod-template-hash'] === wanted);
  const replicas = deployment.spec.replicas ?? 1;
  if (set === undefined || revisionOf(set) < newest) {
    cluster.add('apps/v1', 'replicasets', replicaSet(deployment, wanted, newest + 1, set));
    annotate(cluster, deployment, newest + 1, {
      replicas: deployment.status?.replicas ?? 0,
      availableReplicas: deployment.status?.availableReplicas ?? 0,
    });
    return;
  }
  const pods = cluster.all('v1', 'pods') as Pod[];
  const own = pods.filter((pod) => ownedBy(pod, set.metadata.uid));
  const old = pods.filter((pod) => sets.some((other) => other !== set && ownedBy(pod, other.metadata.uid)));
  const reason = deployment.spec.template.spec.containers
    .map((container) => cluster.broken.get(container.image ?? ''))
    .find((found) => found !== undefined);
  if (own.length < replicas) {
    for (let index = 0; index < replicas; index += 1)
      cluster.add('v1', 'pods', pod(set, index, false, reason ?? 'ContainerCreating'));
    update(cluster, deployment, {
      replicas: old.length + replicas,
      updatedReplicas: replicas,
      availableReplicas: old.length,
    });
    return;
  }
  const { observedGeneration, availableReplicas, replicas: total } = deployment.status ?? {};
  const settled = availableReplicas === replicas && total === replicas && old.length === 0;
  if (observedGeneration === deployment.metadata.generation && (settled || reason !== undefined)) return;
  if (reason !== undefined) {
    update(cluster, deployment, deployment.status ?? {});
    return;
  }
  for (const gone of old) cluster.forget('pods', gone.metadata.namespace ?? '', gone.metadata.name);
  for (let index = 0; index < replicas; index += 1) cluster.add('v1', 'pods', pod(set, index, true, ''));
  update(cluster, deployment, { replicas, updatedReplicas: replicas, availableReplicas: replicas });
}

function update(cluster: Cluster, deployment: WorkloadObject, status: NonNullable<WorkloadObject['status']>): void {
  const observedGeneration = deployment.metadata.generation ?? 1;
  cluster.add('apps/v1', 'deployments', { ...deployment, status: { ...status, observedGeneration } } as WorkloadObject);
}

function annotate(
  cluster: Cluster,
  deployment: WorkloadObject,
  revision: number,
  status: NonNullable<WorkloadObject['status']>,
): void {
  const annotations = { ...deployment.metadata.annotations, [REVISION]: String(revision) };
  update(cluster, { ...deployment, metadata: { ...deployment.metadata, annotations } }, status);
}

function revisionOf(set: KubeObject): number {
  return Number(set.metadata.annotations?.[REVISION] ?? 0);
}

function replicaSet(
  deployment: WorkloadObject,
  hash: string,
  revision: number,
  known: WorkloadObject | undefined,
): WorkloadObject {
  const { template, replicas, selector } = deployment.spec;
  const labels = { ...template.metadata?.labels, 'pod-template-hash': hash };
  const { name, namespace, uid = '' } = deployment.metadata;
  return {
    ...known,
    kind: 'ReplicaSet',
    metadata: {
      ...known?.metadata,
      name: `${name}-${hash}`,
      ...(namespace === undefined ? {} : { namespace }),
      labels,
      annotations: { [REVISION]: String(revision) },
      ownerReferences: [{ uid, kind: 'Deployment', name, controller: true }],
    },
    spec: {
      ...(replicas === undefined ? {} : { replicas }),
      ...(selector === undefined ? {} : { selector }),
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
  };
}

function pod(set: WorkloadObject, index: number, ready: boolean, reason: string): Pod {
  const { name, namespace, labels = {}, uid = '' } = set.metadata;
  const state = ready
    ? { running: { startedAt: '2026-01-01T00:00:00Z' } }
    : { waiting: { reason, message: `the image does not come: ${reason}` } };
  return {
    kind: 'Pod',
    metadata: {
      name: `${name}-${index}`,
      ...(namespace === undefined ? {} : { namespace }),
      labels,
      ownerReferences: [{ uid, kind: 'ReplicaSet', name, controller: true }],
    },
    spec: set.spec.template.spec,
    status: {
      phase: ready ? 'Running' : 'Pending',
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
      containerStatuses: set.spec.template.spec.containers.map((container) => ({
        name: container.name,
        image: container.image ?? '',
        ready,
        restartCount: 0,
        state,
      })),
    },
  };
}
