import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';

import canonicalize from 'canonicalize';

import { readAhead } from '../config/read-ahead.ts';
import { HoldpointError } from '../core/errors.ts';
import type { Facts } from '../core/facts.ts';
import type { AnyTool } from '../core/tool.ts';
import { beside as besidePolicy, type Beside } from './beside.ts';
import { compileCalendars, type Calendars } from './calendars.ts';
import { compileChecklists, type Checklists } from './checklists.ts';
import { compileConditions } from './conditions.ts';
import type { Known } from './conditions.ts';
import { compileEnvironments } from './environments.ts';
import { exampleProblems, runExamples } from './examples.ts';
import { handOffOf, handOffProblems } from './hand-off.ts';
import type { Policy, Rule } from './policy.ts';
import { didYouMean, invalidPolicy, readYaml } from './problems.ts';
import type { Problem, Source, YamlSource } from './problems.ts';
import type { PolicyFile, RuleEntry } from './schema.ts';
import { parseShape } from './shape.ts';
import { termsOf, type Resolved } from './terms.ts';
import { everOpenTogether } from './times.ts';

export interface LoadOptions {
  /** The tools that rules may name and examples call. */
  tools(name: string): AnyTool | undefined;
  /** All their names, to suggest the nearest where one is wrong. */
  toolNames?: readonly string[];
  /** For the examples: the known programs of launch-process. Nothing else of this machine counts in them. */
  facts?: Pick<Facts, 'programs'>;
  /** Policies that were checked whole with these very tools and programs, by the SHA-256 of their text. */
  prepared?: Readonly<Record<string, PreparedPolicy>>;
  /** Where checklists and calendars are found; beside the policy's file and among the shipped ones, where this is absent. */
  beside?: Beside;
}

/** What a policy file says, and the lines that are asked of it when it is compiled. */
export interface PreparedPolicy {
  entry: unknown;
  /** By path: `rules.3.examples.0`. */
  lines: Readonly<Record<string, number>>;
}

/**
 * Reads a policy file, checks it whole and runs every rule's examples.
 *
 * @throws HoldpointError `invalid_input` with all that is wrong: file, line, rule and what to write instead; `not_found`
 *   where there is no such file.
 */
export async function loadPolicy(file: string, options: LoadOptions): Promise<Policy> {
  const text = await readPolicyFile(file);
  const known = readAhead(options.prepared, text);
  if (known === undefined) return checkedPolicy(text, file, options);
  const line = (path: readonly PropertyKey[]) => known.lines[path.join('.')] ?? 1;
  return compileEntry(known.entry as PolicyFile, { file, data: known.entry, line }, options);
}

/** What `loadPolicy` can be given in place of reading a policy again: it has been checked whole here. */
export function preparePolicy(text: string, file: string, options: LoadOptions): PreparedPolicy {
  checkedPolicy(text, file, options);
  const { source, entry } = readEntry(text, file);
  const lines: Record<string, number> = {};
  const line = (path: readonly PropertyKey[]) => (lines[path.join('.')] = source.line(path));
  compileEntry(entry, { ...source, line }, options);
  return { entry, lines };
}

/** As `loadPolicy`, of a text already read; `file` is for the messages. */
export function checkedPolicy(text: string, file: string, options: LoadOptions): Policy {
  const policy = compilePolicy(text, file, options);
  const problems = exampleProblems(runExamples(policy, options));
  if (problems.length > 0) throw invalidPolicy(file, problems);
  return policy;
}

/** As `checkedPolicy`, without running the examples: for those who report on them one by one. */
export function compilePolicy(text: string, file: string, options: LoadOptions): Policy {
  const { source, entry } = readEntry(text, file);
  return compileEntry(entry, source, options);
}

function readEntry(text: string, file: string): { source: YamlSource; entry: PolicyFile } {
  const source = readYaml(text, file);
  const shape = parseShape(source);
  if ('problems' in shape) throw invalidPolicy(file, shape.problems);
  return { source, entry: shape.entry };
}

function compileEntry(entry: PolicyFile, source: Source, options: LoadOptions): Policy {
  const { policy, problems } = compileWhole(entry, source, options);
  if (problems.length > 0) throw invalidPolicy(source.file, problems);
  return policy;
}

/** A policy with all that is wrong with it; where anything is, the rules it is in match less than they say. */
export function compileWhole(
  entry: PolicyFile,
  source: Source,
  options: LoadOptions,
): { policy: Policy; problems: Problem[] } {
  const { file } = source;
  const { environments, unmatched, problems } = compileEnvironments(entry.environments, source);
  const known: Known = {
    environments: environments.map(({ name }) => name),
    tool: (name) => options.tools(name),
    toolNames: options.toolNames ?? [],
  };
  const calendars = compileCalendars(entry, source, known, options.beside ?? besidePolicy);
  const checklists = compileChecklists(entry, source, options.beside ?? besidePolicy);
  problems.push(...calendars.problems, ...checklists.problems);
  const rules = entry.rules.map((rule, index) => {
    const resolved = resolve(rule, index, source, { calendars, checklists }, problems);
    return compileRule(rule, index, source, { known, resolved }, problems);
  });
  problems.push(...twice(rules), ...namedTwice(rules, calendars, source));
  rules.sort((a, b) => (a.id < b.id ? -1 : 1));
  const freezes = calendars.freezes.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const files = [...calendars.files, ...checklists.files];
  const digest = digestOf(entry, calendars, checklists);
  return {
    policy: freeze({ name: entry.name, file, files, digest, environments, unmatched, rules, freezes }),
    problems,
  };
}

/** What a rule's checklists and windows say. A name that there is nothing for is a problem. */
function resolve(
  { id, approval }: RuleEntry,
  index: number,
  source: Source,
  { calendars: { windows }, checklists }: { calendars: Calendars; checklists: Checklists },
  problems: Problem[],
): Resolved {
  const path = ['rules', index, 'approval', 'window'];
  const report = (says: string, at: PropertyKey[], sort?: Problem['sort']) =>
    problems.push({ line: source.line(at), path: at, rule: id, says, ...(sort && { sort }) });
  const openings = (approval?.window ?? []).flatMap((name, at) => {
    const window = windows.get(name);
    const near = didYouMean(name, [...windows.keys()]);
    if (!window)
      report(
        `there is no window "${name}"${near}; write it in windows, or name the calendar it is in: calendars: [${name}]`,
        [...path, at],
      );
    return window ?? [];
  });
  // Of a single one that never opens it is said where that is written.
  if (openings.length > 1 && !everOpenTogether(openings))
    report('it never opens: its windows have no minute in common; write one of them', path, 'window-never-opens');
  return { items: (approval?.checklist ?? []).flatMap((name) => checklists.items.get(name) ?? []), openings };
}

/** @throws HoldpointError `not_found` with what to do. */
export async function readPolicyFile(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new HoldpointError('not_found', `The policy file ${file} cannot be read.`, {
      hint: 'Name a policy with --policy FILE, or leave it out to use the persona’s own.',
      cause,
    });
  }
}

function compileRule(
  entry: RuleEntry,
  index: number,
  source: Source,
  { known, resolved }: { known: Known; resolved: Resolved },
  problems: Problem[],
): Rule {
  const path = ['rules', index];
  const report = (says: string, ...below: PropertyKey[]) =>
    problems.push({ line: source.line([...path, ...below]), rule: entry.id, says, path: [...path, ...below] });
  if (entry.approval !== undefined && entry.decision !== 'require_approval')
    report(`approval is for rules that hold; write decision: require_approval, or leave approval out`, 'approval');
  for (const [key, says] of handOffProblems(entry)) report(says, key);
  const conditions = compileConditions(entry, known, (says, key, at, sort) => {
    const below = [...path, 'when', ...(key === undefined ? [] : [key]), ...(at === undefined ? [] : [at])];
    problems.push({
      line: source.line(below),
      rule: entry.id,
      says,
      path: below,
      ...(sort === undefined ? {} : { sort }),
    });
  });
  return {
    id: entry.id,
    decision: entry.decision,
    conditions,
    reason: entry.reason,
    ...handOffOf(entry),
    ...(entry.decision === 'require_approval' ? { terms: termsOf(entry.approval, resolved) } : {}),
    examples: entry.examples.map(
      (example, at) => ({ ...example, line: source.line([...path, 'examples', at]) }) as Rule['examples'][number],
    ),
    line: source.line(path),
  };
}

function twice(rules: readonly Rule[]): Problem[] {
  const first = new Map<string, Rule>();
  return rules.flatMap((rule) => {
    const earlier = first.get(rule.id);
    if (earlier !== undefined)
      return [
        { line: rule.line, rule: rule.id, says: `the rule on line ${earlier.line} has this id already; write another` },
      ];
    first.set(rule.id, rule);
    return [];
  });
}

/** A refusal names rules and freezes alike, so an id is one of them. */
function namedTwice(rules: readonly Rule[], { freezes }: Calendars, source: Source): Problem[] {
  return freezes.flatMap(({ id }) => {
    const rule = rules.find((each) => each.id === id);
    if (rule === undefined) return [];
    return [
      {
        line: source.line(['freezes']),
        says: `a freeze and the rule on line ${rule.line} are both "${id}"; write another id`,
      },
    ];
  });
}

function digestOf(entry: PolicyFile, calendars: Calendars, checklists: Checklists): string {
  // The order of environments means something, and RFC 8785 sorts keys: as a list it is kept.
  const content = {
    ...entry,
    environments: Object.entries(entry.environments),
    rules: entry.rules.toSorted((a, b) => (a.id < b.id ? -1 : 1)),
    ...(calendars.content.length > 0 && { calendarFiles: calendars.content }),
    ...(checklists.items.size > 0 && { checklists: Object.fromEntries(checklists.items) }),
  };
  return createHash('sha256')
    .update(canonicalize(content) ?? '')
    .digest('hex');
}

function freeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const part of Object.values(value)) freeze(part);
  return Object.freeze(value);
}
