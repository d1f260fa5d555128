import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { boundedFetch } from '../../../src/adapters/upstream/http.ts';

describe('fetch for one upstream server', () => {
  const asked: string[] = [];
  let servers: Server[];
  let origins: string[];

  beforeAll(async () => {
    const started = [0, 1].map((index) =>
      createServer((request, response) => {
        asked.push(`${index} ${request.url} ${request.headers.authorization ?? ''}`.trim());
        if (request.url === '/redirect') response.writeHead(307, { location: `${origins[1]}/stolen` }).end();
        else if (request.url === '/large') response.end(Buffer.alloc(5_000_000));
        else response.end('fine');
      }).listen(0, '127.0.0.1'),
    );
    await Promise.all(started.map((server) => once(server, 'listening')));
    servers = started;
    origins = started.map((server) => `http://127.0.0.1:${(server.address() as { port: number }).port}`);
  });
  afterAll(() => servers.forEach((server) => void server.close()));

  test('B5 D: headers go to the server’s own origin alone, whatever it redirects to', async () => {
    const get = boundedFetch(origins[0] ?? '');
    const init = { headers: { authorization: 'Bearer mine' } };
    expect(await (await get(`${origins[0]}/x`, init)).text()).toBe('fine');
    await expect(get(`${origins[0]}/redirect`, init)).rejects.toThrow();
    await expect(get(`${origins[1]}/x`, init)).rejects.toThrow('another address');
    expect(asked).toEqual(['0 /x Bearer mine', '0 /redirect Bearer mine']);
  });

  test('B5: an answer that is too large is not read to its end', async () => {
    const answer = await boundedFetch(origins[0] ?? '')(`${origins[0]}/large`);
    await expect(answer.arrayBuffer()).rejects.toThrow('more than 4 MiB');
  });
});
