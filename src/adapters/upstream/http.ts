import type { FetchLike } from '@modelcontextprotocol/client';

/** Bytes of one answer; of a stream that stays open, all that it brings. */
const ANSWER = 4_194_304;
const STREAM = 33_554_432;

/**
 * `fetch` for one server: follows no redirect, and reads no more than is meant to be read. The headers of the operator's file go
 * to that server's origin alone.
 */
export function boundedFetch(origin: string): FetchLike {
  return async (url, init) => {
    if (new URL(url).origin !== origin) throw new Error('asked for another address than its own');
    const response = await fetch(url, { ...init, redirect: 'error' });
    if (response.body === null) return response;
    const most = response.headers.get('content-type')?.startsWith('text/event-stream') ? STREAM : ANSWER;
    let read = 0;
    const counted = response.body.pipeThrough(
      new TransformStream<Uint8Array, Uint8Array>({
        transform(chunk, controller) {
          read += chunk.length;
          if (read > most) controller.error(new Error(`sent more than ${most / 1_048_576} MiB`));
          else controller.enqueue(chunk);
        },
      }),
    );
    return new Response(counted, response);
  };
}
