import { HoldpointError } from '../../core/errors.ts';
import type { Json, JsonObject } from '../../core/json.ts';
import type { Call, KubernetesApi } from './api.ts';
import { readOwned, revisionNumber } from './family.ts';
import type { WorkloadRef } from './family.ts';
import { hashOf } from './hash.ts';
import type { ControllerRevision, PodTemplate, WorkloadObject } from './objects.ts';

export interface Revision {
  revision: number;
  /** Over its pod template. */
  hash: string;
  /** Container → image. */
  images: Record<string, string>;
  /** ISO 8601, UTC. */
  created: string;
  /** What `kubernetes.io/change-cause` says, where somebody wrote one. */
  cause: string | null;
  current: boolean;
}

/** A revision with what bringing it back needs: the template (deployments) or the stored patch (the others). */
export interface StoredRevision extends Revision {
  restore: Json;
}

const CAUSE = 'kubernetes.io/change-cause';

/** A workload's stored revisions, newest first; the first is the current one. */
export async function readRevisions(
  api: KubernetesApi,
  ref: WorkloadRef,
  object: WorkloadObject,
  call: Call,
): Promise<StoredRevision[]> {
  const found =
    ref.kind === 'deployment'
      ? (await readOwned<WorkloadObject>(api, ref, object, ['apps/v1', 'replicasets'], call)).map((set) => {
          const template = withoutHashLabel(set.spec.template);
          return { set, template, restore: template as unknown as Json };
        })
      : (await readOwned<ControllerRevision>(api, ref, object, ['apps/v1', 'controllerrevisions'], call)).map(
          (set) => ({
            set,
            template: set.data.spec?.template,
            restore: set.data as unknown as Json,
          }),
        );
  const newest = Math.max(0, ...found.map(({ set }) => revisionNumber(set)));
  return found.flatMap(({ set, template, restore }) => {
    if (template === undefined) return [];
    const containers = [...(template.spec.initContainers ?? []), ...template.spec.containers];
    return {
      revision: revisionNumber(set),
      hash: hashOf(restore),
      images: Object.fromEntries(containers.map(({ name, image }) => [name, image ?? ''])),
      created: set.metadata.creationTimestamp ?? '',
      cause: set.metadata.annotations?.[CAUSE] ?? null,
      current: revisionNumber(set) === newest,
      restore,
    };
  });
}

/** The revision to go back to: the one named, else the one before the current. */
export function chosenRevision<R extends Revision>(
  revisions: readonly R[],
  wanted: number | undefined,
  what: string,
): R {
  const chosen =
    wanted === undefined
      ? revisions.find((revision) => !revision.current)
      : revisions.find((r) => r.revision === wanted);
  if (chosen === undefined) {
    const known = revisions.map((revision) => revision.revision).join(', ') || 'none';
    throw new HoldpointError(
      'not_found',
      wanted === undefined ? `There is no earlier revision of ${what}.` : `There is no revision ${wanted} of ${what}.`,
      {
        hint: `Stored revisions: ${known}. The action history shows them.`,
      },
    );
  }
  if (chosen.current) {
    throw new HoldpointError('conflict', `${what} is at revision ${chosen.revision} already.`, {
      hint: 'Name an earlier one with toRevision; the action history shows them.',
    });
  }
  return chosen;
}

/** The deployment controller adds this label to tell replica sets apart; it is no part of the template. */
function withoutHashLabel(template: PodTemplate): PodTemplate {
  const { 'pod-template-hash': _hash, ...labels } = template.metadata?.labels ?? {};
  return { ...template, metadata: { ...template.metadata, labels } };
}

/** The JSON patch that brings a deployment's stored template back, its change cause with it. */
export function deploymentUndo(
  revision: StoredRevision,
  object: WorkloadObject,
  resourceVersion: string,
): JsonObject[] {
  const path = `/metadata/annotations/${CAUSE.replace('/', '~1')}`;
  const has = object.metadata.annotations?.[CAUSE] !== undefined;
  const cause: JsonObject[] =
    revision.cause === null ? (has ? [{ op: 'remove', path }] : []) : [{ op: 'add', path, value: revision.cause }];
  return [
    { op: 'replace', path: '/metadata/resourceVersion', value: resourceVersion },
    { op: 'replace', path: '/spec/template', value: revision.restore },
    ...cause,
  ];
}
