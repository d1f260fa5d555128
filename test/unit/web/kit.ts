import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

import type { Address } from '../../../src/adapters/web/address.ts';
import { createWeb, type WebSettings } from '../../../src/adapters/web/client.ts';
import type { Call } from '../../../src/adapters/web/port.ts';
import type { HoldpointError } from '../../../src/core/errors.ts';
import type { AnyTool, Ports } from '../../../src/core/tool.ts';
import webFetch from '../../../src/tools/web/web-fetch.ts';
import { newBench, type Bench } from '../server/services.ts';

const POLICY = `
version: 1
name: sample
environments:
  production: { hosts: [shop.example] }
  development: { hosts: [localhost, 127.0.0.1, '*.test', 'metadata.*'] }
rules:
  - id: look
    decision: allow
    when: { kind: host, effect: read, environment: development }
    reason: The health of services is looked at.
    examples: [{ tool: web-fetch, targets: [{ kind: host, id: localhost, effect: read, at: { host: localhost } }], expect: allow }]
`;

export interface Service {
  port: number;
  seen: IncomingMessage[];
  /** Connections that were opened, whether or not a request came. */
  connections: () => number;
}

/** A service on 127.0.0.1 that ends with the test. */
export async function startService(answer: RequestListener, tls?: { cert: string; key: string }): Promise<Service> {
  const seen: IncomingMessage[] = [];
  const listener: RequestListener = (request, response) => {
    seen.push(request);
    answer(request, response);
  };
  const server = tls ? createTlsServer(tls, listener) : createServer(listener);
  let connections = 0;
  server.on('connection', () => connections++);
  await new Promise<void>((done) => {
    server.listen(0, '127.0.0.1', done);
  });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, seen, connections: () => connections };
}

/** A service with the same answer for every path. */
export async function startAnswer(
  body: string | Buffer,
  headers: Record<string, string> = { 'content-type': 'text/plain' },
  status = 200,
): Promise<Service> {
  return startService((_request, response) => response.writeHead(status, headers).end(body));
}

/** A resolver that gives these answers one after the other and keeps the names it was asked for. */
export function newLookup(...answers: string[][]) {
  const asked: string[] = [];
  return {
    asked,
    lookup: async (host: string): Promise<Address[]> => {
      const answer = answers[Math.min(asked.length, answers.length - 1)] ?? [];
      asked.push(host);
      return answer.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
    },
  };
}

export interface WebBench extends Bench {
  result(args: object): Promise<Record<string, unknown>>;
  /** The error of a call that must fail. */
  refusal(args: object): Promise<{ code: string; reason: string; hint?: string | undefined }>;
}

/** Dispatch with web-fetch, and a policy that allows 127.0.0.1, localhost and *.test, and metadata.*. */
export async function newWebBench(settings: WebSettings = {}): Promise<WebBench> {
  const tool = webFetch as unknown as AnyTool;
  const bench = await newBench({
    registry: new Map([[tool.name, tool]]),
    ports: { web: createWeb(settings) } as Ports,
  });
  bench.setPolicy(POLICY);
  onTestFinished(async () => bench.close());
  return {
    ...bench,
    async result(args) {
      const { envelope } = await bench.call('web-fetch', args);
      if (envelope.status !== 'done') throw new Error(JSON.stringify(envelope));
      return envelope.result ?? {};
    },
    async refusal(args) {
      const { envelope } = await bench.call('web-fetch', args);
      if (!envelope.error) throw new Error(JSON.stringify(envelope));
      return envelope.error;
    },
  };
}

/** A call's own part, for the adapter without dispatch. */
export const CALL: Call = { callId: 'call-7', signal: new AbortController().signal, redact: (said) => said };

/** The error code of a promise that must be refused; `done` where it is not. */
export async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'done',
    (error: HoldpointError) => error.code,
  );
}
