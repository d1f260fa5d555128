import { HoldpointError } from '../../core/errors.ts';
import type { KubernetesFacts } from '../../core/facts.ts';
import type { Json, JsonObject } from '../../core/json.ts';
import type { ApiRequest, KubernetesApi } from './api.ts';
import { kubernetesOver } from './client.ts';
import { refusal } from './errors.ts';
import { rollForward } from './fake-controller.ts';
import { jsonPatch, strategicMerge } from './fake-patch.ts';
import type { KubeObject } from './objects.ts';
import type { KubernetesPort } from './port.ts';

interface FakeDeployment {
  name: string;
  namespace: string;
  image: string;
  /** Default 2. */
  replicas?: number;
}

/** One small cluster in memory, behind every context it is given. */
export interface FakeKubernetes {
  port: KubernetesPort;
  api: KubernetesApi;
  /** What `facts.kubernetes` would be; the first context is current. */
  facts: KubernetesFacts;
  /** Every request so far. */
  requests: ApiRequest[];
  /** Puts a ready deployment, its replica set and pods there. */
  deploy(deployment: FakeDeployment): void;
  /** Puts any object there, or replaces it: `add('apps/v1', 'statefulsets', {…})`. */
  add(groupVersion: string, plural: string, object: KubeObject): void;
  get(groupVersion: string, plural: string, namespace: string, name: string): KubeObject | undefined;
  /** Pods with this image never start, for this reason (`ErrImagePull`, `ImagePullBackOff` …). */
  breakImage(image: string, reason: string): void;
  /** Moves an object's resourceVersion as a status update does, its spec untouched. */
  touch(groupVersion: string, plural: string, namespace: string, name: string): void;
  /** Runs just before each patch is looked at: the place to change something in between. */
  beforePatch(act: (request: ApiRequest) => void): void;
}

interface Stored {
  groupVersion: string;
  plural: string;
  object: KubeObject;
}

const PATH = /^\/(?:api|apis)\/(v1|[^/]+\/[^/]+)(?:\/namespaces\/([^/]+)(?=\/))?\/([a-z]+)(?:\/([^/]+))?(\/log)?$/;

/** Kinds it serves, by group. */
const SERVED: Readonly<Record<string, [plural: string, kind: string, namespaced: boolean, ...shortNames: string[]][]>> =
  {
    v1: [
      ['pods', 'Pod', true, 'po'],
      ['services', 'Service', true, 'svc'],
      ['secrets', 'Secret', true],
      ['configmaps', 'ConfigMap', true, 'cm'],
      ['events', 'Event', true, 'ev'],
      ['namespaces', 'Namespace', false, 'ns'],
      ['nodes', 'Node', false, 'no'],
    ],
    'apps/v1': [
      ['deployments', 'Deployment', true, 'deploy'],
      ['statefulsets', 'StatefulSet', true, 'sts'],
      ['daemonsets', 'DaemonSet', true, 'ds'],
      ['replicasets', 'ReplicaSet', true, 'rs'],
    ],
  };

export function createFakeKubernetes(contexts: readonly string[] = ['fake']): FakeKubernetes {
  const objects = new Map<string, Stored>();
  const broken = new Map<string, string>();
  const requests: ApiRequest[] = [];
  let version = 0;
  let between: (request: ApiRequest) => void = () => {};

  const keyOf = (groupVersion: string, plural: string, namespace: string, name: string) =>
    [groupVersion, plural, namespace, name].join(' ');
  const get = (groupVersion: string, plural: string, namespace: string, name: string) =>
    objects.get(keyOf(groupVersion, plural, namespace, name))?.object;

  function add(groupVersion: string, plural: string, object: KubeObject): void {
    version += 1;
    const { namespace = '', name, uid, creationTimestamp } = object.metadata;
    const known = get(groupVersion, plural, namespace, name);
    const metadata = {
      ...object.metadata,
      uid: uid ?? known?.metadata.uid ?? `uid-${version}`,
      creationTimestamp: creationTimestamp ?? known?.metadata.creationTimestamp ?? new Date().toISOString(),
      resourceVersion: String(version),
    };
    objects.set(keyOf(groupVersion, plural, namespace, name), {
      groupVersion,
      plural,
      object: { ...object, metadata },
    });
  }

  const all = (groupVersion: string, plural: string, namespace?: string) =>
    [...objects.values()]
      .filter((stored) => stored.groupVersion === groupVersion && stored.plural === plural)
      .filter((stored) => namespace === undefined || stored.object.metadata.namespace === namespace)
      .map((stored) => stored.object);
  const forget = (plural: string, namespace: string, name: string) =>
    objects.delete(keyOf('v1', plural, namespace, name));
  const advance = () => rollForward({ all, add, forget, broken });

  function answer(request: ApiRequest): JsonObject {
    if (request.path === '/apis') return { groups: [{ preferredVersion: { groupVersion: 'apps/v1' } }] };
    const discovery = /^\/(?:api|apis)\/(v1|[^/]+\/[^/]+)$/.exec(request.path)?.[1];
    if (discovery !== undefined && discovery in SERVED) return { resources: (SERVED[discovery] ?? []).map(resource) };
    const [, groupVersion = '', namespace, plural = '', name] = PATH.exec(request.path) ?? [];
    if (name === undefined) {
      const found = all(groupVersion, plural, namespace);
      return { kind: 'List', items: found.filter((object) => selected(object, request.query)) as unknown as Json[] };
    }
    const object = get(groupVersion, plural, namespace ?? '', name);
    if (object === undefined) throw refusal(request, 404, {});
    if (request.method === 'GET') return structuredClone(object) as unknown as JsonObject;
    if (request.query?.dryRun === undefined) between(request);
    return patched(request, groupVersion, plural, get(groupVersion, plural, namespace ?? '', name) ?? object);
  }

  function patched(request: ApiRequest, groupVersion: string, plural: string, object: KubeObject): JsonObject {
    const current = object as unknown as JsonObject;
    const isJson = request.contentType === 'application/json-patch+json';
    const after = (isJson
      ? jsonPatch(current, request.body ?? null)
      : strategicMerge(current, request.body ?? null)) as unknown as KubeObject;
    if (after.metadata.resourceVersion !== object.metadata.resourceVersion) throw refusal(request, 409, {});
    if (request.query?.dryRun === 'All') return structuredClone(after) as unknown as JsonObject;
    const spec = (of: KubeObject) => JSON.stringify((of as KubeObject & { spec?: unknown }).spec);
    const generation = (object.metadata.generation ?? 1) + (spec(after) === spec(object) ? 0 : 1);
    add(groupVersion, plural, { ...after, metadata: { ...after.metadata, generation } });
    return structuredClone(after) as unknown as JsonObject;
  }

  const api: KubernetesApi = {
    async json(request, call) {
      call.signal.throwIfAborted();
      requests.push(request);
      if (!contexts.includes(request.context))
        throw new HoldpointError('unavailable', `There is no cluster behind ${request.context}.`, {
          hint: 'This is the fake.',
        });
      if (request.method === 'GET' && /\/deployments\/[^/]+$/.test(request.path)) advance();
      return answer(request);
    },
    async text(request) {
      requests.push(request);
      return { text: `log of ${request.path}\n`, cut: false };
    },
    verifiesTls: async () => true,
  };

  add('v1', 'namespaces', { metadata: { name: 'kube-system', uid: 'fake-cluster' } });
  return {
    port: kubernetesOver(api, { pause: 2 }),
    api,
    facts: {
      ...(contexts[0] === undefined ? {} : { current: contexts[0] }),
      contexts: Object.fromEntries(contexts.map((context) => [context, { cluster: context, namespace: 'default' }])),
    },
    requests,
    deploy({ name, namespace, image, replicas = 2 }) {
      const labels = { app: name };
      const spec = {
        replicas,
        selector: { matchLabels: labels },
        strategy: { type: 'RollingUpdate' },
        template: { metadata: { labels }, spec: { containers: [{ name, image }] } },
      };
      add('apps/v1', 'deployments', {
        kind: 'Deployment',
        metadata: { name, namespace, generation: 1 },
        spec,
      } as KubeObject);
      for (let step = 0; step < 3; step += 1) advance();
    },
    add,
    get,
    breakImage: (image, reason) => broken.set(image, reason),
    touch(groupVersion, plural, namespace, name) {
      const object = get(groupVersion, plural, namespace, name);
      if (object !== undefined) add(groupVersion, plural, object);
    },
    beforePatch(act) {
      between = act;
    },
  };
}

function resource([name, kind, namespaced, ...shortNames]: [string, string, boolean, ...string[]]): JsonObject {
  return { name, kind, namespaced, shortNames, verbs: ['get', 'list'] };
}

/** Label selectors of equality, and field selectors by path. */
function selected(object: KubeObject, query: Record<string, string> = {}): boolean {
  const pairs = (text: string | undefined) =>
    (text ?? '')
      .split(',')
      .filter(Boolean)
      .map((pair) => pair.split('=') as [string, string]);
  const field = (path: string) =>
    path.split('.').reduce<unknown>((at, part) => (at as Record<string, unknown> | undefined)?.[part], object);
  return (
    pairs(query.labelSelector).every(([key, value]) => object.metadata.labels?.[key] === value) &&
    pairs(query.fieldSelector).every(([path, value]) => field(path) === value)
  );
}
