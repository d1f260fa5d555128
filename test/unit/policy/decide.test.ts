import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { VERDICTS } from '../../../src/core/decision.ts';
import { EFFECTS } from '../../../src/core/effect.ts';
import { TARGET_KINDS } from '../../../src/core/target.ts';
import type { Target } from '../../../src/core/target.ts';
import { decide } from '../../../src/policy/decide.ts';
import type { Policy, Rule } from '../../../src/policy/policy.ts';
import { answer, file, folder, policyOf, someone, workload } from './policies.ts';
import type { RuleText } from './policies.ts';

const ENVIRONMENTS = {
  production: { kubeContexts: ['prod*'], namespaces: ['tta-prod*'], hosts: ['tta.dev'], branches: ['main'] },
  staging: { namespaces: ['tta-staging*'], hosts: ['staging.tta.dev'] },
  development: { kubeContexts: ['kind-*'], namespaces: ['tta-dev*'], dockerHosts: ['local'] },
};

const everything: RuleText = { id: 'everything', decision: 'allow', when: { effect: ['read', 'write', 'destroy'] } };

describe('C1 a target needs a rule that allows it', () => {
  const policy = policyOf([
    { id: 'docker', decision: 'allow', when: { kind: 'file', path: 'docker/**' } },
    { id: 'docs', decision: 'allow', when: { kind: 'file', effect: 'read', path: 'docs/**' } },
    { id: 'held', decision: 'require_approval', when: { kind: 'file', path: ['docker/prod/**', 'elsewhere/**'] } },
    { id: 'secrets', decision: 'deny', when: { kind: 'file', path: ['**/.env'] }, handOff: 'credential-manager' },
  ]);

  it.each([
    ['docker/a', 'write', 'allow', ['docker']],
    ['docs/a', 'read', 'allow', ['docs']],
    ['docs/a', 'write', 'deny', []],
    ['docker/prod/a', 'write', 'require_approval', ['held']],
    ['elsewhere/a', 'write', 'deny', []],
    ['docker/prod/.env', 'read', 'deny', ['secrets']],
  ] as const)('%s %s: %s', (path, effect, verdict, rules) => {
    expect(answer(policy, 'save-file', file(path, effect))).toMatchObject({ verdict, rules });
  });

  it('the call takes the strictest of its targets, and says which targets it is about', () => {
    const decision = answer(
      policy,
      'save-file',
      file('docker/a', 'write'),
      file('docker/prod/a', 'write'),
      file('docker/.env', 'write'),
    );
    expect(decision).toMatchObject({ verdict: 'deny', rules: ['secrets'], handOff: 'credential-manager' });
    expect(decision.reason).toBe('docker/.env: secrets says so.');
    expect(decision.targets.map(({ verdict }) => verdict)).toEqual(['allow', 'require_approval', 'deny']);
  });

  it('the default denial says what is allowed instead', () => {
    const { reason } = answer(policy, 'save-file', file('src/a', 'write'));
    expect(reason).toBe('No rule of sample lets save-file write the file src/a. Allowed: docker (docker/**).');
    expect(answer(policy, 'kubectl-rollout', workload({})).reason).toContain(
      'in production. It allows kubectl-rollout no such thing',
    );
  });

  it('names three of many targets and counts the rest', () => {
    const many = Array.from({ length: 2000 }, (_, index) => file(`elsewhere/${index}`, 'destroy'));
    const { reason } = answer(policy, 'remove-files', ...many);
    expect(reason).toContain('the file elsewhere/2.');
    expect(reason).toContain('and 1997 more');
    expect(reason.length).toBeLessThan(1000);
  });

  it('a call without targets is denied', () =>
    expect(answer(policy, 'view')).toMatchObject({ verdict: 'deny', rules: [] }));

  it.each([
    { kind: 'file', id: 'x', effect: 'read' },
    { kind: 'file', id: 'x', effect: 'read', path: '../x' },
    { kind: 'file', id: 'x', effect: 'read', path: 'docker//a' },
    { kind: 'file', id: 'x', effect: 'read', path: 'docker/./a' },
    { kind: 'file', id: 'x', effect: 'read', path: '/docker/a' },
    { kind: 'file', id: 'x', effect: 'read', path: 'docker/a\n' },
    { kind: 'file', id: 'x', effect: 'look', path: 'docker/a' },
    { kind: 'thing', id: 'x', effect: 'read', path: 'docker/a' },
    null,
  ])('a target that rules cannot be matched to is denied: %j', (target) => {
    const open = policyOf([everything]);
    expect(answer(open, 'view', target as unknown as Target).verdict).toBe('deny');
  });

  it('a rule that errors denies', () => {
    const broken: Rule = {
      ...(policy.rules[0] as Rule),
      id: 'broken',
      decision: 'allow',
      conditions: [
        {
          key: 'id',
          written: ['x'],
          holds: () => {
            throw new Error('no');
          },
        },
      ],
    };
    const decision = answer({ ...policy, rules: [...policy.rules, broken] }, 'view', file('docker/a'));
    expect(decision).toMatchObject({ verdict: 'deny', rules: ['broken'] });
  });
});

describe('folders', () => {
  const policy = policyOf([
    { id: 'folders', decision: 'allow', when: { kind: 'folder', effect: 'read' } },
    { id: 'secrets', decision: 'deny', when: { kind: 'file', path: ['secrets/**', '**/.git'] } },
  ]);

  it.each([
    ['.', 'allow'],
    ['docker', 'allow'],
    ['secrets', 'deny'],
    ['secrets/inner', 'deny'],
    ['sub/.git', 'deny'],
    ['sub/.git/hooks', 'deny'],
  ])('C3 a rule that denies files denies their folders: %s %s', (path, verdict) =>
    expect(answer(policy, 'view', folder(path)).verdict).toBe(verdict),
  );
});

describe('C4 I1 environments', () => {
  const policy = policyOf(
    [
      everything,
      {
        id: 'production',
        decision: 'require_approval',
        when: { environment: 'production', effect: ['write', 'destroy'] },
      },
    ],
    ENVIRONMENTS,
  );

  it.each([
    [{ namespace: 'tta-prod' }, 'production'],
    [{ namespace: 'TTA-Prod' }, 'production'],
    [{ namespace: 'tta-staging' }, 'staging'],
    [{ namespace: 'tta-dev-1' }, 'development'],
    [{ namespace: 'payments' }, 'production'],
    [{}, 'production'],
    [{ kubeContext: 'prod-eu', namespace: 'tta-dev' }, 'production'],
    [{ kubeContext: 'PROD-eu', namespace: 'tta-dev' }, 'production'],
    [{ kubeContext: 'kind-x', namespace: 'tta-prod' }, 'production'],
    [{ kubeContext: 'kind-x', namespace: 'tta-staging' }, 'staging'],
    [{ kubeContext: 'kind-x', namespace: 'payments' }, 'development'],
    [{ kubeContext: 'KIND-x', namespace: 'payments' }, 'production'],
    [{ host: 'tta.dev' }, 'production'],
    [{ host: 'staging.tta.dev' }, 'staging'],
    [{ host: 'x.tta.dev' }, 'production'],
    [{ dockerHost: 'local' }, 'development'],
    [{ dockerHost: 'build.example' }, 'production'],
    [{ branch: 'main', dockerHost: 'local' }, 'production'],
  ])('%j counts as %s', (at, environment) => {
    const decision = answer(policy, 'kubectl-rollout', workload(at));
    expect(decision.environment).toBe(environment);
    expect(decision.verdict).toBe(environment === 'production' ? 'require_approval' : 'allow');
  });

  it('a call has the strictest environment of its targets', () => {
    const decision = answer(
      policy,
      'kubectl-rollout',
      workload({ namespace: 'tta-dev' }),
      workload({ namespace: 'tta-staging' }),
    );
    expect(decision).toMatchObject({ verdict: 'allow', environment: 'staging' });
  });

  it('a file has none, so no environment rule reaches it', () => {
    expect(answer(policy, 'save-file', file('a', 'write'))).not.toHaveProperty('environment');
  });

  it('without any environments everything at run time is production', () => {
    const bare = policyOf([everything, { id: 'production', decision: 'deny', when: { environment: 'production' } }]);
    expect(answer(bare, 'kubectl-rollout', workload({ namespace: 'tta-dev' }))).toMatchObject({
      verdict: 'deny',
      environment: 'production',
    });
  });
});

describe('I2 terms of approval', () => {
  it('are the strictest of each over all rules that hold', () => {
    const policy = policyOf([
      everything,
      {
        id: 'one',
        decision: 'require_approval',
        when: { effect: 'destroy' },
        approval: {
          approvals: 2,
          approveWithin: '24h',
          runWithin: '30m',
          channel: 'client',
          checklist: 'deletion',
          window: ['night'],
        },
      },
      {
        id: 'two',
        decision: 'require_approval',
        when: { kind: 'file' },
        approval: {
          approveWithin: '1h',
          runWithin: '2h',
          requesterMayApprove: false,
          checklist: ['b-list', 'deletion'],
        },
      },
    ]);
    const { terms, rules } = answer(policy, 'remove-files', file('a', 'destroy'));
    expect(rules).toEqual(['one', 'two']);
    expect(terms).toEqual({
      approvals: 2,
      approveWithin: 3_600_000,
      runWithin: 1_800_000,
      channel: 'out-of-band',
      requesterMayApprove: false,
      approvers: [],
      reasonRequired: false,
      signature: 'any',
      checklists: ['b-list', 'deletion'],
      windows: ['night'],
    });
  });

  it('add up who must approve, the same people once with the most, in whatever order the rules stand', () => {
    const held = (id: string, approval: object) => ({
      id,
      decision: 'require_approval',
      when: { effect: 'destroy' },
      approval,
    });
    const rules = [
      held('a', { approvals: 2, approvers: { groups: ['sre', 'ops'] }, signature: 'ssh' }),
      held('b', { approvers: { groups: ['ops', 'sre'] }, reason: 'required' }),
      held('c', { approvers: { names: 'carol', roles: 'lead' } }),
    ];
    for (const order of [rules, rules.toReversed()])
      expect(answer(policyOf([everything, ...order]), 'remove-files', file('a', 'destroy')).terms).toMatchObject({
        approvals: 2,
        approvers: [
          { approvals: 1, names: ['carol'], groups: [], roles: ['lead'] },
          { approvals: 2, names: [], groups: ['ops', 'sre'], roles: [] },
        ],
        reasonRequired: true,
        signature: 'ssh',
      });
    const both = policyOf([everything, ...rules, held('d', { signature: 'passkey' })]);
    expect(answer(both, 'remove-files', file('a', 'destroy')).terms?.signature).toBe('none-fits');
  });

  it('default to one person within a day, to run within an hour', () => {
    const policy = policyOf([everything, { id: 'held', decision: 'require_approval', when: { effect: 'destroy' } }]);
    expect(answer(policy, 'remove-files', file('a', 'destroy')).terms).toEqual({
      approvals: 1,
      approveWithin: 86_400_000,
      runWithin: 3_600_000,
      channel: 'out-of-band',
      requesterMayApprove: true,
      approvers: [],
      reasonRequired: false,
      signature: 'any',
      checklists: [],
      windows: [],
    });
    expect(answer(policy, 'view', file('a'))).not.toHaveProperty('terms');
  });

  it('come from every held target of a call', () => {
    const policy = policyOf([
      everything,
      { id: 'a', decision: 'require_approval', when: { kind: 'file', path: 'a' }, approval: { approvals: 3 } },
      { id: 'b', decision: 'require_approval', when: { kind: 'file', path: 'b' }, approval: { runWithin: '5m' } },
    ]);
    expect(answer(policy, 'save-file', file('a', 'write'), file('b', 'write')).terms).toMatchObject({
      approvals: 3,
      runWithin: 300_000,
    });
  });
});

describe('C7 tools that are not ours', () => {
  const policy = policyOf([everything, { id: 'browser', decision: 'deny', when: { tool: 'browser_*' } }]);

  it('a rule about the tool alone answers a call without targets', () => {
    expect(answer(policy, 'browser_click_Playwright')).toMatchObject({
      verdict: 'deny',
      rules: ['browser'],
      reason: 'browser says so.',
    });
    expect(answer(policy, 'other')).toMatchObject({ verdict: 'deny', rules: [] });
  });
});

describe('properties', () => {
  const name = fc.constantFrom('a', 'b', 'c', '.env', 'secrets', 'A');
  const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => names.join('/'));
  const glob = fc
    .array(fc.constantFrom('a', 'b', '.env', 'secrets', '*', '**'), { minLength: 1, maxLength: 4 })
    .map((names) => names.join('/'));
  const environment = fc.constantFrom('production', 'staging', 'development');
  const when = fc.oneof(
    fc.record({ kind: fc.constantFrom('file', 'folder'), path: fc.array(glob, { minLength: 1, maxLength: 2 }) }),
    fc.record({ effect: fc.uniqueArray(fc.constantFrom(...EFFECTS), { minLength: 1 }) }),
    fc.record({ environment, effect: fc.uniqueArray(fc.constantFrom(...EFFECTS), { minLength: 1 }) }),
    fc.record({ tool: fc.constantFrom('view', 'save-file', '*') }),
  );
  const rules = (decisions: readonly string[], prefix: string) =>
    fc
      .array(fc.record({ decision: fc.constantFrom(...decisions), when }), { minLength: 1, maxLength: 8 })
      .map((list) => list.map((rule, index): RuleText => ({ ...rule, id: `${prefix}${index}` })));
  const target: fc.Arbitrary<Target> = fc.oneof(
    fc
      .record({ kind: fc.constantFrom('file', 'folder'), effect: fc.constantFrom(...EFFECTS), path })
      .map((made) => ({ ...made, id: made.path })),
    fc.record({
      kind: fc.constantFrom('workload', 'process', 'image'),
      id: fc.constant('x'),
      effect: fc.constantFrom(...EFFECTS),
      at: fc.record({ namespace: fc.constantFrom('tta-prod', 'tta-staging', 'tta-dev', 'other') }),
    }),
  );
  const targets = fc.array(target, { minLength: 1, maxLength: 4 });
  const tool = fc.constantFrom('view', 'save-file', 'remove-files');

  it('the order of rules never matters', () => {
    const shuffled = rules(VERDICTS, 'r').chain((list) =>
      fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })),
    );
    fc.assert(
      fc.property(shuffled, targets, tool, ([one, other], touched, through) => {
        const [first, second] = [policyOf(one, ENVIRONMENTS), policyOf(other, ENVIRONMENTS)];
        expect(first.digest).toBe(second.digest);
        expect(answer(first, through, ...touched)).toEqual(answer(second, through, ...touched));
      }),
    );
  });

  it('a rule more that denies or holds never widens', () => {
    fc.assert(
      fc.property(
        rules(VERDICTS, 'r'),
        rules(['deny', 'require_approval'], 'more'),
        targets,
        tool,
        (base, more, touched, through) => {
          const before = answer(policyOf(base, ENVIRONMENTS), through, ...touched).verdict;
          const after = answer(policyOf([...base, ...more], ENVIRONMENTS), through, ...touched).verdict;
          expect(VERDICTS.indexOf(after)).toBeGreaterThanOrEqual(VERDICTS.indexOf(before));
        },
      ),
    );
  });

  it('a target more never widens', () => {
    fc.assert(
      fc.property(rules(VERDICTS, 'r'), targets, target, tool, (list, touched, more, through) => {
        const policy = policyOf(list, ENVIRONMENTS);
        const before = answer(policy, through, ...touched).verdict;
        expect(VERDICTS.indexOf(answer(policy, through, ...touched, more).verdict)).toBeGreaterThanOrEqual(
          VERDICTS.indexOf(before),
        );
      }),
    );
  });

  it('whatever is not allowed by a rule is denied', () => {
    fc.assert(
      fc.property(rules(['deny', 'require_approval'], 'r'), targets, tool, (list, touched, through) => {
        expect(answer(policyOf(list, ENVIRONMENTS), through, ...touched).verdict).toBe('deny');
      }),
    );
  });

  it('never throws, whatever it is given', () => {
    const policy = policyOf(
      [everything, { id: 'secrets', decision: 'deny', when: { kind: 'file', path: '**/.env' } }],
      ENVIRONMENTS,
    );
    const odd = fc.record(
      {
        kind: fc.oneof(fc.constantFrom(...TARGET_KINDS), fc.anything()),
        id: fc.anything(),
        effect: fc.oneof(fc.constantFrom(...EFFECTS), fc.anything()),
        path: fc.anything(),
        at: fc.anything(),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.oneof(fc.array(odd), fc.anything()), fc.anything(), (touched, through) => {
        const call = { principal: someone, tool: through as string, targets: touched as Target[] };
        expect(VERDICTS).toContain(decide(policy, call, 0).verdict);
      }),
    );
    expect(decide({} as Policy, { principal: someone, tool: 'view', targets: [file('a')] }, 0).verdict).toBe('deny');
  });
});
