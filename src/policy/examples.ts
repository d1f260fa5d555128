import type { Verdict } from '../core/decision.ts';
import type { Facts, KubeContext } from '../core/facts.ts';
import type { Target } from '../core/target.ts';
import type { AnyTool } from '../core/tool.ts';
import { callTargets } from './call-targets.ts';
import type { CallTargets } from './call-targets.ts';
import { decide, subjectOf } from './decide.ts';
import type { Example, ExampleFacts, Policy, Rule } from './policy.ts';
import type { Problem } from './problems.ts';

export interface ExampleScope {
  tools(name: string): AnyTool | undefined;
  facts?: Pick<Facts, 'programs'>;
}

/** What came of one example. */
export interface ExampleOutcome {
  rule: string;
  /** Counted from 1, within the rule. */
  number: number;
  line: number;
  /** The call in short. */
  call: string;
  expect: Verdict;
  /** Undefined where the call could not be decided at all. */
  verdict?: Verdict;
  /** The rules that decided. */
  by: readonly string[];
  /** Whether the rule that the example stands under matched anything in the call. */
  touched: boolean;
  ok: boolean;
  /** What is wrong, where it is not ok. */
  says?: string;
}

/** Runs every example of every rule, as a call would run up to its decision. */
export function runExamples(policy: Policy, scope: ExampleScope): ExampleOutcome[] {
  return policy.rules.flatMap((rule) =>
    rule.examples.map((example, index) => runExample(policy, rule, example, index + 1, scope)),
  );
}

/** What is wrong with the examples of a policy: those that fail, and rules that none of their own examples reaches. */
export function exampleProblems(outcomes: readonly ExampleOutcome[]): Problem[] {
  const failed = outcomes.flatMap(({ line, rule, says }) => (says === undefined ? [] : [{ line, rule, says }]));
  const reached = new Set(
    outcomes.flatMap(({ rule, touched, verdict }) => (touched || verdict === undefined ? [rule] : [])),
  );
  const unreached = new Map(
    outcomes.filter(({ rule }) => !reached.has(rule)).map((outcome) => [outcome.rule, outcome]),
  );
  const idle = [...unreached.values()].map(({ line, rule }) => ({
    line,
    rule,
    says: 'none of its examples is matched by it; correct its when, or write an example of a call that it is for',
  }));
  return [...failed, ...idle].sort((a, b) => a.line - b.line);
}

function runExample(policy: Policy, rule: Rule, example: Example, number: number, scope: ExampleScope): ExampleOutcome {
  const call = `${example.tool} ${JSON.stringify(example.input ?? example.targets?.map(({ id }) => id) ?? {})}`;
  const base = { rule: rule.id, number, line: example.line, call: call.slice(0, 160), expect: example.expect };
  const found = targetsOf(example, scope);
  if ('wrong' in found)
    return { ...base, by: [], touched: false, ok: false, says: `example ${number} (${base.call}): ${found.wrong}` };
  if ('refused' in found) {
    const ok = example.expect === 'deny';
    const says = ok
      ? {}
      : {
          says: `example ${number} (${base.call}) expects ${example.expect}, but the tool refuses it: ${found.refused}`,
        };
    return { ...base, verdict: 'deny', by: [], touched: false, ok, ...says };
  }
  const principal = { person: 'example', agent: policy.name, client: 'example' };
  const { verdict, rules, reason } = decide(
    policy,
    { principal, tool: example.tool, targets: found.targets },
    undefined,
  );
  const ok = verdict === example.expect;
  const by = rules.length === 0 ? 'no rule' : rules.join(', ');
  const says = ok
    ? {}
    : { says: `example ${number} (${base.call}) expects ${example.expect}, but gives ${verdict} by ${by}: ${reason}` };
  const touched = found.targets.some((target) => matches(policy, rule, example.tool, target));
  return { ...base, verdict, by: rules, touched, ok, ...says };
}

function targetsOf(example: Example, scope: ExampleScope): CallTargets {
  if ((example.targets === undefined) === (example.input === undefined))
    return {
      wrong: 'write either input, the arguments of the call, or targets, what a tool of another server would touch',
    };
  if (example.targets !== undefined) return { targets: example.targets };
  const tool = scope.tools(example.tool);
  if (tool === undefined)
    return { wrong: `there is no tool "${example.tool}"; for a tool of another server write targets instead of input` };
  return callTargets(tool, example.input ?? {}, factsFor(example.facts ?? {}, scope.facts?.programs ?? {}));
}

/** Facts about a machine on which only what the example says exists. */
export function factsFor(facts: ExampleFacts, programs: Facts['programs']): Facts {
  const { kubeContext, cluster = kubeContext, namespace = 'default', dockerHost = 'local' } = facts;
  const contexts: Record<string, KubeContext> =
    kubeContext === undefined ? {} : { [kubeContext]: { cluster: cluster ?? kubeContext, namespace } };
  return {
    kubernetes: kubeContext === undefined ? { contexts } : { current: kubeContext, contexts },
    docker: { host: dockerHost },
    github: { repository: 'acme/shop' },
    monitoring: { grafana: 'grafana.example.com' },
    programs,
  };
}

function matches(policy: Policy, rule: Rule, tool: string, target: Target): boolean {
  try {
    const subject = subjectOf(policy, tool, target);
    return rule.conditions.every((condition) => condition.holds(subject));
  } catch {
    return false;
  }
}
