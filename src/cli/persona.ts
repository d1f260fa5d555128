import type { Command } from 'commander';

import type { Config, Flags } from '../config/config.ts';
import { budgetOf, listProblems, type BudgetReport } from '../personas/budget-report.ts';
import { shippedPersonas } from '../personas/persona.ts';
import type { Rule } from '../policy/policy.ts';
import { act, jsonOption, print, sharedOptions } from './command.ts';
import { checkPersona, type PersonaCheck } from './persona-check.ts';
import { registerExport } from './persona-export.ts';
import { register as registerImport } from './persona-import.ts';
import { listed, policyOf } from './persona-files.ts';
import { plainLine } from './plain.ts';

interface PersonaFlags extends Flags {
  json?: boolean;
}

export function register(program: Command): void {
  const persona = program.command('persona').description('who the agent can be: tools, token budgets, policies');
  const reading = (name: string) => jsonOption(sharedOptions(persona.command(name)));
  reading('list')
    .description('list the personas that ship, and others')
    .argument('[persona...]', 'others, by folder or file')
    .action((others: string[], flags: PersonaFlags) => act(flags, (config) => list(others, config, flags.json)));
  reading('show')
    .description('say what a persona may do: tools, rules, upstream servers, skills, and whom it hands work to')
    .argument('<persona>', 'a name, folder or file')
    .action((named: string, flags: PersonaFlags) => act(flags, (config) => show(named, config, flags.json)));
  reading('check')
    .description('look for mistakes: file, tools, token budget in both counts, policy, its examples, lint')
    .argument('<persona>', 'a name, folder or file')
    .addHelpText('after', '\nExit code 0: nothing is wrong; 1: something is.')
    .action((named: string, flags: PersonaFlags) => act(flags, (config) => check(named, config, flags.json)));
  reading('budget')
    .description('say what each listed tool costs in tokens, in both counts, and how much room is left')
    .argument('[persona]', "a name, folder or file (the configured one's)")
    .addHelpText('after', '\nExit code 0: within the budget; 1: over it.')
    .action((named: string | undefined, flags: PersonaFlags) =>
      act(flags, (config) => budget(named ?? config.persona, config, flags.json)),
    );
  registerImport(persona);
  registerExport(persona);
}

/** What `show` says of a persona. */
interface Shown {
  name: string;
  title: string;
  description: string;
  version: string;
  tags: string[];
  tools: { name: string; does: string }[];
  tokens: BudgetReport['total'];
  budget: number;
  policy: { name: string; file: string; environments: string[]; rules: Pick<Rule, 'id' | 'decision' | 'reason'>[] };
  upstreams: string[];
  skills: string[] | 'all';
  workflow: string | undefined;
  /** Whether a refusal leaves a record for the role it names. */
  handOffs: boolean;
  handsTo: string[];
}

async function list(others: string[], config: Config, json: boolean | undefined): Promise<void> {
  const rows = await Promise.all(
    [...defaultFirst(shippedPersonas()), ...others].map(async (named) => {
      const { persona, tools } = await listed(named, config);
      const { total, budget: limit, room } = await budgetOf(persona, tools);
      const { name, title, version, description } = persona;
      return { name, title, version, description, tools: tools.length, tokens: total, budget: limit, room };
    }),
  );
  const text = () => rows.map((row) => plainLine(rowText(row))).join('\n');
  print(rows, text, json);
}

function defaultFirst(names: readonly string[]): string[] {
  return ['devops', ...names.filter((name) => name !== 'devops')];
}

function rowText({ name, title, tools, tokens, budget }: { name: string; title: string; tools: number } & CostRow) {
  const cost = `${tokens.estimate} and ${tokens.o200k} of ${budget} tokens`;
  return `${name.padEnd(22)} ${title.padEnd(28)} ${String(tools).padStart(2)} tools, ${cost}`;
}

interface CostRow {
  tokens: BudgetReport['total'];
  budget: number;
}

async function show(named: string, config: Config, json: boolean | undefined): Promise<void> {
  const found = await listed(named, config);
  const { persona, tools } = found;
  const [policy, costs] = await Promise.all([policyOf(found), budgetOf(persona, tools)]);
  const { name, title, description, version, upstreams, skills, handOffs, workflow, tags } = persona;
  const value: Shown = {
    name,
    title,
    description,
    version,
    tags,
    tools: tools.map((tool) => ({ name: tool.name, does: tool.description ?? '' })),
    tokens: costs.total,
    budget: costs.budget,
    policy: {
      name: policy.name,
      file: policy.file,
      environments: policy.environments.map((environment) => environment.name),
      rules: policy.rules.map(({ id, decision, reason }) => ({ id, decision, reason })),
    },
    upstreams,
    skills: skills ?? 'all',
    workflow,
    handOffs,
    handsTo: [...new Set(policy.rules.flatMap(({ handOff }) => handOff ?? []))].sort(),
  };
  print(value, () => showText(value), json);
}

function showText(shown: Shown): string {
  const { tokens, policy } = shown;
  const width = Math.max(...shown.tools.map(({ name }) => name.length));
  const names = (list: readonly string[]) => (list.length > 0 ? list.join(', ') : 'none');
  return [
    `${shown.name}: ${shown.title}`,
    shown.description,
    '',
    `Listed tools (${tokens.estimate} and ${tokens.o200k} of ${shown.budget} tokens); the others through find-tools:`,
    ...shown.tools.map(({ name, does }) => `  ${name.padEnd(width)}  ${does}`),
    '',
    `Policy ${policy.name} (${policy.environments.join(', ')}); what no rule allows is denied:`,
    ...policy.rules.map(({ id, decision, reason }) => `  ${decision.padEnd(16)}  ${id}: ${reason}`),
    '',
    `Upstream servers: ${names(shown.upstreams)}`,
    `Skills: ${shown.skills === 'all' ? 'all' : names(shown.skills)}`,
    `Hands work to: ${names(shown.handsTo)}${shown.handOffs ? '' : ' (told, not recorded)'}`,
  ]
    .map(plainLine)
    .join('\n');
}

async function check(named: string, config: Config, json: boolean | undefined): Promise<void> {
  const report = await checkPersona(named, config);
  print(report, () => checkText(report), json);
  if (!report.valid) process.exitCode = 1;
}

function checkText({ name, problems, warnings, policy, budget: costs }: PersonaCheck): string {
  const rules = policy === undefined ? 'no policy' : `${policy.rules} rules, ${policy.examples} examples`;
  const cost =
    costs === undefined ? '' : `, ${costs.total.estimate} and ${costs.total.o200k} of ${costs.budget} tokens`;
  return [
    ...problems.flatMap((problem) => problem.split('\n').map(plainLine)),
    ...warnings.map((warning) => plainLine(`warning: ${warning}`)),
    plainLine(`${name}: ${problems.length === 0 ? 'nothing is wrong' : 'not usable'} (${rules}${cost})`),
  ].join('\n');
}

async function budget(named: string, config: Config, json: boolean | undefined): Promise<void> {
  const { persona, tools } = await listed(named, config);
  const report = await budgetOf(persona, tools);
  print(report, () => budgetText(report), json);
  const problems = listProblems(persona, tools, report);
  if (problems.length === 0) return;
  console.error(plainLine(`${problems.join(' ')} find-tools still finds what is not listed.`));
  process.exitCode = 1;
}

function budgetText({ persona, budget: limit, total, room, tools }: BudgetReport): string {
  const width = Math.max(...tools.map(({ name }) => name.length), 'together'.length);
  const row = (name: string, estimate: number | string, o200k: number | string) =>
    `${name.padEnd(width)}  ${String(estimate).padStart(8)}  ${String(o200k).padStart(6)}`;
  return [
    row(persona, 'estimate', 'o200k'),
    ...tools.map((tool) => row(tool.name, tool.estimate, tool.o200k)),
    row('together', total.estimate, total.o200k),
    row('budget', limit, limit),
    row('left', limit - total.estimate, limit - total.o200k),
    ...(room < 0 ? [`Over by ${-room}.`] : []),
  ]
    .map(plainLine)
    .join('\n');
}
