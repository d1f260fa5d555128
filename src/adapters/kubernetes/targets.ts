import type { Effect } from '../../core/effect.ts';
import { HoldpointError } from '../../core/errors.ts';
import type { Facts } from '../../core/facts.ts';
import type { Target } from '../../core/target.ts';

/** What an agent wrote to name a place in a cluster. */
export interface WrittenPlace {
  context?: string | undefined;
  namespace?: string | undefined;
}

/** A place with its defaults filled in from the kubeconfig's names. */
export interface Place {
  /** Empty where there is no kubeconfig: the adapter then says so. */
  context: string;
  cluster: string | null;
  namespace: string;
}

/** Short and plural names, for policies speak of kinds in the lower-case singular. */
const NAMES: Readonly<Record<string, string>> = {
  po: 'pod',
  deploy: 'deployment',
  sts: 'statefulset',
  ds: 'daemonset',
  rs: 'replicaset',
  svc: 'service',
  ing: 'ingress',
  ingresses: 'ingress',
  cm: 'configmap',
  cj: 'cronjob',
  ev: 'event',
  ep: 'endpoints',
  endpoints: 'endpoints',
  hpa: 'horizontalpodautoscaler',
  netpol: 'networkpolicy',
  networkpolicies: 'networkpolicy',
  no: 'node',
  ns: 'namespace',
  pv: 'persistentvolume',
  pvc: 'persistentvolumeclaim',
  pdb: 'poddisruptionbudget',
  quota: 'resourcequota',
  limits: 'limitrange',
  sa: 'serviceaccount',
  sc: 'storageclass',
  storageclasses: 'storageclass',
  crd: 'customresourcedefinition',
};

/** Kinds in no namespace: the context's default namespace must not lend them its environment. */
const CLUSTER_WIDE = new Set([
  'node',
  'persistentvolume',
  'storageclass',
  'clusterrole',
  'clusterrolebinding',
  'customresourcedefinition',
]);

/** The kind in the lower-case singular, without its group. Custom kinds with unusual plurals are corrected by the plan. */
export function singularKind(written: string): string {
  const name = written.toLowerCase().split('.')[0] ?? '';
  return NAMES[name] ?? (name.endsWith('s') && !name.endsWith('ss') ? name.slice(0, -1) : name);
}

/**
 * Fills in context and namespace as kubectl does. Without any kubeconfig it still gives a place, so that the policy
 * answers before the missing cluster does.
 *
 * @throws HoldpointError `not_found` for an unknown context, `invalid_input` where none is named and none is current.
 */
export function placeOf(written: WrittenPlace, facts: Facts): Place {
  const { contexts, current } = facts.kubernetes;
  const names = Object.keys(contexts);
  const context = written.context ?? current;
  if (names.length === 0) return { context: context ?? '', cluster: null, namespace: written.namespace ?? 'default' };
  const hint = `Known contexts: ${names.slice(0, 20).join(', ')}.`;
  if (context === undefined)
    throw new HoldpointError('invalid_input', 'The kubeconfig has no current context: name one.', { hint });
  const known = Object.hasOwn(contexts, context) ? contexts[context] : undefined;
  if (known === undefined)
    throw new HoldpointError('not_found', `There is no context ${JSON.stringify(context.slice(0, 100))}.`, { hint });
  return { context, cluster: known.cluster, namespace: written.namespace ?? known.namespace };
}

/** One object, or all of a kind (`name` undefined), as a target for the policy. `*` is every namespace. */
export function workloadTarget(kind: string, name: string | undefined, place: Place, effect: Effect): Target {
  const resource = singularKind(kind);
  const namespace = CLUSTER_WIDE.has(resource) ? undefined : resource === 'namespace' ? name : place.namespace;
  const where =
    namespace === undefined || resource === 'namespace'
      ? ''
      : ` in ${namespace === '*' ? 'all namespaces' : namespace}`;
  return {
    kind: 'workload',
    id: `${resource}/${name ?? '*'}${where}${place.context === '' ? '' : ` (context ${place.context})`}`,
    effect,
    resource,
    at: {
      ...(place.context === '' ? {} : { kubeContext: place.context }),
      ...(place.cluster === null ? {} : { cluster: place.cluster }),
      ...(namespace === undefined ? {} : { namespace }),
    },
  };
}
