import { z } from 'zod';

import { HoldpointError } from '../core/errors.ts';
import type { AnyTool } from '../core/tool.ts';
import { toolModules } from './tool-modules.ts';

/** Every tool by name, in the order of their names. */
export type Registry = ReadonlyMap<string, AnyTool>;

/**
 * Each file of `tools/<toolset>/` is one tool, named as its file.
 *
 * @throws HoldpointError `internal` for a file that holds no tool, or one whose name or schema breaks the rules.
 */
export async function loadRegistry(modules: () => Promise<Map<string, object>> = toolModules): Promise<Registry> {
  const tools = [...(await modules())].map(([file, module]) =>
    checkTool(file, (module as { default?: AnyTool }).default),
  );
  return new Map(tools.sort((a, b) => (a.name < b.name ? -1 : 1)).map((tool) => [tool.name, tool]));
}

function checkTool(file: string, tool: AnyTool | undefined): AnyTool {
  const wrong = (why: string) => new HoldpointError('internal', `The tool file ${file} ${why}.`);
  if (!tool || typeof tool.run !== 'function') throw wrong('has no default export made with defineTool');
  if (tool.name !== file) throw wrong(`names its tool "${tool.name}"; the two must be equal`);
  if (!(tool.input instanceof z.ZodObject)) throw wrong('has an input schema that is no object');
  return tool;
}
