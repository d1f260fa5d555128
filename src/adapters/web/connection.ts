import type { LookupFunction } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Agent, Dispatcher } from 'undici';

import type { Address } from './address.ts';
import type { Body } from './body.ts';

const MAX_BODY = 64 * 1024;

/** Connections to one host, at addresses that were checked before; nothing is resolved again. */
export interface Connection {
  /** One request; redirects are answers. */
  send(url: URL, method: 'GET' | 'HEAD', signal: AbortSignal): Promise<Dispatcher.ResponseData>;
  /** When the certificate of the last TLS connection ends, in milliseconds since 1970. */
  certificateEnds(): number | undefined;
  close(): void;
}

/**
 * @param headers sent with every request, beside those of any client.
 * @param limit milliseconds for connecting.
 * @param ca authorities in PEM that are trusted instead of the usual ones.
 */
export async function connectTo(
  addresses: readonly Address[],
  headers: Readonly<Record<string, string>>,
  limit: number,
  ca: string | undefined,
): Promise<Connection> {
  const undici = await import('undici');
  let ends: number | undefined;
  const lookup: LookupFunction = (_host, { all }, done) => {
    const [first] = addresses;
    if (all) done(null, [...addresses]);
    else done(null, first?.address ?? '', first?.family);
  };
  const connect = undici.buildConnector({
    lookup,
    // Whatever the environment says of verification.
    rejectUnauthorized: true,
    allowH2: false,
    timeout: limit,
    // A resumed session shows no certificate.
    maxCachedSessions: 0,
    ...(ca === undefined ? {} : { ca }),
  });
  const agent: Agent = new undici.Agent({
    maxHeaderSize: 16 * 1024,
    connect(options, done) {
      connect(options, (...result) => {
        const [error, socket] = result;
        if (error) return done(error, null);
        if (socket instanceof TLSSocket) ends = Date.parse(socket.getPeerCertificate().valid_to);
        done(null, socket);
      });
    },
  });
  return {
    send: async (url, method, signal) =>
      undici.request(url, {
        dispatcher: agent,
        method,
        signal,
        headers: { accept: '*/*', 'accept-encoding': 'identity', 'user-agent': 'holdpoint', ...headers },
      }),
    certificateEnds: () => ends,
    close() {
      // A connection that is still being made ends after `timeout`; nobody waits for it.
      void agent.destroy();
    },
  };
}

/** The first 64 KB of a body; the connection of a longer one is given up. */
export async function readStart(body: AsyncIterable<Buffer>): Promise<Body> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    size += chunk.byteLength;
    if (size > MAX_BODY) break;
  }
  return { bytes: Buffer.concat(chunks).subarray(0, MAX_BODY), cut: size > MAX_BODY };
}
