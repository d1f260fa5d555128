import { createHash } from 'node:crypto';
import { parse, stringify } from 'yaml';

import { HoldpointError } from '../core/errors.ts';
import type { Persona } from './persona.ts';

/** Under which hypertool knows this server: the first part of every tool's id there. */
export const SERVER = 'holdpoint';

/** hypertool's own patterns (toolprint/hypertool-mcp, src/persona/schemas.ts). */
const NAME = /^(?!.*(?:--|__))[a-z][a-z0-9-_]{0,61}[a-z0-9_]$/;
const TOOL_ID = /^[a-z][a-z0-9-_]*(\.[a-z][a-z0-9-_]*)+$/;

/** What starts Holdpoint for this persona; `env` holds no secret. */
export interface ServerRun {
  command: string;
  args: string[];
  env: Record<string, string>;
}

export interface HypertoolFiles {
  'persona.yaml': string;
  'mcp.json': string;
}

export interface HypertoolOptions {
  /** All that the persona lists to an agent, in order. */
  tools: readonly string[];
  run: ServerRun;
  /** ISO times. */
  created: string;
  now: string;
}

/**
 * A persona as hypertool reads one: the texts of its two files. hypertool refuses a key that it does not know, so there are
 * none besides. What the policy, the instructions and the budget say stays with the server that `mcp.json` starts.
 *
 * @throws HoldpointError `invalid_input` for a name or a tool that hypertool would refuse.
 */
export function hypertoolFiles(persona: Persona, { tools, run, created, now }: HypertoolOptions): HypertoolFiles {
  const ids = tools.map((name) => `${SERVER}.${name}`);
  if (!NAME.test(persona.name))
    throw refused(`the persona's name ${persona.name}`, 'no dash at its end, and no two in a row');
  const odd = ids.filter((id) => !TOOL_ID.test(id));
  if (odd.length > 0) throw refused(`the tools ${odd.join(', ')}`, 'lower-case letters, digits, - and _');
  const content = {
    name: persona.name,
    description: persona.description,
    version: persona.version,
    toolsets: [{ name: persona.name, toolIds: ids }],
    defaultToolset: persona.name,
    metadata: { author: 'Holdpoint', tags: persona.tags, created, lastModified: now },
  };
  const { env, ...command } = run;
  const server = { type: 'stdio', ...command, env };
  const mcp = `${JSON.stringify({ mcpServers: { [SERVER]: server } }, null, 2)}\n`;
  // In quotes, so that no reader takes a version for a number or a time for a date.
  const yaml = stringify(content, { lineWidth: 0, defaultStringType: 'QUOTE_DOUBLE', defaultKeyType: 'PLAIN' });
  return { 'persona.yaml': `${MARK}${sealOf(yaml, mcp)}\n${yaml}`, 'mcp.json': mcp };
}

function refused(what: string, rule: string): HoldpointError {
  return new HoldpointError('invalid_input', `hypertool would refuse ${what}.`, { hint: `It takes ${rule}.` });
}

/** The first line of what was written here: with it a later export knows whether anybody has changed the files since. */
const MARK = '# Written by holdpoint persona export; remove this line to keep your changes. ';

/** Whether these two files are just as an export wrote them. */
export function isExport(yaml: string, mcp: string): boolean {
  const [first = '', ...rest] = yaml.split('\n');
  return first === `${MARK}${sealOf(rest.join('\n'), mcp)}`;
}

/** When the files were first exported, where they say so. */
export function createdOf(yaml: string): string | undefined {
  const { metadata } = parse(yaml) as { metadata?: { created?: unknown } };
  return typeof metadata?.created === 'string' ? metadata.created : undefined;
}

function sealOf(yaml: string, mcp: string): string {
  return createHash('sha256').update(yaml).update('\0').update(mcp).digest('hex');
}
