import { HoldpointError } from '../../core/errors.ts';
import { softly, type Found } from '../../core/softly.ts';
import { listPath } from './api.ts';
import type { Call, KubernetesApi } from './api.ts';
import { readFamily } from './family.ts';
import type { WorkloadRef } from './family.ts';
import type { KubeObject, LabelSelector, PodTemplate, WorkloadObject } from './objects.ts';
import { workloadOf } from './workloads.ts';

/** What hangs on a workload, and what runs of it; each by itself unknown where it may not be read. */
export interface Surroundings {
  replicas: number;
  /** Pods that are ready. */
  ready: number;
  strategy: string;
  /** Container → what its pods really run, as the nodes report it: `…@sha256:…`, most often first. */
  running: Record<string, string[]>;
  services: Found<string[]>;
  /** `name (host/path, …)`, of those that lead to one of the services. */
  ingresses: Found<string[]>;
  autoscalers: Found<string[]>;
  /** `name (minAvailable 1)`. */
  disruptionBudgets: Found<string[]>;
  claims: string[];
  /** Other workloads of the namespace that use one of its config maps or secrets: `deployment/worker (config app-config)`. */
  sharesConfig: Found<string[]>;
  /** Containers without a readiness probe: a rollout cannot tell whether they work. */
  unprobed: string[];
}

interface Service extends KubeObject {
  spec?: { selector?: Record<string, string> };
}

interface Ingress extends KubeObject {
  spec?: {
    defaultBackend?: Backend;
    rules?: { host?: string; http?: { paths?: { path?: string; backend?: Backend }[] } }[];
  };
}

interface Backend {
  service?: { name?: string };
}

interface Autoscaler extends KubeObject {
  spec?: { minReplicas?: number; maxReplicas?: number; scaleTargetRef?: { kind?: string; name?: string } };
}

interface Budget extends KubeObject {
  spec?: { selector?: LabelSelector; minAvailable?: number | string; maxUnavailable?: number | string };
}

const OTHERS = ['deployments', 'statefulsets', 'daemonsets'] as const;

export async function readSurroundings(api: KubernetesApi, ref: WorkloadRef, call: Call): Promise<Surroundings> {
  const list = <T extends KubeObject>(groupVersion: string, plural: string) =>
    softly(call, (limited) => items<T>(api, ref, groupVersion, plural, limited));
  const [family, services, ingresses, autoscalers, budgets, ...others] = await Promise.all([
    readFamily(api, ref, call),
    list<Service>('v1', 'services'),
    list<Ingress>('networking.k8s.io/v1', 'ingresses'),
    list<Autoscaler>('autoscaling/v1', 'horizontalpodautoscalers'),
    softly(call, (limited) => budgetsOf(api, ref, limited)),
    ...OTHERS.map((plural) => list<WorkloadObject>('apps/v1', plural)),
  ]);
  const { object, pods } = family;
  const { template } = object.spec;
  const labels = template.metadata?.labels ?? {};
  const workload = workloadOf(object);
  const own = mapped(services, (all) => all.filter((service) => picks(service, labels)).map(nameOf));
  const ready = pods.filter(({ status }) =>
    status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True'),
  );
  return {
    replicas: workload.replicas,
    ready: ready.length,
    strategy: workload.strategy,
    running: runningImages(pods),
    services: own,
    ingresses:
      'unknown' in own ? own : mapped(ingresses, (all) => all.flatMap((ingress) => leadsTo(ingress, own.value))),
    autoscalers: mapped(autoscalers, (all) => all.filter((each) => scales(each, ref)).map(scalerText)),
    disruptionBudgets: mapped(budgets, (all) =>
      all.filter(({ spec }) => selects(spec?.selector, labels)).map(budgetText),
    ),
    claims: workload.claims,
    sharesConfig: sharers(ref, template, others),
    unprobed: template.spec.containers.filter(({ readinessProbe }) => !readinessProbe).map(({ name }) => name),
  };
}

async function items<T extends KubeObject>(
  api: KubernetesApi,
  ref: WorkloadRef,
  groupVersion: string,
  plural: string,
  call: Call,
): Promise<T[]> {
  const path = listPath(groupVersion, plural, ref.namespace);
  const { items: found } = await api.json({ context: ref.context, method: 'GET', path, query: { limit: '500' } }, call);
  return Array.isArray(found) ? (found as unknown as T[]) : [];
}

/** Clusters before 1.21 serve them under an older version alone. */
async function budgetsOf(api: KubernetesApi, ref: WorkloadRef, call: Call): Promise<Budget[]> {
  try {
    return await items<Budget>(api, ref, 'policy/v1', 'poddisruptionbudgets', call);
  } catch (error) {
    if (!(error instanceof HoldpointError) || error.code !== 'not_found') throw error;
    return items<Budget>(api, ref, 'policy/v1beta1', 'poddisruptionbudgets', call);
  }
}

function mapped<T, U>(found: Found<T>, make: (value: T) => U): Found<U> {
  return 'value' in found ? { value: make(found.value) } : found;
}

const nameOf = ({ metadata }: KubeObject): string => metadata.name;

function picks({ spec }: Service, labels: Record<string, string>): boolean {
  const selector = Object.entries(spec?.selector ?? {});
  return selector.length > 0 && selector.every(([key, value]) => labels[key] === value);
}

function leadsTo({ metadata, spec }: Ingress, services: readonly string[]): string[] {
  const to = (backend: Backend | undefined) => services.includes(backend?.service?.name ?? '');
  const routes = (spec?.rules ?? []).flatMap(({ host = '*', http }) =>
    (http?.paths ?? []).filter(({ backend }) => to(backend)).map(({ path = '/' }) => `${host}${path}`),
  );
  const all = to(spec?.defaultBackend) ? ['everything else', ...routes] : routes;
  return all.length === 0 ? [] : [`${metadata.name} (${all.slice(0, 5).join(', ')}${all.length > 5 ? ', …' : ''})`];
}

function scales({ spec }: Autoscaler, ref: WorkloadRef): boolean {
  return spec?.scaleTargetRef?.kind?.toLowerCase() === ref.kind && spec.scaleTargetRef.name === ref.name;
}

function scalerText({ metadata, spec }: Autoscaler): string {
  return `${metadata.name} (${spec?.minReplicas ?? 1}–${spec?.maxReplicas ?? '?'} replicas)`;
}

function budgetText({ metadata, spec }: Budget): string {
  const limit =
    spec?.minAvailable === undefined
      ? `maxUnavailable ${spec?.maxUnavailable ?? '?'}`
      : `minAvailable ${spec.minAvailable}`;
  return `${metadata.name} (${limit})`;
}

/** An empty selector picks every pod, none picks no pod. */
function selects(selector: LabelSelector | undefined, labels: Readonly<Record<string, string>>): boolean {
  if (selector === undefined) return false;
  return (
    Object.entries(selector.matchLabels ?? {}).every(([key, value]) => labels[key] === value) &&
    (selector.matchExpressions ?? []).every(({ key, operator, values = [] }) => {
      const value = labels[key];
      if (operator === 'Exists') return value !== undefined;
      if (operator === 'DoesNotExist') return value === undefined;
      if (operator === 'In') return value !== undefined && values.includes(value);
      return operator === 'NotIn' && (value === undefined || !values.includes(value));
    })
  );
}

function runningImages(pods: readonly { status?: { containerStatuses?: { name: string; imageID?: string }[] } }[]) {
  const statuses = pods.flatMap(({ status }) => status?.containerStatuses ?? []).filter(({ imageID }) => imageID);
  const byName = Map.groupBy(statuses, ({ name }) => name);
  return Object.fromEntries(
    [...byName].map(([name, list]) => {
      const counts = Map.groupBy(list, ({ imageID = '' }) => imageID.replace(/^docker-pullable:\/\//, ''));
      return [name, [...counts].toSorted((a, b) => b[1].length - a[1].length).map(([id]) => id)];
    }),
  );
}

function sharers(ref: WorkloadRef, template: PodTemplate, lists: readonly Found<WorkloadObject[]>[]): Found<string[]> {
  const own = configOf(template);
  if (own.length === 0) return { value: [] };
  const shared: string[] = [];
  for (const [at, found] of lists.entries()) {
    if ('unknown' in found) return found;
    const kind = (OTHERS[at] ?? '').slice(0, -1);
    for (const { metadata, spec } of found.value) {
      if (kind === ref.kind && metadata.name === ref.name) continue;
      const both = configOf(spec.template).filter((each) => own.includes(each));
      if (both.length > 0) shared.push(`${kind}/${metadata.name} (${both.slice(0, 3).join(', ')})`);
    }
  }
  return { value: shared };
}

/** The config maps and secrets that pods get, mounted or as environment: `config app`, `secret app`. */
function configOf({ spec }: PodTemplate): string[] {
  const named = (kind: string, name: string | undefined) => (name === undefined ? [] : [`${kind} ${name}`]);
  const containers = [...(spec.initContainers ?? []), ...spec.containers];
  return [
    ...new Set([
      ...(spec.volumes ?? []).flatMap(({ configMap, secret }) => [
        ...named('config', configMap?.name),
        ...named('secret', secret?.secretName),
      ]),
      ...containers.flatMap(({ env = [], envFrom = [] }) => [
        ...envFrom.flatMap(({ configMapRef, secretRef }) => [
          ...named('config', configMapRef?.name),
          ...named('secret', secretRef?.name),
        ]),
        ...env.flatMap(({ valueFrom }) => [
          ...named('config', valueFrom?.['configMapKeyRef']?.name),
          ...named('secret', valueFrom?.['secretKeyRef']?.name),
        ]),
      ]),
    ]),
  ];
}
