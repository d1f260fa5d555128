import { writeSync } from 'node:fs';

import { callTool, openServer } from './place.ts';

/**
 * `worker.ts ROOT ID [POINT]`: a server that runs one approved request and is killed, as by kill -9, when it gets to POINT.
 * With `tell` after it, it says so on stdout and goes on, and somebody else kills it.
 */
const [root = '', id = '', point, tell] = process.argv.slice(2);
const server = await openServer(root, {
  at: (at) => {
    if (at !== point) return;
    if (tell) writeSync(1, 'there\n');
    else process.kill(process.pid, 'SIGKILL');
  },
});
const { envelope } = await callTool(server, 'approval', { action: 'run', id });
process.stdout.write(`${envelope.status} ${envelope.error?.code ?? ''}\n`);
await server.close();
