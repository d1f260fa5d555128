import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { newPlace, type Place } from '../harness.ts';
import { startConformanceServer, type ConformanceServer } from './server.ts';

let place: Place;
let server: ConformanceServer;
beforeAll(async () => {
  place = newPlace();
  server = await startConformanceServer(place);
});
afterAll(async () => {
  await server.stop();
  place.remove();
});

/** Calls the tool that reports three times on its way, and gives what the client heard meanwhile. */
async function heard(era: 'modern' | 'legacy', meta: Record<string, unknown>) {
  const client = new Client(
    { name: 'holdpoint-tests', version: '1.0.0' },
    era === 'modern' ? { versionNegotiation: { mode: { pin: '2026-07-28' } } } : {},
  );
  const messages: unknown[] = [];
  client.setNotificationHandler('notifications/message', ({ params }) => void messages.push(params));
  client.setNotificationHandler('notifications/progress', ({ params }) => void messages.push(params.message));
  await client.connect(
    new StreamableHTTPClientTransport(new URL(server.url), {
      requestInit: { headers: { Authorization: `Bearer ${server.token}` } },
    }),
  );
  await client.callTool({ name: 'test_tool_with_logging', arguments: {}, _meta: meta });
  await client.close();
  return messages;
}

const said = ['Tool execution started', 'Tool processing data', 'Tool execution completed'];
const logged = said.map((data) => ({ level: 'info', logger: 'test_tool_with_logging', data }));
const LEVEL = 'io.modelcontextprotocol/logLevel';

describe('progress of a call (A1, A6)', () => {
  test.each(['modern', 'legacy'] as const)('%s: under the token that the client gave', async (era) => {
    expect(await heard(era, { progressToken: 'mine', [LEVEL]: 'debug' })).toEqual(said);
  });

  test('2025-11-25 without a token: as log messages', async () => {
    expect(await heard('legacy', {})).toEqual(logged);
  });

  test('2026-07-28 without a token: as log messages, where the request names a level that takes them in', async () => {
    expect(await heard('modern', { [LEVEL]: 'info' })).toEqual(logged);
    expect(await heard('modern', { [LEVEL]: 'error' })).toEqual([]);
    expect(await heard('modern', {})).toEqual([]);
  });
});
