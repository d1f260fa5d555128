import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { parseDocument } from 'yaml';
import { z } from 'zod';

import { EFFECTS } from '../core/effect.ts';
import { HoldpointError } from '../core/errors.ts';
import { ACTS, ARGUMENT_KINDS } from '../core/programs.ts';
import type { Argument, ProgramGrammar } from '../core/programs.ts';
import { POLICIES } from './locations.ts';

const pattern = z.string().refine(isPattern, { error: 'is no regular expression; write one such as "[a-z]+"' });
const words = z.string().regex(/^\S+(?: \S+)*$/, 'write the words with one space between, such as "rollout status"');
const kind = z.enum(ARGUMENT_KINDS);
const argument = z.union([
  kind.transform((of): Argument => ({ kind: of })),
  z
    .strictObject({ kind: kind.default('value'), match: pattern, oneOf: z.array(z.string()), effect: z.enum(EFFECTS) })
    .partial({ match: true, oneOf: true, effect: true })
    .transform(compact),
]);
const flag = z.union([
  kind.transform((of) => ({ kind: of })),
  z
    .strictObject({
      kind: kind.default('value'),
      match: pattern,
      oneOf: z.array(z.string()),
      effect: z.enum(EFFECTS),
      repeats: z.boolean(),
      afterWords: z.int().min(1),
    })
    .partial({ match: true, oneOf: true, effect: true, repeats: true, afterWords: true })
    .transform(compact),
]);
const flags = z
  .record(z.string().regex(/^-{1,2}[\w-]+(?:, -{1,2}[\w-]+)*$/, 'write flags as "--namespace, -n"'), flag)
  .default({})
  .transform((listed) => Object.entries(listed).map(([names, of]) => ({ names: names.split(', '), ...of })));

const command = z
  .strictObject({
    words: z.union([words.transform((one) => [one]), z.array(words).min(1)]),
    usage: z.string(),
    effect: z.enum(EFFECTS),
    flags,
    positionals: z.array(argument).default([]),
    minPositionals: z.int().min(0).default(0),
    maxPositionals: z.int().min(0).optional(),
    afterDashes: argument.optional(),
    minAfterDashes: z.int().min(0).default(0),
    requires: z.array(z.string()).default([]),
    needsOneOf: z.array(z.string()).default([]),
    adds: z.array(z.string()).default([]),
    acts: z.enum(ACTS).optional(),
    scope: z.enum(['namespace', 'cluster', 'either']).optional(),
  })
  .transform((each) => ({ ...each, maxPositionals: each.maxPositionals ?? each.positionals.length }))
  .superRefine((each, context) => {
    const listed = each.flags.map((of) => of.names[0]);
    for (const name of each.needsOneOf)
      if (!listed.includes(name)) context.addIssue({ code: 'custom', path: ['needsOneOf'], message: `${name} is no flag of this command; list it under flags` });
  })
  .transform(({ words: spellings, ...each }) => spellings.map((one) => ({ ...compact(each), words: one.split(' ') })));

const grammar = z.strictObject({
  program: z.string().regex(/^[a-z][a-z0-9-]*$/, 'write a bare name, such as kubectl'),
  acts: z.enum(ACTS),
  folder: z.enum(['workspace', 'empty']),
  commands: z
    .array(command)
    .min(1)
    .transform((each) => each.flat()),
  flags,
  environment: z.array(z.string().regex(/^[A-Z][A-Z0-9_]*$/, 'write the name of an environment variable')).default([]),
  set: z.record(z.string(), z.string()).default({}),
  prefix: z.array(z.string()).default([]),
  instead: z.record(z.string(), z.string()).default({}),
  gitConfig: z
    .strictObject({
      set: z.record(z.string(), z.string()),
      override: z.array(z.strictObject({ match: pattern, value: z.string() })),
    })
    .optional(),
});

/** Programs that are always refused, and what to do instead. */
const refusals = z.strictObject({ instead: z.record(z.string(), z.string()) });

/**
 * The known programs of launch-process, from one YAML file each; `elsewhere.yaml` names programs that are refused, with what
 * to do instead.
 *
 * @param folder where the files are; `policies/programs` of the package where absent.
 * @throws HoldpointError `invalid_input` naming the file, the place in it and what to write.
 */
export async function loadPrograms(folder: string = join(POLICIES, 'programs')): Promise<Readonly<Record<string, ProgramGrammar>>> {
  const files = (await readdir(folder)).filter((name) => name.endsWith('.yaml')).sort();
  const programs: ProgramGrammar[] = [];
  for (const file of files) {
    const text = await readFile(join(folder, file), 'utf8');
    if (file === 'elsewhere.yaml') programs.push(...Object.entries(parse(refusals, text, file).instead).map(refused));
    else programs.push(readGrammar(text, file));
  }
  return Object.freeze(Object.fromEntries(programs.map((each) => [each.program, each])));
}

/** One program's grammar from YAML; `file` is for messages. `{name}` in a `match` stands for that pattern of `define`. */
export function readGrammar(text: string, file: string): ProgramGrammar {
  return compact(parse(grammar, text, file, expand));
}

/** Puts the patterns of `define` where a `match` names them. */
function expand(raw: unknown): unknown {
  if (typeof raw !== 'object' || raw === null || !('define' in raw)) return raw;
  const { define, ...rest } = raw;
  const patterns = z.record(z.string().regex(/^[a-z]+$/), pattern).parse(define);
  const fill = (text: string) =>
    text.replace(/\{([a-z]+)\}/g, (whole, name: string) => (Object.hasOwn(patterns, name) ? `(?:${patterns[name]})` : whole));
  const walk = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(walk);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [key, key === 'match' && typeof inner === 'string' ? fill(inner) : walk(inner)]),
    );
  };
  return walk(rest);
}

function refused([program, instead]: [string, string]): ProgramGrammar {
  const nothing = { flags: [], environment: [], set: {}, prefix: [], commands: [] };
  return { program, acts: 'local', folder: 'empty', instead: { '': instead }, ...nothing };
}

function parse<T extends z.ZodType>(schema: T, text: string, file: string, prepare = (raw: unknown) => raw): z.output<T> {
  const document = parseDocument(text, { uniqueKeys: true });
  const broken = document.errors[0];
  if (broken) throw wrong(file, broken.message);
  const parsed = schema.safeParse(prepare(document.toJS()));
  if (parsed.success) return parsed.data;
  throw wrong(file, parsed.error.issues.map((issue) => `${issue.path.join('.') || 'the file'}: ${issue.message}`).join('; '));
}

function wrong(file: string, why: string): HoldpointError {
  return new HoldpointError('invalid_input', `policies/programs/${file} is wrong: ${why}.`, {
    hint: 'docs/processes.md shows how a program is described.',
  });
}

function isPattern(text: string): boolean {
  try {
    return new RegExp(text, 'u') instanceof RegExp;
  } catch {
    return false;
  }
}

type Compact<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

/** Without the keys that are undefined, which exact optional types do not allow. */
function compact<T extends object>(value: T): Compact<T> {
  return Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== undefined)) as Compact<T>;
}
