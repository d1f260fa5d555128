import type { Json } from '../../core/json.ts';
import { callTargets } from '../call-targets.ts';
import { factsFor } from '../examples.ts';
import type { ExampleFacts } from '../policy.ts';
import type { Witness } from './finding.ts';
import { distinct, nameWords } from './samples.ts';
import type { Scope } from './scope.ts';

/** A whole call, and what the machine is supposed to be like. */
export interface RealCall {
  tool: string;
  input: Readonly<Record<string, Json>>;
  facts?: ExampleFacts;
}

/** At most so many whole calls are tried in all. */
const MAX_CALLS = 2000;
const ELSEWHERE = 'a-context-nobody-listed';

/** Calls that change or remove something, in production where they say where: our tools' usual ones and the policy's own examples. */
export function realCalls(scope: Scope): RealCall[] {
  const machines = machinesOf(scope);
  const [workflows, branches] = [valuesOf(scope, 'workflow'), valuesOf(scope, 'branch')];
  const usual: RealCall[] = [
    ...['restart', 'undo'].map((action) => ({
      tool: 'kubectl-rollout',
      input: { action, kind: 'deployment', name: 'api' },
    })),
    { tool: 'launch-process', input: { program: 'kubectl', args: ['apply', '-f', 'kubernetes/api.yaml'] } },
    { tool: 'launch-process', input: { program: 'kubectl', args: ['rollout', 'restart', 'deployment/api'] } },
    { tool: 'docker-build', input: { context: '.', tags: ['api:1.0.0'] } },
    ...distinct([...workflows, 'deploy-production']).flatMap((workflow) =>
      distinct([...branches, 'main']).map((ref) => ({ tool: 'gh-workflow-run', input: { workflow, ref } })),
    ),
    ...distinct([...branches, 'main']).map((name) => ({ tool: 'git', input: { action: 'push', name } })),
  ];
  const examples = scope.rules.flatMap(({ rule }) =>
    rule.examples.flatMap(({ tool, input, facts }): RealCall[] =>
      input === undefined ? [] : [{ tool, input, ...(facts === undefined ? {} : { facts }) }],
    ),
  );
  const calls = [...usual.flatMap((call) => machines.map((facts) => ({ ...call, facts }))), ...examples];
  const moved = examples.flatMap((call) => machines.map((facts) => ({ ...call, facts })));
  return [...calls, ...moved].slice(0, MAX_CALLS);
}

/** Decides a whole call as dispatch would; undefined where it is no call of that tool, or the tool refuses it by itself. */
export function tryCall(scope: Scope, { tool, input, facts }: RealCall): Witness | undefined {
  const known = scope.options.tools(tool);
  if (known === undefined) return undefined;
  const called = callTargets(known, input, factsFor(facts ?? {}, scope.options.facts?.programs ?? {}));
  if (!('targets' in called)) return undefined;
  const { verdict, rules } = scope.decide(tool, called.targets);
  return {
    tool,
    input: { ...input },
    ...(facts === undefined ? {} : { facts }),
    targets: called.targets,
    verdict,
    rules,
  };
}

/** Machines that lead to production: by each of its kube contexts, clusters and namespaces, and one that nobody listed. */
function machinesOf(scope: Scope): ExampleFacts[] {
  const [contexts, clusters, namespaces, engines] = (
    ['kubeContext', 'cluster', 'namespace', 'dockerHost'] as const
  ).map((selector) => valuesOf(scope, selector));
  const unknown = { kubeContext: ELSEWHERE, namespace: 'a-namespace-nobody-listed' };
  return [
    unknown,
    ...(contexts ?? []).map((kubeContext) => ({ ...unknown, kubeContext })),
    ...(clusters ?? []).map((cluster) => ({ ...unknown, cluster })),
    ...(namespaces ?? []).map((namespace) => ({ ...unknown, namespace })),
    { dockerHost: engines?.[0] ?? 'a-host-nobody-listed' },
  ];
}

/** Up to four names that production's patterns of a selector match. */
export function valuesOf({ policy }: Scope, selector: string): string[] {
  const production = policy.environments.find(({ name }) => name === policy.unmatched);
  const patterns = production?.selectors.find((list) => list.selector === selector)?.patterns ?? [];
  const words = patterns.slice(0, 4).flatMap((pattern) => nameWords(pattern, false).slice(0, 1));
  return distinct(words.filter((word) => word !== ''));
}
