import { bracesSpanNames, expandBraces } from '../braces.ts';
import { runExamples, exampleProblems } from '../examples.ts';
import type { WhenEntry } from '../schema.ts';
import { found, keyPlace, placeOf } from './scope.ts';
import type { Check } from './scope.ts';

const HOUR = 3_600_000;
const MOST_TO_APPROVE = 72 * HOUR;
const MOST_TO_RUN = 8 * HOUR;
/** Alternatives of all the patterns of one rule: each is tried for every target. */
const MOST_ALTERNATIVES = 500;
const MOST_GLOBSTARS = 3;

/** Reasons that say nothing or are told by two rules. */
export const reasons: Check = (scope) => {
  const first = new Map<string, string>();
  return scope.rules.flatMap(({ entry, index }) => {
    const said = entry.reason
      .toLowerCase()
      .replace(/[^\p{L}\p{N}]+/gu, ' ')
      .trim();
    const place = placeOf(scope, index, 'reason');
    if (said.split(' ').length < 3)
      return [
        found('reason-missing', place, {
          of: entry.id,
          message: `The reason ${JSON.stringify(entry.reason)} tells an agent nothing.`,
          fix: 'Write one sentence: why, and what to do instead.',
        }),
      ];
    const other = first.get(said);
    if (other === undefined) {
      first.set(said, entry.id);
      return [];
    }
    return [
      found('reason-duplicate', place, {
        of: entry.id,
        message: `The rule ${JSON.stringify(other)} has the same reason, so an agent cannot tell which of them spoke.`,
        fix: 'Say what is particular to this rule, or make one rule of the two.',
      }),
    ];
  });
};

/** Examples that fail, and rules that allow without a call that shows where they end. */
export const examples: Check = (scope) => {
  const failing = exampleProblems(runExamples(scope.policy, scope.options)).map(({ line, rule, says }) =>
    found(
      'example-fails',
      { line, column: 1 },
      {
        ...(rule === undefined ? {} : { of: rule }),
        message: says.startsWith('none of')
          ? 'None of its examples is a call that it matches.'
          : `${says.slice(0, 1).toUpperCase()}${says.slice(1)}`,
        fix: 'Correct the rule or the example.',
      },
    ),
  );
  const refused = new Set(
    scope.rules.flatMap(({ rule }) => rule.examples.filter(({ expect }) => expect !== 'allow').map(({ tool }) => tool)),
  );
  const alone = scope.rules
    .filter(({ rule }) => rule.decision === 'allow' && !rule.examples.some(({ tool }) => refused.has(tool)))
    .map(({ entry, index }) =>
      found('example-twin', keyPlace(scope, index, 'examples'), {
        of: entry.id,
        message: 'No example of the policy shows a call of these tools that is not allowed.',
        fix: 'Add the nearest call that must not be allowed, with expect: deny or require_approval.',
      }),
    );
  return [...failing, ...alone];
};

/** Approvals that do not say when they end, or that stay good for long. */
export const approvals: Check = (scope) =>
  scope.rules.flatMap(({ entry, rule, index }) => {
    if (rule.terms === undefined) return [];
    const missing = (['approveWithin', 'runWithin'] as const).filter((key) => entry.approval?.[key] === undefined);
    const place = keyPlace(scope, index, 'approval');
    const unsaid = missing.map((key) => `${key} (${key === 'approveWithin' ? '24h' : '1h'} where nothing is said)`);
    const long = [
      rule.terms.approveWithin > MOST_TO_APPROVE && 'approveWithin is more than three days',
      rule.terms.runWithin > MOST_TO_RUN && 'runWithin is more than eight hours',
    ].filter((text) => text !== false);
    return [
      ...(unsaid.length === 0
        ? []
        : [
            found('approval-expiry', place, {
              of: entry.id,
              message: `It does not say how long an approval is good: ${unsaid.join(', ')}.`,
              fix: 'Write approval: { approveWithin: 1h, runWithin: 30m }.',
            }),
          ]),
      ...(long.length === 0
        ? []
        : [
            found('approval-too-long', place, {
              of: entry.id,
              message: `An approval is good for too long (${long.join('; ')}): what was approved is no longer what is there.`,
              fix: 'Write approveWithin: 24h or less and runWithin: 1h or less.',
            }),
          ]),
    ];
  });

/** Patterns that load and still cost more than they are worth. */
export const costs: Check = (scope) =>
  scope.rules.flatMap(({ entry, index }) => {
    const patterns = patternsOf(entry.when);
    const alternatives = patterns.reduce((sum, { pattern }) => sum + alternativesOf(pattern), 0);
    const many = patterns.filter(
      ({ pattern }) => pattern.split('/').filter((name) => name === '**').length > MOST_GLOBSTARS,
    );
    return [
      ...many.map(({ pattern, key, at }) =>
        found('costly-rule', placeOf(scope, index, 'when', key, at), {
          of: entry.id,
          message: `${JSON.stringify(pattern)} has more than ${MOST_GLOBSTARS} **, which no reader can follow.`,
          fix: 'Write one ** and the names that matter.',
        }),
      ),
      ...(alternatives <= MOST_ALTERNATIVES
        ? []
        : [
            found('costly-rule', keyPlace(scope, index, 'when'), {
              of: entry.id,
              message: `Its braces make ${alternatives} patterns, and every target is compared with all of them.`,
              fix: `Write at most ${MOST_ALTERNATIVES}, or a wildcard.`,
            }),
          ]),
    ];
  });

function patternsOf(when: WhenEntry): { key: string; pattern: string; at: number }[] {
  return Object.entries(when).flatMap(([key, values]) =>
    ['kind', 'effect', 'environment'].includes(key) ? [] : (values ?? []).map((pattern, at) => ({ key, pattern, at })),
  );
}

function alternativesOf(pattern: string): number {
  const names = bracesSpanNames(pattern) ? [pattern] : pattern.split('/');
  return names.reduce((sum, name) => sum + expandBraces(name).length - 1, 1);
}
