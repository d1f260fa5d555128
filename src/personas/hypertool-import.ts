import { basename } from 'node:path';
import { z } from 'zod';

import { HoldpointError } from '../core/errors.ts';
import { SERVER } from './hypertool.ts';
import type { Persona } from './persona.ts';

const text = z.string().trim().min(1);

/** What is taken from a hypertool persona; its other keys are told of and mean nothing here. */
const schema = z.object({
  name: text.max(63),
  description: text.max(500).optional(),
  version: z.coerce.string().optional(),
  toolsets: z.array(z.object({ name: text, toolIds: z.array(text) })).min(1, 'it has no toolset, so it lists no tools'),
  defaultToolset: text.optional(),
  metadata: z.object({ tags: z.array(z.string()).optional() }).optional(),
});

const KEYS = new Set(Object.keys(schema.shape));

/** Tools that every persona has listed besides its own. */
const ALWAYS = new Set(['approval', 'find-tools', 'use-tool']);

export interface ImportScope {
  /** The folder it was read from. */
  folder: string;
  /** Whether there is a tool of this name here. */
  knows: (tool: string) => boolean;
  /** The shipped persona that it takes policy and instructions from: the one of its name, else the default. */
  base: (name: string) => Promise<Persona>;
}

export interface Imported {
  persona: Persona;
  /** Ids of tools that there are none of here, and keys that mean nothing here; each once. */
  unknown: { tools: string[]; keys: string[] };
}

/**
 * A hypertool persona as one of ours. It says which tools there are in which order, and nothing of what they may do: that is
 * the policy of the shipped persona of its name, else the default one's. The servers that its mcp.json starts are not taken.
 *
 * @throws HoldpointError `invalid_input` that says what is wrong, or that no tool of it is known here.
 */
export async function importHypertool(content: unknown, { folder, knows, base }: ImportScope): Promise<Imported> {
  const parsed = schema.safeParse(content);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'persona'}: ${message}`);
    throw wrong(folder, problems.join('; '));
  }
  const { name, description, version, toolsets, defaultToolset, metadata } = parsed.data;
  if (!/^[a-z][a-z0-9-]{1,62}$/.test(name))
    throw wrong(folder, `its name "${name}" has other letters than a to z, 0 to 9 and -`);
  if (basename(folder) !== name) throw wrong(folder, `its name is "${name}" and its folder's is not`);
  const chosen = defaultToolset === undefined ? toolsets[0] : toolsets.find((each) => each.name === defaultToolset);
  if (chosen === undefined) throw wrong(folder, `there is no toolset "${defaultToolset}"`);
  const ids = [...new Set(chosen.toolIds)];
  const toolOf = (id: string) =>
    id.startsWith(`${SERVER}.`) ? id.slice(SERVER.length + 1) : id.replace(/^[^.]+\./, '');
  const known = (id: string) => knows(toolOf(id)) || (id.startsWith(`${SERVER}.`) && ALWAYS.has(toolOf(id)));
  const tools = [...new Set(ids.filter(known).map(toolOf))].filter((tool) => !ALWAYS.has(tool));
  if (tools.length === 0) throw wrong(folder, `none of its tools is known here: ${ids.slice(0, 10).join(', ')}`);
  const like = await base(name);
  return {
    persona: {
      ...like,
      name,
      title: like.name === name ? like.title : name,
      description: description ?? like.description,
      version: version ?? like.version,
      tags: metadata?.tags ?? [],
      tools,
      // What a document does not give, it does not give.
      upstreams: like.name === name ? like.upstreams : [],
      folder,
    },
    unknown: {
      tools: ids.filter((id) => !known(id)),
      keys: Object.keys(content as object).filter((key) => !KEYS.has(key)),
    },
  };
}

function wrong(folder: string, why: string): HoldpointError {
  return new HoldpointError('invalid_input', `${folder} is no hypertool persona that can be used: ${why}.`, {
    hint: 'docs/hypertool.md says what is read of one.',
  });
}
