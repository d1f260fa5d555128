import type { Readable } from 'node:stream';
import { addAbortSignal } from 'node:stream';

import type Docker from 'dockerode';

import { HoldpointError } from '../../core/errors.ts';
import { engineError } from './errors.ts';
import type { Call } from './port.ts';

export interface Bounds {
  /** Of the answer; a larger one is an error. */
  maxBytes?: number;
  /** Milliseconds. */
  timeout?: number;
}

/** What the readers need of an Engine: one bounded GET. */
export interface EngineApi {
  /**
   * @throws HoldpointError `not_found` for what the Engine has not, `timeout`, `upstream` where the answer is too large,
   *   else as engineError says.
   */
  get(path: string, query: Record<string, string>, call: Call, bounds?: Bounds): Promise<Buffer>;
}

const MAX_BYTES = 8 * 1024 * 1024;
const TIMEOUT = 10_000;

interface Modem {
  dial(options: object, done: (error: unknown, answer?: Readable) => void): void;
}

/** The vendor's client, below its calls that read answers of any size and send no headers of ours. */
export function createEngineApi(host: string, connect: () => Promise<Docker>): EngineApi {
  return {
    async get(path, query, call, { maxBytes = MAX_BYTES, timeout = TIMEOUT } = {}) {
      const limit = AbortSignal.timeout(timeout);
      const signal = AbortSignal.any([call.signal, limit]);
      try {
        const answer = await dialled(connect, {
          path: `${path}?`,
          method: 'GET',
          options: query,
          headers: { 'X-Request-Id': call.callId },
          abortSignal: signal,
        });
        return await readWhole(addAbortSignal(signal, answer), maxBytes);
      } catch (error) {
        if (limit.aborted && !call.signal.aborted) {
          throw new HoldpointError('timeout', `The Docker Engine did not answer in ${timeout / 1000} seconds.`, {
            hint: 'Try again; look at the load of its machine.',
            cause: error,
          });
        }
        if (error instanceof Error && 'statusCode' in error && error.statusCode === 404) {
          throw new HoldpointError('not_found', 'The Docker Engine has it no more.', {
            hint: 'List what there is with docker-get.',
            cause: error,
          });
        }
        throw engineError(host, error, call.signal);
      }
    },
  };
}

/** One request below the vendor's calls; its answer as a stream. Any status but 200 is an error with `statusCode`. */
export async function dialled(connect: () => Promise<Docker>, request: object): Promise<Readable> {
  const { modem } = await connect();
  const { promise, resolve, reject } = Promise.withResolvers<Readable>();
  (modem as Modem).dial({ ...request, isStream: true, statusCodes: { 200: true } }, (error, answer) =>
    answer ? resolve(answer) : reject(error),
  );
  return promise;
}

async function readWhole(answer: Readable, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) {
      throw new HoldpointError('upstream', `The Docker Engine's answer is larger than ${maxBytes >> 20} MB.`, {
        hint: 'Ask for less: one name, fewer lines or a shorter time.',
      });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
