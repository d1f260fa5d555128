import { namePattern } from '../../policy/patterns.ts';
import type { RuleText } from './base-policy.ts';
import { linesText, type DocumentFacts, type Note, type ToolFact } from './facts.ts';
import { toolName } from './tools.ts';

export interface ToolRules {
  rules: RuleText[];
  ambiguous: Note[];
  unused: Note[];
}

/** What limits of tools mean here, and the rules of every persona that hold them. */
const HELD_BY: readonly { says: RegExp; rules: readonly string[] }[] = [
  { says: /\bproduction\b/i, rules: ['production', 'production-processes'] },
  { says: /\bdelet(?:e|ion)s?\b|\bremov/i, rules: ['destruction'] },
  { says: /\bmerge\b/i, rules: ['merges'] },
  { says: /\bapplication code\b/i, rules: ['application-code'] },
];

/**
 * Rules for the tools that a document holds or denies, where no rule of every persona does it already; and a note for each
 * tool that there is none of here.
 */
export function toolRules(
  facts: DocumentFacts,
  present: readonly RuleText[],
  tools: ReadonlySet<string>,
  file: string,
): ToolRules {
  const found: ToolRules = { rules: [], ambiguous: [], unused: [] };
  const held: ToolFact[] = [];
  const denied: ToolFact[] = [];
  for (const fact of facts.tools) {
    const name = toolName(fact.tool);
    if (fact.verdict === 'allow') {
      if (!tools.has(name))
        found.unused.push({ says: `the tool ${fact.tool} is none of Holdpoint's`, lines: [fact.line] });
      else if (/\bdevelopment environment only\b/i.test(fact.condition))
        found.ambiguous.push(...developmentOnly(fact, facts));
      continue;
    }
    const limit = HELD_BY.find(({ says }) => says.test(fact.condition));
    const by = limit?.rules.filter((id) => present.some((rule) => rule.id === id)) ?? [];
    if (by.length > 0)
      found.ambiguous.push({
        says: `${fact.tool}, ${fact.condition}: kept by the rule ${by.join(', ')}`,
        lines: [fact.line],
      });
    else if (!deniedAlready(name, present)) (fact.verdict === 'hold' ? held : denied).push(fact);
  }
  found.rules.push(...rulesFor(held, 'held-tools', 'require_approval', tools, file));
  found.rules.push(...rulesFor(denied, 'denied-tools', 'deny', tools, file));
  return found;
}

/** Staging is development's where the document itself deploys there; production is held by its own rule in any case. */
function developmentOnly(fact: ToolFact, { tools }: DocumentFacts): Note[] {
  const production = tools.find(
    ({ tool, condition, verdict }) => tool === fact.tool && verdict === 'hold' && /\bproduction\b/i.test(condition),
  );
  return [
    {
      says: `${fact.tool} is for development only, and staging is not named: what is not production runs, production is held`,
      lines: [fact.line, ...(production ? [production.line] : [])],
    },
  ];
}

function deniedAlready(name: string, present: readonly RuleText[]): boolean {
  return present.some(
    ({ decision, when }) =>
      decision === 'deny' &&
      Object.keys(when).join() === 'tool' &&
      [when['tool'] ?? []].flat().some((pattern) => namePattern(pattern, true)(name)),
  );
}

function rulesFor(
  facts: readonly ToolFact[],
  id: string,
  decision: 'require_approval' | 'deny',
  known: ReadonlySet<string>,
  file: string,
): RuleText[] {
  if (facts.length === 0) return [];
  const names = [...new Set(facts.map(({ tool }) => toolName(tool)))];
  // Of other servers' tools a policy takes patterns alone.
  const tool = names.map((name) => (known.has(name) ? name : `${name}*`));
  const says = decision === 'deny' ? 'denied to this persona' : 'held until a person approves';
  const holds = decision === 'deny' ? {} : { effect: ['write', 'destroy'] };
  return [
    {
      id,
      decision,
      when: { tool, ...holds },
      reason: `${names.join(', ')}: ${says} (${file}, ${linesText(facts.map(({ line }) => line))}).`,
      examples: names.map((name) => ({
        tool: name,
        targets: [{ kind: 'process', id: name, command: name, effect: 'write', at: { host: 'localhost' } }],
        expect: decision,
      })),
    },
  ];
}
