/**
 * `runner.ts ROOT`: a whole server process that takes orders. Each line on stdin, `ID N`, is N `run` calls of a request at
 * once; a line of JSON answers it: how often which answer was given.
 */
import { createInterface } from 'node:readline';

import { callTool, openServer } from './place.ts';

const server = await openServer(process.argv[2] ?? '', { patience: 60_000 });
process.stdout.write('ready\n');
for await (const line of createInterface({ input: process.stdin })) {
  const [id = '', times] = line.split(' ');
  const calls = Array.from({ length: Number(times) }, () => callTool(server, 'approval', { action: 'run', id }));
  const counts: Record<string, number> = {};
  for (const { envelope } of await Promise.all(calls)) {
    const answer = envelope.error?.code ?? envelope.status;
    counts[answer] = (counts[answer] ?? 0) + 1;
  }
  process.stdout.write(`${JSON.stringify(counts)}\n`);
}
await server.close();
