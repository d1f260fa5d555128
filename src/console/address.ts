import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';

import { HoldpointError } from '../core/errors.ts';
import { privateDirectory } from '../store/directory.ts';

const IP = /^(?:\[.*\]|\d{1,3}(?:\.\d{1,3}){3})$/;
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/** Where a browser has the console open: what passkeys and cookies belong to. */
export interface Place {
  /** `https://holdpoint.example` */
  origin: string;
  /** WebAuthn's relying party: the host name. */
  rpId: string;
  secure: boolean;
}

/**
 * The place that a change comes from, by its Origin header.
 *
 * @param publicUrl what the operator says the console's address is, where a proxy is in front
 * @throws HoldpointError `denied` for any other origin, and for one where passkeys do not work.
 */
export function placeOf(request: IncomingMessage, publicUrl: string | undefined): Place {
  const given = request.headers.origin ?? '';
  const url = URL.canParse(given) ? new URL(given) : undefined;
  const known =
    url !== undefined &&
    url.origin === given &&
    (url.host === request.headers.host?.toLowerCase() ||
      (publicUrl !== undefined && url.origin === new URL(publicUrl).origin));
  if (!known)
    throw new HoldpointError('denied', 'This was not sent by the console’s own page.', {
      hint: 'Open the console at its own address. Behind a proxy, set console.url to the address that people use.',
    });
  const secure = url.protocol === 'https:';
  if (!secure && !(url.protocol === 'http:' && LOOPBACK.test(url.hostname)))
    throw new HoldpointError('denied', 'The console works over HTTPS, or at http://localhost.', {
      hint: 'Put a proxy that ends TLS in front of Holdpoint and set console.url to its address.',
    });
  if (IP.test(url.hostname))
    throw new HoldpointError('denied', 'Passkeys belong to a name, and this address is a number.', {
      hint: 'Open the console by its name, such as http://localhost with the same port.',
    });
  return { origin: url.origin, rpId: url.hostname, secure };
}

/** Passkeys do not work at `127.0.0.1`: the same address by its name; undefined where the request names none by number. */
export function namedAddress(request: IncomingMessage): string | undefined {
  const host = request.headers.host ?? '';
  const url = URL.canParse(`http://${host}`) ? new URL(`http://${host}`) : undefined;
  return url && IP.test(url.hostname) && LOOPBACK.test(url.hostname) ? byName(url.origin) : undefined;
}

/** The console's address: what the operator set, else where the server listens on this machine; beyond, nobody knows it. */
export function consoleUrl(listening: string, publicUrl: string | undefined): string | undefined {
  if (publicUrl !== undefined) return `${publicUrl}/console`;
  return LOOPBACK.test(new URL(listening).hostname) ? `${byName(listening)}/console` : undefined;
}

function byName(address: string): string {
  const url = new URL(address);
  if (LOOPBACK.test(url.hostname)) url.hostname = 'localhost';
  return url.origin;
}

/** Says where the console is, for `holdpoint console link`: among the keys, since people send one-time links there. */
export function rememberAddress(keysDir: string, url: string): void {
  privateDirectory(keysDir);
  const draft = join(keysDir, `console-url.${randomBytes(8).toString('hex')}.draft`);
  writeFileSync(draft, `${url}\n`, { mode: 0o600, flag: 'wx' });
  renameSync(draft, join(keysDir, 'console-url'));
}

/** Where a server last served the console; undefined where none did. */
export function rememberedAddress(keysDir: string): string | undefined {
  try {
    return readFileSync(join(keysDir, 'console-url'), 'utf8').trim() || undefined;
  } catch {
    return undefined;
  }
}
