import { cutAtWord } from '../../core/cut.ts';
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import { isSecretName } from '../../core/secret-names.ts';
import type { ResourceType } from './discovery.ts';
import type { Condition, KubeObject } from './objects.ts';
import { namesSecret } from './pods.ts';
import { plain } from './quoted.ts';

interface Summary {
  status: string;
  problems: string[];
  details: JsonObject;
}

/** Conditions that mean trouble when they hold; every other one means trouble when it does not. */
const BAD_WHEN_TRUE = /Pressure$|Unavailable$|^Failed$|Failure$|^Degraded$|^Stalled$|Disruption|^Terminating$/;
/** Conditions that say nothing about health. */
const NEUTRAL = /^(Suspended|Paused|Progressing|Reconciling|Resizing|FileSystemResizePending)$/;
const MAX_STRING = 500;

/** Any object that is neither pod nor workload. */
export function summaryOf(type: ResourceType, object: KubeObject): Summary {
  if (type.groupVersion === 'v1' && type.kind === 'Secret') return secret(object);
  const { status, spec, data, binaryData } = object as KubeObject & Record<string, Json>;
  const conditions =
    isJsonObject(status) && Array.isArray(status.conditions) ? (status.conditions as unknown as Condition[]) : [];
  const bad = conditions.filter(
    (c) => !NEUTRAL.test(c.type) && (BAD_WHEN_TRUE.test(c.type) ? c.status === 'True' : c.status === 'False'),
  );
  const phase = isJsonObject(status) && typeof status.phase === 'string' ? status.phase : undefined;
  const stuck = phase === 'Pending' || phase === 'Failed' || phase === 'Lost' ? [`the phase is ${phase}`] : [];
  return {
    status:
      phase ?? conditionsOf(conditions.filter((c) => c.type === 'Ready' || c.type === 'Available'))[0] ?? 'present',
    problems: [...stuck, ...conditionsOf(bad)],
    details: {
      ...metadata(object),
      ...(spec === undefined ? {} : { spec: pruned(spec) }),
      ...(data === undefined ? {} : { data: pruned(data) }),
      ...(isJsonObject(binaryData) ? { binaryData: Object.keys(binaryData) } : {}),
      ...(status === undefined ? {} : { status: pruned(status) }),
    },
  };
}

/** Keys and sizes; values never, and no annotations, for kubectl keeps the last applied values in one. */
function secret(object: KubeObject & { type?: string; data?: Record<string, string> }): Summary {
  const keys = Object.entries(object.data ?? {}).map(([key, value]) => [
    key,
    `${Buffer.byteLength(value, 'base64')} bytes (not shown)`,
  ]);
  return {
    status: object.type ?? 'Opaque',
    problems: [],
    details: {
      labels: object.metadata.labels ?? {},
      created: object.metadata.creationTimestamp ?? '',
      data: Object.fromEntries(keys) as JsonObject,
    },
  };
}

function metadata(object: KubeObject): JsonObject {
  const { labels = {}, annotations = {}, creationTimestamp = '', deletionTimestamp } = object.metadata;
  const shown = Object.entries(annotations).filter(
    ([key]) => key !== 'kubectl.kubernetes.io/last-applied-configuration',
  );
  return {
    created: creationTimestamp,
    ...(deletionTimestamp === undefined ? {} : { beingDeletedSince: deletionTimestamp }),
    labels,
    annotations: pruned(Object.fromEntries(shown)),
  };
}

/** Secrets masked and long strings cut, so that one field cannot push the rest out of the result. */
function pruned(value: Json): Json {
  if (typeof value === 'string')
    return value.length <= MAX_STRING ? value : `${cutAtWord(value, MAX_STRING)}… (${value.length} characters)`;
  if (Array.isArray(value)) return value.map(pruned);
  if (!isJsonObject(value)) return value;
  // A variable in a pod template: its value may be a secret that somebody wrote down in the clear.
  const variable = typeof value.name === 'string' && typeof value.value === 'string' && namesSecret(value.name);
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      const hidden = typeof inner === 'string' && (isSecretName(key) || (variable && key === 'value'));
      return [plain(key, 200), hidden ? '(not shown)' : pruned(inner)];
    }),
  );
}

/** Conditions in one line each. */
export function conditionsOf(conditions: readonly Condition[] | undefined): string[] {
  return (conditions ?? []).map(({ type, status, reason, message }) => {
    const why = [reason, message].filter((part) => part !== undefined && part !== '').join(': ');
    return `${type}=${status}${why === '' ? '' : ` (${plain(why, 200)})`}`;
  });
}
