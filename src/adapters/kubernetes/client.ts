import { setTimeout as sleep } from 'node:timers/promises';

import { HoldpointError } from '../../core/errors.ts';
import type { KubernetesApi } from './api.ts';
import { applyChange, plannedRequest, rehearseChange } from './changes.ts';
import { describeObject } from './describe.ts';
import { createDiscovery } from './discovery.ts';
import { readEvents } from './events.ts';
import { judgedState, readWorkload } from './family.ts';
import { createHttpApi } from './http.ts';
import type { KubernetesSettings } from './http.ts';
import { nodeDigests } from './images.ts';
import { readLogs } from './logs.ts';
import { objectDiff } from './object-diff.ts';
import type { KubernetesPort } from './port.ts';
import { readReach } from './reach.ts';
import { readRevisions } from './revisions.ts';
import { readSurroundings } from './surroundings.ts';
import { readTable } from './tables.ts';
import { workloadOf } from './workloads.ts';
import type { RolloutState } from './workloads.ts';

const UNSEEN: RolloutState = {
  state: 'rolling',
  message: 'not looked at yet',
  desired: 0,
  updated: 0,
  available: 0,
  reasons: [],
};

/** The clusters of a kubeconfig. Cheap: kubeconfig and vendor client are loaded with the first request. */
export function createKubernetes(settings: KubernetesSettings): KubernetesPort {
  return kubernetesOver(createHttpApi(settings));
}

/** The port over any API server, the fake one included. `pause`: milliseconds between two looks at a rollout. */
export function kubernetesOver(api: KubernetesApi, { pause = 1000, now = () => new Date() } = {}): KubernetesPort {
  const find = createDiscovery(api, () => now().getTime());
  return {
    async cluster(context, call) {
      const namespace = await api.json({ context, method: 'GET', path: '/api/v1/namespaces/kube-system' }, call);
      const { uid = '' } = (namespace as { metadata?: { uid?: string } }).metadata ?? {};
      return { uid, verifiesTls: await api.verifiesTls(context) };
    },
    resource: find,
    list: (type, query, call) => readTable(api, type, query, now(), call),
    describe: (ref, call) => describeObject(api, ref, now(), call),
    events: (query, call) => readEvents(api, query, now(), call),
    logs: (ref, query, call) => readLogs(api, ref, query, call),
    workload: async (ref, call) => workloadOf(await readWorkload(api, ref, call)),
    async revisions(ref, call) {
      const stored = await readRevisions(api, ref, await readWorkload(api, ref, call), call);
      return stored.map(({ restore: _restore, ...revision }) => revision);
    },
    reach: (ref, call) => readReach(api, ref, call),
    nodeDigests: (context, images, call) => nodeDigests(api, context, images, call),
    async change(ref, change, bound, call) {
      await applyChange(api, ref, change, bound, call);
    },
    async rehearse(ref, change, bound, call) {
      const { live, result } = await rehearseChange(api, ref, change, bound, call);
      return objectDiff(live, result);
    },
    surroundings: (ref, call) => readSurroundings(api, ref, call),
    rollout: (ref, call) => judgedState(api, ref, call),
    async follow(ref, seconds, report, call) {
      const end = performance.now() + seconds * 1000;
      let state = UNSEEN;
      for (;;) {
        // The change is made: not being able to watch it for a moment must not look like its failure.
        state = await judgedState(api, ref, call).catch((error: unknown) => ({
          ...state,
          reasons: [unwatched(error)],
        }));
        report(state);
        if (state.state !== 'rolling' || performance.now() + pause >= end) return state;
        const interrupted = await sleep(pause, false, { signal: call.signal }).catch(() => true);
        if (interrupted) return state;
      }
    },
    planned: (ref, change, workload) =>
      plannedRequest(
        ref,
        change,
        workload.containers.filter((container) => container.init).map((container) => container.name),
      ),
  };
}

function unwatched(error: unknown): string {
  return `it could not be watched: ${error instanceof HoldpointError ? error.message : 'an unexpected error'}`;
}
