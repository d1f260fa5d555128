import { ProtocolError, ProtocolErrorCode } from '@modelcontextprotocol/server';

import { asHoldpointError } from '../core/errors.ts';
import type { Services } from './services.ts';

/**
 * Around what answers a request that is no tool call: it begins when all that redaction knows is loaded, and is refused with
 * our words alone; what else was thrown is in the log.
 */
export type Safely = <A extends unknown[], R>(handle: (...given: A) => Promise<R>) => (...given: A) => Promise<R>;

export function createSafely({ log, redactor }: Pick<Services, 'log' | 'redactor'>): Safely {
  return (handle) =>
    async (...given) => {
      try {
        await redactor.ready();
        return await handle(...given);
      } catch (thrown) {
        if (thrown instanceof ProtocolError) throw thrown;
        const error = asHoldpointError(thrown);
        if (error.code === 'internal') log('error', { err: error.cause }, error.message);
        const text = error.hint === undefined ? error.message : `${error.message} ${error.hint}`;
        throw new ProtocolError(ProtocolErrorCode.InternalError, redactor.text(text));
      }
    };
}
