import type { Selector, Target, TargetKind } from '../../core/target.ts';
import { LISTS } from '../environments.ts';
import { namePattern } from '../patterns.ts';
import type { Environment, SelectorPatterns } from '../policy.ts';
import type { Place } from '../problems.ts';
import { tryCall } from './calls.ts';
import type { Finding, Witness } from './finding.ts';
import { PLACED_BY } from './nothing.ts';
import { coversName, nameWords } from './samples.ts';
import { found } from './scope.ts';
import type { Check, Scope } from './scope.ts';

/** What production is called in many places, and a name that nobody has listed. */
const USUAL: Readonly<Partial<Record<Selector, readonly string[]>>> = {
  kubeContext: ['prod', 'production', 'prod-eu', 'eu-prod', 'a-context-nobody-listed'],
  cluster: ['prod', 'production', 'prod-eu', 'eu-prod', 'a-cluster-nobody-listed'],
  namespace: ['prod', 'production', 'shop-prod', 'a-namespace-nobody-listed'],
  githubEnvironment: ['prod', 'production', 'an-environment-nobody-listed'],
  workflow: ['deploy-prod', 'deploy-production', 'a-workflow-nobody-listed'],
  branch: ['main', 'master', 'a-branch-nobody-listed'],
  host: ['example.com', 'www.example.com', 'prod.example.com'],
  dockerHost: ['prod.example.com', 'a-host-nobody-listed'],
  upstream: ['a-server-nobody-listed'],
};

/** Environments that take what is production's, that can never be reached, or whose patterns miss a common spelling. */
export const environments: Check = (scope) => {
  const { environments: all, unmatched } = scope.policy;
  const strict = all.findIndex(({ name }) => name === unmatched);
  const production = all[strict];
  return [
    ...all.slice(0, strict).map((environment) => before(scope, environment)),
    ...all.slice(strict + 1).flatMap((environment) => tooWide(scope, environment)),
    ...all.flatMap((environment, at) => overlaps(scope, environment, all.slice(0, at))),
    ...(production === undefined ? [] : production.selectors.flatMap((list) => spellings(scope, list))),
  ];
};

function before(scope: Scope, { name }: Environment): Finding {
  return found('environment-overlap', scope.source.place(['environments'], name), {
    of: name,
    message: `${name} stands before ${scope.policy.unmatched}, so what matches both is ${name}: no rule for ${scope.policy.unmatched} reaches it.`,
    fix: `Write ${scope.policy.unmatched} first, unless ${name} is the stricter one.`,
  });
}

function tooWide(scope: Scope, environment: Environment): Finding[] {
  return environment.selectors.flatMap(({ selector, patterns }) =>
    patterns.flatMap((pattern, at) => {
      const test = namePattern(pattern, false);
      const value = (USUAL[selector] ?? []).find(
        (each) => test(each) && placed(scope, { [selector]: each }) === environment.name,
      );
      if (value === undefined) return [];
      const witness = changeOf(scope, { [selector]: value }, selector);
      return [
        found('environment-too-wide', patternPlace(scope, environment.name, selector, at), {
          of: environment.name,
          message: `${JSON.stringify(pattern)} makes the ${selector} ${value} ${environment.name}; what is not known to be milder should count as ${scope.policy.unmatched}.`,
          fix: `Name what is ${environment.name}, such as ${JSON.stringify(`${environment.name}-*`)}.`,
          ...(witness === undefined ? {} : { witness }),
        }),
      ];
    }),
  );
}

function overlaps(scope: Scope, environment: Environment, stricter: readonly Environment[]): Finding[] {
  const strict = scope.policy.environments.findIndex(({ name }) => name === scope.policy.unmatched);
  return environment.selectors.flatMap(({ selector, patterns }) =>
    patterns.flatMap((pattern, at) => {
      const other = stricter.find((each, index) =>
        each.selectors.some(
          (list) => list.selector === selector && coversName(list.patterns, index <= strict, pattern, false),
        ),
      );
      if (other === undefined) return [];
      return [
        found('environment-overlap', patternPlace(scope, environment.name, selector, at), {
          of: environment.name,
          message: `${JSON.stringify(pattern)} never makes anything ${environment.name}: ${other.name}, which is stricter, matches all of it.`,
          fix: `Leave it out, or narrow the pattern of ${other.name}.`,
        }),
      ];
    }),
  );
}

/** `production` without `prod`, or the other way round, where something else about the target then tells a milder environment. */
function spellings(scope: Scope, list: SelectorPatterns): Finding[] {
  const { selector, patterns, matches } = list;
  return patterns.flatMap((pattern, at) => {
    for (const word of nameWords(pattern, false)) {
      const other = /production/i.test(word)
        ? word.replace(/production/i, 'prod')
        : word.replace(/prod/i, 'production');
      if (other === word || matches(other)) continue;
      const witness = milderBeside(scope, selector, other);
      if (witness === undefined) continue;
      const [target] = witness.targets;
      const environment = target === undefined ? 'milder' : scope.environmentOf(target);
      return [
        found('production-spelling', patternPlace(scope, scope.policy.unmatched, selector, at), {
          of: scope.policy.unmatched,
          message: `${JSON.stringify(pattern)} misses ${other}: beside another sign of ${environment} it counts as ${environment}, and the call runs at once.`,
          fix: `Write ${JSON.stringify(pattern.replace(/production\*?|prod\*?/i, 'prod*'))}.`,
          witness,
        }),
      ];
    }
    return [];
  });
}

/**
 * A change of what has this name and, by another selector, a milder environment; where the policy allows it at once. A whole
 * call of one of our tools rather than its targets alone.
 */
function milderBeside(scope: Scope, selector: Selector, value: string): Witness | undefined {
  const strict = scope.policy.environments.findIndex(({ name }) => name === scope.policy.unmatched);
  const witnesses = scope.policy.environments.slice(strict + 1).flatMap(({ selectors }) =>
    selectors.flatMap((other) => {
      const [beside] = other.patterns.flatMap((pattern) => nameWords(pattern, false)).filter((word) => word !== '');
      if (other.selector === selector || beside === undefined) return [];
      return changeOf(scope, { [selector]: value, [other.selector]: beside }, selector, other.selector) ?? [];
    }),
  );
  return witnesses.find(({ input }) => input !== undefined) ?? witnesses[0];
}

/** An image is built on an Engine and pushed to a registry: none of its targets has both. */
const CHANGES: readonly (readonly [TargetKind, tool: string, selectors: readonly Selector[] | undefined])[] = [
  ['workload', 'kubectl-rollout', PLACED_BY.workload],
  ['workflow', 'gh-workflow-run', PLACED_BY.workflow],
  ['image', 'docker-build', ['dockerHost']],
  ['image', 'docker-push', ['host']],
  ['repository', 'git', PLACED_BY.repository],
  ['process', 'launch-process', undefined],
];

/** A write that is allowed at once to a target with these selectors, of a kind that can have them. */
function changeOf(scope: Scope, at: NonNullable<Target['at']>, ...needs: Selector[]): Witness | undefined {
  for (const [kind, tool, selectors] of CHANGES) {
    if (!needs.every((selector) => selectors?.includes(selector) ?? kind === 'process')) continue;
    const { workflow, branch: ref } = at;
    const call = kind === 'workflow' && workflow !== undefined && ref !== undefined ? { workflow, ref } : undefined;
    const witness = call === undefined ? undefined : tryCall(scope, { tool, input: call });
    if (witness?.verdict === 'allow') return witness;
    const id = Object.values(at).join(' ');
    const target: Target = {
      kind,
      id,
      effect: 'write',
      at,
      ...(kind === 'process' ? { command: 'kubectl apply' } : {}),
    };
    const { verdict, rules } = scope.decide(tool, [target]);
    if (verdict === 'allow') return { tool, targets: [target], verdict, rules };
  }
  return undefined;
}

function placed(scope: Scope, at: NonNullable<Target['at']>): string {
  return scope.environmentOf({ kind: 'process', id: 'lint', effect: 'read', at });
}

function patternPlace({ source }: Scope, name: string, selector: Selector, at: number): Place {
  return source.place(['environments', name, LISTS[selector], at]);
}
