import { paidText, type Definition } from '../src/personas/budget.ts';

/** What definitions cost in the o200k encoding; the estimate that a start checks is src/personas/budget.ts. */
export async function realTokens(tools: readonly Definition[]): Promise<number> {
  const { encode } = await import('gpt-tokenizer/encoding/o200k_base');
  return tools.reduce((sum, tool) => sum + encode(paidText(tool).join('\n')).length, 0);
}
