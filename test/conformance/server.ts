/**
 * Holdpoint with the conformance suites' own tools, resources and prompts: its app, its MCP server, its dispatch and its HTTP
 * transport as they are. Tools that Holdpoint could have (text, errors, progress) are tools of its registry and go through
 * dispatch; what no tool of Holdpoint gives (images, sampling …) is answered beside it.
 */
import type { McpServerFactory, Server } from '@modelcontextprotocol/server';
import { destination, pino } from 'pino';

import { loadConfig } from '../../src/config/config.ts';
import type { Principal } from '../../src/core/principal.ts';
import { TOOL_SCOPES } from '../../src/core/scopes.ts';
import { createApp } from '../../src/server/app.ts';
import { createMcpFactory, toolCalls, toolList, type McpOptions } from '../../src/server/mcp.ts';
import { startHttp } from '../../src/transports/http.ts';
import type { Place } from '../harness.ts';
import { CONTENT_TOOLS } from './content-tools.ts';
import { DISPATCHED_TOOLS } from './dispatched-tools.ts';
import { INPUT_TOOLS } from './input-tools.ts';
import { addPrompts } from './prompts.ts';
import { addResources } from './resources.ts';
import type { SuiteTool } from './suite-tool.ts';

const TOKEN = 'conformance-token-of-the-tests';
const BESIDE: ReadonlyMap<string, SuiteTool> = new Map(
  [...CONTENT_TOOLS, ...INPUT_TOOLS].map((tool) => [tool.definition.name, tool]),
);

export interface ConformanceServer {
  /** With the path, `http://127.0.0.1:PORT/mcp`. */
  url: string;
  token: string;
  stop: () => Promise<void>;
}

/** Starts it on a free port, with the state and workspace of `place`. */
export async function startConformanceServer(place: Place): Promise<ConformanceServer> {
  const config = loadConfig({ http: '127.0.0.1:0', workspace: place.workspace, state: place.state }, place.env);
  const app = await createApp({ config, log: pino({ level: 'warn' }, destination({ dest: 2, sync: true })) });
  app.services.registry = new Map([
    ...app.services.registry,
    ...DISPATCHED_TOOLS.map((tool) => [tool.name, tool] as const),
  ]);
  const http = await startHttp({
    host: '127.0.0.1',
    port: 0,
    tokens: [{ name: 'http', value: TOKEN, scopes: TOOL_SCOPES }],
    tokensConfigured: true,
    allowedHosts: [],
    factory: factoryOf({ ...app, transport: 'http', list: 'all', person: 'tester' }),
    ready: async () => undefined,
    metrics: async () => '',
    malformed: () => {},
    onerror: () => {},
  });
  return {
    url: `${http.url}/mcp`,
    token: TOKEN,
    async stop() {
      await http.close();
      await app.stop();
    },
  };
}

/** Holdpoint's own factory, with the suite's things added to each server it makes. */
function factoryOf(options: McpOptions): McpServerFactory {
  const make = createMcpFactory(options);
  const principal: Principal = { person: options.person, agent: options.services.persona.name, client: 'suite' };
  const call = toolCalls(options, () => ({ principal, scopes: TOOL_SCOPES }));
  const tools = [...toolList(options.services, 'all'), ...[...BESIDE.values()].map(({ definition }) => definition)];
  return (context) => {
    const server: Server = make(context);
    server.registerCapabilities({ completions: {} });
    server.setRequestHandler('tools/list', () => ({ tools }));
    server.setRequestHandler('tools/call', (request, extra) => {
      const beside = BESIDE.get(request.params.name);
      return beside ? beside.handle(request.params.arguments ?? {}, extra) : call(request, extra);
    });
    addResources(server);
    addPrompts(server);
    return server;
  };
}
