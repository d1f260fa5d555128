import { afterEach, beforeEach, expect, test } from 'vitest';

import { send } from '../../../src/adapters/monitoring/http.ts';
import { CALL, startUpstream, type Upstream } from './kit.ts';

let upstream: Upstream;
beforeEach(async () => {
  upstream = await startUpstream();
});
afterEach(() => upstream.close());

test.each(['grafana', 'prometheus', 'alertmanager'] as const)(
  'A4 requests to %s belong to the trace of the call, where there is one',
  async (system) => {
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    upstream.on('GET /x', {});
    for (const call of [{ ...CALL, traceparent }, CALL])
      await send({ system, url: upstream.url }, { path: '/x' }, call);
    expect(upstream.seen.map(({ headers }) => headers['traceparent'])).toEqual([traceparent, undefined]);
  },
);
