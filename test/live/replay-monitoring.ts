import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { createServer as createSocket, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';

import { ROOT } from '../harness.ts';
import { get, until } from './replay-world.ts';

/** Where the monitoring of one replay will listen; chosen before the files that name the places are written. */
export interface Ports {
  prometheus: number;
  alertmanager: number;
  shapes: number;
  /** Grafana as Holdpoint is told of it: the shapes, with a Loki before them. */
  grafana: number;
  webhook: number;
}

export async function freePorts(): Promise<Ports> {
  const sockets = await Promise.all(
    [1, 2, 3, 4, 5].map(async () => {
      const socket = createSocket().listen(0, '127.0.0.1');
      await once(socket, 'listening');
      return socket;
    }),
  );
  const [prometheus = 0, alertmanager = 0, shapes = 0, grafana = 0, webhook = 0] = sockets.map(
    (socket) => (socket.address() as AddressInfo).port,
  );
  await Promise.all(sockets.map(async (socket) => once(socket.close(), 'close')));
  return { prometheus, alertmanager, shapes, grafana, webhook };
}

/** Every notification that Alertmanager has sent to the team's webhook. */
interface Notification {
  status: string;
  alerts: { labels: Record<string, string>; annotations: Record<string, string> }[];
}

export interface Monitoring {
  notifications: Notification[];
  stop: () => Promise<void>;
}

/**
 * Starts a real Prometheus and a real Alertmanager with the files that the agent wrote, the receiver of the team's webhook,
 * and in Grafana's place the shapes of its API, with the recorded answer of a Loki (as Loki's API reference has it).
 *
 * @param data a folder for their state.
 * @param lines what the recorded Loki has to tell.
 */
export async function startMonitoring(
  ports: Ports,
  files: { prometheus: string; alertmanager: string },
  data: string,
  lines: readonly string[],
): Promise<Monitoring> {
  const notifications: Notification[] = [];
  const at = (port: number) => `127.0.0.1:${port}`;
  const programs: ChildProcess[] = [
    start('prometheus-alertmanager', [
      `--config.file=${files.alertmanager}`,
      `--storage.path=${join(data, 'alertmanager')}`,
      `--web.listen-address=${at(ports.alertmanager)}`,
      '--cluster.listen-address=',
    ]),
    start('prometheus', [
      `--config.file=${files.prometheus}`,
      `--storage.tsdb.path=${join(data, 'prometheus')}`,
      `--web.listen-address=${at(ports.prometheus)}`,
    ]),
    start(process.execPath, [
      join(ROOT, 'scripts/live/grafana-shapes.mjs'),
      at(ports.shapes),
      `http://${at(ports.prometheus)}`,
      `http://${at(ports.alertmanager)}`,
    ]),
  ];
  const servers: Server[] = [await receiver(ports.webhook, notifications), await withLoki(ports, lines)];
  for (const [port, path] of [
    [ports.alertmanager, '/-/ready'],
    [ports.prometheus, '/-/ready'],
    [ports.grafana, '/api/health'],
  ] as const)
    await until(
      () => get(port, path),
      (answer) => answer?.status === 200,
    );
  return {
    notifications,
    async stop() {
      for (const server of servers) server.closeAllConnections();
      await Promise.all(servers.map(async (server) => once(server.close(), 'close')));
      await Promise.all(
        programs.map(async (program) => {
          if (program.exitCode === null && program.kill()) await once(program, 'exit');
        }),
      );
    },
  };
}

function start(program: string, args: string[]): ChildProcess {
  return spawn(program, args, { stdio: 'ignore' });
}

async function receiver(port: number, notifications: Notification[]): Promise<Server> {
  const server = createServer((request, response) => {
    void (async () => {
      notifications.push((await json(request)) as Notification);
      response.end();
    })();
  }).listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

/** The shapes of Grafana's API with one data source more. */
async function withLoki(ports: Ports, lines: readonly string[]): Promise<Server> {
  const logs = { id: 2, uid: 'logs', orgId: 1, name: 'Logs', type: 'loki', access: 'proxy', isDefault: false };
  const behind = `http://127.0.0.1:${ports.shapes}`;
  const server = createServer((request, response) => {
    const reply = (body: unknown) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    void (async () => {
      const { method = 'GET', url = '/', headers } = request;
      if (url === '/api/datasources') {
        reply([...((await (await fetch(`${behind}${url}`)).json()) as object[]), logs]);
      } else if (url.startsWith('/api/datasources/proxy/uid/logs/loki/api/v1/query_range')) {
        const newest = BigInt(Date.now()) * 1_000_000n;
        const values = lines.map((line, index) => [String(newest - BigInt(index) * 1_000_000n), line]);
        const result = [{ stream: { app: 'tta-api' }, values }];
        reply({ status: 'success', data: { resultType: 'streams', result, stats: {} } });
      } else {
        const body = method === 'POST' ? JSON.stringify(await json(request)) : null;
        const type = headers['content-type'] ?? 'application/json';
        const answer = await fetch(`${behind}${url}`, { method, body, headers: { 'content-type': type } });
        response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text());
      }
    })().catch((error: unknown) => response.writeHead(502).end(String(error)));
  }).listen(ports.grafana, '127.0.0.1');
  await once(server, 'listening');
  return server;
}
