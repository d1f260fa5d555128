import type { ToolAlias } from '../core/alias.ts';
import { HoldpointError } from '../core/errors.ts';
import type { AnyTool } from '../core/tool.ts';
import { invalid, shapeProblem } from './input.ts';
import { aliasesOf, type Registry } from './registry.ts';
import { useTool } from './server-tools.ts';
import type { Call } from './services.ts';

const FOUND = new WeakMap<Registry, ReadonlyMap<string, AnyTool>>();

/** The tool behind each alias; tools that come later have none. */
export function aliases(registry: Registry): ReadonlyMap<string, AnyTool> {
  let found = FOUND.get(registry);
  if (!found) FOUND.set(registry, (found = aliasesOf(registry)));
  return found;
}

/**
 * The call inside a `use-tool` or behind an alias, or the call itself: from here on policy, preview and audit see the inner
 * tool alone.
 *
 * @throws HoldpointError `invalid_input` for arguments that are none of use-tool's, or of the alias's.
 */
export function unwrap(call: Call, registry: Registry): Call {
  if (call.tool !== useTool.name) return behindAlias(call, registry);
  const parsed = useTool.input.safeParse(call.arguments ?? {});
  if (!parsed.success) throw invalid(useTool.name, parsed.error, Object.keys(useTool.input.shape));
  if (parsed.data.name === useTool.name)
    throw new HoldpointError('invalid_input', 'use-tool cannot call itself.', { hint: 'Name the tool to use.' });
  return behindAlias({ ...call, tool: parsed.data.name, arguments: parsed.data.arguments ?? {} }, registry);
}

function behindAlias(call: Call, registry: Registry): Call {
  const tool = aliases(registry).get(call.tool);
  const found: ToolAlias | undefined = tool?.aliases?.[call.tool];
  if (!tool || !found) return call;
  const shape = shapeProblem(call.arguments);
  if (shape) throw shape;
  // A dry run is ours, under whatever name.
  const { dryRun, ...given } = (call.arguments ?? {}) as Record<string, unknown>;
  const parsed = found.input.safeParse(given);
  if (!parsed.success) throw invalid(call.tool, parsed.error, Object.keys(found.input.shape));
  return {
    ...call,
    tool: tool.name,
    arguments: { ...found.to(parsed.data as never), ...(dryRun !== undefined && { dryRun }) },
  };
}
