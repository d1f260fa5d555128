import { estimateTokens, paidText, type Definition } from './budget.ts';

/** What definitions cost in both counts, in tokens. */
export interface Cost {
  /** By hypertool's estimate. */
  estimate: number;
  /** In the o200k encoding. */
  o200k: number;
}

/** Counts with a real tokenizer, whose table (2.3 MB) is loaded at the first call. */
export async function realTokens(tools: readonly Definition[]): Promise<number> {
  const { encode } = await import('gpt-tokenizer/encoding/o200k_base');
  return tools.reduce((sum, tool) => sum + encode(paidText(tool).join('\n')).length, 0);
}

export async function costOf(tools: readonly Definition[]): Promise<Cost> {
  return { estimate: estimateTokens(tools), o200k: await realTokens(tools) };
}

/** The higher of the two: a budget holds in both counts. */
export function highest({ estimate, o200k }: Cost): number {
  return Math.max(estimate, o200k);
}
