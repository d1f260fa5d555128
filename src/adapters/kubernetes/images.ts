import type { Call, KubernetesApi } from './api.ts';

interface NodeImages {
  status?: { images?: { names?: string[] }[] };
}

/** An image reference with the parts that Kubernetes fills in: `web` is `docker.io/library/web:latest`. */
function fullImageName(image: string): string {
  const [first = '', ...rest] = image.split('/');
  const hasHost = rest.length > 0 && (first.includes('.') || first.includes(':') || first === 'localhost');
  const named = hasHost ? image : rest.length > 0 ? `docker.io/${image}` : `docker.io/library/${image}`;
  const last = named.slice(named.lastIndexOf('/'));
  return last.includes(':') || last.includes('@') ? named : `${named}:latest`;
}

/**
 * The digests that the nodes hold behind each image's tag, sorted; null where the nodes may not be listed. Nodes report
 * up to 50 images each, so an empty list says nothing about the registry.
 */
export async function nodeDigests(
  api: KubernetesApi,
  context: string,
  images: readonly string[],
  call: Call,
): Promise<Record<string, string[] | null>> {
  const list = await api
    .json({ context, method: 'GET', path: '/api/v1/nodes', query: { limit: '500' } }, call)
    .catch(() => null);
  const nodes = list === null || !Array.isArray(list.items) ? null : (list.items as NodeImages[]);
  return Object.fromEntries(
    images.map((image) => {
      if (nodes === null) return [image, null];
      const wanted = fullImageName(image);
      const held = nodes
        .flatMap((node) => node.status?.images ?? [])
        .filter((entry) => (entry.names ?? []).some((n) => fullImageName(n) === wanted));
      const digests = held.flatMap((entry) => (entry.names ?? []).flatMap((n) => n.split('@')[1] ?? []));
      return [image, [...new Set(digests)].sort()];
    }),
  );
}

/** What is known of the image behind a tag. */
export interface ImageBinding {
  image: string;
  value: { engine: string | null; nodes: string[] | null };
}
