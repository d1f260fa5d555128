import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { loadConfig, type Config, type Flags } from '../../../src/config/config.ts';
import type { Finding } from '../../../src/doctor/check.ts';

/** Folders of one test, and the configuration over them. */
export interface Patient {
  home: string;
  workspace: string;
  config(flags?: Flags, env?: Record<string, string>): Config;
  remove(): void;
}

export function newPatient(): Patient {
  const home = mkdtempSync(join(tmpdir(), 'holdpoint-doctor-'));
  const workspace = join(home, 'project');
  mkdirSync(workspace);
  return {
    home,
    workspace,
    config: (flags = {}, env = {}) =>
      loadConfig(
        { workspace, state: join(home, 'state'), ...flags },
        { HOME: home, DOCKER_HOST: `unix://${join(home, 'no.sock')}`, PATH: process.env['PATH'], ...env },
      ),
    remove: () => rmSync(home, { recursive: true, force: true }),
  };
}

/** A server on a free port, or a socket, that stands for a system; `asked` are its requests so far. */
export async function standIn(
  answers: Record<string, unknown>,
  {
    where = 0,
    status = 200,
    headers = {},
  }: { where?: number | string; status?: number; headers?: Record<string, string> } = {},
): Promise<{ url: string; asked: IncomingMessage[]; close: () => Promise<void> }> {
  const asked: IncomingMessage[] = [];
  const listener: RequestListener = (request, response) => {
    asked.push(request);
    const answer = answers[request.url ?? ''];
    response.writeHead(answer === undefined ? 404 : status, headers);
    response.end(typeof answer === 'string' ? answer : JSON.stringify(answer ?? {}));
  };
  const server = createServer(listener);
  await new Promise<void>((done) => {
    if (typeof where === 'string') server.listen(where, done);
    else server.listen(where, '127.0.0.1', done);
  });
  const address = server.address();
  return {
    url: typeof address === 'object' && address !== null ? `http://127.0.0.1:${address.port}` : '',
    asked,
    async close() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

export function about(findings: readonly Finding[], what: string): Finding {
  const found = findings.find((finding) => finding.what === what);
  if (found === undefined) throw new Error(`nothing about ${what} in ${JSON.stringify(findings, null, 1)}`);
  return found;
}
