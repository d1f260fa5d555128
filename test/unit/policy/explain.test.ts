import { describe, expect, it } from 'vitest';

import type { Facts } from '../../../src/core/facts.ts';
import { explain } from '../../../src/policy/explain.ts';
import { policyOf, someone } from './policies.ts';
import { standIns } from './stand-in-tools.ts';

const facts: Facts = {
  kubernetes: { contexts: {} },
  docker: { host: 'local' },
  github: {},
  monitoring: {},
  programs: {},
};

const policy = policyOf(
  [
    { id: 'docker', decision: 'allow', when: { kind: 'file', path: 'docker/**' } },
    { id: 'operate', decision: 'allow', when: { kind: 'workload' } },
    { id: 'production', decision: 'require_approval', when: { environment: 'production', effect: 'write' } },
    { id: 'secrets', decision: 'deny', when: { kind: 'file', path: '**/.env' } },
  ],
  { production: { namespaces: 'tta-prod*' }, staging: { namespaces: 'tta-staging' } },
);

function explained(name: string, input: unknown) {
  const tool = standIns.tools(name);
  if (tool === undefined) throw new Error(`no stand-in ${name}`);
  return explain(policy, { tool, input, principal: someone, facts }, 0);
}

describe('I7 explain', () => {
  it('gives each target with the rules that matched and those that nearly did', () => {
    const { decision, targets } = explained('save-file', { path: 'docker/x', content: '' });
    expect(decision.verdict).toBe('allow');
    expect(targets).toHaveLength(1);
    expect(targets[0]?.matched.map(({ id }) => id)).toEqual(['docker']);
    expect(targets[0]?.near).toEqual([
      expect.objectContaining({ id: 'production', unmet: { key: 'environment', written: ['production'] } }),
      expect.objectContaining({ id: 'secrets', unmet: { key: 'path', written: ['**/.env'] } }),
      expect.objectContaining({ id: 'operate', unmet: { key: 'kind', written: ['workload'] } }),
    ]);
  });

  it.each([
    ['tta-prod-eu', 'production', 'namespace tta-prod-eu'],
    ['tta-staging', 'staging', 'namespace tta-staging'],
    ['payments', 'production', 'no environment has namespace payments, which counts as production'],
  ])('says what told the environment: %s', (namespace, environment, environmentWhy) => {
    expect(explained('kubectl-rollout', { name: 'api', namespace }).targets[0]).toMatchObject({
      environment,
      environmentWhy,
    });
  });

  it('says when the tool refuses before any rule is asked', () => {
    const { decision, refused, targets } = explained('view', { path: '../x' });
    expect(decision).toMatchObject({ verdict: 'deny', reason: refused });
    expect(refused).toContain('leaves the workspace');
    expect(targets).toEqual([]);
  });

  it('takes arguments that are not the tool’s as wrong use', () => {
    expect(() => explained('view', { file: 'x' })).toThrow(expect.objectContaining({ code: 'invalid_input' }));
  });
});
