import { createHash } from 'node:crypto';
import { z } from 'zod';

import { asHoldpointError, HoldpointError } from '../core/errors.ts';
import type { Json, JsonObject } from '../core/json.ts';
import type { AnyTool } from '../core/tool.ts';
import { likely } from '../core/nearest.ts';

const MAX_ARGUMENT_BYTES = 2_097_152;
const MAX_DEPTH = 32;

/** A tool of another server may have an argument of that name itself, which then means what that server says. */
function takesDryRun({ effect, arguments: foreign }: AnyTool): boolean {
  return effect !== 'read' && !Object.hasOwn((foreign?.['properties'] ?? {}) as object, 'dryRun');
}

/** Tools that can write also take `dryRun`: the plan and the decision, and nothing else happens. */
const withDryRun = new WeakMap<AnyTool, z.ZodObject>();

/** The schema that a tool's arguments are parsed with and that `tools/list` advertises. */
export function inputSchemaOf(tool: AnyTool): z.ZodObject {
  if (!takesDryRun(tool)) return tool.input as z.ZodObject;
  let schema = withDryRun.get(tool);
  if (!schema) {
    schema = (tool.input as z.ZodObject).extend({ dryRun: z.boolean().optional() });
    withDryRun.set(tool, schema);
  }
  return schema;
}

export interface ParsedInput {
  input: JsonObject;
  dryRun: boolean;
}

/**
 * Arguments from a client as a tool's input.
 *
 * @throws HoldpointError `invalid_input` that names each wrong argument, what it should be and the nearest known one.
 */
export function parseInput(tool: AnyTool, raw: unknown): ParsedInput {
  const shape = shapeProblem(raw);
  if (shape) throw shape;
  const parsed = inputSchemaOf(tool).safeParse(raw ?? {});
  if (!parsed.success) throw invalid(tool.name, parsed.error, Object.keys(inputSchemaOf(tool).shape));
  if (!takesDryRun(tool)) return { input: parsed.data as JsonObject, dryRun: false };
  const { dryRun, ...input } = parsed.data as JsonObject & { dryRun?: boolean };
  return { input, dryRun: dryRun === true };
}

/** What is wrong with arguments too large or too deep to be anything that was meant; looked for before anything else touches them. */
export function shapeProblem(raw: unknown): HoldpointError | undefined {
  try {
    checkShape(raw);
    return undefined;
  } catch (thrown) {
    return asHoldpointError(thrown);
  }
}

function checkShape(raw: unknown): void {
  let bytes = 0;
  const visit = (value: unknown, depth: number): void => {
    if (depth > MAX_DEPTH)
      throw new HoldpointError('invalid_input', `The arguments are nested more than ${MAX_DEPTH} levels deep.`, {
        hint: 'Send flat arguments; find-tools shows what each tool takes.',
      });
    bytes += typeof value === 'string' ? Buffer.byteLength(value) : 8;
    if (bytes > MAX_ARGUMENT_BYTES)
      throw new HoldpointError(
        'invalid_input',
        `The arguments are larger than ${MAX_ARGUMENT_BYTES / 1_048_576} MiB.`,
        { hint: 'Send less in one call; large files are better changed with str-replace-editor.' },
      );
    if (typeof value !== 'object' || value === null) return;
    for (const [key, inner] of Object.entries(value)) {
      if (key === '__proto__' || key === 'constructor' || key === 'prototype')
        throw new HoldpointError('invalid_input', `The argument name "${key}" is not allowed.`, {
          hint: 'Leave it out.',
        });
      bytes += key.length;
      visit(inner, depth + 1);
    }
  };
  visit(raw, 0);
}

/** A schema's complaints in words. */
export function invalid(tool: string, error: z.ZodError, known: string[]): HoldpointError {
  const problems = error.issues.slice(0, 8).map((issue) => {
    const at = issue.path.length > 0 ? `"${issue.path.join('.')}"` : 'the arguments';
    if (issue.code !== 'unrecognized_keys') return `${at}: ${issue.message}`;
    return issue.keys
      .slice(0, 8)
      .map((key) => {
        const near = likely(key, known, 1)[0];
        return `"${key.slice(0, 60)}" is no argument of ${tool}${near ? `; did you mean "${near}"?` : ''}`;
      })
      .join('; ');
  });
  return new HoldpointError('invalid_input', `${problems.join('. ')}.`, {
    hint: `${tool} takes: ${known.join(', ') || 'nothing'}.`,
  });
}

/** JSON Schema of what a tool takes, where another server describes it: for `tools/list`. */
export function foreignArguments(tool: AnyTool): JsonObject | undefined {
  if (!tool.arguments || !takesDryRun(tool)) return tool.arguments;
  const properties = { ...(tool.arguments['properties'] as JsonObject | undefined), dryRun: { type: 'boolean' } };
  return { ...tool.arguments, properties };
}

/** SHA-256 over a tool's schema and effect: a stored plan made under another one is stale. */
export function schemaHash(tool: AnyTool): string {
  const input = tool.arguments ?? z.toJSONSchema(inputSchemaOf(tool), { io: 'input' });
  const shape = { name: tool.name, effect: tool.effect, input };
  return createHash('sha256').update(JSON.stringify(shape)).digest('hex');
}

/** Arguments whose text is a file's: the log keeps that it was sent, not what. */
const CONTENT = new Set(['content', 'oldText', 'newText']);

/** Arguments as the audit log keeps them: long strings and contents become their length and SHA-256. */
export function forAudit(raw: unknown, depth = 0, key = ''): Json {
  if (typeof raw === 'string') {
    if (raw.length <= 512 && !CONTENT.has(key)) return raw;
    return { sha256: createHash('sha256').update(raw).digest('hex'), bytes: Buffer.byteLength(raw) };
  }
  if (raw === null || typeof raw === 'boolean' || typeof raw === 'number') return raw;
  if (typeof raw !== 'object' || depth > 6) return `(${Array.isArray(raw) ? 'array' : typeof raw})`;
  if (Array.isArray(raw))
    return [
      ...raw.slice(0, 50).map((item) => forAudit(item, depth + 1)),
      ...(raw.length > 50 ? [`(${raw.length - 50} more)`] : []),
    ];
  const entries = Object.entries(raw);
  return Object.fromEntries([
    ...entries
      .slice(0, 50)
      .map(([name, value]): [string, Json] => [name.slice(0, 80), forAudit(value, depth + 1, name)]),
    ...(entries.length > 50 ? [['(more)', entries.length - 50] as [string, Json]] : []),
  ]);
}
