import { HoldpointError } from '../../core/errors.ts';
import type { CheckpointPlace } from '../checkpoints.ts';

/** Somebody else's server, which takes each checkpoint as a JSON body. Its address may hold a token and is never shown whole. */
export function webhookPlace(url: string): CheckpointPlace {
  const { host } = new URL(url);
  return {
    name: `webhook ${host}`,
    async write(line, signal) {
      // What an error says may hold the address; the host is all that anybody needs.
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: line,
        redirect: 'manual',
        signal,
      }).catch((thrown: unknown) => {
        const { code } = ((thrown as Error).cause ?? {}) as { code?: string };
        throw new HoldpointError('unavailable', `${host} could not be reached${code ? ` (${code})` : ''}`);
      });
      await response.body?.cancel();
      if (!response.ok) throw new HoldpointError('upstream', `${host} answered ${response.status}`);
    },
  };
}
