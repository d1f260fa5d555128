import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostHeaderValidation, originValidation, toNodeHandler } from '@modelcontextprotocol/node';
import {
  createMcpHandler,
  localhostAllowedHostnames,
  type AuthInfo,
  type McpServerFactory,
} from '@modelcontextprotocol/server';

import { HoldpointError } from '../core/errors.ts';
import { complaintOf } from './complaint.ts';

/** Characters of a refused message that the log may look at. */
const BEGINS = 4096;

const MAX_BODY_BYTES = 33_554_432;
const LOOPBACK = new Set(['127.0.0.1', '::1', 'localhost']);

interface HttpToken {
  /** Who a bearer of the token is: the client's name in its principal. */
  name: string;
  value: string;
}

export interface HttpOptions {
  host: string;
  /** 0 takes a free one. */
  port: number;
  tokens: readonly HttpToken[];
  /** Whether a person set the tokens; an address that others reach wants that. */
  tokensConfigured: boolean;
  /** Host names, besides those of a loopback address, that clients may name. */
  allowedHosts: readonly string[];
  factory: McpServerFactory;
  /** Whether calls can be answered now; what is wrong otherwise. */
  ready: () => Promise<string | undefined>;
  metrics: () => Promise<string>;
  malformed: (reason: string, begins: string) => void;
  onerror: (error: Error) => void;
}

export interface HttpServer {
  url: string;
  /** Takes no new requests and ends the open ones. */
  close: () => Promise<void>;
}

/**
 * Serves MCP at `/mcp`, and `/health`, `/ready` and `/metrics`. Host and Origin are checked on every route before anything
 * else; `/mcp` wants a bearer token always, `/metrics` wherever others than this machine could reach it.
 *
 * @throws HoldpointError `invalid_input` for an address beyond loopback without a configured token, `unavailable` for a port that is taken.
 */
export async function startHttp(options: HttpOptions): Promise<HttpServer> {
  const local = LOOPBACK.has(options.host);
  if (!local && !options.tokensConfigured)
    throw new HoldpointError(
      'invalid_input',
      `Listening on ${options.host} lets others reach Holdpoint, and no token is configured.`,
      {
        hint: 'Set HOLDPOINT_TOKEN (16 characters or more; `openssl rand -hex 32`), or listen on 127.0.0.1.',
      },
    );
  const names = [...localhostAllowedHostnames(), ...(local ? [] : [options.host]), ...options.allowedHosts];
  const hostAllowed = hostHeaderValidation(names);
  const originAllowed = originValidation(names);
  const mcp = createMcpHandler(options.factory, { maxRequestBodySize: MAX_BODY_BYTES, onerror: options.onerror });
  const handle = toNodeHandler(mcp);
  const server = createServer((request, response) => {
    response.setHeader('X-Content-Type-Options', 'nosniff');
    response.setHeader('Cache-Control', 'no-store');
    if (!hostAllowed(request, response) || !originAllowed(request, response)) return;
    serve(request, response).catch((error: Error) => {
      options.onerror(error);
      if (!response.headersSent) reply(response, 500, { error: 'internal error' });
      else response.end();
    });
  });
  server.requestTimeout = 60_000;
  server.headersTimeout = 15_000;

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    if (pathname === '/health') return reply(response, 200, { status: 'ok' });
    if (pathname === '/ready') {
      const problem = await options.ready();
      return reply(response, problem ? 503 : 200, problem ? { status: 'unavailable', problem } : { status: 'ok' });
    }
    if (pathname !== '/mcp' && pathname !== '/metrics')
      return reply(response, 404, { error: 'not found; MCP is at /mcp' });
    const auth = authenticate(request, options.tokens);
    if (!auth && (pathname === '/mcp' || !local)) {
      response.setHeader('WWW-Authenticate', 'Bearer realm="holdpoint"');
      return reply(response, 401, {
        error: 'a bearer token is needed: "Authorization: Bearer TOKEN"; Holdpoint printed it when it started',
      });
    }
    if (pathname === '/metrics') {
      response.writeHead(200, { 'Content-Type': 'text/plain; version=0.0.4' }).end(await options.metrics());
      return undefined;
    }
    const body = request.method === 'POST' ? await readJson(request, response, options.malformed) : undefined;
    if (body === REFUSED) return undefined;
    return handle(Object.assign(request, auth ? { auth } : {}) as Parameters<typeof handle>[0], response, body);
  }

  const port = await listen(server, options);
  return {
    url: `http://${options.host.includes(':') ? `[${options.host}]` : options.host}:${port}`,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      await mcp.close();
      server.closeIdleConnections();
      setTimeout(() => server.closeAllConnections(), 1000).unref();
      await closed;
    },
  };
}

function listen(server: Server, { host, port }: HttpOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const taken = cause.code === 'EADDRINUSE';
      reject(
        new HoldpointError(
          'unavailable',
          `Cannot listen on ${host}:${port}${taken ? ': the port is taken' : `: ${cause.code ?? cause.message}`}.`,
          { hint: 'Give another address: --http 127.0.0.1:PORT (0 takes a free one).', cause },
        ),
      );
    });
    server.listen({ host, port }, () => resolve((server.address() as AddressInfo).port));
  });
}

/** The token's bearer; undefined where there is none. Compares digests, so that the time says nothing about the value. */
function authenticate(request: IncomingMessage, tokens: readonly HttpToken[]): AuthInfo | undefined {
  const given = /^Bearer ([\x21-\x7e]{1,4096})$/i.exec(request.headers.authorization ?? '')?.[1];
  if (given === undefined) return undefined;
  const digest = (text: string) => createHash('sha256').update(text).digest();
  const found = tokens.filter((token) => timingSafeEqual(digest(token.value), digest(given)))[0];
  return found ? { token: 'checked', clientId: found.name, scopes: [] } : undefined;
}

const REFUSED = Symbol('refused');

async function readJson(
  request: IncomingMessage,
  response: ServerResponse,
  malformed: HttpOptions['malformed'],
): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const refuse = (status: number, code: number, message: string, begins: string) => {
    malformed(message, begins);
    response.setHeader('Connection', 'close');
    reply(response, status, { jsonrpc: '2.0', id: null, error: { code, message } });
    return REFUSED;
  };
  if (!/^application\/json(?:\s*;|$)/i.test(request.headers['content-type'] ?? ''))
    return refuse(415, -32600, 'The content type must be application/json.', '');
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES)
      return refuse(
        413,
        -32600,
        `The body is larger than ${MAX_BODY_BYTES / 1_048_576} MiB.`,
        chunks[0]?.subarray(0, BEGINS).toString() ?? '',
      );
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString('utf8');
  try {
    const message: unknown = JSON.parse(text);
    const complaint = complaintOf(message);
    if (complaint) malformed(complaint, text.slice(0, BEGINS));
    return message;
  } catch {
    return refuse(400, -32700, 'Parse error: the body is no JSON.', text.slice(0, BEGINS));
  }
}

function reply(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
}
