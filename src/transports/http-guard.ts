import { STATUS_CODES, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Nothing that is served here is a page; the approvers' console says what it needs itself. */
const HEADERS: Readonly<Record<string, string>> = {
  'Cache-Control': 'no-store, no-transform',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
};

/** Headers that say who asks, where and how much: two of one kind are two readings of one request. */
const ONCE = ['host', 'origin', 'authorization', 'content-type', 'content-length', 'transfer-encoding'] as const;

/** Requests that wait for their answers on one connection. */
const MAX_PIPELINED = 8;

export function secure(response: ServerResponse): void {
  for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
  // The SDK gives streams a Cache-Control of its own, and keeps connections open that their clients want closed.
  const writeHead = response.writeHead.bind(response) as (status: number, headers?: object) => ServerResponse;
  response.writeHead = ((status: number, headers: Record<string, string> = {}) => {
    const rest = Object.entries(headers).filter(([name]) => !/^(?:cache-control|connection)$/i.test(name));
    return writeHead(status, Object.fromEntries(rest));
  }) as typeof response.writeHead;
}

/** What makes a request one that a proxy and this server could read differently; undefined for a clear one. */
export function ambiguity(request: IncomingMessage): string | undefined {
  const twice = ONCE.find((name) => (request.headersDistinct[name]?.length ?? 0) > 1);
  if (twice) return `the header ${twice} is there twice`;
  if (!/^\/(?!\/)/.test(request.url ?? '')) return 'the request target is no path';
  const { expect } = request.headers;
  if (expect !== undefined && expect.toLowerCase() !== '100-continue') return 'the expectation is not known';
  return undefined;
}

/** The answers that each connection still owes. */
export function createPipelines() {
  const owed = new WeakMap<Socket, Set<ServerResponse>>();
  return {
    /** Closes connections that send far ahead of their answers; false where it did. */
    take(request: IncomingMessage, response: ServerResponse): boolean {
      const { socket } = request;
      const open = owed.get(socket) ?? new Set();
      owed.set(socket, open);
      if (open.size >= MAX_PIPELINED) {
        socket.destroy();
        return false;
      }
      open.add(response);
      response.once('close', () => open.delete(response));
      return true;
    },
    /** An answer has begun, so that nothing else may be written in between. */
    answering: (socket: Socket): boolean => [...(owed.get(socket) ?? [])].some(({ headersSent }) => headersSent),
  };
}

/** Answers what Node refuses before it is a request: broken or smuggled framing, headers too large, time over. */
export function answerBroken(
  server: Server,
  answering: (socket: Socket) => boolean,
  onerror: (error: Error) => void,
): void {
  server.on('clientError', (error: NodeJS.ErrnoException, stream) => {
    const socket = stream as Socket;
    if (error.code !== 'ECONNRESET') onerror(error);
    if (socket.writable && !answering(socket)) socket.write(rawAnswer(STATUS[error.code ?? ''] ?? 400));
    socket.destroySoon();
  });
}

/** By Node's code of what it refused; any other is 400. */
const STATUS: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

function rawAnswer(status: number): string {
  const body = JSON.stringify({ error: STATUS_CODES[status]?.toLowerCase() });
  const headers = {
    ...HEADERS,
    'Content-Type': 'application/json',
    'Content-Length': String(Buffer.byteLength(body)),
    Connection: 'close',
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`;
}
