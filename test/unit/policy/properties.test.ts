import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { VERDICTS } from '../../../src/core/decision.ts';
import { EFFECTS } from '../../../src/core/effect.ts';
import { SELECTORS, TARGET_KINDS } from '../../../src/core/target.ts';
import type { Target } from '../../../src/core/target.ts';
import { subjectOf } from '../../../src/policy/decide.ts';
import { covers, disjoint, readingOf } from '../../../src/policy/lint/covering.ts';
import { coversPath } from '../../../src/policy/lint/samples.ts';
import { fold, pathPattern } from '../../../src/policy/patterns.ts';
import type { Policy } from '../../../src/policy/policy.ts';
import type { WhenEntry } from '../../../src/policy/schema.ts';
import { oracle } from './oracle.ts';
import { answer, policyOf } from './policies.ts';
import { anyRules, ENVIRONMENTS, glob, rules, target, targets, tool } from './worlds.ts';

const RUNS = { numRuns: 200 };
const strictness = (verdict: (typeof VERDICTS)[number]) => VERDICTS.indexOf(verdict);

describe('I7 decide, against a slow and obvious oracle', () => {
  it('answers what the oracle answers, whatever the rules and the targets', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(anyRules, targets, tool, (list, touched, through) => {
        const { verdict } = answer(policyOf(list, ENVIRONMENTS), through, ...touched);
        seen.add(verdict);
        expect(verdict).toBe(oracle(list, ENVIRONMENTS, through, touched));
      }),
      { numRuns: 800 },
    );
    expect([...seen].sort()).toEqual([...VERDICTS].sort());
  });

  it('never throws for anything of the right type', () => {
    const odd: fc.Arbitrary<Target> = fc.record(
      {
        kind: fc.constantFrom(...TARGET_KINDS),
        id: fc.string({ unit: 'binary' }),
        effect: fc.constantFrom(...EFFECTS),
        path: fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('../x', '/x', 'a//b', 'a/./b', 'x\u0000', '~')),
        command: fc.string(),
        resource: fc.string({ unit: 'grapheme' }),
        at: fc.dictionary(fc.constantFrom(...SELECTORS), fc.string({ unit: 'binary' })),
      },
      { requiredKeys: ['kind', 'id', 'effect'] },
    );
    fc.assert(
      fc.property(anyRules, fc.array(odd, { maxLength: 4 }), fc.string(), (list, touched, through) => {
        expect(VERDICTS).toContain(answer(policyOf(list, ENVIRONMENTS), through, ...touched).verdict);
      }),
      RUNS,
    );
  });

  it('never depends on the order of the rules or of the targets', () => {
    const shuffled = anyRules.chain((list) =>
      fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })),
    );
    fc.assert(
      fc.property(shuffled, targets, tool, ([one, other], touched, through) => {
        const [first, second] = [policyOf(one, ENVIRONMENTS), policyOf(other, ENVIRONMENTS)];
        expect(answer(first, through, ...touched)).toEqual(answer(second, through, ...touched));
        const turned = answer(first, through, ...touched.toReversed());
        expect(turned.verdict).toBe(answer(first, through, ...touched).verdict);
      }),
      RUNS,
    );
  });

  it('a denial or an approval more never widens what runs unapproved', () => {
    fc.assert(
      fc.property(
        anyRules,
        rules(['deny', 'require_approval'], 'more'),
        targets,
        tool,
        (list, more, touched, through) => {
          const before = answer(policyOf(list, ENVIRONMENTS), through, ...touched).verdict;
          const after = answer(policyOf([...list, ...more], ENVIRONMENTS), through, ...touched).verdict;
          expect(strictness(after)).toBeGreaterThanOrEqual(strictness(before));
        },
      ),
      RUNS,
    );
  });

  it('a permission more never loosens a denial, nor lets run what is held', () => {
    fc.assert(
      fc.property(anyRules, rules(['allow'], 'more'), target, tool, (list, more, touched, through) => {
        const before = answer(policyOf(list, ENVIRONMENTS), through, touched);
        const after = answer(policyOf([...list, ...more], ENVIRONMENTS), through, touched);
        if (before.verdict === 'require_approval' || (before.verdict === 'deny' && before.rules.length > 0))
          expect(after).toMatchObject({ verdict: before.verdict, rules: before.rules });
      }),
      RUNS,
    );
  });
});

describe('I7 what lint takes two rules to be', () => {
  const names = fc.array(fc.constantFrom('a', 'A', 'b', 'ab', '.env', 'secrets', 'SECRETS', 'x.pem', 'c'), {
    maxLength: 5,
  });

  it('a pattern that is covered matches nothing that the other does not', () => {
    fc.assert(
      fc.property(
        glob,
        glob,
        fc.boolean(),
        fc.boolean(),
        names,
        (inner, outer, innerRestricts, outerRestricts, path) => {
          fc.pre(coversPath([outer], outerRestricts, inner, innerRestricts));
          const matched = (pattern: string, restricts: boolean) =>
            pathPattern(pattern, restricts)(restricts ? path.map(fold) : path);
          if (matched(inner, innerRestricts)) expect(matched(outer, outerRestricts)).toBe(true);
        },
      ),
      { numRuns: 1000, examples: [['S*s', '**/S*s/**', true, false, ['secrets']]] },
    );
  });

  it('a rule that is covered matches nothing that the other does not; disjoint rules match nothing together', () => {
    fc.assert(
      fc.property(rules(VERDICTS, 'r', 6), targets, tool, (list, touched, through) => {
        const policy = policyOf(list, ENVIRONMENTS);
        const readings = policy.rules.map(({ decision, conditions }) =>
          readingOf({
            decision,
            when: Object.fromEntries(conditions.map(({ key, written }) => [key, written])) as WhenEntry,
          }),
        );
        for (const [a, first] of policy.rules.entries())
          for (const [b, second] of policy.rules.entries()) {
            const [one, other] = [readings[a], readings[b]];
            if (a === b || one === undefined || other === undefined) continue;
            const both = touched.map((each) => [
              fits(policy, first, through, each),
              fits(policy, second, through, each),
            ]);
            if (covers(other, one, Object.keys(ENVIRONMENTS)))
              expect(both.every(([inner, outer]) => !inner || outer)).toBe(true);
            if (disjoint(one, other)) expect(both.some(([inner, outer]) => inner && outer)).toBe(false);
          }
      }),
      { numRuns: 400 },
    );
  });
});

function fits(policy: Policy, rule: Policy['rules'][number], through: string, touched: Target): boolean {
  const subject = subjectOf(policy, through, touched);
  return rule.conditions.every(({ holds }) => holds(subject));
}
