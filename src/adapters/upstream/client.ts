import { HoldpointError } from '../../core/errors.ts';
import type { AcceptedFiles } from './accepted.ts';
import { differences, type Difference } from './compare.ts';
import { connection, type Connection, type ConnectionOptions } from './connection.ts';
import { hashOf, type UpstreamTool } from './definition.ts';
import type { UpstreamPort } from './port.ts';
import type { UpstreamServer } from './servers.ts';

export interface UpstreamOptions extends Pick<ConnectionOptions, 'around' | 'within' | 'log'> {
  /** Those that the persona may use. */
  servers: readonly UpstreamServer[];
  accepted: AcceptedFiles;
  /** Told whenever a server's tools are found to be others than those that were accepted. */
  changed: (server: string, found: readonly Difference[]) => void;
}

/** The real servers, each connected to at its first call. */
export function createUpstreams({ servers, accepted, changed, ...options }: UpstreamOptions): UpstreamPort {
  /** What each server offers now, by its own names: the hash of each definition. */
  const offered = new Map<string, ReadonlyMap<string, string>>();
  const told = new Map<string, string>();
  const connections = new Map<string, Connection>();

  const connectionTo = (tool: UpstreamTool): Connection => {
    const known = connections.get(tool.server);
    if (known) return known;
    const server = servers.find(({ key }) => key === tool.server);
    if (!server) throw notAccepted(tool);
    const made = connection({
      ...options,
      server,
      async check(session) {
        // Until it is known what there is, nothing of it is called.
        offered.delete(server.key);
        const now = await session.list();
        // One name for two tools is the name of none.
        const isTwice = (name: string) => now.filter((said) => said.name === name).length > 1;
        offered.set(server.key, new Map(now.map((said) => [said.name, isTwice(said.name) ? '' : hashOf(said)])));
        const then = accepted.read(server.key)?.tools.map((each) => each.definition) ?? [];
        const found = differences(then, now);
        const digest = JSON.stringify(found);
        if (found.length > 0 && told.get(server.key) !== digest) changed(server.key, found);
        told.set(server.key, digest);
      },
    });
    connections.set(tool.server, made);
    return made;
  };

  /** Read anew each time: what a person takes back is not called from then on. */
  const requireAccepted = (tool: UpstreamTool): void => {
    const entry = accepted.read(tool.server)?.tools.find((each) => each.definition.name === tool.tool);
    if (entry?.hash !== tool.hash) throw notAccepted(tool);
  };

  const requireSame = (tool: UpstreamTool): void => {
    const now = offered.get(tool.server)?.get(tool.tool);
    if (now === tool.hash) return;
    const what = now === undefined ? 'has gone from its server' : 'is not what was accepted any more';
    throw new HoldpointError('denied', `The tool ${tool.name} ${what}, so it is not called.`, {
      rule: 'upstreams',
      hint: `Tell the person: "holdpoint upstream diff ${tool.server}" shows what changed, "holdpoint upstream accept ${tool.server}" accepts it, and then Holdpoint is started again.`,
    });
  };

  return {
    async ready(tool, { signal }) {
      requireAccepted(tool);
      await connectionTo(tool).use(async () => requireSame(tool), signal);
    },
    async call(tool, input, call) {
      requireAccepted(tool);
      return connectionTo(tool).use(async (session) => {
        requireSame(tool);
        return session.call(tool.tool, input, call);
      }, call.signal);
    },
    async close() {
      await Promise.all([...connections.values()].map((each) => each.close()));
    },
  };
}

function notAccepted({ name, server }: UpstreamTool): HoldpointError {
  return new HoldpointError('denied', `The tool ${name} is not among those that were accepted.`, {
    rule: 'upstreams',
    hint: `A person runs "holdpoint upstream accept ${server}" and starts Holdpoint again.`,
  });
}
