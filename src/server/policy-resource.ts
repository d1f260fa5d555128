import { durationText } from '../adapters/monitoring/port.ts';
import type { ApprovalTerms } from '../core/decision.ts';
import type { Rule } from '../policy/policy.ts';
import { bounded, type ResourceSource } from './resources.ts';
import type { Services } from './services.ts';

const ADDRESS = 'holdpoint://policy';

/** The policy in force, each rule in a line. What it says is no secret; what its people's keys are is not in it. */
export function policyResource(services: Services): ResourceSource {
  return {
    list: async () => [
      {
        uri: ADDRESS,
        name: 'policy',
        title: 'The policy in force',
        description: 'What you may do, what waits for a person and what is denied, with reasons.',
        mimeType: 'application/json',
      },
    ],
    templates: [],
    async read(uri) {
      if (uri !== ADDRESS) return undefined;
      const { name, digest, environments, unmatched, rules, freezes } = await services.policies.current();
      return bounded(
        {
          name,
          digest,
          decides:
            'A target needs an allow; deny goes before require_approval before allow; nothing matching is denied.',
          environments: Object.fromEntries(
            environments.map((environment) => [
              environment.name,
              Object.fromEntries(environment.selectors.map(({ selector, patterns }) => [selector, [...patterns]])),
            ]),
          ),
          unmatchedCountsAs: unmatched,
          rules: rules.map(lineOf),
          ...(freezes.length > 0 ? { freezes: freezes.map(({ id, reason }) => `${id}: ${reason}`) } : {}),
        },
        services,
      );
    },
  };
}

function lineOf({ id, decision, conditions, reason, handOff, terms }: Rule): string {
  const when = conditions.map(({ key, written }) => `${key} ${written.join(' | ')}`).join(', ');
  const needs = terms ? ` Needs ${termsOf(terms)}.` : '';
  return `${id}: ${decision} when ${when}. ${reason}${needs}${handOff === undefined ? '' : ` Hand to ${handOff}.`}`;
}

function termsOf({ approvals, approveWithin, runWithin, checklists, windows }: ApprovalTerms): string {
  return [
    `${approvals} ${approvals === 1 ? 'approval' : 'approvals'} within ${durationText(approveWithin / 1000)}`,
    `to be run within ${durationText(runWithin / 1000)}`,
    ...(checklists.length > 0 ? [`checklist ${checklists.join(', ')}`] : []),
    ...(windows.length > 0 ? [`window ${windows.join(', ')}`] : []),
  ].join(', ');
}
