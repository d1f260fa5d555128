import { PassThrough, Readable } from 'node:stream';
import type { IncomingMessage } from 'node:http';
import { Server } from '@modelcontextprotocol/server';
import { expect, test } from 'vitest';

import { createBodies } from '../../../src/transports/http-body.ts';
import { startStdio } from '../../../src/transports/stdio.ts';

/** A request whose body comes in these pieces. */
function requestOf(pieces: Iterable<Buffer>): IncomingMessage {
  return Object.assign(Readable.from(pieces, { objectMode: true }), {
    headers: { 'content-type': 'application/json' },
  }) as unknown as IncomingMessage;
}

test.each([1, 1023, 1024, 1025, 5000])(
  'A3: a body of %i pieces of one byte each is read whole, in its order',
  async (more) => {
    const text = JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'ping',
      params: { a: '0123456789'.repeat(more) },
    }).slice(0, -2);
    const whole = `${text}}}`;
    const body = await createBodies(() => {})(requestOf(Array.from(Buffer.from(whole), (byte) => Buffer.of(byte))));
    expect(body).toEqual({ message: JSON.parse(whole) as unknown });
  },
);

test('A3: on stdio nothing more is taken in while more than 16 MiB of answers lie unread, and all is answered once they are read', async () => {
  const [stdin, stdout] = [new PassThrough(), new PassThrough({ highWaterMark: 1024 })];
  startStdio({
    factory: () => new Server({ name: 'none', version: '1' }, { capabilities: {} }),
    stdin,
    stdout,
    malformed: () => {},
    onerror: () => {},
    onclose: () => {},
  });
  const burst = 'x\n'.repeat(10_000);
  let bursts = 0;
  while (!stdin.isPaused() && bursts < 100) {
    stdin.write(burst);
    bursts += 1;
    // oxlint-disable-next-line no-await-in-loop -- each burst is taken before the next
    await new Promise(setImmediate);
  }
  expect(stdin.isPaused()).toBe(true);
  stdin.end(burst);
  let lines = 0;
  for await (const chunk of stdout) {
    lines += (chunk as Buffer).toString().split('\n').length - 1;
    if (lines === (bursts + 1) * 10_000) break;
  }
  expect(lines).toBe((bursts + 1) * 10_000);
});
