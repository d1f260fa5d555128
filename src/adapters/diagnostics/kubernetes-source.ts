import { at, entries, isMapping, items, text } from './yaml-tree.ts';
import type { YamlNode } from './yaml-tree.ts';

export interface KubeManifest {
  apiVersion: string;
  kind: string;
  name: string;
  /** '' where it is left to the one who applies it. */
  namespace: string;
  line: number;
  node: YamlNode;
}

export interface Container {
  name: string;
  line: number;
  node: YamlNode;
  image: string | undefined;
  init: boolean;
}

/** An object that makes pods. */
export interface Workload extends KubeManifest {
  /** Of the pods. */
  labels: ReadonlyMap<string, string>;
  podSpec: YamlNode;
  containers: Container[];
}

export interface Manifests {
  objects: KubeManifest[];
  workloads: Workload[];
}

/** What is said of workloads elsewhere, in all files that are looked at together. */
export interface Companions {
  /** Selectors of disruption budgets. */
  budgets: { namespace: string; labels: ReadonlyMap<string, string> }[];
  /** `kind/name` that an autoscaler scales. */
  scaled: ReadonlySet<string>;
}

export interface PlacedManifests extends Manifests, Companions {}

const POD_SPECS: Readonly<Record<string, readonly string[]>> = {
  Pod: ['spec'],
  CronJob: ['spec', 'jobTemplate', 'spec', 'template', 'spec'],
  ...Object.fromEntries(
    ['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'ReplicationController', 'Job', 'Rollout'].map((kind) => [
      kind,
      ['spec', 'template', 'spec'],
    ]),
  ),
};

export function readManifests(documents: readonly YamlNode[]): Manifests {
  // A List holds objects and no other List.
  const nodes = documents.flatMap((document) =>
    text(at(document, 'kind'))?.endsWith('List') ? items(at(document, 'items')) : [document],
  );
  const objects = nodes.flatMap((node) => readObject(node) ?? []);
  return { objects, workloads: objects.flatMap((object) => readPods(object) ?? []) };
}

export function isManifest(node: YamlNode): boolean {
  return text(at(node, 'apiVersion')) !== undefined && text(at(node, 'kind')) !== undefined;
}

/** The disruption budgets and autoscalers among these objects. */
export function companionsOf(objects: readonly KubeManifest[]): Companions {
  return {
    budgets: objects
      .filter(({ kind }) => kind === 'PodDisruptionBudget')
      .map(({ namespace, node }) => ({ namespace, labels: labelsOf(at(node, 'spec', 'selector', 'matchLabels')) })),
    scaled: new Set(
      objects
        .filter(({ kind }) => kind === 'HorizontalPodAutoscaler' || kind === 'ScaledObject')
        .map(({ node }) => at(node, 'spec', 'scaleTargetRef'))
        .map((target) => `${text(at(target, 'kind')) ?? 'Deployment'}/${text(at(target, 'name')) ?? ''}`),
    ),
  };
}

function labelsOf(node: YamlNode | undefined): ReadonlyMap<string, string> {
  return new Map(entries(node).flatMap(([name, value]) => [[name, text(value) ?? ''] as const]));
}

/** Whether its namespace or labels say that it is for production. */
export function isProduction({ namespace, node }: KubeManifest): boolean {
  const labels = labelsOf(at(node, 'metadata', 'labels'));
  return [namespace, labels.get('environment'), labels.get('env'), labels.get('stage')].some((each) =>
    /(?:^|[-_])prod(?:uction)?(?:$|[-_])/i.test(each ?? ''),
  );
}

/** A value that a container sets or takes over from its pod. */
export function securityOf(workload: Workload, container: Container, key: string): YamlNode | undefined {
  return at(container.node, 'securityContext', key) ?? at(workload.podSpec, 'securityContext', key);
}

function readObject(node: YamlNode): KubeManifest | undefined {
  const apiVersion = text(at(node, 'apiVersion'));
  const kind = text(at(node, 'kind'));
  if (apiVersion === undefined || kind === undefined) return undefined;
  const name = text(at(node, 'metadata', 'name')) ?? text(at(node, 'metadata', 'generateName')) ?? '';
  return { apiVersion, kind, name, namespace: text(at(node, 'metadata', 'namespace')) ?? '', line: node.line, node };
}

function readPods(object: KubeManifest): Workload | undefined {
  const path = Object.hasOwn(POD_SPECS, object.kind) ? POD_SPECS[object.kind] : undefined;
  const podSpec = path && at(object.node, ...path);
  if (!path || !podSpec || !isMapping(podSpec)) return undefined;
  const metadata = at(object.node, ...path.slice(0, -1), 'metadata');
  const containers = (['containers', 'initContainers'] as const).flatMap((key) =>
    items(at(podSpec, key))
      .filter(isMapping)
      .map((node): Container => ({
        name: text(at(node, 'name')) ?? '?',
        line: node.line,
        node,
        image: text(at(node, 'image')),
        init: key === 'initContainers',
      })),
  );
  return { ...object, labels: labelsOf(at(metadata, 'labels')), podSpec, containers };
}
