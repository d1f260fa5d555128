import type { Found, Rule } from './finding.ts';
import { floats, lacksDigest, readImage } from './images.ts';
import { isProduction } from './kubernetes-source.ts';
import type { Container, PlacedManifests, Workload } from './kubernetes-source.ts';
import { at, text } from './yaml-tree.ts';
import type { YamlNode } from './yaml-tree.ts';

/** Workloads whose pods serve for as long as they live. */
const SERVING = new Set(['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'ReplicationController', 'Rollout']);
const REPLICATED = new Set(['Deployment', 'StatefulSet', 'Rollout']);

/** A rule that looks at each container by itself. */
export function eachContainer(
  check: (container: Container, workload: Workload) => Iterable<Found>,
): Rule<PlacedManifests>['check'] {
  return ({ workloads }) =>
    workloads.flatMap((workload) => workload.containers.flatMap((container) => [...check(container, workload)]));
}

export function eachWorkload(
  check: (workload: Workload, all: PlacedManifests) => Iterable<Found>,
): Rule<PlacedManifests>['check'] {
  return (all) => all.workloads.flatMap((workload) => [...check(workload, all)]);
}

/** `deployment api, container web` */
export function named({ kind, name }: Pick<Workload, 'kind' | 'name'>, container?: Container): string {
  return `${kind.toLowerCase()} ${name}${container ? `, container ${container.name}` : ''}`;
}

/** Two values written alike, places aside. */
function isSame(a: YamlNode, b: YamlNode): boolean {
  return JSON.stringify(plain(a, 0)) === JSON.stringify(plain(b, 0));
}

function plain(node: YamlNode, depth: number): unknown {
  const { value } = node;
  if (depth > 8) return null;
  if (Array.isArray(value)) return (value as readonly YamlNode[]).map((item) => plain(item, depth + 1));
  if (value instanceof Map)
    return [...(value as ReadonlyMap<string, YamlNode>)]
      .map(([key, inner]) => [key, plain(inner, depth + 1)] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1));
  return value;
}

export const KUBERNETES_POD_RULES: readonly Rule<PlacedManifests>[] = [
  {
    id: 'no-resources',
    severity: 'warning',
    why: 'Without requests the scheduler overfills nodes; without a memory limit one pod takes a node down.',
    fix: 'resources: { requests: { cpu: 250m, memory: 256Mi }, limits: { cpu: 500m, memory: 512Mi } }',
    check: eachContainer(function* (container, workload) {
      const has = (part: string, key: string) => at(container.node, 'resources', part, key) !== undefined;
      // A request that is absent is what the limit is.
      const missing = [
        ...['cpu', 'memory']
          .filter((key) => !has('requests', key) && !has('limits', key))
          .map((key) => `requests.${key}`),
        ...['cpu', 'memory'].filter((key) => !has('limits', key)).map((key) => `limits.${key}`),
      ];
      if (missing.length === 0) return;
      yield {
        line: at(container.node, 'resources')?.line ?? container.line,
        what: `${named(workload, container)}: no ${missing.join(', ')}`,
        // Many leave out the limit of CPU on purpose: it throttles.
        severity: missing.join() === 'limits.cpu' ? 'info' : 'warning',
      };
    }),
  },
  {
    id: 'missing-probe',
    severity: 'warning',
    why: 'Traffic reaches pods that are not ready, and pods that hang are not restarted.',
    fix: 'readinessProbe: { httpGet: { path: /ready, port: 8000 } }\nlivenessProbe: { httpGet: { path: /health, port: 8000 }, initialDelaySeconds: 30 }',
    check: eachContainer(function* (container, workload) {
      if (container.init || !SERVING.has(workload.kind)) return;
      const missing = ['livenessProbe', 'readinessProbe'].filter((probe) => !at(container.node, probe));
      if (missing.length > 0)
        yield { line: container.line, what: `${named(workload, container)}: no ${missing.join(', no ')}` };
    }),
  },
  {
    id: 'same-probes',
    severity: 'info',
    why: 'What makes a pod unready for a moment (a slow database) then restarts it as well.',
    fix: 'livenessProbe: { httpGet: { path: /health, port: 8000 }, failureThreshold: 6 }   # of the process alone',
    check: eachContainer(function* (container, workload) {
      const liveness = at(container.node, 'livenessProbe');
      const readiness = at(container.node, 'readinessProbe');
      if (liveness && readiness && isSame(liveness, readiness))
        yield { line: liveness.line, what: `${named(workload, container)}: liveness and readiness probe are the same` };
    }),
  },
  {
    id: 'latest-image',
    severity: 'warning',
    why: 'Pods of one workload may run different images, and a rollback goes back to nothing.',
    fix: 'image: name:1.2.3',
    check: eachContainer(function* (container, workload) {
      const how = floats(container.image ?? '');
      if (how)
        yield {
          line: at(container.node, 'image')?.line ?? container.line,
          what: `${named(workload, container)}: image ${container.image} ${how}`,
          fix: `image: ${readImage(container.image ?? '')?.name}:<version>`,
        };
    }),
  },
  {
    id: 'image-without-digest',
    severity: 'info',
    why: 'A tag can be moved to another image; a digest cannot.',
    fix: 'image: name:tag@sha256:<digest>',
    check: eachContainer(function* (container, workload) {
      if (container.image !== undefined && lacksDigest(container.image))
        yield {
          line: at(container.node, 'image')?.line ?? container.line,
          what: `${named(workload, container)}: image ${container.image} has no digest`,
          fix: `image: ${container.image}@sha256:<digest>`,
        };
    }),
  },
  {
    id: 'single-replica',
    severity: 'warning',
    why: 'Every restart, drain and rollout is an outage.',
    fix: 'replicas: 3',
    check: eachWorkload(function* (workload, { scaled }) {
      const replicas = at(workload.node, 'spec', 'replicas');
      if (workload.kind !== 'Deployment' || scaled.has(`${workload.kind}/${workload.name}`) || !isProduction(workload))
        return;
      if (!replicas || replicas.value === 1)
        yield { line: replicas?.line ?? workload.line, what: `${named(workload)}: one replica in production` };
    }),
  },
  {
    id: 'no-disruption-budget',
    severity: 'info',
    why: 'Draining nodes may stop all its pods at once.',
    fix: 'kind: PodDisruptionBudget   # apiVersion: policy/v1, spec: { minAvailable: 1, selector: … }',
    check: eachWorkload(function* ({ labels, namespace, ...workload }, { budgets }) {
      const replicas = at(workload.node, 'spec', 'replicas')?.value;
      if (!REPLICATED.has(workload.kind) || typeof replicas !== 'number' || replicas < 2) return;
      const covered = budgets.some(
        (budget) =>
          budget.namespace === namespace && [...budget.labels].every(([name, value]) => labels.get(name) === value),
      );
      if (!covered)
        yield { line: workload.line, what: `${named(workload)}: no PodDisruptionBudget among the files checked` };
    }),
  },
  {
    id: 'downtime-rollout',
    severity: 'warning',
    why: 'A rollout may stop all old pods before a new one is ready.',
    fix: 'rollingUpdate: { maxUnavailable: 0, maxSurge: 1 }',
    check: eachWorkload(function* (workload) {
      const spec = at(workload.node, 'spec');
      const update = at(spec, 'strategy', 'rollingUpdate') ?? at(spec, 'updateStrategy', 'rollingUpdate');
      const most = at(update, 'maxUnavailable');
      const replicas = at(spec, 'replicas')?.value;
      if (!most) return;
      const all =
        text(most) === '100%' ||
        (typeof most.value === 'number' && typeof replicas === 'number' && most.value >= replicas);
      if (all) yield { line: most.line, what: `${named(workload)}: maxUnavailable is all of its pods` };
    }),
  },
];
