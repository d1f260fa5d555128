import type { Found, Rule } from './finding.ts';
import { replacementOf } from './kubernetes-apis.ts';
import { named } from './kubernetes-pod-rules.ts';
import type { KubeManifest, PlacedManifests } from './kubernetes-source.ts';
import { isInlineSecret, isLiteral } from './secrets.ts';
import { at, entries, items, text } from './yaml-tree.ts';

const SHOWN_KEYS = 5;

function eachObject(
  kinds: readonly string[] | undefined,
  check: (object: KubeManifest) => Iterable<Found>,
): Rule<PlacedManifests>['check'] {
  return ({ objects }) =>
    objects.filter(({ kind }) => kinds === undefined || kinds.includes(kind)).flatMap((object) => [...check(object)]);
}

/** Names of keys, the first few. */
function listed(keys: readonly string[]): string {
  const more = keys.length - SHOWN_KEYS;
  return keys.slice(0, SHOWN_KEYS).join(', ') + (more > 0 ? ` and ${more} more` : '');
}

function decoded(value: string): string {
  return Buffer.from(value, 'base64').toString('utf8').trim();
}

function has(rule: Parameters<typeof at>[0], key: string): boolean {
  return items(at(rule, key)).some((item) => text(item) === '*');
}

export const KUBERNETES_OBJECT_RULES: readonly Rule<PlacedManifests>[] = [
  {
    id: 'secret-in-manifest',
    severity: 'error',
    why: 'Base64 is no encryption: everybody who can read the repository has the values, for as long as the history lasts.',
    fix: 'Keep a template without values, or an ExternalSecret or SealedSecret; make the Secret with kubectl create secret; change the values.',
    check: eachObject(['Secret'], function* (object) {
      const data = at(object.node, 'data');
      const plain = at(object.node, 'stringData');
      const keys = [
        ...entries(data).filter(([, value]) => isLiteral(text(value) ?? '') && isLiteral(decoded(text(value) ?? ''))),
        ...entries(plain).filter(([, value]) => isLiteral(text(value) ?? '')),
      ].map(([key]) => key);
      if (keys.length > 0)
        yield {
          line: (data ?? plain ?? object.node).line,
          what: `${named(object)} has values in the file: ${listed(keys)}`,
        };
    }),
  },
  {
    id: 'secret-in-configmap',
    severity: 'error',
    why: 'ConfigMaps are readable to everybody in the namespace, and to everybody who has the repository.',
    fix: 'Put it into a Secret and refer to it with secretKeyRef; change the value.',
    check: eachObject(['ConfigMap'], function* (object) {
      const found = entries(at(object.node, 'data')).filter(([key, value]) => isInlineSecret(key, text(value) ?? ''));
      const [first] = found;
      if (first)
        yield { line: first[1].line, what: `${named(object)} holds secrets: ${listed(found.map(([key]) => key))}` };
    }),
  },
  {
    id: 'deprecated-api',
    severity: 'error',
    why: 'The cluster does not serve this version any more and refuses the object.',
    fix: 'Use the version that is served.',
    check: eachObject(undefined, function* (object) {
      const found = replacementOf(object.apiVersion, object.kind);
      if (found)
        yield {
          line: at(object.node, 'apiVersion')?.line ?? object.line,
          what: `${named(object)}: ${object.apiVersion} is gone since Kubernetes ${found.goneIn}`,
          fix: found.fix,
        };
    }),
  },
  {
    id: 'rbac-wildcard',
    severity: 'warning',
    why: 'It allows more than anybody thought of, kinds that come later included.',
    fix: 'rules: [{ apiGroups: [apps], resources: [deployments], verbs: [get, list, watch] }]',
    check: eachObject(['Role', 'ClusterRole'], function* (object) {
      for (const rule of items(at(object.node, 'rules'))) {
        const wide = ['verbs', 'resources', 'apiGroups'].filter((key) => has(rule, key));
        if (wide.length === 0) continue;
        const all = wide.includes('verbs') && wide.includes('resources');
        yield {
          line: rule.line,
          what: `${named(object)}: * in ${wide.join(', ')}`,
          severity: all ? 'error' : 'warning',
        };
      }
    }),
  },
  {
    id: 'cluster-admin-binding',
    severity: 'warning',
    why: 'Whoever it names can do everything in the cluster, secrets included.',
    fix: 'roleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: <a role with what is needed> }',
    check: eachObject(['ClusterRoleBinding', 'RoleBinding'], function* (object) {
      const role = at(object.node, 'roleRef');
      if (role && text(at(role, 'name')) === 'cluster-admin')
        yield { line: role.line, what: `${named(object)} gives cluster-admin` };
    }),
  },
  {
    id: 'open-load-balancer',
    severity: 'warning',
    why: 'It gets a public address that everybody can reach, past ingress and TLS.',
    fix: 'loadBalancerSourceRanges: [203.0.113.0/24]   # or type: ClusterIP behind an Ingress',
    check: eachObject(['Service'], function* (object) {
      const type = at(object.node, 'spec', 'type');
      const ranges = at(object.node, 'spec', 'loadBalancerSourceRanges');
      const internal = entries(at(object.node, 'metadata', 'annotations')).some(
        ([key, value]) =>
          /internal|scheme|load-balancer-type/i.test(key) && /^(?:true|internal)$/i.test(text(value) ?? ''),
      );
      if (type && text(type) === 'LoadBalancer' && items(ranges).length === 0 && !internal)
        yield { line: type.line, what: `${named(object)} is open to every address` };
    }),
  },
  {
    id: 'selector-mismatch',
    severity: 'error',
    why: 'The API server refuses a workload whose selector does not pick its own pods.',
    fix: 'Give spec.template.metadata.labels every label of spec.selector.matchLabels.',
    *check({ workloads }) {
      for (const { kind, name, node, labels } of workloads) {
        const selector = at(node, 'spec', 'selector', 'matchLabels');
        const missing = entries(selector).filter(([key, value]) => labels.get(key) !== text(value));
        if (selector && missing.length > 0)
          yield {
            line: selector.line,
            what: `${named({ kind, name })}: its pods lack ${listed(missing.map(([key]) => key))}`,
          };
      }
    },
  },
];
