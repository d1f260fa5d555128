import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { checkedPolicy, compilePolicy, loadPolicy } from '../../../src/policy/load.ts';
import { testPolicy } from '../../../src/policy/test.ts';
import { refusal } from './policies.ts';
import { standIns } from './stand-in-tools.ts';

const GOOD = `version: 1
name: sample
environments:
  production: { namespaces: ['tta-prod*'] }
  staging: { namespaces: tta-staging }
rules:
  - id: docker
    decision: allow
    when: { kind: file, path: 'docker/**' }
    reason: Infrastructure is yours.
    examples:
      - { tool: save-file, input: { path: docker/Dockerfile, content: x }, expect: allow }
      - { tool: save-file, input: { path: src/x, content: x }, expect: deny }
  - id: operate
    decision: allow
    when: { kind: workload }
    reason: Operate.
    examples:
      - { tool: kubectl-rollout, input: { name: api, namespace: tta-staging }, expect: allow }
  - id: production
    decision: require_approval
    when: { environment: production, effect: write }
    approval: { approveWithin: 1h, runWithin: 30m }
    reason: A person decides.
    examples:
      - { tool: kubectl-rollout, input: { name: api, namespace: tta-prod }, expect: require_approval }
      - { tool: kubectl-rollout, input: { name: api, namespace: tta-staging }, facts: { kubeContext: any }, expect: allow }
`;

/** GOOD with each text replaced by another; each must be there. */
function changed(...replacements: readonly (readonly [string, string])[]): string {
  return replacements.reduce((text, [from, to]) => {
    expect(text).toContain(from);
    return text.replace(from, to);
  }, GOOD);
}

describe('a valid policy', () => {
  it('is frozen all through, its rules sorted, its environments in the order of the file', () => {
    const policy = checkedPolicy(GOOD, 'sample.yaml', standIns);
    expect(policy.rules.map(({ id, line }) => [id, line])).toEqual([
      ['docker', 7],
      ['operate', 14],
      ['production', 20],
    ]);
    expect(policy.environments.map(({ name }) => name)).toEqual(['production', 'staging']);
    expect(policy.unmatched).toBe('production');
    expect(policy.rules[2]?.terms).toMatchObject({ approveWithin: 3_600_000, runWithin: 1_800_000 });
    expect(Object.isFrozen(policy)).toBe(true);
    expect(Object.isFrozen(policy.rules[0]?.examples[0])).toBe(true);
    expect(() => Object.assign(policy.rules[0]?.conditions[0] ?? {}, { key: 'id' })).toThrow(TypeError);
  });

  it('I2 its digest moves with what it says and not with how it is written', () => {
    const digest = (text: string) => checkedPolicy(text, 'sample.yaml', standIns).digest;
    const first = digest(GOOD);
    expect(first).toMatch(/^[0-9a-f]{64}$/);
    expect(digest(`# a comment\n${GOOD}`)).toBe(first);
    expect(digest(changed(['runWithin: 30m', 'runWithin: 1800s']))).toBe(first);
    expect(digest(changed(["path: 'docker/**'", "path: ['docker/**']"]))).toBe(first);
    for (const [from, to] of [
      ['approveWithin: 1h', 'approveWithin: 2h'],
      ['A person decides.', 'Two people decide.'],
      ["'docker/**'", "'docker/*'"],
      ['tta-prod*', 'tta-prod'],
    ] as const)
      expect(digest(changed([from, to]))).not.toBe(first);
  });

  it('I2 the order of environments is part of what it says', () => {
    const listed = (names: string) => changed(['  staging: { namespaces: tta-staging }', names]);
    const digests = ['  one: { hosts: a }\n  two: { hosts: a }', '  two: { hosts: a }\n  one: { hosts: a }'].map(
      (names) => compilePolicy(listed(names), 'sample.yaml', standIns).digest,
    );
    expect(digests[0]).not.toBe(digests[1]);
  });
});

describe('I7 an invalid policy says file, line, rule and what to write instead', () => {
  it.each([
    [
      'a wrong key',
      [["when: { kind: file, path: 'docker/**' }", "when: { kind: file, pth: 'docker/**' }"]],
      9,
      'docker',
      'unknown key "pth" (did you mean "path"?)',
    ],
    [
      'a wrong key of a rule',
      [['reason: Operate.', 'reasn: Operate.']],
      17,
      'operate',
      'unknown key "reasn" (did you mean "reason"?)',
    ],
    ['a missing reason', [['    reason: Operate.\n', '']], 14, 'operate', 'reason is missing; write text'],
    ['an empty reason', [['reason: Operate.', "reason: ''"]], 17, 'operate', 'reason'],
    [
      'a wrong duration',
      [['approveWithin: 1h', 'approveWithin: 1 hour']],
      23,
      'production',
      'approval.approveWithin is "1 hour"; write a number and s, m, h or d, such as 30m or 24h',
    ],
    [
      'approvers of no kind',
      [['approveWithin: 1h', 'approvers: {}, approveWithin: 1h']],
      23,
      'production',
      'approval.approvers: write names, groups or roles, or leave the key out',
    ],
    [
      'a wrong key of approvers',
      [['approveWithin: 1h', 'approvers: { group: sre }, approveWithin: 1h']],
      23,
      'production',
      'unknown key "group" (did you mean "groups"?)',
    ],
    [
      'fewer names than approvals',
      [['approveWithin: 1h', 'approvals: 3, approvers: { names: [alice, bob, alice] }, approveWithin: 1h']],
      23,
      'production',
      'approval.approvers: names fewer people than approvals asks for',
    ],
    [
      'a signature that is none',
      [['approveWithin: 1h', 'signature: pgp, approveWithin: 1h']],
      23,
      'production',
      'approval.signature cannot be "pgp"; write any, ssh, passkey',
    ],
    [
      'a zero duration',
      [['approveWithin: 1h', 'approveWithin: 0m']],
      23,
      'production',
      'write a number and s, m, h or d',
    ],
    [
      'a wrong effect',
      [['effect: write', 'effect: wrte']],
      22,
      'production',
      'write read, write, destroy (did you mean "write"?)',
    ],
    ['a wrong kind', [['kind: workload', 'kind: [workload, imag]']], 16, 'operate', '(did you mean "image"?)'],
    [
      'a wrong decision',
      [['decision: require_approval', 'decision: hold']],
      21,
      'production',
      'decision cannot be "hold"; write allow, require_approval, deny',
    ],
    [
      'a wrong environment',
      [['environment: production', 'environment: prodution']],
      22,
      'production',
      'unknown environment "prodution" (did you mean "production"?); write production, staging',
    ],
    [
      'a wrong tool',
      [['when: { kind: workload }', 'when: { kind: workload, tool: kubectl-rolout }']],
      16,
      'operate',
      'unknown tool "kubectl-rolout" (did you mean "kubectl-rollout"?)',
    ],
    ['a wrong glob', [["'docker/**'", "'docker/[a'"]], 9, 'docker', 'path "docker/[a": write a character class'],
    ['a negated glob', [["'docker/**'", "['docker/**', '!docker/x']"]], 9, 'docker', 'patterns cannot be negated'],
    ['a number for text', [["'docker/**'", '5']], 9, 'docker', 'write text, in quotes'],
    ['an empty list', [["'docker/**'", '[]']], 9, 'docker', 'write at least one value'],
    ['an empty when', [["when: { kind: file, path: 'docker/**' }", 'when: {}']], 9, 'docker', 'its when is empty'],
    [
      'no examples',
      [
        ['      - { tool: kubectl-rollout, input: { name: api, namespace: tta-staging }, expect: allow }\n', ''],
        ['    reason: Operate.\n    examples:\n', '    reason: Operate.\n    examples: []\n'],
      ],
      18,
      'operate',
      'write at least one call',
    ],
    ['an id twice', [['id: operate', 'id: docker']], 14, 'docker', 'the rule on line 7 has this id already'],
    ['a path at run time', [['kind: workload', 'kind: workload, path: a']], 16, 'operate', 'can match nothing'],
    [
      'a path in an environment',
      [['environment: production, effect: write', 'environment: production, path: a']],
      22,
      'production',
      'can match nothing',
    ],
    [
      'a file in an environment',
      [["kind: file, path: 'docker/**'", 'kind: file, environment: staging']],
      9,
      'docker',
      'can match nothing',
    ],
    [
      'an effect that the tool cannot have',
      [['environment: production, effect: write', 'tool: view, effect: write']],
      22,
      'production',
      'can match nothing: view can at worst read',
    ],
    [
      'approval on a rule that allows',
      [['    reason: Operate.\n', '    reason: Operate.\n    approval: { approvals: 1 }\n']],
      18,
      'operate',
      'approval is for rules that hold',
    ],
    [
      'a hand-off on a rule that allows',
      [['    reason: Operate.\n', '    reason: Operate.\n    handOff: architect\n']],
      18,
      'operate',
      'handOff is for rules that deny or hold',
    ],
    [
      'asking a role in a rule that allows',
      [['    reason: Operate.\n', '    reason: Operate.\n    consult: architect\n']],
      18,
      'operate',
      'consult is for rules that deny or hold',
    ],
    [
      'a role to be given the work and one to be asked',
      [['    reason: A person decides.\n', '    reason: A person decides.\n    handOff: a\n    consult: b\n']],
      26,
      'production',
      'write one of the two',
    ],
    ['no approvals', [['approveWithin: 1h', 'approvals: 0']], 23, 'production', 'write 1 to 10'],
  ] as const)('%s', (_what, replacements, line, rule, says) => {
    const message = refusal(changed(...replacements));
    const about = message
      .split('\n')
      .filter((text) => text.startsWith(`policies/sample.yaml:${line}: rule "${rule}": `));
    expect(about.join('\n'), message).toContain(says);
  });

  it.each([
    [
      'a wrong environment key',
      [['namespaces: tta-staging', 'namespace: tta-staging']],
      5,
      'unknown key "namespace" (did you mean "namespaces"?)',
    ],
    [
      'environments out of order',
      [
        [
          "  production: { namespaces: ['tta-prod*'] }\n  staging: { namespaces: tta-staging }",
          "  staging: { namespaces: tta-staging }\n  production: { namespaces: ['tta-prod*'] }",
        ],
      ],
      4,
      'strictest first; write production, staging in this order',
    ],
    [
      'no production, so that what is unknown would count as staging',
      [
        ["  production: { namespaces: ['tta-prod*'] }\n", ''],
        ['environment: production', 'environment: staging'],
      ],
      4,
      'would count as staging; write "production: {}" before it',
    ],
    [
      'an environment without anything',
      [['staging: { namespaces: tta-staging }', 'staging: {}']],
      5,
      'environment "staging" can match nothing',
    ],
    ['a wrong pattern', [["['tta-prod*']", "['tta-prod?']"]], 4, 'only * and {a,b} are special in a name'],
    ['a wrong version', [['version: 1', 'version: 2']], 1, 'version cannot be 2; write 1'],
    ['a wrong name', [['name: sample', 'name: My Policy']], 2, 'write lower-case letters'],
    ['a key twice', [['name: sample', 'name: sample\nname: other']], 3, 'not readable as YAML'],
    ['no YAML', [['name: sample', 'name: [sample']], 3, 'not readable as YAML'],
  ] as const)('%s', (_what, replacements, line, says) => {
    const about = refusal(changed(...replacements))
      .split('\n')
      .filter((text) => text.startsWith(`policies/sample.yaml:${line}: `));
    expect(about.join('\n')).toContain(says);
  });

  it('reports several problems at once, in the order of the file', () => {
    const message = refusal(
      changed(['effect: write', 'effect: wrte'], ['kind: workload', 'kind: workloads'], ['version: 1', 'version: one']),
    );
    const [head, ...lines] = message.split('\n');
    expect(head).toBe('The policy is not valid; 3 problems:');
    expect(lines.map((line) => line.split(':')[1])).toEqual(['1', '16', '22']);
  });

  it.each(['', '__proto__: { a: 1 }', '--- a\n--- b', '5', '[]', 'null', '{}', 'rules: 5', '- a'])(
    'survives %j',
    (text) => expect(refusal(text)).toContain('policies/sample.yaml:'),
  );

  it('refuses YAML that grows without end', () => {
    const bomb = [
      'a: &a [x, x, x, x, x, x, x, x, x, x]',
      ...'bcdefg'
        .split('')
        .map((key, index) => `${key}: &${key} [${Array(10).fill(`*${'abcdef'[index]}`).join(', ')}]`),
    ].join('\n');
    expect(refusal(bomb)).toContain('aliases');
  });
});

describe('I7 examples run at load', () => {
  it('one that is answered otherwise says how and by which rule', () => {
    const message = refusal(
      changed(['namespace: tta-prod }, expect: require_approval', 'namespace: tta-prod }, expect: allow']),
    );
    expect(message).toContain('policies/sample.yaml:26: rule "production": example 1 (kubectl-rollout');
    expect(message).toContain('expects allow, but gives require_approval by production: A person decides.');
  });

  it('a rule that none of its examples reaches is no valid rule, also where they come out right', () => {
    const message = refusal(
      changed(
        ['when: { environment: production, effect: write }', 'when: { environment: production, effect: destroy }'],
        ['expect: require_approval', 'expect: allow'],
      ),
    );
    expect(message).toContain('rule "production": none of its examples is matched by it');
  });

  it.each([
    ['an unknown tool', [['tool: save-file', 'tool: save-fil']], 'there is no tool "save-fil"'],
    [
      'arguments that are not the tool’s',
      [['path: docker/Dockerfile', 'file: docker/Dockerfile']],
      'not the arguments of save-file',
    ],
    ['neither input nor targets', [['input: { path: docker/Dockerfile, content: x }, ', '']], 'write either input'],
    [
      'a cluster without its context',
      [['facts: { kubeContext: any }', 'facts: { cluster: any }']],
      'write kubeContext too',
    ],
    ['a path that the tool refuses', [['path: docker/Dockerfile', 'path: ../Dockerfile']], 'the tool refuses it'],
  ] as const)('%s', (_what, replacements, says) => expect(refusal(changed(...replacements))).toContain(says));

  it('takes the current context from the example alone', () => {
    const prod = changed(["{ namespaces: ['tta-prod*'] }", "{ namespaces: ['tta-prod*'], kubeContexts: any }"]);
    expect(refusal(prod)).toContain('gives require_approval by production');
  });

  it('targets stand for calls of tools that are not ours', () => {
    const rule = `  - id: browser
    decision: deny
    when: { tool: 'browser_*' }
    reason: Not here.
    examples:
      - { tool: browser_click, targets: [{ kind: host, id: x, effect: write, at: { host: x } }], expect: deny }
`;
    expect(checkedPolicy(GOOD + rule, 'sample.yaml', standIns).rules).toHaveLength(4);
  });
});

describe('files', () => {
  it('loads, tests and counts; a missing file says so', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'holdpoint-policy-'));
    try {
      const file = join(folder, 'sample.yaml');
      await writeFile(file, GOOD);
      expect((await loadPolicy(file, standIns)).name).toBe('sample');
      expect(await testPolicy(file, standIns)).toMatchObject({
        rules: 3,
        examples: 5,
        passed: 5,
        failed: 0,
        problems: [],
      });
      await writeFile(file, changed(['expect: require_approval', 'expect: deny']));
      await expect(loadPolicy(file, standIns)).rejects.toMatchObject({ code: 'invalid_input' });
      expect(await testPolicy(file, standIns)).toMatchObject({
        passed: 4,
        failed: 1,
        problems: [{ rule: 'production', line: 26 }],
      });
      await expect(loadPolicy(join(folder, 'none.yaml'), standIns)).rejects.toMatchObject({ code: 'not_found' });
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
