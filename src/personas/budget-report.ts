import { unlistedTools, type Definition } from './budget.ts';
import type { Persona } from './persona.ts';
import { costOf, highest, type Cost } from './tokenizer.ts';

interface ToolCost extends Cost {
  name: string;
}

/** What a persona's `tools/list` costs. All numbers are tokens. */
export interface BudgetReport {
  persona: string;
  budget: number;
  total: Cost;
  /** What is left in the count that leaves less; below 0 it is over. */
  room: number;
  /** The dearest first. */
  tools: ToolCost[];
}

export async function budgetOf(persona: Persona, tools: readonly Definition[]): Promise<BudgetReport> {
  const total = await costOf(tools);
  const each = await Promise.all(tools.map(async (tool) => ({ name: tool.name, ...(await costOf([tool])) })));
  return {
    persona: persona.name,
    budget: persona.tokenBudget,
    total,
    room: persona.tokenBudget - highest(total),
    tools: each.sort((a, b) => highest(b) - highest(a)),
  };
}

/** One line for each thing that is wrong with what a persona lists; none where nothing is. */
export function listProblems(
  persona: Persona,
  tools: readonly Definition[],
  { room, budget, tools: costs }: BudgetReport,
): string[] {
  const unlisted = unlistedTools(persona, tools);
  const twice = [...new Set(persona.tools.filter((name, at) => persona.tools.indexOf(name) !== at))];
  const dearest = costs.map((tool) => `${tool.name} ${highest(tool)}`).join(', ');
  return [
    ...(unlisted.length > 0 ? [`It lists tools that do not exist: ${unlisted.join(', ')}.`] : []),
    ...(twice.length > 0 ? [`It lists tools twice: ${twice.join(', ')}.`] : []),
    ...(room < 0
      ? [`Its tools cost ${budget - room} tokens, ${-room} over the budget of ${budget}. Take some off: ${dearest}.`]
      : []),
  ];
}
