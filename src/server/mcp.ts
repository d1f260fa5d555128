import { randomUUID } from 'node:crypto';
import {
  CLIENT_INFO_META_KEY,
  Server,
  TRACEPARENT_META_KEY,
  type AuthInfo,
  type CallToolRequest,
  type CallToolResult,
  type McpRequestContext,
  type ServerContext,
  type Tool,
} from '@modelcontextprotocol/server';

import { VERSION } from '../config/version.ts';
import type { Effect } from '../core/effect.ts';
import type { JsonObject } from '../core/json.ts';
import { covers, TOOL_SCOPES } from '../core/scopes.ts';
import { envelopeSchema } from '../core/envelope.ts';
import type { Progress } from '../core/tool.ts';
import { isError, type Answer } from './answer.ts';
import { callerOf, type Caller } from './caller.ts';
import { serveCompletions } from './completions.ts';
import type { Dispatch } from './dispatch.ts';
import { handOffResources } from './hand-off-resources.ts';
import { memoryResources } from './memory-resources.ts';
import { argumentsOf } from './registry.ts';
import { ownResources } from './own-resources.ts';
import { servePrompts } from './prompts.ts';
import { resultResources, serveResources } from './resources.ts';
import { createSafely } from './safely.ts';
import { advertisedSchema } from './schema.ts';
import { serverTools, useTool } from './server-tools.ts';
import type { Services } from './services.ts';
import { createShelf, serveSkills, SKILLS_EXTENSION, skillResources } from './skills.ts';

/** Milliseconds that a client may keep the tool list; it changes only with the persona. */
const LIST_TTL = 300_000;

export interface McpOptions {
  services: Services;
  dispatch: Dispatch;
  transport: 'stdio' | 'http';
  /** Which tools `tools/list` gives: the persona's (the rest through find-tools), or every one. */
  list: 'persona' | 'all';
  /** The person behind a connection: the operating system's user, or the token's owner. */
  person: string;
}

/** The definitions that `tools/list` gives, in the persona's order; the same list at every call. */
export function toolList(services: Services, list: 'persona' | 'all'): Tool[] {
  const surfaces = serverTools(services);
  const always = [...surfaces.values()].filter(({ isOptional }) => !isOptional || list === 'all');
  const own = [...always, useTool].map((tool) =>
    definition(tool.name, tool.title, tool.description, tool.effect, advertisedSchema(tool.input)),
  );
  const wanted = list === 'all' ? [...services.registry.keys()] : services.persona.tools;
  const tools = wanted.flatMap((name) => {
    const tool = services.registry.get(name);
    if (tool) return [definition(tool.name, tool.title, tool.description, tool.effect, argumentsOf(tool))];
    const extra = surfaces.get(name);
    return extra?.isOptional
      ? [definition(name, extra.title, extra.description, extra.effect, advertisedSchema(extra.input))]
      : [];
  });
  return [...tools, ...own];
}

function definition(name: string, title: string, description: string, effect: Effect, input: JsonObject): Tool {
  return {
    name,
    title,
    description,
    inputSchema: input as Tool['inputSchema'],
    outputSchema: OUTPUT,
    annotations: {
      readOnlyHint: effect === 'read',
      destructiveHint: effect === 'destroy',
      idempotentHint: effect === 'read',
      openWorldHint: effect !== 'read',
    },
  };
}

/** Under this key a result says which call it is of, as the log, the audit log and upstream requests do. */
const CALL_ID = 'holdpoint/callId';

const OUTPUT = advertisedSchema(envelopeSchema) as Tool['outputSchema'];

/** Makes the MCP server of one connection or request, for either protocol era. */
export function createMcpFactory(options: McpOptions): (context: McpRequestContext) => Server {
  const { services } = options;
  const tools = toolList(services, options.list);
  const safely = createSafely(services);
  const shelf = createShelf(services);
  const sources = [
    resultResources(services.results),
    handOffResources(services),
    memoryResources(services, options.dispatch, options.transport),
    ...ownResources(services, shelf, tools),
    skillResources(shelf),
  ];
  return (context) => {
    const server = new Server(
      { name: 'holdpoint', title: 'Holdpoint', version: VERSION },
      {
        capabilities: {
          tools: {},
          resources: {},
          prompts: {},
          completions: {},
          logging: {},
          extensions: { [SKILLS_EXTENSION]: { directoryRead: true } },
        },
        instructions: services.persona.instructions,
        cacheHints: { 'tools/list': { ttlMs: LIST_TTL, cacheScope: 'private' } },
      },
    );
    // The first name holds for the whole connection: a client that goes by many names is still one.
    let client: string | undefined;
    const caller = (request: ServerContext): Caller => {
      const agent = services.persona.name;
      if (options.transport === 'http') return callerOf(context.authInfo ?? NOBODY, options.person, agent);
      client ??= services.redactor.text(clientName(request, server));
      return { principal: { person: options.person, agent, client }, scopes: TOOL_SCOPES };
    };
    server.setRequestHandler('tools/list', (_request, request) => ({
      tools: covers(caller(request).scopes, 'tools:write') ? tools : tools.filter(mayRead),
    }));
    server.setRequestHandler('tools/call', toolCalls(options, caller));
    // A token that may not even read is shown nothing either.
    const who = (request: ServerContext) => {
      const { principal, scopes } = caller(request);
      return covers(scopes, 'tools:read') ? principal : undefined;
    };
    serveResources(server, sources, who, services, safely);
    servePrompts(server, shelf, services, safely);
    serveCompletions(server, { shelf, sources, services, who, safely });
    serveSkills(server, shelf, safely);
    return server;
  };
}

/** A caller without a token, which the transport lets nowhere. */
const NOBODY: AuthInfo = { token: '', clientId: 'anonymous', scopes: [] };

/** What is listed for a token that may only read: the others are refused by dispatch, listed or not. */
function mayRead({ name, annotations }: Tool): boolean {
  return annotations?.readOnlyHint === true || name === useTool.name;
}

/** Answers `tools/call` through dispatch, with the call's progress as the client asked to hear of it. */
export function toolCalls(
  { dispatch, transport }: Pick<McpOptions, 'dispatch' | 'transport'>,
  caller: (request: ServerContext) => Caller,
): (request: CallToolRequest, context: ServerContext) => Promise<CallToolResult> {
  return async ({ params }, request) => {
    const id = randomUUID();
    const answer = await dispatch.call({
      id,
      tool: params.name,
      arguments: params.arguments,
      ...caller(request),
      transport,
      signal: request.mcpReq.signal,
      ...traceparentOf(request),
      progress: progressTo(request, params.name),
    });
    return resultOf(answer, id);
  };
}

/**
 * Progress goes out under the token that the client gave for it; without one, as a log message, which the SDK holds to the
 * level that the client set (2025-11-25) or its request names (2026-07-28; none named, none sent).
 */
function progressTo({ mcpReq }: ServerContext, tool: string): (update: Progress) => void {
  const token = mcpReq._meta?.progressToken;
  let done = 0;
  return ({ message, done: at, total }) => {
    if (token === undefined) {
      void mcpReq.log('info', message, tool).catch(() => {});
      return;
    }
    done = Math.max(done + 1e-6, at ?? done + 1);
    const params = { progressToken: token, progress: done, message, ...(total === undefined ? {} : { total }) };
    void mcpReq.notify({ method: 'notifications/progress', params }).catch(() => {});
  };
}

function resultOf({ envelope, text }: Answer, callId: string): CallToolResult {
  return {
    _meta: { [CALL_ID]: callId },
    content: [{ type: 'text', text }],
    structuredContent: envelope,
    isError: isError(envelope),
  };
}

/** The client's span: in the message, as the protocol has it, else in the HTTP header. */
function traceparentOf({ mcpReq, http }: ServerContext): { traceparent?: string } {
  const traceparent = mcpReq._meta?.[TRACEPARENT_META_KEY] ?? http?.req?.headers.get('traceparent');
  return typeof traceparent === 'string' ? { traceparent } : {};
}

/** A client's own name for itself: from its handshake, or in the newer era from the message. */
function clientName(request: ServerContext, server: Server): string {
  const envelope = request.mcpReq.envelope as Readonly<Record<string, { name?: unknown } | undefined>> | undefined;
  const name = envelope?.[CLIENT_INFO_META_KEY]?.name ?? server.getClientVersion()?.name;
  return typeof name === 'string' ? name.slice(0, 100).toWellFormed() : 'unknown';
}
