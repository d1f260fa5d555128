import type { ServerResponse } from 'node:http';

import { HoldpointError } from '../core/errors.ts';
import type { Store } from '../store/store.ts';

const EVERY = 1000;
/** Without a line for so long, a proxy in between may close the connection. */
const SAY_AT_LEAST = 15_000;
const MAX_STREAMS = 64;

interface Stream {
  response: ServerResponse;
  /** Whether its session still lasts. */
  open: () => boolean;
  said: string;
  at: number;
}

/**
 * Tells open pages that something changed: a line of JSON `{ version }` each time the audit log has grown, for whatever
 * happens to a request is written there, whichever process did it. The store is looked at only while a page listens.
 */
export function createChanges(store: Store, now: () => number) {
  const streams = new Set<Stream>();
  let timer: NodeJS.Timeout | undefined;

  const look = async () => {
    const [row] = await store.query<{ writers: number; records: number | null }>(
      'SELECT count(*) AS writers, sum(seq) AS records FROM audit_heads',
    );
    const version = `${row?.writers ?? 0}.${row?.records ?? 0}`;
    for (const stream of streams) {
      if (!stream.open()) stream.response.end();
      else if (stream.said !== version || now() - stream.at >= SAY_AT_LEAST) {
        stream.said = version;
        stream.at = now();
        stream.response.write(`${JSON.stringify({ version })}\n`);
      }
    }
  };

  const later = () => {
    timer = setTimeout(() => {
      // A store that is busy is looked at again a second later.
      void look()
        .catch(() => undefined)
        .then(() => (streams.size > 0 ? later() : (timer = undefined)));
    }, EVERY);
    timer.unref();
  };

  return {
    /** @throws HoldpointError `rate_limited` where too many pages listen already. */
    async listen(response: ServerResponse, open: () => boolean): Promise<void> {
      if (streams.size >= MAX_STREAMS)
        throw new HoldpointError('rate_limited', 'Too many consoles are open.', { hint: 'Close some of them.' });
      response.setHeader('X-Accel-Buffering', 'no');
      response.writeHead(200, { 'Content-Type': 'application/x-ndjson' });
      const stream: Stream = { response, open, said: '', at: 0 };
      streams.add(stream);
      response.once('close', () => streams.delete(stream));
      await look();
      if (timer === undefined) later();
    },
  };
}
