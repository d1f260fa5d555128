/** `worker.ts ROOT ID [POINT]`: a server that runs one approved request and is killed, as by kill -9, when it gets to POINT. */
import { callTool, openServer } from './place.ts';

const [root = '', id = '', point] = process.argv.slice(2);
const server = await openServer(root, (at) => {
  if (at === point) process.kill(process.pid, 'SIGKILL');
});
const { envelope } = await callTool(server, 'approval', { action: 'run', id });
process.stdout.write(`${envelope.status} ${envelope.error?.code ?? ''}\n`);
await server.close();
