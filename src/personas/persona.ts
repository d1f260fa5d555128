import { existsSync, readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';

import { PERSONAS, POLICIES } from '../config/locations.ts';
import { prepared } from '../config/prepared.ts';
import { readAhead } from '../config/read-ahead.ts';
import { HoldpointError } from '../core/errors.ts';

const schema = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]{1,62}$/, 'must be 2 to 63 lower-case letters, digits and dashes'),
  title: z.string(),
  description: z.string().min(10).max(500),
  /** Name of a shipped policy, or a path from the persona's folder. */
  policy: z.string(),
  /** What the tools' definitions may cost in tokens. */
  tokenBudget: z.int().min(200).default(1800),
  /** The tools that `tools/list` gives, in the order of need; everything else is behind find-tools and use-tool. */
  tools: z.array(z.string()).min(1),
  /** The file with the role's instructions, from the persona's folder. */
  instructions: z.string().default('instructions.md'),
  version: z.string().default('1.0.0'),
  /** Names of the upstream MCP servers it may use; others are neither started nor reached. */
  upstreams: z.array(z.string()).default([]),
  /** Whether a refusal that names another role leaves a record for that role. */
  handOffs: z.boolean().default(true),
  /** Names of the skills it is given, of those shipped and its own; all of them where this is absent. */
  skills: z.array(z.string()).optional(),
  /** Name of a workflow file beside persona.yaml. */
  workflow: z.string().optional(),
  tags: z.array(z.string()).default([]),
});

/** Who the agent is: what it is told, which tools it sees at what cost, and which policy binds it. */
export interface Persona extends Omit<z.output<typeof schema>, 'policy'> {
  /** The policy's file. */
  policyFile: string;
  /** Where it was read from. */
  folder: string;
}

/**
 * Loads a persona by name (of those shipped), by folder, or by its persona.yaml.
 *
 * @throws HoldpointError `invalid_input` that says what is wrong in which file, or which names there are.
 */
export async function loadPersona(nameOrFile: string): Promise<Persona> {
  const file = fileOf(nameOrFile);
  const folder = dirname(file);
  const text = await readFile(file, 'utf8');
  const known = readAhead(prepared.personas, text);
  const content: unknown = known ?? parse(text);
  if (isHypertool(content))
    return (await (await import('./hypertool-read.ts')).hypertoolPersona(content, folder)).persona;
  const parsed = schema.safeParse(content);
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'persona'}: ${issue.message}`);
    throw new HoldpointError('invalid_input', `${file}: ${problems.join('; ')}.`, {
      hint: 'docs/personas.md shows every key.',
    });
  }
  const { policy, instructions, ...rest } = parsed.data;
  const told = await readFile(resolve(folder, instructions), 'utf8').catch((cause: unknown) => {
    throw new HoldpointError('invalid_input', `${file}: the instructions ${instructions} cannot be read.`, {
      hint: 'Write the file, or name another with "instructions:".',
      cause,
    });
  });
  return { ...rest, instructions: told.trim(), policyFile: policyFileOf(policy, folder), folder };
}

/** Whether a persona.yaml is hypertool's: ours has `tools`, hypertool's has `toolsets`. */
export function isHypertool(content: unknown): content is { toolsets: unknown } {
  return typeof content === 'object' && content !== null && 'toolsets' in content && !('tools' in content);
}

function fileOf(nameOrFile: string): string {
  if (/^[a-z][a-z0-9-]*$/.test(nameOrFile)) {
    const shipped = join(PERSONAS, nameOrFile, 'persona.yaml');
    if (existsSync(shipped)) return shipped;
  }
  for (const candidate of [nameOrFile, join(nameOrFile, 'persona.yaml')]) {
    if (/\.ya?ml$/.test(candidate) && existsSync(candidate)) return resolve(candidate);
  }
  throw new HoldpointError('invalid_input', `There is no persona "${basename(nameOrFile)}".`, {
    hint: `Give one of ${shippedPersonas().join(', ')}; a folder with a persona.yaml, or that file; or a persona document (.md, .txt, .json).`,
  });
}

/** The names of the personas that come with Holdpoint. */
export function shippedPersonas(): string[] {
  return readdirSync(PERSONAS)
    .filter((name) => existsSync(join(PERSONAS, name, 'persona.yaml')))
    .sort();
}

/** A shipped policy's name, or a path, as the file. */
export function policyFileOf(nameOrFile: string, from = '.'): string {
  const shipped = join(POLICIES, `${nameOrFile}.yaml`);
  if (/^[a-z][a-z0-9-]*$/.test(nameOrFile) && existsSync(shipped)) return shipped;
  return resolve(from, nameOrFile);
}
