import { HoldpointError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import type { Call, KubernetesApi } from './api.ts';

/** A kind as this cluster serves it. */
export interface ResourceType {
  /** `v1`, `apps/v1`. */
  groupVersion: string;
  /** As in paths: `deployments`. */
  plural: string;
  /** `Deployment`. */
  kind: string;
  namespaced: boolean;
}

interface Served extends ResourceType {
  names: string[];
}

const LIFETIME = 60_000;

/**
 * Finds kinds by what the cluster serves, so that old clusters and custom resources work alike. Takes kind, singular,
 * plural or short name, in any case, also as `plural.group`. A group's preferred version wins; the core group and `apps`
 * win over other groups.
 */
export function createDiscovery(api: KubernetesApi, now: () => number = Date.now) {
  const known = new Map<string, { at: number; served: Promise<Served[]> }>();

  async function all(context: string, call: Call): Promise<Served[]> {
    const hit = known.get(context);
    if (hit !== undefined && now() - hit.at < LIFETIME) return hit.served;
    const served = discover(api, context, call);
    known.set(context, { at: now(), served });
    served.catch(() => known.delete(context));
    return served;
  }

  return async function find(context: string, written: string, call: Call): Promise<ResourceType> {
    const wanted = written.toLowerCase();
    const [name = '', ...rest] = wanted.split('.');
    const group = rest.join('.');
    const inGroup = (type: Served) => group === '' || type.groupVersion.split('/')[0] === group;
    const found = (await all(context, call)).find((type) => type.names.includes(name) && inGroup(type));
    if (found === undefined) {
      throw new HoldpointError(
        'not_found',
        `The cluster in context ${context} serves no kind ${JSON.stringify(written)}.`,
        {
          hint: 'Write the kind as kubectl takes it: pods, deploy, ingress, certificates.cert-manager.io.',
        },
      );
    }
    const { groupVersion, plural, kind, namespaced } = found;
    return { groupVersion, plural, kind, namespaced };
  };
}

async function discover(api: KubernetesApi, context: string, call: Call): Promise<Served[]> {
  const groups = await api.json({ context, method: 'GET', path: '/apis' }, call);
  const versions = (Array.isArray(groups.groups) ? groups.groups : []).flatMap((group) => {
    const preferred = (group as { preferredVersion?: { groupVersion?: string } }).preferredVersion?.groupVersion;
    return typeof preferred === 'string' ? [preferred] : [];
  });
  const ordered = [
    'v1',
    ...versions.filter((v) => v.startsWith('apps/')),
    ...versions.filter((v) => !v.startsWith('apps/')),
  ];
  const lists = await Promise.all(
    ordered.map(async (groupVersion) => {
      const path = groupVersion.includes('/') ? `/apis/${groupVersion}` : `/api/${groupVersion}`;
      // One extension server that is down must not hide all other kinds.
      const list = await api.json({ context, method: 'GET', path }, call).catch((error: unknown) => {
        if (groupVersion === 'v1') throw error;
        return {};
      });
      return served(groupVersion, list);
    }),
  );
  return lists.flat();
}

function served(groupVersion: string, list: JsonObject): Served[] {
  const resources = Array.isArray(list.resources) ? (list.resources as JsonObject[]) : [];
  return resources.flatMap((resource) => {
    const { name, kind } = resource;
    if (typeof name !== 'string' || typeof kind !== 'string' || name.includes('/')) return [];
    const verbs = Array.isArray(resource.verbs) ? resource.verbs : [];
    if (!verbs.includes('get') && !verbs.includes('list')) return [];
    const short = Array.isArray(resource.shortNames) ? resource.shortNames : [];
    const names = [name, kind, resource.singularName, ...short].filter(
      (n): n is string => typeof n === 'string' && n !== '',
    );
    return [
      {
        groupVersion,
        plural: name,
        kind,
        namespaced: resource.namespaced === true,
        names: names.map((n) => n.toLowerCase()),
      },
    ];
  });
}
