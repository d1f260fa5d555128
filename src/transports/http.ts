import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostHeaderValidation, originValidation, toNodeHandler } from '@modelcontextprotocol/node';
import {
  createMcpHandler,
  localhostAllowedHostnames,
  type AuthInfo,
  type JSONRPCMessage,
  type McpServerFactory,
} from '@modelcontextprotocol/server';

import { HoldpointError } from '../core/errors.ts';
import { covers, knownScopes, type Scope } from '../core/scopes.ts';
import { createAuthentication, type Access } from './http-auth.ts';
import { createBodies } from './http-body.ts';
import { ambiguity, answerBroken, createPipelines, secure } from './http-guard.ts';
import { MAX_MESSAGE_BYTES } from './message.ts';

const LOOPBACK = new Set(['127.0.0.1', '::1', 'localhost']);
const MAX_HEADER_BYTES = 16_384;
const MAX_CONNECTIONS = 1024;
/** Requests that are being answered, of everybody. */
const MAX_REQUESTS = 512;
/** A body that is not wanted is read to its end up to here, so that the answer arrives; beyond, the connection is closed. */
const MAX_UNWANTED = 1_048_576;

export interface HttpOptions extends Access {
  host: string;
  /** 0 takes a free one. */
  port: number;
  /** Whether a person said who may come in; an address that others reach wants that. */
  tokensConfigured: boolean;
  /** Host names, besides those of a loopback address, that clients may name. */
  allowedHosts: readonly string[];
  factory: McpServerFactory;
  /** Lets a request of a token in until it leaves, or says in how many seconds another one may come. */
  admit?: (auth: AuthInfo) => { leave: () => void } | { reason: string; retryAfter: number };
  /** The scope that a call lacks, where that is certain before it is made. */
  challenge?: (message: JSONRPCMessage, auth: AuthInfo) => Promise<{ scope: Scope; envelope: object } | undefined>;
  /** Whether calls can be answered now; what is wrong otherwise. */
  ready: () => Promise<string | undefined>;
  metrics: () => Promise<string>;
  /** Answers everything at and below `/console`. */
  console?: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
  malformed: (reason: string, begins: string) => void;
  onerror: (error: Error) => void;
  /** Milliseconds that a client may take for its headers and for a whole request, and between looks at that. */
  patience?: { headers: number; request: number; every: number };
}

export interface HttpServer {
  url: string;
  /** Takes no new requests and ends the open ones. */
  close: () => Promise<void>;
}

/**
 * Serves MCP at `/mcp`, and `/health`, `/ready`, `/metrics`, the approvers' console and the metadata for authorization. Host and Origin are checked on
 * every route before anything else; `/mcp` wants a bearer token always, `/metrics` wherever others than this machine could
 * reach it.
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
  const { headers, request: whole, every } = options.patience ?? { headers: 15_000, request: 60_000, every: 5000 };
  const names = [...localhostAllowedHostnames(), ...(local ? [] : [options.host]), ...options.allowedHosts];
  const hostAllowed = hostHeaderValidation(names);
  const originAllowed = originValidation(names);
  const pipelines = createPipelines();
  const readBody = createBodies(options.malformed);
  let url = '';
  const authentication = createAuthentication(options, () => url);
  const mcp = createMcpHandler(options.factory, { maxRequestBodySize: MAX_MESSAGE_BYTES, onerror: options.onerror });
  const handle = toNodeHandler(mcp, { onerror: options.onerror });
  let open = 0;
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    if (!pipelines.take(request, response)) return;
    open++;
    response.once('close', () => open--);
    secure(response);
    const unclear = ambiguity(request);
    if (unclear) return reply(request, response, 400, { error: unclear });
    if (!hostAllowed(request, response) || !originAllowed(request, response)) return undefined;
    if (open > MAX_REQUESTS) return busy(request, response, 503, 'Too many requests are being answered.', 1);
    serve(request, response).catch((error: Error) => {
      options.onerror(error);
      if (!response.headersSent) reply(request, response, 500, { error: 'internal error' });
      else response.end();
    });
    return undefined;
  };
  const server = createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      // Whatever the command line of Node says.
      insecureHTTPParser: false,
      headersTimeout: headers,
      requestTimeout: whole,
      connectionsCheckingInterval: every,
    },
    listener,
  );
  server.maxConnections = MAX_CONNECTIONS;
  server.on('checkExpectation', listener);
  answerBroken(server, pipelines.answering, options.onerror);

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? '/').split('?')[0] ?? '/';
    if (options.console && /^\/console(?:\/|$)/.test(path)) return options.console(request, response);
    const document = path === '/health' ? { status: 'ok' } : authentication.metadata(path);
    if (!document && path !== '/mcp' && path !== '/metrics' && path !== '/ready')
      return reply(request, response, 404, { error: 'not found; MCP is at /mcp' });
    const methods = path === '/mcp' ? ['POST'] : ['GET', 'HEAD'];
    if (!methods.includes(request.method ?? '')) {
      response.setHeader('Allow', methods.join(', '));
      return reply(request, response, 405, { error: `only ${methods.join(' and ')} here` });
    }
    if (document) return reply(request, response, 200, document);
    if (path === '/ready') {
      const problem = await options.ready();
      return reply(
        request,
        response,
        problem ? 503 : 200,
        problem ? { status: 'unavailable', problem } : { status: 'ok' },
      );
    }
    if (path === '/metrics' && local) return showMetrics(response);
    const checked = await authentication.check(request);
    if ('status' in checked) {
      if (checked.challenge) response.setHeader('WWW-Authenticate', checked.challenge);
      if (checked.status === 503) response.setHeader('Retry-After', '5');
      return reply(request, response, checked.status, { error: checked.error });
    }
    const { auth } = checked;
    if (!covers(knownScopes(auth.scopes), 'tools:read')) {
      response.setHeader('WWW-Authenticate', authentication.insufficient('tools:read'));
      return reply(request, response, 403, {
        error: 'insufficient_scope: the token has neither tools:read nor tools:write',
      });
    }
    return path === '/metrics' ? showMetrics(response) : serveMcp(request, response, checked);
  }

  async function serveMcp(
    request: IncomingMessage,
    response: ServerResponse,
    { auth, issued }: { auth: AuthInfo; issued: boolean },
  ): Promise<void> {
    const entry = options.admit?.(auth);
    if (entry && 'reason' in entry) return busy(request, response, 429, entry.reason, entry.retryAfter);
    if (entry) response.once('close', entry.leave);
    const body = await readBody(request);
    if ('status' in body) {
      if (body.retryAfter !== undefined) response.setHeader('Retry-After', body.retryAfter);
      return reply(request, response, body.status, body.answer);
    }
    const { message } = body;
    const lacking = issued ? await options.challenge?.(message, auth) : undefined;
    if (lacking) {
      response.setHeader('WWW-Authenticate', authentication.insufficient(lacking.scope));
      const error = {
        code: -32_000,
        message: `insufficient_scope: ${lacking.scope} is needed`,
        data: lacking.envelope,
      };
      return reply(request, response, 403, { jsonrpc: '2.0', id: 'id' in message ? message.id : null, error });
    }
    const extra = { ...auth.extra, ...(entry ? { admitted: true } : {}) };
    return handle(
      Object.assign(request, { auth: { ...auth, extra } }) as Parameters<typeof handle>[0],
      response,
      message,
    );
  }

  async function showMetrics(response: ServerResponse): Promise<void> {
    response.writeHead(200, { 'Content-Type': 'text/plain; version=0.0.4' }).end(await options.metrics());
  }

  const port = await listen(server, options);
  url = `http://${options.host.includes(':') ? `[${options.host}]` : options.host}:${port}`;
  return {
    url,
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

function busy(
  request: IncomingMessage,
  response: ServerResponse,
  status: 429 | 503,
  reason: string,
  retryAfter: number,
): void {
  response.setHeader('Retry-After', String(retryAfter));
  const error = { code: -32_000, message: `${reason} Try again in ${retryAfter} s.`, data: { retryAfter } };
  reply(request, response, status, { jsonrpc: '2.0', id: null, error });
}

function reply(request: IncomingMessage, response: ServerResponse, status: number, body: object): void {
  if (response.destroyed) return;
  const { 'content-length': length = 0, 'transfer-encoding': coding } = request.headers;
  const wanted = request.complete || (coding === undefined && Number(length) <= MAX_UNWANTED);
  if (!wanted) response.setHeader('Connection', 'close');
  const text = JSON.stringify(body);
  const headers = { 'Content-Type': 'application/json', 'Content-Length': String(Buffer.byteLength(text)) };
  response.writeHead(status, headers).end(text);
}
