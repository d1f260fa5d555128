import { existsSync } from 'node:fs';

import { acceptedFiles, type Accepted, type AcceptedFiles } from '../adapters/upstream/accepted.ts';
import { namedTwice, usableTool, type UpstreamTool } from '../adapters/upstream/definition.ts';
import { readServers, type UpstreamServer } from '../adapters/upstream/servers.ts';
import { isInWorkspace, type Config } from '../config/config.ts';
import { asHoldpointError, HoldpointError } from '../core/errors.ts';
import type { Persona } from '../personas/persona.ts';
import { ownFile } from './no-upstreams.ts';

/** A server of the operator's or the persona's file, and where it stands. */
export interface KnownServer {
  server: UpstreamServer;
  /** Whether the persona names it; others are neither started nor reached. */
  allowed: boolean;
  accepted: Accepted | undefined;
  /** Why what was accepted cannot be read, where it cannot; the server then has no tools. */
  damaged?: string;
  /** Whether what was accepted is still what would be started or reached. */
  same: boolean;
  /** What is offered of it. */
  tools: UpstreamTool[];
  /** What is accepted and not offered, and why. */
  left: { tool: string; problem: string }[];
}

export interface Upstreams {
  /** In the order of their files. */
  known: KnownServer[];
  /** Names of the persona's that no file has. */
  missing: string[];
  accepted: AcceptedFiles;
  secrets: string[];
}

/**
 * The servers that the settings and the persona's folder name, with what people have accepted of them. Starts and reaches none.
 * Of two entries of one name the settings' counts.
 *
 * @throws HoldpointError `invalid_input` for a file that cannot be read, or that the agent could write.
 */
export function readUpstreams(config: Config, persona: Pick<Persona, 'upstreams' | 'folder'>): Upstreams {
  const own = ownFile(persona);
  const files = [
    ...(config.upstreams.file === undefined ? [] : [config.upstreams.file]),
    ...(persona.upstreams.length > 0 && existsSync(own) ? [own] : []),
  ];
  for (const file of files)
    if (isInWorkspace(config, file))
      throw new HoldpointError(
        'invalid_input',
        `The file of upstream servers ${file} lies in the workspace, where the agent could write what is started.`,
        { hint: 'Keep it elsewhere, and name it with --mcp-config or "upstreams: { file }".' },
      );
  const servers = new Map<string, UpstreamServer>();
  for (const server of files.flatMap((file) => readServers(file, config.environment)))
    if (!servers.has(server.key)) servers.set(server.key, server);
  const accepted = acceptedFiles(config.keys);
  const known = [...servers.values()].map((server) => knownServer(server, persona.upstreams, accepted));
  return {
    known,
    missing: persona.upstreams.filter((name) => !servers.has(name)),
    accepted,
    secrets: known.flatMap(({ server }) => server.secrets),
  };
}

function knownServer(server: UpstreamServer, allowed: readonly string[], files: AcceptedFiles): KnownServer {
  const isAllowed = allowed.includes(server.key);
  // A name that cannot be one here is no file's name either.
  const { accepted, damaged } = isAllowed && server.problem === undefined ? readAccepted(server, files) : {};
  const same = accepted?.fingerprint === server.fingerprint;
  const offered = accepted && same ? offeredTools(accepted) : { tools: [], left: [] };
  return { server, allowed: isAllowed, accepted, ...(damaged !== undefined && { damaged }), same, ...offered };
}

function readAccepted({ key }: UpstreamServer, files: AcceptedFiles): { accepted?: Accepted; damaged?: string } {
  try {
    const accepted = files.read(key);
    return accepted ? { accepted } : {};
  } catch (thrown) {
    return { damaged: asHoldpointError(thrown).message };
  }
}

/** What of an accepted server is offered. */
export function offeredTools({ server, tools, effects }: Pick<Accepted, 'server' | 'tools' | 'effects'>): {
  tools: UpstreamTool[];
  left: { tool: string; problem: string }[];
} {
  const definitions = tools.map((each) => each.definition);
  const twice = namedTwice(server, definitions);
  const offered: UpstreamTool[] = [];
  const left: { tool: string; problem: string }[] = [];
  for (const said of definitions) {
    const tool = usableTool(server, said, effects);
    if ('problem' in tool) left.push({ tool: said.name, problem: tool.problem });
    else if (twice.has(tool.name))
      left.push({ tool: said.name, problem: 'has the name of another tool of that server' });
    else offered.push(tool);
  }
  return { tools: offered, left };
}

/** What the agent is told of servers that it may use and that nobody has accepted yet. */
export function waitingFor({ known }: Pick<Upstreams, 'known'>): string[] {
  const waiting = known.filter(({ allowed, same, server }) => allowed && !same && server.problem === undefined);
  return waiting.map(({ server: { key } }) => `${key}: a person runs "holdpoint upstream accept ${key}"`);
}
