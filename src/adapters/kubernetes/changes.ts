import { HoldpointError } from '../../core/errors.ts';
import type { Json, JsonObject } from '../../core/json.ts';
import { objectPath } from './api.ts';
import type { ApiRequest, Call, KubernetesApi, PatchType } from './api.ts';
import { readWorkload } from './family.ts';
import type { WorkloadRef } from './family.ts';
import type { WorkloadObject } from './objects.ts';
import { deploymentUndo, readRevisions } from './revisions.ts';
import type { StoredRevision } from './revisions.ts';
import { workloadOf } from './workloads.ts';

export type WorkloadChange =
  | { action: 'restart' }
  | { action: 'pause' }
  | { action: 'resume' }
  /** Container → image. */
  | { action: 'set-image'; images: Record<string, string> }
  /** `hash` is the revision's. */
  | { action: 'undo'; revision: number; hash: string };

/** What a change was planned on. */
export interface Bound {
  uid: string;
  hash: string;
}

/** As kubectl writes it; its history and other tools know it. */
const RESTARTED_AT = 'kubectl.kubernetes.io/restartedAt';
const ATTEMPTS = 5;

interface PatchParts {
  resourceVersion: string;
  /** ISO 8601. */
  now: string;
  /** Names of the init containers, for `set-image`. */
  initContainers: readonly string[];
  /** For `undo`: the whole patch, where it is known. */
  undo?: { contentType: PatchType; body: Json };
}

/** The API request that makes a change. */
function changeRequest(ref: WorkloadRef, change: WorkloadChange, parts: PatchParts): ApiRequest & { method: 'PATCH' } {
  const { contentType, body } = patchOf(change, parts);
  const path = objectPath('apps/v1', `${ref.kind}s`, ref.namespace, ref.name);
  return { context: ref.context, method: 'PATCH', path, query: { fieldManager: 'holdpoint' }, contentType, body };
}

/** The same request as a person reads it before the run, placeholders where only the run knows. */
export function plannedRequest(
  ref: WorkloadRef,
  change: WorkloadChange,
  initContainers: readonly string[],
): JsonObject {
  const undo: PatchParts['undo'] =
    change.action === 'undo'
      ? {
          contentType: undoType(ref),
          body: `(puts back the pod template of revision ${change.revision}, ${change.hash})`,
        }
      : undefined;
  const { method, path, query, contentType, body } = changeRequest(ref, change, {
    resourceVersion: '(as read at the run)',
    now: '(time of the run)',
    initContainers,
    ...(undo === undefined ? {} : { undo }),
  });
  return { method, path, query: query ?? {}, contentType: contentType ?? '', body: body ?? null };
}

/**
 * Makes a change to a workload that is still as it was planned on; status and replicas may have moved. The
 * resourceVersion read here goes with the patch, so nothing can slip in between.
 *
 * @throws HoldpointError `stale` with what moved.
 */
export async function applyChange(
  api: KubernetesApi,
  ref: WorkloadRef,
  change: WorkloadChange,
  bound: Bound,
  call: Call,
): Promise<WorkloadObject> {
  for (let attempt = 1; ; attempt += 1) {
    const { request } = await readyRequest(api, ref, change, bound, call);
    try {
      return (await api.json(request, call)) as unknown as WorkloadObject;
    } catch (error) {
      // Somebody wrote in between: the status, as a rule. Whether it was more is looked at again.
      if (!(error instanceof HoldpointError) || error.code !== 'stale' || attempt === ATTEMPTS) throw error;
    }
  }
}

/**
 * What the cluster says the object would become: the very request of the change as a server-side dry run, admission included,
 * which changes nothing.
 *
 * @throws HoldpointError as `applyChange`: also where the cluster would refuse the change.
 */
export async function rehearseChange(
  api: KubernetesApi,
  ref: WorkloadRef,
  change: WorkloadChange,
  bound: Bound,
  call: Call,
): Promise<{ live: WorkloadObject; result: WorkloadObject }> {
  const { object, request } = await readyRequest(api, ref, change, bound, call);
  const result = await api.json({ ...request, query: { ...request.query, dryRun: 'All' } }, call);
  return { live: object, result: result as unknown as WorkloadObject };
}

/** The request of a change to the workload as it is now, if that still is as bound; with the workload. */
async function readyRequest(
  api: KubernetesApi,
  ref: WorkloadRef,
  change: WorkloadChange,
  bound: Bound,
  call: Call,
): Promise<{ object: WorkloadObject; request: ApiRequest }> {
  const object = await readWorkload(api, ref, call);
  refuseMoved(ref, object, bound);
  const undo = change.action === 'undo' ? await undoPatch(api, ref, object, change, call) : undefined;
  const request = changeRequest(ref, change, {
    resourceVersion: object.metadata.resourceVersion ?? '',
    now: new Date().toISOString().replace(/\.\d+Z$/, 'Z'),
    initContainers: (object.spec.template.spec.initContainers ?? []).map((container) => container.name),
    ...(undo === undefined ? {} : { undo }),
  });
  return { object, request };
}

function patchOf(change: WorkloadChange, parts: PatchParts): { contentType: PatchType; body: Json } {
  const metadata = { resourceVersion: parts.resourceVersion };
  const strategic = (spec: JsonObject) => ({
    contentType: 'application/strategic-merge-patch+json' as const,
    body: { metadata, spec },
  });
  switch (change.action) {
    case 'restart':
      return strategic({ template: { metadata: { annotations: { [RESTARTED_AT]: parts.now } } } });
    case 'pause':
      return strategic({ paused: true });
    case 'resume':
      return strategic({ paused: false });
    case 'set-image': {
      const named = (init: boolean) =>
        Object.entries(change.images)
          .filter(([name]) => parts.initContainers.includes(name) === init)
          .map(([name, image]) => ({ name, image }));
      const lists = { containers: named(false), initContainers: named(true) };
      return strategic({
        template: { spec: Object.fromEntries(Object.entries(lists).filter(([, list]) => list.length > 0)) },
      });
    }
    case 'undo':
    default:
      if (parts.undo === undefined) throw new TypeError('An undo needs the stored revision.');
      return parts.undo;
  }
}

function undoType(ref: WorkloadRef): PatchType {
  return ref.kind === 'deployment' ? 'application/json-patch+json' : 'application/strategic-merge-patch+json';
}

async function undoPatch(
  api: KubernetesApi,
  ref: WorkloadRef,
  object: WorkloadObject,
  change: { revision: number; hash: string },
  call: Call,
): Promise<{ contentType: PatchType; body: Json }> {
  const stored = (await readRevisions(api, ref, object, call)).find(
    (revision) => revision.revision === change.revision,
  );
  if (stored?.hash !== change.hash) {
    throw moved(`revision ${change.revision} of ${ref.kind}/${ref.name}`, change.hash, stored?.hash ?? 'gone');
  }
  return { contentType: undoType(ref), body: undoBody(ref, stored, object) };
}

function undoBody(ref: WorkloadRef, stored: StoredRevision, object: WorkloadObject): Json {
  const resourceVersion = object.metadata.resourceVersion ?? '';
  if (ref.kind === 'deployment') return deploymentUndo(stored, object, resourceVersion);
  // A controller revision is stored as a strategic merge patch that replaces the whole template.
  return { ...(stored.restore as JsonObject), metadata: { resourceVersion } };
}

function refuseMoved(ref: WorkloadRef, object: WorkloadObject, bound: Bound): void {
  const { uid, hash } = workloadOf(object);
  const what = `${ref.kind}/${ref.name} in ${ref.namespace}`;
  if (uid !== bound.uid) throw moved(`${what} (the object itself)`, bound.uid, uid);
  if (hash !== bound.hash) throw moved(`pod template, strategy or paused flag of ${what}`, bound.hash, hash);
}

function moved(what: string, was: string, is: string): HoldpointError {
  return new HoldpointError('stale', `The ${what} changed after this was planned.`, {
    hint: 'Look at it again, then repeat the original call; it will be planned anew.',
    changes: [{ what, was, is }],
  });
}
