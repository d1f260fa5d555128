import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { join } from 'node:path';

/** Programs that run nothing: each writes down its arguments and prints them. */
const PROGRAMS = [
  'kubectl',
  'docker',
  'gh',
  'helm',
  'terraform',
  'aws',
  'ansible-playbook',
  'npm',
  'pnpm',
  'shuttle',
  'sqlx',
  'curl',
  'systemctl',
  'journalctl',
  'bash',
  'sh',
  'env',
  'xargs',
  'tar',
  'find',
  'ssh',
  'python3',
  'holdpoint',
];

export interface Recorder {
  asked: string[];
  close: () => void;
}

/** Puts recording programs into `folder`. What ran is read by `ran`; where a sandbox hides the record, what a program prints says it. */
export function recordingPrograms(folder: string): { ran: () => string[] } {
  mkdirSync(folder, { recursive: true });
  const record = join(folder, 'record');
  writeFileSync(record, '');
  chmodSync(record, 0o666);
  for (const name of PROGRAMS) {
    const script = `#!/bin/sh\n{ printf 'RAN ${name}'; for a in "$@"; do printf ' [%s]' "$a"; done; printf '\\n'; } | tee -a '${record}' 2>/dev/null\n`;
    // Node's own interpreter line would find the recording sh: the system's is named by its path.
    writeFileSync(join(folder, name), script, { mode: 0o755 });
  }
  return { ran: () => readFileSync(record, 'utf8').split('\n').filter(Boolean) };
}

/** An address that nobody may call: every connection is noted, whatever it says. */
export async function trap(): Promise<Recorder & { port: number }> {
  const asked: string[] = [];
  const server = createServer((socket) => {
    asked.push('connection');
    socket.on('error', () => {});
    socket.end('HTTP/1.1 200 OK\r\nContent-Length: 7\r\nContent-Type: text/plain\r\n\r\ntrapped');
  });
  return { asked, port: await listening(server), close: () => server.close() };
}

/** A Docker Engine that takes what it is sent and builds nothing. `sent` holds the bytes of every build's context. */
export async function recordingEngine(socket: string): Promise<Recorder & { sent: Buffer[] }> {
  const asked: string[] = [];
  const sent: Buffer[] = [];
  const id = `sha256:${'a'.repeat(64)}`;
  const server = createHttpServer((request, response) => {
    const path = (request.url ?? '').replace(/^\/v[\d.]+/, '').split('?')[0] ?? '';
    asked.push(`${request.method} ${path}`);
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const json = (status: number, body: unknown) =>
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      if (path === '/_ping') return response.end('OK');
      // The classic builder: one request with the whole context.
      if (path === '/version') return json(200, { ApiVersion: '1.38', Os: 'linux', Version: '18.06' });
      if (path === '/info') return json(200, { SystemTime: '2026-01-01T00:00:00Z', ID: 'engine', Name: 'engine' });
      if (path === '/build') {
        sent.push(Buffer.concat(chunks));
        return response.end(
          `{"stream":"Step 1/1 : FROM scratch\\n"}\n{"aux":{"ID":"${id}"}}\n{"stream":"Successfully built\\n"}\n`,
        );
      }
      if (path === '/containers/json' || path === '/images/json') return json(200, []);
      if (path.startsWith('/images/') && sent.length > 0) return json(200, { Id: id, Size: 1, RepoTags: [] });
      return json(404, { message: 'no such thing' });
    });
  });
  // What an upgraded connection says stays unread.
  server.on('upgrade', (_request, upgraded) => upgraded.destroy());
  await new Promise<void>((done) => {
    server.listen(socket, done);
  });
  return {
    asked,
    sent,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

function listening(server: Server): Promise<number> {
  return new Promise((done) => {
    server.listen(0, '127.0.0.1', () => done((server.address() as AddressInfo).port));
  });
}
