import type { Verdict } from '../../src/core/decision.ts';
import { S0 } from './s0.ts';
import { S1 } from './s1.ts';
import { S2 } from './s2.ts';
import { S3 } from './s3.ts';
import { S4 } from './s4.ts';

/** A call and what its document says to it, with the line and words of the document that say so. */
export interface SeedCall {
  call: { tool: string; input: Record<string, unknown> };
  expect: Verdict;
  /** In the document, counted from 1. */
  line: number;
  /** Words of that line. */
  words: string;
  /** The role that the refusal names. */
  handOff?: string;
}

export interface Seed {
  /** In test/seeds/documents. */
  document: string;
  /** As it is imported. */
  persona: string;
  /** Words that the instructions must have. */
  role: readonly string[];
  /** Files beside those of the sample workspace. */
  files: Readonly<Record<string, string>>;
  calls: readonly SeedCall[];
}

export const SEEDS = { S0, S1, S2, S3, S4 } as const;
export type SeedName = keyof typeof SEEDS;

/** A document's table of calls, for its own persona and for a shipped one of the same role. */
export function callsOf(seed: SeedName): readonly SeedCall[] {
  return SEEDS[seed].calls;
}
