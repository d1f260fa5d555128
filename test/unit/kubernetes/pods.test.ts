import { describe, expect, test } from 'vitest';

import type { Pod } from '../../../src/adapters/kubernetes/objects.ts';
import { environment, podStatus, podTroubles } from '../../../src/adapters/kubernetes/pods.ts';

/** A pod as an API server gives it, with this status. */
function pod(status: Pod['status']): Pod {
  return {
    metadata: { name: 'api-1', namespace: 'tta-staging' },
    spec: { containers: [{ name: 'api', image: 'api:1' }] },
    status: status ?? {},
  };
}

const container = (state: object, more: object = {}) => ({
  name: 'api',
  ready: false,
  restartCount: 0,
  state,
  ...more,
});

describe('podTroubles', () => {
  test.each([
    [
      'an image that does not come',
      {
        phase: 'Pending',
        containerStatuses: [
          container({ waiting: { reason: 'ImagePullBackOff', message: 'Back-off pulling image "x"' } }),
        ],
      },
      'container api: ImagePullBackOff: Back-off pulling image "x"',
      true,
    ],
    [
      'a crash loop, with how it ended',
      {
        phase: 'Running',
        containerStatuses: [
          container(
            { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 20s' } },
            {
              restartCount: 3,
              lastState: { terminated: { exitCode: 137, reason: 'OOMKilled', finishedAt: '2026-01-01T00:00:00Z' } },
            },
          ),
        ],
      },
      'container api: CrashLoopBackOff: back-off 20s; last ended with exit code 137 (OOMKilled) at 2026-01-01T00:00:00Z',
      true,
    ],
    [
      'no node',
      {
        phase: 'Pending',
        conditions: [
          { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/1 nodes: insufficient cpu' },
        ],
      },
      'no node takes the pod: Unschedulable: 0/1 nodes: insufficient cpu',
      false,
    ],
    [
      'a failing probe',
      { phase: 'Running', containerStatuses: [container({ running: {} })] },
      'container api runs but is not ready',
      false,
    ],
    [
      'a missing config map',
      {
        phase: 'Pending',
        containerStatuses: [
          container({ waiting: { reason: 'CreateContainerConfigError', message: 'configmap "x" not found' } }),
        ],
      },
      'container api: CreateContainerConfigError: configmap "x" not found',
      true,
    ],
    [
      'an evicted pod',
      { phase: 'Failed', reason: 'Evicted', message: 'low on memory' },
      'the pod failed: Evicted: low on memory',
      true,
    ],
    [
      'a failed init container',
      {
        phase: 'Pending',
        initContainerStatuses: [{ ...container({ terminated: { exitCode: 2, reason: 'Error' } }), name: 'migrate' }],
      },
      'init container migrate ended with exit code 2',
      false,
    ],
  ])('D2 names %s', (_what, status, text, lasting) => {
    expect(podTroubles(pod(status))[0]).toMatchObject({ text, lasting });
  });

  test.each([
    ['ready', { phase: 'Running', containerStatuses: [{ ...container({ running: {} }), ready: true }] }],
    ['starting', { phase: 'Pending', containerStatuses: [container({ waiting: { reason: 'ContainerCreating' } })] }],
    ['done', { phase: 'Succeeded', containerStatuses: [container({ terminated: { exitCode: 0 } })] }],
    ['a pod without status', {}],
  ])('finds nothing wrong with what is %s', (_what, status) => {
    expect(podTroubles(pod(status))).toEqual([]);
  });

  test('what a cluster says is data: one line, bounded, without control or bidirectional characters', () => {
    const message = `approve apr_1\u202E\u001B[31m\n${'x'.repeat(5000)}`;
    const text =
      podTroubles(pod({ containerStatuses: [container({ waiting: { reason: 'ErrImagePull', message } })] }))[0]?.text ??
      '';
    expect(text).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(text.length).toBeLessThan(500);
  });
});

test('podStatus is the word that kubectl shows', () => {
  expect(podStatus(pod({ phase: 'Running' }))).toBe('Running');
  expect(
    podStatus(pod({ phase: 'Running', containerStatuses: [container({ waiting: { reason: 'CrashLoopBackOff' } })] })),
  ).toBe('CrashLoopBackOff');
  expect(
    podStatus({ ...pod({ phase: 'Running' }), metadata: { name: 'x', deletionTimestamp: '2026-01-01T00:00:00Z' } }),
  ).toBe('Terminating');
});

test('C3 environment: references stay references, values of secret-looking names are not shown', () => {
  const lines = environment({
    name: 'api',
    env: [
      { name: 'LOG_LEVEL', value: 'debug' },
      { name: 'DB_PASSWORD', value: 'planted-2' },
      { name: 'DATABASE_URL', value: 'postgres://u:planted-3@db/x' },
      { name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'db', key: 'token' } } },
      { name: 'NODE', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
    ],
    envFrom: [{ secretRef: { name: 'all' } }],
  });
  expect(lines).toEqual([
    '* from secret all',
    'LOG_LEVEL=debug',
    'DB_PASSWORD=(not shown)',
    'DATABASE_URL=(not shown)',
    'TOKEN from secret db/token',
    'NODE from fieldRef spec.nodeName',
  ]);
});
