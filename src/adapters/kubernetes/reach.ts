import type { JsonObject } from '../../core/json.ts';
import { listPath } from './api.ts';
import type { Call, KubernetesApi } from './api.ts';
import { readWorkload } from './family.ts';
import type { WorkloadRef } from './family.ts';

/** What hangs on a workload; null where it may not be read. */
export interface Reach {
  /** Services whose selector picks its pods. */
  services: string[] | null;
  /** The autoscaler that sets its replicas, as `name (min–max)`. */
  autoscalers: string[] | null;
}

interface Service {
  metadata: { name: string };
  spec?: { selector?: Record<string, string> };
}

interface Autoscaler {
  metadata: { name: string };
  spec?: { minReplicas?: number; maxReplicas?: number; scaleTargetRef?: { kind?: string; name?: string } };
}

export async function readReach(api: KubernetesApi, ref: WorkloadRef, call: Call): Promise<Reach> {
  const [object, services, autoscalers] = await Promise.all([
    readWorkload(api, ref, call),
    items<Service>(api, ref, ['v1', 'services'], call),
    // v1 is served by old and new clusters alike.
    items<Autoscaler>(api, ref, ['autoscaling/v1', 'horizontalpodautoscalers'], call),
  ]);
  const labels = object.spec.template.metadata?.labels ?? {};
  const picks = ({ spec }: Service) => {
    const selector = Object.entries(spec?.selector ?? {});
    return selector.length > 0 && selector.every(([key, value]) => labels[key] === value);
  };
  const scales = ({ spec }: Autoscaler) =>
    spec?.scaleTargetRef?.kind?.toLowerCase() === ref.kind && spec.scaleTargetRef.name === ref.name;
  return {
    services: services?.filter(picks).map((service) => service.metadata.name) ?? null,
    autoscalers:
      autoscalers
        ?.filter(scales)
        .map(({ metadata, spec }) => `${metadata.name} (${spec?.minReplicas ?? 1}–${spec?.maxReplicas ?? '?'})`) ??
      null,
  };
}

async function items<T>(
  api: KubernetesApi,
  ref: WorkloadRef,
  [groupVersion, plural]: [string, string],
  call: Call,
): Promise<T[] | null> {
  const list = await api
    .json(
      {
        context: ref.context,
        method: 'GET',
        path: listPath(groupVersion, plural, ref.namespace),
        query: { limit: '500' },
      },
      call,
    )
    .catch((): JsonObject | null => null);
  return list === null || !Array.isArray(list.items) ? null : (list.items as T[]);
}
