import { describe, expect, test } from 'vitest';

import { diagnose, readChecked } from '../../../src/adapters/diagnostics/diagnose.ts';
import { edited, findingsOf, ids, SHA, testRules } from './rule-cases.ts';
import type { Edit } from './rule-cases.ts';

const CLEAN = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: api
  namespace: shop-production
spec:
  replicas: 3
  strategy: { rollingUpdate: { maxUnavailable: 0 } }
  selector: { matchLabels: { app: api } }
  template:
    metadata: { labels: { app: api } }
    spec:
      automountServiceAccountToken: false
      securityContext: { runAsNonRoot: true }
      containers:
        - name: api
          image: registry.example.org/api:1.4.2@sha256:${SHA}
          env:
            - { name: LOG_LEVEL, value: info }
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: { drop: [ALL] }
          resources: { requests: { cpu: 250m, memory: 256Mi }, limits: { cpu: 500m, memory: 512Mi } }
          livenessProbe: { httpGet: { path: /health, port: 8000 } }
          readinessProbe: { httpGet: { path: /ready, port: 8000 } }
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: { name: api, namespace: shop-production }
spec: { minAvailable: 1, selector: { matchLabels: { app: api } } }
---
apiVersion: v1
kind: Service
metadata: { name: api, namespace: shop-production }
spec: { type: ClusterIP }
`;
const IMAGE = `          image: registry.example.org/api:1.4.2@sha256:${SHA}`;
const ENV = '            - { name: LOG_LEVEL, value: info }';
const RESOURCES =
  '          resources: { requests: { cpu: 250m, memory: 256Mi }, limits: { cpu: 500m, memory: 512Mi } }';
const LIVENESS = '          livenessProbe: { httpGet: { path: /health, port: 8000 } }\n';
const ESCALATION = '            allowPrivilegeEscalation: false';
const POD = '      automountServiceAccountToken: false';
const SERVICE = 'spec: { type: ClusterIP }';
const DROP = '            capabilities: { drop: [ALL] }';
/** One more object after the others. */
const object = (text: string): Edit => [SERVICE, `${SERVICE}\n---\n${text}`];

testRules('kubernetes', 'kubernetes/api.yaml', CLEAN, [
  {
    rule: 'no-resources',
    bad: [RESOURCES, ''],
    good: [RESOURCES, '          resources: { limits: { cpu: 1, memory: 1Gi } }'],
    at: '- name: api',
  },
  {
    rule: 'no-resources',
    bad: [RESOURCES, '          resources: { requests: { cpu: 1, memory: 1Gi } }'],
    good: [RESOURCES, RESOURCES.replace('requests: { cpu: 250m, memory: 256Mi }, ', '')],
    at: 'resources',
  },
  {
    rule: 'missing-probe',
    bad: [LIVENESS, ''],
    good: [
      ['kind: Deployment', 'kind: Job'],
      [LIVENESS, ''],
    ],
    at: '- name: api',
  },
  {
    rule: 'same-probes',
    bad: [LIVENESS, LIVENESS.replace('/health', '/ready')],
    good: [LIVENESS, LIVENESS.replace('8000', '8001')],
    at: 'livenessProbe',
  },
  {
    rule: 'latest-image',
    bad: [IMAGE, '          image: api:latest'],
    good: [IMAGE, `          image: api@sha256:${SHA}`],
    at: 'image:',
  },
  {
    rule: 'latest-image',
    bad: [IMAGE, '          image: host:5000/api'],
    good: [IMAGE, '          image: "${IMAGE}"'],
    at: 'image:',
  },
  {
    rule: 'image-without-digest',
    bad: [IMAGE, '          image: api:v1'],
    good: [IMAGE, `          image: api:v1@sha256:${SHA}`],
    at: 'image:',
  },
  {
    rule: 'single-replica',
    bad: ['  replicas: 3', '  replicas: 1'],
    good: [`  namespace: shop-production\nspec:\n  replicas: 3`, '  namespace: shop-preprod\nspec:\n  replicas: 1'],
    at: 'replicas',
  },
  {
    rule: 'single-replica',
    bad: ['  replicas: 3\n', ''],
    good: [
      ['  replicas: 3\n', ''],
      object(
        'apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nspec: { scaleTargetRef: { kind: Deployment, name: api } }',
      ),
    ],
    at: 'apiVersion',
  },
  {
    rule: 'no-disruption-budget',
    bad: [
      'spec: { minAvailable: 1, selector: { matchLabels: { app: api } } }',
      'spec: { minAvailable: 1, selector: { matchLabels: { app: web } } }',
    ],
    good: ['  replicas: 3', '  replicas: 2'],
    at: 'apiVersion: apps/v1',
  },
  {
    rule: 'downtime-rollout',
    bad: ['maxUnavailable: 0', 'maxUnavailable: 100%'],
    good: ['maxUnavailable: 0', 'maxUnavailable: 25%'],
    at: 'maxUnavailable',
  },
  {
    rule: 'downtime-rollout',
    bad: ['maxUnavailable: 0', 'maxUnavailable: 3'],
    good: ['maxUnavailable: 0', 'maxUnavailable: 1'],
    at: 'maxUnavailable',
  },
  {
    rule: 'root-user',
    bad: ['      securityContext: { runAsNonRoot: true }\n', ''],
    good: ['{ runAsNonRoot: true }', '{ runAsUser: 10001 }'],
    at: '- name: api',
  },
  {
    rule: 'root-user',
    bad: ['{ runAsNonRoot: true }', '{ runAsUser: 0 }'],
    good: [ESCALATION, `${ESCALATION}\n            runAsUser: 65534`],
    at: 'securityContext',
  },
  {
    rule: 'privilege-escalation',
    bad: [`${ESCALATION}\n`, ''],
    good: [ESCALATION, ESCALATION.replace('false', 'False')],
    at: '- name: api',
  },
  {
    rule: 'writable-root-filesystem',
    bad: ['readOnlyRootFilesystem: true', 'readOnlyRootFilesystem: false'],
    good: ['readOnlyRootFilesystem: true', '"readOnlyRootFilesystem": true'],
    at: 'readOnly',
  },
  {
    rule: 'privileged',
    bad: [ESCALATION, `${ESCALATION}\n            privileged: true`],
    good: [ESCALATION, `${ESCALATION}\n            privileged: false`],
    at: 'privileged',
  },
  {
    rule: 'added-capabilities',
    bad: [DROP, '            capabilities: { drop: [ALL], add: [NET_ADMIN] }'],
    good: [DROP, '            capabilities: { drop: [all], add: [NET_BIND_SERVICE] }'],
    at: 'NET_ADMIN',
  },
  {
    rule: 'capabilities-kept',
    bad: [DROP, '            capabilities: { drop: [NET_RAW] }'],
    good: [DROP, '            capabilities: { drop: ["ALL"] }'],
    at: '- name: api',
  },
  {
    rule: 'host-namespace',
    bad: [POD, `${POD}\n      hostNetwork: true`],
    good: [POD, `${POD}\n      hostNetwork: false`],
    at: 'hostNetwork',
  },
  {
    rule: 'host-path',
    bad: [POD, `${POD}\n      volumes:\n        - hostPath: { path: /srv/data }`],
    good: [POD, `${POD}\n      volumes: [{ emptyDir: {} }]`],
    at: 'hostPath',
  },
  {
    rule: 'inline-secret',
    bad: [ENV, '            - { name: DB_PASSWORD, value: planted }'],
    good: [ENV, '            - { name: DB_PASSWORD, valueFrom: { secretKeyRef: { name: db, key: p } } }'],
    at: 'DB_PASSWORD',
  },
  {
    rule: 'inline-secret',
    bad: [ENV, '            - name: REDIS_URL\n              value: redis://:planted@redis'],
    good: [ENV, '            - { name: REDIS_URL, value: redis://redis }'],
    at: 'value: redis',
  },
  {
    rule: 'service-account-token',
    bad: [`${POD}\n`, ''],
    good: [POD, '      serviceAccountName: api'],
    at: '    spec:',
  },
  {
    rule: 'secret-in-manifest',
    bad: object('apiVersion: v1\nkind: Secret\n"data": { password: cGxhbnRlZC12YWx1ZQ== }'),
    good: object('apiVersion: v1\nkind: Secret\ndata: { password: "" }'),
    at: '"data"',
  },
  {
    rule: 'secret-in-manifest',
    bad: object('apiVersion: v1\nkind: Secret\nstringData: { password: planted }'),
    good: object(
      'apiVersion: v1\nkind: Secret\nstringData: { password: <password>, other: "${OTHER}", more: CHANGE_ME }',
    ),
    at: 'stringData:',
  },
  {
    rule: 'secret-in-configmap',
    bad: object('apiVersion: v1\nkind: ConfigMap\ndata:\n  MODE: x\n  API_KEY: planted'),
    good: object('apiVersion: v1\nkind: ConfigMap\ndata: { API_KEY_FILE: /run/key, MODE: x }'),
    at: 'API_KEY',
  },
  {
    rule: 'deprecated-api',
    bad: object('apiVersion: batch/v1beta1\nkind: CronJob'),
    good: object('apiVersion: batch/v1\nkind: CronJob'),
    at: 'v1beta1',
  },
  {
    rule: 'rbac-wildcard',
    bad: object(
      'apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nrules:\n  - { apiGroups: [""], resources: [pods], verbs: ["*"] }',
    ),
    good: object(
      'apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nrules: [{ apiGroups: [""], resources: [pods], verbs: [get] }]',
    ),
    at: '"*"',
  },
  {
    rule: 'cluster-admin-binding',
    bad: object(
      'apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nroleRef: { kind: ClusterRole, name: cluster-admin }',
    ),
    good: object(
      'apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nroleRef: { kind: ClusterRole, name: view }',
    ),
    at: 'roleRef',
  },
  {
    rule: 'open-load-balancer',
    bad: [SERVICE, 'spec: { type: LoadBalancer }'],
    good: [SERVICE, 'spec: { type: LoadBalancer, loadBalancerSourceRanges: [10.0.0.0/8] }'],
    at: 'LoadBalancer',
  },
  {
    rule: 'selector-mismatch',
    bad: [
      '  selector: { matchLabels: { app: api } }\n  template',
      '  selector: { matchLabels: { app: web } }\n  template',
    ],
    good: ['metadata: { labels: { app: api } }', 'metadata: { labels: { app: api, tier: web } }'],
    at: 'app: web',
  },
]);

describe('manifests as they are written (C6)', () => {
  test.for([
    ['extensions/v1beta1', 'Ingress', /networking\.k8s\.io\/v1 .*pathType/],
    ['extensions/v1beta1', 'Deployment', /apps\/v1/],
    ['policy/v1beta1', 'PodDisruptionBudget', /policy\/v1$/],
    ['policy/v1beta1', 'PodSecurityPolicy', /pod-security\.kubernetes\.io/],
    ['autoscaling/v2beta2', 'HorizontalPodAutoscaler', /autoscaling\/v2$/],
    ['networking.k8s.io/v1beta1', 'Ingress', /networking\.k8s\.io\/v1 /],
  ] as const)('%s %s has the right replacement', ([apiVersion, kind, fix]) => {
    const [found] = findingsOf('a.yaml', `apiVersion: ${apiVersion}\nkind: ${kind}\n`);
    expect(found).toMatchObject({ rule: 'deprecated-api', severity: 'error', line: 1 });
    expect(found?.fix).toMatch(fix);
  });

  test('the objects of a List and every document count, with their own lines', () => {
    const list = `apiVersion: v1\nkind: List\nitems:\n  - apiVersion: v1\n    kind: Secret\n    stringData:\n      a: planted\n---\nkind: Secret\napiVersion: v1\nstringData: { b: planted }\n`;
    expect(ids(findingsOf('a.yaml', list))).toEqual(['6 secret-in-manifest', '11 secret-in-manifest']);
  });

  test('a budget in another file covers a workload', () => {
    const [deployment = '', budget = ''] = CLEAN.split('---\n');
    const read = [readChecked('a.yaml', deployment), readChecked('b.yaml', budget)].flatMap((file) => file ?? []);
    expect(diagnose(read.slice(0, 1), { ignores: () => true })).toMatchObject([
      { rule: 'no-disruption-budget', file: 'a.yaml' },
    ]);
    expect(diagnose(read, { ignores: () => true })).toEqual([]);
  });

  test('jobs need no probes, and hostPath of the node’s own folders is an error', () => {
    const job = edited(CLEAN, ['kind: Deployment', 'kind: Job']).replace(LIVENESS, '');
    expect(findingsOf('a.yaml', job)).toEqual([]);
    const host = edited(CLEAN, [POD, `${POD}\n      volumes: [{ hostPath: { path: /var/run } }]`]);
    expect(findingsOf('a.yaml', host)).toMatchObject([{ rule: 'host-path', severity: 'error' }]);
  });

  test('a Helm template is told from a manifest and not checked', () => {
    expect(readChecked('chart/templates/a.yaml', 'kind: {{ .Values.kind }}\n')?.kind).toBe('template');
    expect(readChecked('a.yaml', '{{- if .Values.x }}\napiVersion: v1\nkind: Pod\n{{- end }}\n')?.kind).toBe(
      'template',
    );
    expect(
      readChecked('a.yaml', 'apiVersion: v1\nkind: ConfigMap\ndata: { rule: "summary {{ $labels.job }}" }\n')?.kind,
    ).toBe('kubernetes');
  });
});
