import { describe, expect, test } from 'vitest';

import { diagnose, readChecked, RULES } from '../../../src/adapters/diagnostics/diagnose.ts';
import type { Finding } from '../../../src/adapters/diagnostics/finding.ts';

/** A change to a clean file: what stands there, and what to put in its place. */
export type Edit = readonly [from: string, to: string];
export type Edits = Edit | readonly Edit[];

/** A file that breaks one rule in one place, and its nearest twin that breaks none. */
export interface RuleCase {
  rule: string;
  bad: Edits;
  good: Edits;
  /** A word in the line that the finding must name; the first line that has it. */
  at: string;
}

export const SHA = 'a'.repeat(64);
export const COMMIT = 'b'.repeat(40);

export function findingsOf(path: string, text: string, ignores = true): Finding[] {
  const file = readChecked(path, text);
  return file ? diagnose([file], { ignores: () => ignores }) : [];
}

export function edited(text: string, edits: Edits): string {
  if (!isOne(edits)) return edits.reduce(edited, text);
  const [from, to] = edits;
  if (!text.includes(from)) throw new Error(`the clean file has no ${JSON.stringify(from)}`);
  return text.replace(from, () => to);
}

function isOne(edits: Edits): edits is Edit {
  return typeof edits[0] === 'string';
}

/** The place and rule of each finding. */
export function ids(findings: readonly Finding[]): string[] {
  return findings.map(({ line, rule }) => `${line} ${rule}`);
}

/** Every case breaks exactly its rule, its twin none, and every rule of the kind has a case here or `elsewhere`. */
export function testRules(
  kind: keyof typeof RULES,
  path: string,
  clean: string,
  cases: readonly RuleCase[],
  elsewhere: readonly string[] = [],
): void {
  describe(`the rules for a ${kind} (C6)`, () => {
    test('the clean file breaks none', () => expect(findingsOf(path, clean)).toEqual([]));

    test.for(cases.map((each, index) => [`${each.rule}, case ${index + 1}`, each] as const))(
      '%s',
      ([, { rule, bad, good, at }]) => {
        const broken = edited(clean, bad);
        const line = broken.split('\n').findIndex((text) => text.includes(at)) + 1;
        expect(ids(findingsOf(path, broken))).toEqual([`${line} ${rule}`]);
        expect(ids(findingsOf(path, edited(clean, good)))).toEqual([]);
      },
    );

    test('every rule has a case', () => {
      const tried = new Set([...cases.map(({ rule }) => rule), ...elsewhere]);
      expect(RULES[kind].map(({ id }) => id).filter((id) => !tried.has(id))).toEqual([]);
      expect(new Set(RULES[kind].map(({ id }) => id)).size).toBe(RULES[kind].length);
    });
  });
}
