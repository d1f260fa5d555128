import { readdir } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';

import { TOOLS } from '../config/locations.ts';
import { HoldpointError } from '../core/errors.ts';
import type { AnyTool } from '../core/tool.ts';

/** Every tool by name, in the order of their names. */
export type Registry = ReadonlyMap<string, AnyTool>;

/**
 * Reads the tool folders: each file of `tools/<toolset>/` is one tool, named as its file.
 *
 * @throws HoldpointError `internal` for a file that holds no tool, or one whose name or schema breaks the rules.
 */
export async function loadRegistry(folder: string = TOOLS): Promise<Registry> {
  const files: string[] = [];
  for (const toolset of await readdir(folder, { withFileTypes: true })) {
    if (!toolset.isDirectory()) continue;
    for (const name of await readdir(join(folder, toolset.name))) {
      if (/\.(?:ts|js)$/.test(name) && !name.endsWith('.d.ts')) files.push(join(folder, toolset.name, name));
    }
  }
  const tools = await Promise.all(files.map(loadTool));
  return new Map(tools.sort((a, b) => (a.name < b.name ? -1 : 1)).map((tool) => [tool.name, tool]));
}

async function loadTool(file: string): Promise<AnyTool> {
  const module = (await import(pathToFileURL(file).href)) as { default?: AnyTool };
  const tool = module.default;
  const expected = basename(file, extname(file));
  const wrong = (why: string) => new HoldpointError('internal', `The tool file ${expected} ${why}.`);
  if (!tool || typeof tool.run !== 'function') throw wrong('has no default export made with defineTool');
  if (tool.name !== expected) throw wrong(`names its tool "${tool.name}"; the two must be equal`);
  if (!(tool.input instanceof z.ZodObject)) throw wrong('has an input schema that is no object');
  return tool;
}
