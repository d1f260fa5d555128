interface Gone {
  goneIn: string;
  fix: string;
}

const use = (version: string, note = '') => `apiVersion: ${version}${note === '' ? '' : `   # ${note}`}`;

/** Of each version that is served no more: since when, and what instead, by kind; '*' for the kinds not named. */
const VERSIONS: Readonly<Record<string, { goneIn: string; kinds: Readonly<Record<string, string>> }>> = {
  'extensions/v1beta1': {
    goneIn: '1.16 (Ingress: 1.22)',
    kinds: {
      Ingress: use('networking.k8s.io/v1', 'pathType is required; backend becomes service: { name, port: { number } }'),
      NetworkPolicy: use('networking.k8s.io/v1'),
      PodSecurityPolicy: 'Remove it; label the namespace pod-security.kubernetes.io/enforce: restricted',
      '*': use('apps/v1', 'spec.selector is required'),
    },
  },
  'apps/v1beta1': { goneIn: '1.16', kinds: { '*': use('apps/v1', 'spec.selector is required') } },
  'apps/v1beta2': { goneIn: '1.16', kinds: { '*': use('apps/v1') } },
  'policy/v1beta1': {
    goneIn: '1.25',
    kinds: {
      PodDisruptionBudget: use('policy/v1'),
      PodSecurityPolicy: 'Remove it; label the namespace pod-security.kubernetes.io/enforce: restricted',
    },
  },
  'autoscaling/v2beta1': {
    goneIn: '1.25',
    kinds: { '*': use('autoscaling/v2', 'metrics: resource: { name, target: { type, averageUtilization } }') },
  },
  'autoscaling/v2beta2': { goneIn: '1.26', kinds: { '*': use('autoscaling/v2') } },
  'batch/v1beta1': { goneIn: '1.25', kinds: { '*': use('batch/v1') } },
  'batch/v2alpha1': { goneIn: '1.21', kinds: { '*': use('batch/v1') } },
  'networking.k8s.io/v1beta1': {
    goneIn: '1.22',
    kinds: {
      Ingress: use('networking.k8s.io/v1', 'pathType is required; backend becomes service: { name, port: { number } }'),
      IngressClass: use('networking.k8s.io/v1'),
    },
  },
  'rbac.authorization.k8s.io/v1beta1': { goneIn: '1.22', kinds: { '*': use('rbac.authorization.k8s.io/v1') } },
  'rbac.authorization.k8s.io/v1alpha1': { goneIn: '1.22', kinds: { '*': use('rbac.authorization.k8s.io/v1') } },
  'apiextensions.k8s.io/v1beta1': {
    goneIn: '1.22',
    kinds: { '*': use('apiextensions.k8s.io/v1', 'a schema for each version is required') },
  },
  'admissionregistration.k8s.io/v1beta1': {
    goneIn: '1.22',
    kinds: {
      MutatingWebhookConfiguration: use('admissionregistration.k8s.io/v1'),
      ValidatingWebhookConfiguration: use('admissionregistration.k8s.io/v1'),
    },
  },
  'scheduling.k8s.io/v1beta1': { goneIn: '1.22', kinds: { '*': use('scheduling.k8s.io/v1') } },
  'storage.k8s.io/v1beta1': {
    goneIn: '1.22',
    kinds: {
      StorageClass: use('storage.k8s.io/v1'),
      CSIDriver: use('storage.k8s.io/v1'),
      CSINode: use('storage.k8s.io/v1'),
      VolumeAttachment: use('storage.k8s.io/v1'),
    },
  },
  'coordination.k8s.io/v1beta1': { goneIn: '1.22', kinds: { Lease: use('coordination.k8s.io/v1') } },
  'discovery.k8s.io/v1beta1': { goneIn: '1.25', kinds: { '*': use('discovery.k8s.io/v1') } },
  'events.k8s.io/v1beta1': { goneIn: '1.25', kinds: { '*': use('events.k8s.io/v1') } },
  'node.k8s.io/v1beta1': { goneIn: '1.25', kinds: { '*': use('node.k8s.io/v1') } },
};

/** What replaces an apiVersion that clusters do not serve any more; undefined where they do. */
export function replacementOf(apiVersion: string, kind: string): Gone | undefined {
  const version = Object.hasOwn(VERSIONS, apiVersion) ? VERSIONS[apiVersion] : undefined;
  if (!version) return undefined;
  const fix = (Object.hasOwn(version.kinds, kind) ? version.kinds[kind] : undefined) ?? version.kinds['*'];
  return fix === undefined ? undefined : { goneIn: version.goneIn, fix };
}
