import type { Definition } from '../adapters/upstream/definition.ts';
import { connect, type Session } from '../adapters/upstream/session.ts';
import { refuseExposed, type Config, type Flags } from '../config/config.ts';
import { HoldpointError } from '../core/errors.ts';
import { loadPersona } from '../personas/persona.ts';
import { createRedactor, knownSecrets } from '../redact/redact.ts';
import { connecting } from '../server/upstream-serving.ts';
import { readUpstreams, type KnownServer, type Upstreams } from '../server/upstreams.ts';

export interface UpstreamFlags extends Flags {
  json?: boolean;
  yes?: boolean;
  effect?: string[];
}

export async function upstreamsFor(config: Config): Promise<Upstreams> {
  refuseExposed(config);
  return readUpstreams(config, await loadPersona(config.persona));
}

/** @throws HoldpointError `denied` for one that the persona does not name, `not_found` for one that no file does. */
export function allowedServer(name: string, { known }: Upstreams): KnownServer {
  const found = known.find(({ server }) => server.key === name);
  if (found?.allowed) return found;
  throw found
    ? new HoldpointError('denied', `The persona does not name ${name} in its "upstreams", so it is not started.`, {
        hint: 'Name it there, or give another --persona.',
      })
    : new HoldpointError('not_found', `No file of upstream servers names "${name.slice(0, 60)}".`, {
        hint: `Name the file with --mcp-config; there are: ${known.map(({ server }) => server.key).join(', ') || 'none'}.`,
      });
}

/** Starts it, looks, and stops it. */
export async function looked(
  name: string,
  config: Config,
  upstreams: Upstreams,
): Promise<{ definitions: Definition[]; says: Session['says'] }> {
  const { server } = allowedServer(name, upstreams);
  const { around, within } = connecting(config, upstreams);
  const session = await connect(server, around, within, { closed: () => {}, changed: () => {} });
  try {
    return { definitions: await session.list(), says: session.says };
  } finally {
    await session.close();
  }
}

/** Masks the secrets of the settings and of the servers. */
export function maskFor(config: Config, { secrets }: Upstreams): (text: string) => string {
  return createRedactor([...knownSecrets(config), ...secrets]).text;
}
