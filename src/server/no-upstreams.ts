import { existsSync } from 'node:fs';
import { join } from 'node:path';

import type { UpstreamPort } from '../adapters/upstream/port.ts';
import type { Config } from '../config/config.ts';
import { HoldpointError } from '../core/errors.ts';
import type { Persona } from '../personas/persona.ts';
import type { ServedUpstreams, serveUpstreams } from './upstream-serving.ts';

const none = async (): Promise<never> => {
  throw new HoldpointError('not_found', 'There are no upstream servers.');
};

/** Where nothing names another server: none of what serves them is loaded. */
export const NO_UPSTREAMS: UpstreamPort = { ready: none, call: none, close: async () => {} };

/** Where a persona names servers itself. */
export function ownFile({ folder }: Pick<Persona, 'folder'>): string {
  return join(folder, 'mcp.json');
}

/** What there is of other servers; undefined where neither the settings nor the persona name any. */
export async function upstreamsOf(
  config: Config,
  persona: Persona,
  ...told: [log: Parameters<typeof serveUpstreams>[2], record: Parameters<typeof serveUpstreams>[3]]
): Promise<ServedUpstreams | undefined> {
  if (config.upstreams.file === undefined && (persona.upstreams.length === 0 || !existsSync(ownFile(persona))))
    return undefined;
  const { serveUpstreams: serve } = await import('./upstream-serving.ts');
  return serve(config, persona, ...told);
}
