import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { parseDocument } from 'yaml';
import { z } from 'zod';

import { takesValue } from '../core/arguments.ts';
import { EFFECTS } from '../core/effect.ts';
import { HoldpointError } from '../core/errors.ts';
import { ACTS, ARGUMENT_KINDS } from '../core/programs.ts';
import type { ProgramGrammar } from '../core/programs.ts';
import { POLICIES } from './locations.ts';

const pattern = z.string().refine(isPattern, { error: 'is no regular expression; write one such as "[a-z]+"' });
const words = z
  .string()
  .regex(/^(?:\S+(?: \S+)*)?$/, 'write the words with one space between, such as "rollout status", or "" for none')
  .transform((text) => text.split(' ').filter(Boolean));
const kind = z.enum(ARGUMENT_KINDS);
const argumentFields = {
  kind: kind.default('value'),
  match: pattern.optional(),
  oneOf: z.array(z.string()).optional(),
  effect: z.enum(EFFECTS).optional(),
};
/** `number` is short for `{ kind: number }`. */
const argument = z.preprocess(spelledOut, z.strictObject(argumentFields).transform(compact));
const flag = z.preprocess(
  spelledOut,
  z
    .strictObject({ ...argumentFields, repeats: z.boolean().optional(), afterWords: z.int().min(1).optional() })
    .transform(compact),
);
const flags = z
  .record(z.string().regex(/^-{1,2}[\w-]+(?:, -{1,2}[\w-]+)*$/, 'write flags as "--namespace, -n"'), flag)
  .default({})
  .transform((listed) => Object.entries(listed).map(([names, of]) => ({ names: names.split(', '), ...of })));

const command = z
  .strictObject({
    words: z.preprocess((one) => (Array.isArray(one) ? one : [one]), z.array(words).min(1)),
    runs: words.optional(),
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
  .transform(({ words: spellings, ...each }) => spellings.map((one) => ({ ...compact(each), words: one })));

const grammar = z.strictObject({
  program: z.string().regex(/^[a-z][a-z0-9-]*$/, 'write a bare name, such as kubectl'),
  acts: z.enum(ACTS),
  folder: z.enum(['workspace', 'empty']),
  sees: z
    .union([z.literal('folder'), z.array(z.string().regex(/^[\w.-]+$/, 'write the name of a file')).min(1)])
    .optional(),
  commands: z
    .array(command)
    .min(1)
    .transform((each) => each.flat()),
  flags,
  environment: z.array(z.string().regex(/^[A-Z][A-Z0-9_]*$/, 'write the name of an environment variable')).default([]),
  readable: z.array(z.string().startsWith('/', 'write an absolute path')).optional(),
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

const definitions = z.record(z.string().regex(/^[a-z]+$/, 'write a name in lower case'), pattern).default({});

/** Programs that are always refused, and what to do instead. */
const refusals = z.strictObject({ instead: z.record(z.string(), z.string()) });

/**
 * The known programs of launch-process, from one YAML file each; `elsewhere.yaml` names programs that are refused, with what
 * to do instead.
 *
 * @param folder where the files are; `policies/programs` of the package where absent
 * @throws HoldpointError `invalid_input` naming the file, the place in it and what to write.
 */
export async function loadPrograms(
  folder = join(POLICIES, 'programs'),
): Promise<Readonly<Record<string, ProgramGrammar>>> {
  const files = (await readdir(folder)).filter((name) => name.endsWith('.yaml')).sort();
  const programs: ProgramGrammar[] = [];
  for (const file of files) {
    const text = await readFile(join(folder, file), 'utf8');
    if (file === 'elsewhere.yaml') programs.push(...Object.entries(parse(refusals, text, file).instead).map(refused));
    else programs.push(readGrammar(text, file));
  }
  const twice = programs.find((each, index) => programs.findIndex(({ program }) => program === each.program) !== index);
  if (twice) throw wrong(`${twice.program}.yaml`, 'the program is described twice, or is in elsewhere.yaml as well');
  return Object.freeze(Object.fromEntries(programs.map((each) => [each.program, each])));
}

/** One program's grammar from YAML; `file` is for messages. `{name}` in a `match` stands for that pattern of `define`. */
export function readGrammar(text: string, file: string): ProgramGrammar {
  const { define, ...rest } = parse(z.looseObject({ define: definitions }), text, file);
  const read = check(grammar, expand(rest, define), file);
  for (const { flags: own, requires, needsOneOf, words: of } of read.commands) {
    const listed = [...own, ...read.flags].map(({ names }) => names[0]);
    const missing = [...requires, ...needsOneOf].find((name) => !listed.includes(name));
    if (missing !== undefined) throw wrong(file, `${missing} is no flag of ${of.join(' ')}; list it under its flags`);
  }
  checkArity(read, file);
  return compact(read);
}

/** Forms with the same words must agree on which flags take values: a call is looked over before its form is known. */
function checkArity({ commands, flags: general }: z.output<typeof grammar>, file: string): void {
  const takes = new Map<string, boolean>();
  for (const { words: of, flags: own } of commands)
    for (const each of [...own, ...general])
      for (const name of each.names) {
        const key = [...of, name].join(' ');
        if ((takes.get(key) ?? takesValue(each)) !== takesValue(each))
          throw wrong(file, `${key} takes a value in one form and none in another`);
        takes.set(key, takesValue(each));
      }
}

/** Puts the patterns of `define` where a `match` names them. */
function expand(value: unknown, patterns: Readonly<Record<string, string>>, name = ''): unknown {
  if (typeof value === 'string' && name === 'match')
    return value.replace(/\{([a-z]+)\}/g, (whole, key: string) =>
      Object.hasOwn(patterns, key) ? `(?:${patterns[key]})` : whole,
    );
  if (Array.isArray(value)) return value.map((each) => expand(each, patterns));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, expand(inner, patterns, key)]));
}

function refused([program, instead]: [string, string]): ProgramGrammar {
  const nothing = { flags: [], environment: [], set: {}, prefix: [], commands: [] };
  return { program, acts: 'local', folder: 'empty', instead: { '': instead }, ...nothing };
}

function parse<T extends z.ZodType>(schema: T, text: string, file: string): z.output<T> {
  const document = parseDocument(text, { uniqueKeys: true });
  const broken = document.errors[0];
  if (broken) throw wrong(file, broken.message);
  return check(schema, document.toJS(), file);
}

function check<T extends z.ZodType>(schema: T, value: unknown, file: string): z.output<T> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw wrong(
    file,
    parsed.error.issues.map((issue) => `${issue.path.join('.') || 'the file'}: ${meaning(issue)}`).join('; '),
  );
}

function wrong(file: string, why: string): HoldpointError {
  return new HoldpointError('invalid_input', `policies/programs/${file} is wrong: ${why}.`, {
    hint: 'docs/processes.md shows how a program is described.',
  });
}

/** A wrong key of a mapping says only that it is wrong; why is inside. */
function meaning(issue: z.core.$ZodIssue): string {
  return issue.code === 'invalid_key' ? issue.issues.map(({ message }) => message).join(', ') : issue.message;
}

function spelledOut(value: unknown): unknown {
  return typeof value === 'string' ? { kind: value } : value;
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
