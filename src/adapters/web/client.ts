import type { Dispatcher } from 'undici';

import { HoldpointError } from '../../core/errors.ts';
import { checkAddresses, isOwn, namingOf, type Address } from './address.ts';
import { headerText, mediaType, readBody } from './body.ts';
import { connectTo, readStart, type Connection } from './connection.ts';
import { tooSlow, unreachable } from './errors.ts';
import type { Call, WebPort, WebReply, WebRequest } from './port.ts';
import { redirectFrom } from './redirects.ts';
import { hostOf } from './url.ts';

export interface WebSettings {
  /** Names that may have private addresses: exact, or `*.suffix`. */
  privateHosts?: readonly string[];
  /** Authorities in PEM that are trusted instead of the usual ones. */
  ca?: string;
  /** All addresses of a name; `dns.lookup` of the system without it. */
  lookup?: (host: string) => Promise<readonly Address[]>;
  /** Milliseconds for a whole call. */
  limit?: number;
  /** Milliseconds since 1970. */
  now?: () => number;
}

const LIMIT = 10_000;
const MAX_REDIRECTS = 3;
const DAY = 86_400_000;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** Fetches from services to see how they are. Nothing is loaded or resolved before the first call. */
export function createWeb(settings: WebSettings = {}): WebPort {
  const { limit = LIMIT, now = Date.now } = settings;
  return {
    async fetch(request, call) {
      const timer = AbortSignal.timeout(limit);
      const signal = AbortSignal.any([call.signal, timer]);
      const visit: Visit = { url: new URL(request.url), followed: 0, began: now() };
      let connection: Connection | undefined;
      try {
        const { addresses, own } = await checked(hostOf(visit.url), settings, signal);
        connection = await connectTo(addresses, headersOf(call, own), limit, settings.ca);
        return await answerOf(visit, request, connection, { ...call, signal }, now);
      } catch (cause) {
        if (cause instanceof HoldpointError) throw cause;
        if (call.signal.aborted) throw new HoldpointError('timeout', 'The call was cancelled.', { cause });
        throw timer.aborted ? tooSlow(visit.url, limit, visit.status) : unreachable(visit.url, cause);
      } finally {
        connection?.close();
      }
    },
  };
}

/** How far a fetch has come; what went wrong is said of where it was. */
interface Visit {
  url: URL;
  followed: number;
  began: number;
  /** Of the answer whose body is being read. */
  status?: number;
}

function headersOf({ callId, traceparent }: Call, own: boolean): Record<string, string> {
  return { 'x-request-id': callId, ...(own && traceparent !== undefined ? { traceparent } : {}) };
}

/**
 * The addresses of a host, resolved once and all checked: these and no others are connected to; and whether it is a service
 * of one's own.
 */
async function checked(
  host: string,
  settings: WebSettings,
  signal: AbortSignal,
): Promise<{ addresses: readonly Address[]; own: boolean }> {
  const { default: ipaddr } = await import('ipaddr.js');
  const naming = namingOf(ipaddr, host, settings.privateHosts ?? []);
  const addresses =
    naming === 'literal'
      ? [{ address: host, family: host.includes(':') ? 6 : 4 }]
      : await before(signal, (settings.lookup ?? systemLookup)(host));
  if (addresses.length === 0) throw Object.assign(new Error('no addresses'), { code: 'ENODATA' });
  checkAddresses(ipaddr, host, naming, addresses);
  return { addresses, own: isOwn(ipaddr, naming, addresses) };
}

async function systemLookup(host: string): Promise<readonly Address[]> {
  const { lookup } = await import('node:dns/promises');
  return lookup(host, { all: true });
}

/** Neither the system's resolver nor undici while it connects can be stopped; they are then not waited for. */
async function before<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  signal.throwIfAborted();
  const stopped = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
  return Promise.race([work, stopped]);
}

async function answerOf(
  visit: Visit,
  request: WebRequest,
  connection: Connection,
  call: Call,
  now: () => number,
): Promise<WebReply> {
  for (;;) {
    const answer = await before(call.signal, connection.send(visit.url, request.method, call.signal));
    const ms = Math.round(now() - visit.began);
    const redirect = redirectOf(visit, answer);
    if (!redirect || 'to' in redirect) {
      visit.status = answer.statusCode;
      const ends = visit.url.protocol === 'https:' ? connection.certificateEnds() : undefined;
      return {
        ...(await reported(answer, request, call)),
        ms,
        ...(visit.followed === 0 ? {} : { followed: visit.followed }),
        ...(redirect ? { redirect: { status: answer.statusCode, to: redirect.to } } : {}),
        ...(ends === undefined ? {} : { tls: { daysLeft: Math.floor((ends - now()) / DAY) } }),
      };
    }
    answer.body.on('error', () => {}).destroy();
    visit.url = redirect.next;
    visit.followed++;
  }
}

function redirectOf({ url, followed }: Visit, { statusCode, headers }: Dispatcher.ResponseData) {
  const location = one(headers['location']);
  if (!REDIRECTS.has(statusCode) || location === '') return undefined;
  const redirect = redirectFrom(url, location);
  return 'next' in redirect && followed === MAX_REDIRECTS ? { to: redirect.next.origin } : redirect;
}

async function reported(
  { statusCode: status, headers, body }: Dispatcher.ResponseData,
  { method, expect }: WebRequest,
  { redact }: Call,
): Promise<Omit<WebReply, 'ms'>> {
  const media = mediaType(one(headers['content-type']), one(headers['content-encoding']));
  const read = await readStart(body as AsyncIterable<Buffer>);
  const { text, found } = readBody(read, media, expect, redact);
  const header = (name: string, max: number) => headerText(one(headers[name]), max, redact);
  const shown = {
    type: headerText(media.type, 80, redact),
    server: header('server', 60),
    retryAfter: header('retry-after', 40),
  };
  return {
    status,
    ok: status >= 200 && status < 300 && found !== false,
    ...Object.fromEntries(Object.entries(shown).filter(([, value]) => value !== '')),
    ...(method === 'HEAD' ? {} : { bytes: read.bytes.byteLength }),
    ...(read.cut ? { cut: true } : {}),
    ...(text === undefined ? {} : { body: text }),
    ...(found === undefined ? {} : { found }),
  };
}

/** The first of a header's values. */
function one(value: string | string[] | undefined): string {
  return (Array.isArray(value) ? value[0] : value) ?? '';
}
