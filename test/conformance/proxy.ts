import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface TokenProxy {
  /** The server's address, reached through the proxy. */
  url: string;
  close: () => void;
}

/**
 * A loopback proxy that adds the bearer token, for a client that cannot send one. All else passes as it is, Host and Origin
 * included, so that the server's checks of them are still the server's.
 */
export async function withToken(url: string, token: string): Promise<TokenProxy> {
  const { hostname, port, pathname } = new URL(url);
  const proxy = createServer((incoming, outgoing) => {
    const headers = { ...incoming.headers, authorization: `Bearer ${token}` };
    const sent = request({ hostname, port, path: incoming.url, method: incoming.method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    sent.on('error', () => outgoing.destroy());
    outgoing.on('close', () => sent.destroy());
    incoming.pipe(sent);
  });
  await new Promise<void>((done) => proxy.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}${pathname}`,
    close() {
      proxy.close();
      proxy.closeAllConnections();
    },
  };
}
