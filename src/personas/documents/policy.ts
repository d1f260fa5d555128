import { stringify } from 'yaml';

import { stricter } from '../../core/decision.ts';
import { HoldpointError } from '../../core/errors.ts';
import { runExamples, type ExampleOutcome } from '../../policy/examples.ts';
import { coversPath } from '../../policy/lint/samples.ts';
import { checkedPolicy, compilePolicy, type LoadOptions } from '../../policy/load.ts';
import { namePattern } from '../../policy/patterns.ts';
import type { Base, ExampleText, PolicyText, RuleText } from './base-policy.ts';
import { besideWith, checklistOf, withChecklist } from './checklists.ts';
import { linesText, type DocumentFacts, type EnvironmentFact, type FileFact, type Note } from './facts.ts';
import { rolesByConcern, type Concern } from './roles.ts';
import { scopeRules } from './scope-rules.ts';
import { toolRules } from './tool-rules.ts';

export interface GeneratedPolicy {
  /** As YAML, checked whole, its examples run. */
  text: string;
  /** The checklist that it names beside those that ship. */
  checklist: string | undefined;
  /** What the document opens and a rule of every persona closes. */
  closed: ReadonlySet<FileFact>;
  ambiguous: Note[];
  unused: Note[];
}

/**
 * The policy of a document: the rules that every persona has, and its own about files, tools, hosts and roles. It can only
 * narrow: an example of a rule of every persona that came out looser stops the import.
 *
 * @param file the document's name, as reasons cite it
 */
export function policyOf(facts: DocumentFacts, base: Base, file: string, options: LoadOptions): GeneratedPolicy {
  const scope = scopeRules(facts, base, file);
  const checklist = checklistOf(facts, base, file);
  const common = withChecklist(withServers(withRoles(base.common, facts), facts), checklist);
  const tools = toolRules(facts, [...scope.rules, ...common], new Set(options.toolNames ?? []), file);
  const health = healthRule(facts, base, file);
  const rules = withoutClosed([...scope.rules, ...tools.rules, ...health, ...common]);
  const written: PolicyText = {
    ...structuredClone(base.rest),
    name: facts.name,
    environments: environmentsOf(base, facts.environments),
    rules: structuredClone(rules),
  };
  const beside = besideWith(checklist.text);
  settleExamples(written, new Set(base.common.map(({ id }) => id)), { ...options, beside });
  const text = `# Made by "holdpoint persona import" from ${file}. Its own rules come first; the others every persona has.\n${stringify(written, { lineWidth: 0, aliasDuplicateObjects: false })}`;
  checkedPolicy(text, 'policy.yaml', { ...options, beside });
  const data = unruled(facts, rules);
  return {
    text,
    checklist: checklist.text,
    closed: scope.closed,
    ambiguous: [...scope.notes, ...tools.ambiguous, ...data.ambiguous, ...checklist.ambiguous],
    unused: [...tools.unused, ...data.unused, ...checklist.unused],
  };
}

/** Data that documents deny, and the rules of every persona that close it. */
const DATA: readonly { says: RegExp; rules: readonly string[] }[] = [
  { says: /\bdatabases?\b/i, rules: ['production-databases', 'databases'] },
  { says: /\bkeys?\b|\bsecrets?\b|\bcredentials?\b/i, rules: ['secrets'] },
  { says: /\bpatients?\b|\bPHI\b|\bhealth data\b/i, rules: ['patient-data'] },
];

/** Data that a document denies, and its policy has no rule of its own for. */
function unruled({ data }: DocumentFacts, rules: readonly RuleText[]): Pick<GeneratedPolicy, 'ambiguous' | 'unused'> {
  const notes: Pick<GeneratedPolicy, 'ambiguous' | 'unused'> = { ambiguous: [], unused: [] };
  for (const { words, line } of data) {
    const by = (DATA.find(({ says }) => says.test(words))?.rules ?? []).filter((id) =>
      rules.some((rule) => rule.id === id),
    );
    if (by.length > 0)
      notes.ambiguous.push({ says: `data denied, ${words}: closed by the rule ${by.join(', ')}`, lines: [line] });
    else
      notes.unused.push({
        says: `data denied, ${words}: no rule knows its files; they are closed where nothing opens them`,
        lines: [line],
      });
  }
  return notes;
}

/** The rules of every persona hand over to the document's own roles, where it names one for that work. */
function withRoles(common: readonly RuleText[], facts: DocumentFacts): RuleText[] {
  const roles = rolesByConcern(facts.roles);
  const concerns: Readonly<Record<string, Concern>> = {
    'backend-dev': 'code',
    'frontend-dev': 'ui',
    'qa-engineer': 'tests',
    architect: 'architecture',
    'credential-manager': 'secrets',
  };
  return common.map((rule) => {
    const concern = concerns[rule.handOff ?? rule.consult ?? ''];
    const role = concern && roles[concern]?.role;
    if (role === undefined) return rule;
    return rule.consult === undefined ? { ...rule, handOff: role } : { ...rule, consult: role };
  });
}

/** The rule about other MCP servers' tools is about the servers that the document names; without any there is none. */
function withServers(common: readonly RuleText[], { servers }: DocumentFacts): RuleText[] {
  const names = servers.map(({ words }) => words).filter((name) => /^[a-z0-9][a-z0-9_-]*$/i.test(name));
  return common.flatMap((rule) => {
    const listed = [rule.when['upstream'] ?? []].flat();
    if (listed.length === 0) return [rule];
    const [first] = names;
    if (first === undefined) return [];
    const renamed = JSON.parse(JSON.stringify(rule.examples).replaceAll(listed[0] ?? '', first)) as ExampleText[];
    return [{ ...rule, when: { ...rule.when, upstream: names }, examples: renamed }];
  });
}

function environmentsOf({ rest }: Base, named: readonly EnvironmentFact[]): PolicyText['environments'] {
  const environments = structuredClone(rest.environments);
  for (const { environment, list, value } of named) {
    const own = (environments[environment] ??= {});
    const patterns = [own[list] ?? []].flat();
    if (!patterns.some((pattern) => namePattern(pattern, false)(value))) own[list] = [...patterns, value];
  }
  return environments;
}

/** A production host that the document names may be looked at; staging's and development's are by the rule of every persona. */
function healthRule({ environments }: DocumentFacts, { common }: Base, file: string): RuleText[] {
  const hosts = environments.filter(({ list, environment }) => list === 'hosts' && environment === 'production');
  if (hosts.length === 0 || !common.some(({ id }) => id === 'health-checks')) return [];
  const at = (host: string) => [{ kind: 'host', id: host, effect: 'read', at: { host } }];
  return [
    {
      id: 'production-health',
      decision: 'allow',
      when: { kind: 'host', effect: 'read', host: hosts.map(({ value }) => value) },
      reason: `The health of production is looked at over HTTP (${file}, ${linesText(hosts.map(({ line }) => line))}).`,
      examples: hosts.flatMap(({ value }) => [
        { tool: 'web-fetch', targets: at(value), expect: 'allow' as const },
        { tool: 'web-fetch', targets: at(`elsewhere.${value}`), expect: 'deny' as const },
      ]),
    },
  ];
}

/** A rule or a pattern that opens only what another rule closes says nothing. */
function withoutClosed(rules: readonly RuleText[]): RuleText[] {
  const closed = rules.filter(({ decision, when }) => decision === 'deny' && when['path'] && !when['effect']);
  return rules.flatMap((rule) => {
    const paths = [rule.when['path'] ?? []].flat();
    if (rule.decision !== 'allow' || paths.length === 0) return [rule];
    const open = paths.filter(
      (pattern) => !closed.some(({ when }) => coversPath([when['path'] ?? []].flat(), true, pattern, false)),
    );
    return open.length === 0 ? [] : [{ ...rule, when: { ...rule.when, path: open } }];
  });
}

/**
 * Examples of the rules of every persona speak of the default persona's files: where a document has others, they say what comes
 * out here. What such a rule denies or holds stays so. Of the document's own rules, an example that another rule decides goes.
 */
function settleExamples(written: PolicyText, common: ReadonlySet<string>, options: LoadOptions): void {
  const policy = compilePolicy(stringify(written, { aliasDuplicateObjects: false }), 'policy.yaml', options);
  const byRule = Map.groupBy(runExamples(policy, options), ({ rule }) => rule);
  for (const rule of written.rules) {
    const outcomes = byRule.get(rule.id) ?? [];
    const settled = rule.examples.map((example, index) => settle(rule, example, outcomes[index]));
    const kept = settled.filter((_, index) => common.has(rule.id) || outcomes[index]?.ok);
    // One of a rule's examples must be a call that it matches.
    rule.examples = outcomes.some(({ ok, touched }) => ok && touched) ? kept : settled;
  }
}

function settle(rule: RuleText, example: ExampleText, outcome: ExampleOutcome | undefined): ExampleText {
  if (outcome === undefined || outcome.ok) return example;
  const { verdict, expect, says = '' } = outcome;
  const kept =
    verdict !== undefined && (stricter(verdict, expect) === verdict || (expect === 'deny' && rule.decision !== 'deny'));
  if (!kept)
    throw new HoldpointError('internal', `The rule ${rule.id} came out looser than it is for every persona: ${says}`);
  return { ...example, expect: verdict };
}
