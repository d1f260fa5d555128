import { HoldpointError } from '../../core/errors.ts';
import { objectPath } from './api.ts';
import type { Call, KubernetesApi } from './api.ts';
import type { ObjectRef } from './describe.ts';
import { workloadRef } from './describe.ts';
import { readFamily } from './family.ts';
import type { Pod } from './objects.ts';
import { isReady } from './pods.ts';
import { isWorkloadKind } from './workloads.ts';

export interface LogQuery {
  /** A name of the pod's containers; default the pod's own default, else its first. */
  container?: string;
  /** Of the container's run before the last restart. */
  previous?: boolean;
  /** The last so many lines. */
  lines: number;
}

export interface Logs {
  pod: string;
  container: string;
  /** The pod's other containers. */
  others: string[];
  text: string;
  /** Whether there may be more before it: it has as many lines as were asked for, or as fit into 256 KB. */
  cut: boolean;
}

const MAX_BYTES = 256 * 1024;
const TIMEOUT = 15_000;

/** A pod's log; of a workload the newest pod that is not ready, else its newest pod, those on their way out last. */
export async function readLogs(api: KubernetesApi, ref: ObjectRef, query: LogQuery, call: Call): Promise<Logs> {
  const pod = await podOf(api, ref, call);
  const containers = [...(pod.spec.initContainers ?? []), ...pod.spec.containers].map((container) => container.name);
  const wanted =
    query.container ??
    pod.metadata.annotations?.['kubectl.kubernetes.io/default-container'] ??
    pod.spec.containers[0]?.name ??
    '';
  if (!containers.includes(wanted)) {
    throw new HoldpointError('not_found', `Pod ${pod.metadata.name} has no container ${JSON.stringify(wanted)}.`, {
      hint: `Its containers: ${containers.join(', ')}.`,
    });
  }
  const { text, cut } = await api.text(
    {
      context: ref.context,
      method: 'GET',
      path: `${objectPath('v1', 'pods', ref.namespace, pod.metadata.name)}/log`,
      query: {
        container: wanted,
        tailLines: String(query.lines),
        limitBytes: String(MAX_BYTES),
        ...(query.previous === true ? { previous: 'true' } : {}),
      },
      accept: '*/*',
      timeout: TIMEOUT,
      maxBytes: MAX_BYTES,
    },
    call,
  );
  const others = containers.filter((name) => name !== wanted);
  const full = text.trimEnd().split('\n').length >= query.lines;
  return { pod: pod.metadata.name, container: wanted, others, text, cut: cut || full };
}

async function podOf(api: KubernetesApi, ref: ObjectRef, call: Call): Promise<Pod> {
  const kind = ref.type.kind.toLowerCase();
  if (kind === 'pod') {
    const path = objectPath('v1', 'pods', ref.namespace, ref.name);
    return (await api.json({ context: ref.context, method: 'GET', path }, call)) as unknown as Pod;
  }
  if (!isWorkloadKind(kind)) {
    throw new HoldpointError('invalid_input', `A ${kind} has no logs.`, {
      hint: 'Ask for a pod, deployment, statefulset or daemonset.',
    });
  }
  const { pods } = await readFamily(api, workloadRef(ref, kind), call);
  const newest = pods.toSorted((a, b) =>
    (b.metadata.creationTimestamp ?? '').localeCompare(a.metadata.creationTimestamp ?? ''),
  );
  // After a rollout pods of the version before are not ready because they end: nothing is wrong with them.
  const staying = newest.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const pod = staying.find((candidate) => !isReady(candidate)) ?? staying[0] ?? newest[0];
  if (pod === undefined) {
    throw new HoldpointError('not_found', `${kind}/${ref.name} has no pods.`, {
      hint: 'Look at it without logs to see why.',
    });
  }
  return pod;
}
