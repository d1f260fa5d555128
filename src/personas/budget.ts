import { HoldpointError } from '../core/errors.ts';
import type { Persona } from './persona.ts';

/** The parts of a tool's definition that a model pays for. */
export interface Definition {
  name: string;
  description?: string | undefined;
  inputSchema: unknown;
}

/** What a model reads of a tool. Its output schema and annotations are not part of it. */
export function paidText({ name, description = '', inputSchema }: Definition): string[] {
  return [name, description, JSON.stringify(inputSchema)];
}

/** hypertool's estimate: words at white space, of at most 3 characters 1 token, of at most 7 ⌈n/5⌉, else ⌈n/4⌉. */
export function estimateTokens(tools: readonly Definition[]): number {
  const words = tools.flatMap(paidText).flatMap((text) => text.split(/\s+/).filter(Boolean));
  return words.reduce(
    (sum, { length }) => sum + (length <= 3 ? 1 : length <= 7 ? Math.ceil(length / 5) : Math.ceil(length / 4)),
    0,
  );
}

/** The tools that a persona names and there are none of. Those of servers that it may use come once a person has accepted them. */
export function unlistedTools(persona: Persona, tools: readonly Definition[]): string[] {
  const known = new Set(tools.map(({ name }) => name));
  const isWaiting = (name: string) => persona.upstreams.some((server) => name.startsWith(`${server}__`));
  return persona.tools.filter((name) => !known.has(name) && !isWaiting(name));
}

/**
 * Holds a persona to its tools and its token budget.
 *
 * @throws HoldpointError `invalid_input` that names the tools that do not exist, or what each costs when all cost too much.
 */
export function checkBudget(persona: Persona, tools: readonly Definition[]): void {
  const missing = unlistedTools(persona, tools);
  if (missing.length > 0)
    throw new HoldpointError(
      'invalid_input',
      `The persona ${persona.name} lists tools that do not exist: ${missing.join(', ')}.`,
      { hint: 'Take them off its "tools:"; docs/tools.md has the names.' },
    );
  const total = estimateTokens(tools);
  if (total <= persona.tokenBudget) return;
  const costs = tools
    .map((tool) => ({ name: tool.name, cost: estimateTokens([tool]) }))
    .sort((a, b) => b.cost - a.cost);
  // The encoding's table takes longer to load than a start: the second count is for `persona check`, `persona budget` and CI.
  throw new HoldpointError(
    'invalid_input',
    `The tools of ${persona.name} cost ${total} tokens; its budget is ${persona.tokenBudget}.`,
    {
      hint: `Take some off its "tools:" (find-tools still finds them): ${costs.map(({ name, cost }) => `${name} ${cost}`).join(', ')}.`,
    },
  );
}
