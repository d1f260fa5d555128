import type { z } from 'zod';

import { didYouMean } from './problems.ts';
import type { Problem, Source } from './problems.ts';
import { KEYS, policyFile } from './schema.ts';
import type { Keys, PolicyFile } from './schema.ts';

/** The content of a policy file in its shape, or everything that is wrong with the shape. */
export function parseShape(source: Source): { entry: PolicyFile } | { problems: Problem[] } {
  return shaped(policyFile, KEYS, 'the policy', source);
}

/** The content of any such file in its shape; `whole` is what to call it. */
export function shaped<T>(
  schema: z.ZodType<T>,
  keys: Keys,
  whole: string,
  source: Source,
): { entry: T } | { problems: Problem[] } {
  const parsed = schema.safeParse(source.data);
  if (parsed.success) return { entry: parsed.data };
  return { problems: parsed.error.issues.flatMap((issue) => describe(issue, source, keys, whole)) };
}

function describe(issue: z.core.$ZodIssue, source: Source, keys: Keys, whole: string): Problem[] {
  const at = issue.path
    .map(String)
    .join('.')
    .replaceAll(/\.(\d+)/g, (_, index: string) => `[${Number(index) + 1}]`);
  const problem = (says: string, ofKey?: string): Problem => {
    const id = ruleAt(source.data, issue.path);
    return { line: source.line(issue.path, ofKey), says, ...(id === undefined ? {} : { rule: id }) };
  };
  const label = at === '' ? whole : at.replace(/^rules\[\d+\]\.?/, '') || 'the rule';
  const value = valueAt(source.data, issue.path);
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(issue.path, keys);
    return issue.keys.map((key) =>
      problem(`unknown key "${key}"${didYouMean(key, known) || `; write one of ${known.join(', ')}`}`, key),
    );
  }
  if (issue.code === 'invalid_value') {
    const values = issue.values.map(String);
    const wrong = value === undefined ? `${label} is missing` : `${label} cannot be ${shown(value)}`;
    return [
      problem(`${wrong}; write ${values.join(', ')}${typeof value === 'string' ? didYouMean(value, values) : ''}`),
    ];
  }
  if (issue.code === 'invalid_type') {
    const missing = value === undefined ? `${label} is missing; write ${article(issue.expected)}` : undefined;
    return [
      problem(
        missing ?? `${label} is ${shown(value)}; write ${article(issue.expected)}${quotes(issue.expected, value)}`,
      ),
    ];
  }
  if (issue.code === 'invalid_key')
    return [problem(`${label}: ${issue.issues.map(({ message }) => message).join('; ')}`)];
  if (value !== undefined && typeof value !== 'object')
    return [problem(`${label} is ${shown(value)}; ${issue.message}`)];
  return [problem(`${label}: ${issue.message}`)];
}

function keysAt(path: readonly PropertyKey[], keys: Keys): readonly string[] {
  const at = path.map(String).join('.');
  return keys.find(([where]) => where.test(at))?.[1] ?? [];
}

function ruleAt(data: unknown, path: readonly PropertyKey[]): string | undefined {
  if (path[0] !== 'rules' || path.length < 2) return undefined;
  const id = valueAt(data, [...path.slice(0, 2), 'id']);
  return typeof id === 'string' ? id : `number ${Number(path[1]) + 1}`;
}

function valueAt(data: unknown, path: readonly PropertyKey[]): unknown {
  let value = data;
  for (const [index, key] of path.entries()) {
    if (typeof value === 'object' && value !== null) value = (value as Record<PropertyKey, unknown>)[key];
    // A single value stands for a list of one, so its path has an index that the file does not have.
    else return key === 0 && index === path.length - 1 ? value : undefined;
  }
  return value;
}

function shown(value: unknown): string {
  const json = JSON.stringify(value) ?? String(value);
  return json.length > 60 ? `${json.slice(0, 60)}…` : json;
}

function article(expected: string): string {
  const words: Record<string, string> = {
    string: 'text',
    array: 'a list',
    object: 'keys and values',
    record: 'keys and values',
    int: 'a whole number',
  };
  return words[expected] ?? `a ${expected}`;
}

function quotes(expected: string, value: unknown): string {
  return expected === 'string' && ['number', 'boolean'].includes(typeof value) ? ', in quotes' : '';
}
