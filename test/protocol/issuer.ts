import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose';

/** An authorization server's published keys on loopback, and tokens that it signs. */
export interface Issuer {
  issuer: string;
  jwksUri: string;
  /** How often the keys were asked for. */
  asked: () => number;
  /** What the address of the keys answers instead; undefined for the keys. */
  answers: (status: number | undefined, body?: string) => void;
  /** A new key pair; the old one is no longer published. */
  rotate: () => Promise<void>;
  /** A token that is good for `audience`, but for what `over` says; `undefined` leaves a claim out. */
  token: (over?: Record<string, unknown>, header?: Record<string, unknown>) => Promise<string>;
  publicKey: () => JWK;
  close: () => void;
}

export const AUDIENCE = 'https://holdpoint.example/mcp';

export async function startIssuer(): Promise<Issuer> {
  let key: CryptoKey;
  let jwk: JWK;
  let kid = 0;
  let asked = 0;
  let instead: { status: number; body: string } | undefined;
  const rotate = async () => {
    const pair = await generateKeyPair('ES256');
    key = pair.privateKey;
    jwk = { ...(await exportJWK(pair.publicKey)), kid: `key-${++kid}`, use: 'sig', alg: 'ES256' };
  };
  await rotate();
  const server: Server = createServer((_request, response) => {
    asked++;
    response
      .writeHead(instead?.status ?? 200, { 'content-type': 'application/json', location: '/elsewhere' })
      .end(instead?.body ?? JSON.stringify({ keys: [jwk] }));
  });
  await new Promise<void>((done) => {
    server.listen(0, '127.0.0.1', done);
  });
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    issuer,
    jwksUri: `${issuer}/keys`,
    asked: () => asked,
    answers(status, body = '') {
      instead = status === undefined ? undefined : { status, body };
    },
    rotate,
    async token(over = {}, header = {}) {
      const now = Math.floor(Date.now() / 1000);
      const claims: Record<string, unknown> = {
        iss: issuer,
        aud: AUDIENCE,
        sub: 'ann',
        client_id: 'claude',
        scope: 'tools:read tools:write',
        exp: now + 300,
        ...over,
      };
      return new SignJWT(claims)
        .setProtectedHeader({ alg: 'ES256', kid: `key-${kid}`, typ: 'at+jwt', ...header })
        .sign(key);
    },
    publicKey: () => jwk,
    close: () => server.close(),
  };
}
