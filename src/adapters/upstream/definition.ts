import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { z } from 'zod';

import type { Effect } from '../../core/effect.ts';
import { plainLine } from '../../core/foreign.ts';
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import { wholeName } from './names.ts';
import { cleanSchema, cut } from './schema.ts';

/** What a server says of one of its tools, as it says it: the part that is pinned. */
export const definition = z.object({
  name: z.string().min(1).max(200),
  title: z.json().optional(),
  description: z.json().optional(),
  inputSchema: z.json(),
  outputSchema: z.json().optional(),
  annotations: z.json().optional(),
});

export type Definition = z.output<typeof definition>;

/** Another server's tool as it is offered here. */
export interface UpstreamTool {
  /** Its name here. */
  name: string;
  server: string;
  /** The server's own name for it. */
  tool: string;
  title: string;
  description: string;
  effect: Effect;
  /** JSON Schema of its arguments, cleaned. */
  arguments: JsonObject;
  /** SHA-256 of its definition. */
  hash: string;
}

/** SHA-256 over all that is pinned, in canonical form. */
export function hashOf(said: Definition): string {
  return createHash('sha256')
    .update(canonicalize(said) ?? '')
    .digest('hex');
}

const DESCRIPTION = 400;
const TITLE = 80;

/**
 * A definition in a form that can be offered: texts plain and bounded, and marked as that server's.
 *
 * @param effects What the person who accepted it says that its tools do, by the server's own names.
 * @returns why it is not offered, in words that follow its name, in place of the tool.
 */
export function usableTool(
  server: string,
  said: Definition,
  effects: Readonly<Record<string, Effect>> = {},
): UpstreamTool | { problem: string } {
  const cleaned = cleanSchema(said.inputSchema);
  if ('problem' in cleaned) return cleaned;
  const description = typeof said.description === 'string' ? plainLine(said.description) : 'no description';
  const title = typeof said.title === 'string' ? said.title : (annotation(said, 'title') ?? said.name);
  return {
    name: wholeName(server, said.name),
    server,
    tool: said.name,
    title: cut(plainLine(`${server}: ${typeof title === 'string' ? title : said.name}`), TITLE),
    description: cut(`From ${server}: ${description}`, DESCRIPTION),
    effect: (Object.hasOwn(effects, said.name) ? effects[said.name] : undefined) ?? effectOf(said),
    arguments: cleaned.schema,
    hash: hashOf(said),
  };
}

/** What the server hints that its tool does; one that says nothing may do anything. A person accepts this with the definition. */
export function effectOf(said: Definition): Effect {
  if (annotation(said, 'readOnlyHint') === true) return 'read';
  return annotation(said, 'destructiveHint') === false ? 'write' : 'destroy';
}

function annotation({ annotations }: Definition, name: string): Json | undefined {
  return isJsonObject(annotations) ? annotations[name] : undefined;
}

/** Two tools of one name here are none: which of them a call means could change. */
export function namedTwice(server: string, all: readonly Definition[]): Set<string> {
  const seen = new Set<string>();
  const twice = new Set<string>();
  for (const { name } of all) {
    const whole = wholeName(server, name);
    if (seen.has(whole)) twice.add(whole);
    seen.add(whole);
  }
  return twice;
}
