import { join } from 'node:path';
import type { Logger } from 'pino';

import { createUpstreams, type UpstreamOptions } from '../adapters/upstream/client.ts';
import type { UpstreamPort } from '../adapters/upstream/port.ts';
import type { Config } from '../config/config.ts';
import type { JsonObject } from '../core/json.ts';
import type { AnyTool } from '../core/tool.ts';
import type { Persona } from '../personas/persona.ts';
import { upstreamTool } from './upstream-tools.ts';
import { readUpstreams, waitingFor, type Upstreams } from './upstreams.ts';

/** What a server process has of other servers. */
export interface ServedUpstreams {
  /** By name. */
  tools: [string, AnyTool][];
  port: UpstreamPort;
  secrets: readonly string[];
  /** The files that name the servers: not the agent's to change. */
  files: string[];
  waiting: string[];
}

/** The accepted tools of the servers that the persona may use, none of which is started or reached by this. */
export function serveUpstreams(
  config: Config,
  persona: Persona,
  log: Pick<Logger, 'info' | 'warn'>,
  record: (changed: JsonObject) => void,
): ServedUpstreams {
  const upstreams = readUpstreams(config, persona);
  const options = { settings: config.upstreams, workspace: config.workspace };
  for (const { server, left } of upstreams.known)
    for (const { tool, problem } of left) log.warn({ upstream: server.key, tool, problem }, 'a tool is left out');
  return {
    tools: upstreams.known.flatMap(({ tools }) =>
      tools.map((tool): [string, AnyTool] => [tool.name, upstreamTool(tool, options)]),
    ),
    port: createUpstreams({
      ...connecting(config, upstreams),
      log: (level, fields, message) => log[level](fields, message),
      changed(upstream, found) {
        log.warn({ upstream, found: found.length }, 'an upstream server has other tools than those that were accepted');
        const tools = found.slice(0, 50).map(({ tool, sort }) => `${sort}: ${tool.slice(0, 100)}`);
        record({ upstream, tools });
      },
    }),
    secrets: upstreams.secrets,
    files: [...new Set(upstreams.known.map(({ server }) => server.file))],
    waiting: waitingFor(upstreams),
  };
}

/** How the persona's servers are started and reached. */
export function connecting(
  config: Config,
  { known, accepted }: Upstreams,
): Pick<UpstreamOptions, 'servers' | 'accepted' | 'around' | 'within'> {
  return {
    servers: known.flatMap(({ server, allowed }) => (allowed ? server : [])),
    accepted,
    around: {
      workspace: config.workspace,
      path: config.environment['PATH'] ?? '',
      folders: join(config.state, 'upstreams'),
    },
    within: config.upstreams,
  };
}
