import { z } from 'zod';

import { prepared } from '../config/prepared.ts';
import { HoldpointError } from '../core/errors.ts';
import type { JsonObject } from '../core/json.ts';
import type { AnyTool, ToolCard } from '../core/tool.ts';
import { foreignArguments, inputSchemaOf } from './input.ts';
import { advertisedSchema } from './schema.ts';
import { toolModules } from './tool-modules.ts';

/** Every tool by name, in the order of their names. */
export type Registry = ReadonlyMap<string, AnyTool>;

/**
 * Each file of `tools/<toolset>/` is one tool, named as its file.
 *
 * @throws HoldpointError `internal` for a file that holds no tool, or one whose name or schema breaks the rules.
 */
export async function loadRegistry(modules: () => Promise<Map<string, object>> = toolModules): Promise<Registry> {
  const tools = [...(await modules())].map(([file, module]) => {
    const whole = () => checkTool(file, (module as { default?: AnyTool }).default);
    const card = prepared.tools[file];
    return card ? laterTool(card, whole) : whole();
  });
  const registry = new Map(tools.sort((a, b) => (a.name < b.name ? -1 : 1)).map((tool) => [tool.name, tool]));
  aliasesOf(registry);
  return registry;
}

/**
 * The tool that each alias is another name of.
 *
 * @throws HoldpointError `internal` where an alias is a tool's name, or two tools'.
 */
export function aliasesOf(registry: Registry): ReadonlyMap<string, AnyTool> {
  const found = new Map<string, AnyTool>();
  for (const tool of registry.values())
    for (const name of aliasNamesOf(tool)) {
      if (found.has(name) || registry.has(name))
        throw new HoldpointError('internal', `"${name}" is an alias of ${tool.name} and another tool's name.`);
      found.set(name, tool);
    }
  return found;
}

/** Known without the tool's module, as its other names are. */
export function aliasNamesOf(tool: AnyTool): readonly string[] {
  return PREPARED_ALIASES.get(tool) ?? Object.keys(tool.aliases ?? {});
}

function checkTool(file: string, tool: AnyTool | undefined): AnyTool {
  const wrong = (why: string) => new HoldpointError('internal', `The tool file ${file} ${why}.`);
  if (!tool || typeof tool.run !== 'function') throw wrong('has no default export made with defineTool');
  if (tool.name !== file) throw wrong(`names its tool "${tool.name}"; the two must be equal`);
  if (!(tool.input instanceof z.ZodObject)) throw wrong('has an input schema that is no object');
  return tool;
}

/** A tool by its card; its module runs when something first asks for the rest. */
function laterTool(card: ToolCard, whole: () => AnyTool): AnyTool {
  const { arguments: advertised, aliasNames = [], ...said } = card;
  const tool = { ...said } as AnyTool;
  for (const part of LATER_PARTS) Object.defineProperty(tool, part, { enumerable: true, get: () => whole()[part] });
  PREPARED.set(tool, advertised);
  PREPARED_ALIASES.set(tool, aliasNames);
  return tool;
}

const LATER_PARTS = [
  'aliases',
  'input',
  'output',
  'targets',
  'plan',
  'preview',
  'run',
  'render',
] as const satisfies (keyof AnyTool)[];

const PREPARED = new WeakMap<AnyTool, JsonObject>();
const PREPARED_ALIASES = new WeakMap<AnyTool, readonly string[]>();

/** JSON Schema of a tool's arguments, as `tools/list` gives it. */
export function argumentsOf(tool: AnyTool): JsonObject {
  return PREPARED.get(tool) ?? foreignArguments(tool) ?? advertisedSchema(inputSchemaOf(tool));
}

/** What the build keeps of a tool. */
export function cardOf(tool: AnyTool): ToolCard {
  const { name, title, description, keywords, effect, needs } = tool;
  const aliasNames = [...aliasNamesOf(tool)];
  const said = { name, title, description, ...(keywords && { keywords }), effect, needs };
  return { ...said, arguments: argumentsOf(tool), ...(aliasNames.length > 0 && { aliasNames }) };
}
