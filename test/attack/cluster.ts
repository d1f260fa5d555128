import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A Kubernetes API server's answers from memory, and a record of what was asked. Enough for a Deployment to be seen and changed. */
export interface RecordingCluster {
  url: string;
  /** Every request: `PATCH /apis/apps/v1/…`. */
  asked: string[];
  objects: Map<string, Record<string, unknown>>;
  close: () => void;
}

/** What is only rehearsed changes nothing, here as on a real server. */
const DRY_RUN = 'DRY-RUN';
const READS = new Set(['GET', 'HEAD', 'OPTIONS', DRY_RUN]);

/** Requests that change something. */
export const changes = (asked: readonly string[]) => asked.filter((line) => !READS.has(line.split(' ')[0] ?? ''));

export async function recordingCluster(secret: string): Promise<RecordingCluster> {
  const asked: string[] = [];
  const objects = new Map<string, Record<string, unknown>>();
  const kinds: Record<string, [list: string, one: string]> = {
    namespaces: ['NamespaceList', 'Namespace'],
    pods: ['PodList', 'Pod'],
    secrets: ['SecretList', 'Secret'],
    configmaps: ['ConfigMapList', 'ConfigMap'],
    nodes: ['NodeList', 'Node'],
    deployments: ['DeploymentList', 'Deployment'],
    replicasets: ['ReplicaSetList', 'ReplicaSet'],
  };
  const put = (path: string, apiVersion: string, object: Record<string, unknown>) => {
    const parts = path.split('/');
    const namespace = /\/namespaces\/([^/]+)\/./.exec(path)?.[1];
    objects.set(path, {
      apiVersion,
      kind: kinds[parts.at(-2) ?? '']?.[1],
      ...object,
      metadata: {
        name: parts.at(-1),
        ...(namespace === undefined ? {} : { namespace }),
        uid: `uid-${objects.size + 1}`,
        resourceVersion: '1',
        generation: 1,
        creationTimestamp: '2026-01-01T00:00:00Z',
        ...(object['metadata'] as object | undefined),
      },
    });
  };
  put('/api/v1/namespaces/kube-system', 'v1', {});
  for (const namespace of ['shop-prod', 'shop-staging']) {
    put(`/api/v1/namespaces/${namespace}`, 'v1', {});
    put(`/api/v1/namespaces/${namespace}/secrets/db`, 'v1', {
      type: 'Opaque',
      data: { password: Buffer.from(secret).toString('base64') },
    });
    put(`/apis/apps/v1/namespaces/${namespace}/deployments/api`, 'apps/v1', {
      spec: {
        replicas: 1,
        selector: { matchLabels: { app: 'api' } },
        template: {
          metadata: { labels: { app: 'api' } },
          spec: {
            containers: [{ name: 'api', image: 'shop/api:1', env: [{ name: 'DB_PASSWORD', value: secret }] }],
          },
        },
      },
      status: { observedGeneration: 1, replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1 },
    });
  }
  const resource = (name: string, kind: string, namespaced: boolean) => ({
    name,
    singularName: kind.toLowerCase(),
    kind,
    namespaced,
    verbs: ['get', 'list', 'patch', 'update', 'delete', 'create'],
  });
  const discovery: Record<string, unknown> = {
    '/version': { major: '1', minor: '33', gitVersion: 'v1.33.0' },
    '/api': { kind: 'APIVersions', versions: ['v1'] },
    '/apis': {
      kind: 'APIGroupList',
      groups: [
        {
          name: 'apps',
          versions: [{ groupVersion: 'apps/v1', version: 'v1' }],
          preferredVersion: { groupVersion: 'apps/v1', version: 'v1' },
        },
      ],
    },
    '/api/v1': {
      kind: 'APIResourceList',
      groupVersion: 'v1',
      resources: [
        resource('namespaces', 'Namespace', false),
        resource('nodes', 'Node', false),
        resource('pods', 'Pod', true),
        resource('secrets', 'Secret', true),
        resource('configmaps', 'ConfigMap', true),
      ],
    },
    '/apis/apps/v1': {
      kind: 'APIResourceList',
      groupVersion: 'apps/v1',
      resources: [resource('deployments', 'Deployment', true), resource('replicasets', 'ReplicaSet', true)],
    },
  };
  const server = createServer((request, response) => {
    void answer(request).then(([status, body]) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body)),
    );
  });

  async function answer(request: IncomingMessage): Promise<[number, unknown]> {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
    const method = request.method ?? 'GET';
    const rehearsed = searchParams.getAll('dryRun').join() === 'All';
    asked.push(`${rehearsed ? `${DRY_RUN} ` : ''}${method} ${pathname}`);
    const text = (await request.toArray()).join('');
    // The scale of a workload is the same object by another name.
    const found = objects.get(pathname.replace(/\/scale$/, ''));
    if (method === 'GET' && discovery[pathname]) return [200, discovery[pathname]];
    if (method === 'GET') return found ? [200, found] : listed(pathname);
    if (!found && method !== 'POST') return [404, { kind: 'Status', code: 404, message: 'not found' }];
    if (rehearsed) {
      const result = structuredClone(found ?? {});
      if (found) merge(result, patched(text));
      return [200, result];
    }
    if (method === 'DELETE') {
      objects.delete(pathname);
      return [200, { kind: 'Status', status: 'Success' }];
    }
    if (found) merge(found, patched(text));
    return [200, found ?? JSON.parse(text || '{}')];
  }

  function listed(pathname: string): [number, unknown] {
    const plural = pathname.split('/').at(-1) ?? '';
    const kind = kinds[plural]?.[0];
    if (!kind) return [404, { kind: 'Status', code: 404, reason: 'NotFound', message: 'not found' }];
    const everywhere = pathname.split('/').length <= 5 && !pathname.includes('/namespaces/');
    const items = [...objects].filter(([path]) => {
      const of = path.slice(0, path.lastIndexOf('/'));
      return everywhere ? of.endsWith(`/${plural}`) : of === pathname;
    });
    const apiVersion = pathname.startsWith('/api/') ? 'v1' : 'apps/v1';
    return [200, { kind, apiVersion, metadata: { resourceVersion: '1' }, items: items.map(([, object]) => object) }];
  }

  await new Promise<void>((done) => {
    server.listen(0, '127.0.0.1', done);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    objects,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

function patched(text: string): Record<string, unknown> {
  const body: unknown = text.startsWith('{') ? JSON.parse(text) : {};
  return body as Record<string, unknown>;
}

/** Merged as a merge patch is; a change of the specification is rolled out at once. */
export function merge(object: Record<string, unknown>, patch: Record<string, unknown>): void {
  const into = (target: Record<string, unknown>, from: Record<string, unknown>) => {
    for (const [key, value] of Object.entries(from)) {
      const inner = target[key];
      const both = [inner, value].every((each) => typeof each === 'object' && each !== null && !Array.isArray(each));
      if (both) into(inner as Record<string, unknown>, value as Record<string, unknown>);
      else target[key] = value;
    }
  };
  into(object, patch);
  const metadata = object['metadata'] as Record<string, unknown>;
  metadata['resourceVersion'] = String(Number(metadata['resourceVersion']) + 1);
  if (patch['spec'] === undefined) return;
  metadata['generation'] = Number(metadata['generation']) + 1;
  if (object['status']) (object['status'] as Record<string, unknown>)['observedGeneration'] = metadata['generation'];
}
