import type { CallToolResult, InputRequiredResult, ServerContext, Tool } from '@modelcontextprotocol/server';

/** A tool that a conformance suite asks for and that is answered beside Holdpoint's dispatch. */
export interface SuiteTool {
  definition: Tool;
  handle: (
    args: Record<string, unknown>,
    context: ServerContext,
  ) => CallToolResult | InputRequiredResult | Promise<CallToolResult | InputRequiredResult>;
}

const NO_ARGUMENTS = { type: 'object' as const };

export function suiteTool(
  name: string,
  description: string,
  handle: SuiteTool['handle'],
  inputSchema: Tool['inputSchema'] = NO_ARGUMENTS,
): SuiteTool {
  return { definition: { name, description, inputSchema }, handle };
}

export function text(value: string): CallToolResult {
  return { content: [{ type: 'text', text: value }] };
}
