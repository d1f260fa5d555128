import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { POLICIES } from '../../../src/config/locations.ts';
import { loadPrograms } from '../../../src/config/programs.ts';
import { callTargets } from '../../../src/policy/call-targets.ts';
import { decide } from '../../../src/policy/decide.ts';
import { factsFor } from '../../../src/policy/examples.ts';
import { LINT_RULES } from '../../../src/policy/lint/finding.ts';
import type { Witness } from '../../../src/policy/lint/finding.ts';
import { lintPolicy } from '../../../src/policy/lint/lint.ts';
import { compilePolicy } from '../../../src/policy/load.ts';
import { loadRegistry } from '../../../src/server/registry.ts';
import { someone } from './policies.ts';

const FAULTY = join(import.meta.dirname, '../../../fixtures/policies/faulty');
const [registry, programs, names] = await Promise.all([loadRegistry(), loadPrograms(), readdir(FAULTY)]);
const options = { tools: (name: string) => registry.get(name), toolNames: [...registry.keys()], facts: { programs } };
const faulty = await Promise.all(
  names.map(async (name) => ({ name, text: await readFile(join(FAULTY, name), 'utf8') })),
);

/** What a faulty policy says of itself: `# lint: finding, finding` stands on the line that each is expected on. */
function seeded(text: string): string[] {
  return text
    .split('\n')
    .flatMap((line, index) =>
      (/# lint: (.*)$/.exec(line)?.[1] ?? '')
        .split(', ')
        .filter(Boolean)
        .map((rule) => `${index + 1} ${rule}`),
    )
    .sort();
}

/** Asks `decide` again what a witness claims, from the text of the policy. */
function answerOf(text: string, { tool, input, facts, targets }: Witness) {
  const policy = compilePolicy(text, 'again.yaml', options);
  const known = registry.get(tool);
  const called =
    input === undefined || known === undefined
      ? { targets }
      : callTargets(known, input, factsFor(facts ?? {}, programs));
  const real = 'targets' in called ? called.targets : [];
  return decide(policy, { principal: someone, tool, targets: real }, 0);
}

describe('I7 holdpoint policy lint: thirty-two faulty policies', () => {
  it('there are thirty-two, and every sort of finding is in one', () => {
    expect(faulty).toHaveLength(32);
    const rules = new Set(faulty.flatMap(({ text }) => seeded(text).map((each) => each.split(' ')[1])));
    // What else stops a policy from loading has its own tests in load.test.ts.
    expect(Object.keys(LINT_RULES).filter((rule) => !rules.has(rule))).toEqual(['invalid']);
  });

  it.each(faulty)('$name: every seeded mistake on its line, and nothing else', ({ name, text }) => {
    const { findings } = lintPolicy(text, name, options);
    expect(findings.map(({ line, rule }) => `${line} ${rule}`).sort()).toEqual(seeded(text));
    for (const { column, message, fix, severity, rule } of findings) {
      expect(column).toBeGreaterThan(0);
      expect(message).toMatch(/\S\.$|expect/);
      expect(fix).toMatch(/\S/);
      expect(severity).toBe(LINT_RULES[rule]);
    }
  });

  const proven = faulty.flatMap(({ name, text }) =>
    lintPolicy(text, name, options).findings.flatMap(({ rule, witness }) =>
      witness === undefined ? [] : [{ name, text, rule, witness }],
    ),
  );

  it('what is said of calls comes with one', () => {
    const shown = new Set(proven.map(({ rule }) => rule));
    for (const rule of [
      'production-unapproved',
      'delete-unapproved',
      'secrets-readable',
      'misses-nested',
      'misses-dotfiles',
      'misses-variants',
      'misses-children',
      'production-spelling',
    ])
      expect(shown).toContain(rule);
  });

  it.each(proven)('$name: decide really allows the witness of $rule', ({ text, rule, witness }) => {
    const { verdict, targets } = answerOf(text, witness);
    expect(verdict).toBe('allow');
    if (rule === 'production-unapproved')
      expect(targets.some(({ environment, target }) => environment === 'production' && target.effect !== 'read')).toBe(
        true,
      );
    if (rule === 'delete-unapproved') expect(targets.some(({ target }) => target.effect === 'destroy')).toBe(true);
    if (rule === 'secrets-readable') expect(targets.every(({ target }) => target.effect === 'read')).toBe(true);
  });

  it('finds a real call where one of our tools can make it', () => {
    const kubectl = proven.find(
      ({ name, rule }) => name === 'production-by-namespace.yaml' && rule === 'production-unapproved',
    );
    expect(kubectl?.witness).toMatchObject({ tool: 'kubectl-rollout', input: { action: 'restart' }, verdict: 'allow' });
  });
});

describe('I7 holdpoint policy lint: the shipped policies', () => {
  it.each(['devops', 'tta-devops-engineer', 'orchestra-devops', 'battra-devops', 'pdlc-devops'])(
    '%s: nothing to find',
    async (name) => {
      const file = join(POLICIES, `${name}.yaml`);
      const { findings, decided } = lintPolicy(await readFile(file, 'utf8'), name, options);
      expect(findings).toEqual([]);
      expect(decided).toBeGreaterThan(500);
    },
  );

  it.each([
    ['production', 'production-unapproved', 'change-production'],
    ['destruction', 'delete-unapproved', 'infrastructure-files'],
    ['secrets', 'secrets-readable', 'infrastructure-files'],
  ])('devops without its rule %s: %s', async (left, rule, by) => {
    const text = await readFile(join(POLICIES, 'devops.yaml'), 'utf8');
    const rules = text.split(/(?=^ {2}- id: )/m).filter((part) => !part.startsWith(`  - id: ${left}\n`));
    const { findings } = lintPolicy(rules.join(''), 'devops.yaml', options);
    expect(findings).toContainEqual(expect.objectContaining({ rule, of: by }));
  });
});

describe('I7 holdpoint policy lint: the rest', () => {
  it('the number of calls decided does not grow beyond a bound with the policy', () => {
    const folder = (index: number) =>
      `  - { id: r${index}, decision: allow, when: { kind: [workload, image, process], namespace: 'team${index}-*' }, reason: The namespaces of team ${index}., examples: [{ tool: view, input: { path: x }, expect: deny }] }`;
    const policy = (rules: number) =>
      `version: 1\nname: large\nrules:\n${Array.from({ length: rules }, (_, index) => folder(index)).join('\n')}\n`;
    const large = lintPolicy(policy(500), 'large.yaml', options);
    expect(large.findings.filter(({ rule }) => rule === 'production-unapproved')).toHaveLength(500);
    expect(large.decided).toBeLessThan(25_000);
  });

  it('what is no policy at all is refused, as at load', () => {
    for (const text of ['rules: [', 'version: 1\nname: x\nrulez: []\n', ''])
      expect(() => lintPolicy(text, 'x.yaml', options)).toThrow(/not valid/);
  });

  it('a policy that does not load is told why, with line and column, and nothing of what it would decide', () => {
    const text =
      'version: 1\nname: x\nrules:\n  - id: a\n    decision: allow\n    when: { kind: file, path: "docker/**" }\n    approval: { approvals: 2 }\n    reason: Docker files may be read.\n    examples: [{ tool: view, input: { path: docker/x }, expect: allow }]\n';
    const { findings, decided } = lintPolicy(text, 'x.yaml', options);
    expect(findings).toEqual([
      {
        rule: 'invalid',
        severity: 'error',
        line: 7,
        column: 15,
        of: 'a',
        message: 'approval is for rules that hold.',
        fix: 'Write decision: require_approval, or leave approval out.',
      },
    ]);
    expect(decided).toBe(0);
  });
});
