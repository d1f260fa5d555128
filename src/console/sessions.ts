import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

import type { Approver } from '../approvals/approvers.ts';
import type { Place } from './address.ts';

const TOKEN_BYTES = 32;
const MAX_SESSIONS = 1000;
/** Milliseconds after signing in with a link in which a passkey can be added. */
const ENROL_WITHIN = 600_000;
/** `__Host-`: only this host over TLS sets it, and no other subdomain. Browsers refuse it over plain HTTP. */
const COOKIE = { secure: '__Host-holdpoint-console', plain: 'holdpoint-console' } as const;

export interface Session {
  readonly approver: string;
  /** When that approver was added: another one of the same name is not this one. */
  readonly addedAt: string;
  readonly how: 'link' | 'passkey';
  /** Where it was opened; it is good for nowhere else. */
  readonly place: Place;
  readonly since: number;
  readonly until: number;
  /** Fingerprint of the passkey that opened it, or was added in it. */
  key: string | undefined;
  /** A link lets in whoever holds it, so it adds one passkey, and soon. */
  mayEnrol(now: number): boolean;
}

interface Kept extends Session {
  pageKey: Buffer;
  enrolled: boolean;
}

/**
 * Who is signed in, in this process's memory: what is in the store opens nothing, and a restart signs everybody out.
 *
 * A session is two secrets. The cookie alone opens nothing, for cookies of `localhost` go to every port of this machine,
 * also to a server that an agent started; the page's key stays in the origin's own storage and comes in a header, which no
 * other origin can send.
 */
export function createSessions(lifetime: number, now: () => number) {
  const sessions = new Map<string, Kept>();
  const clear = () => {
    for (const [id, { until }] of sessions) if (until < now()) sessions.delete(id);
    // The oldest come first.
    while (sessions.size >= MAX_SESSIONS) sessions.delete(sessions.keys().next().value ?? '');
  };

  return {
    /** @returns the cookie to set, and the page's key. */
    open(
      { name, addedAt }: Pick<Approver, 'name' | 'addedAt'>,
      how: Session['how'],
      key: string | undefined,
      place: Place,
    ) {
      clear();
      const token = randomBytes(TOKEN_BYTES).toString('base64url');
      const pageKey = randomBytes(TOKEN_BYTES).toString('base64url');
      const since = now();
      const session: Kept = {
        approver: name,
        addedAt,
        how,
        place,
        since,
        until: since + lifetime,
        key,
        pageKey: digest(pageKey),
        enrolled: false,
        mayEnrol: (at) => session.how === 'link' && !session.enrolled && at - since <= ENROL_WITHIN,
      };
      sessions.set(hash(token), session);
      return { session, pageKey, cookie: cookieOf(token, place.secure, Math.floor(lifetime / 1000)) };
    },

    /** The session of a request, by its cookie and its page key together. */
    find(request: IncomingMessage): Session | undefined {
      const given = request.headers['x-holdpoint-console'];
      for (const token of cookiesOf(request)) {
        const session = sessions.get(hash(token));
        if (!session || session.until < now() || typeof given !== 'string') continue;
        if (timingSafeEqual(session.pageKey, digest(given))) return session;
      }
      return undefined;
    },

    enrolled(session: Session, key: string): void {
      session.key = key;
      (session as Kept).enrolled = true;
    },

    isOpen: (session: Session): boolean => session.until >= now() && [...sessions.values()].includes(session as Kept),

    /** @returns the cookie that takes the old one away. */
    close(session: Session): string {
      for (const [id, each] of sessions) if (each === session) sessions.delete(id);
      return cookieOf('', session.place.secure, 0);
    },
  };
}

function cookieOf(token: string, secure: boolean, seconds: number): string {
  const end = `Max-Age=${seconds}; HttpOnly; SameSite=Strict`;
  return secure
    ? `${COOKIE.secure}=${token}; Path=/; Secure; ${end}`
    : `${COOKIE.plain}=${token}; Path=/console; ${end}`;
}

function cookiesOf({ headers }: IncomingMessage): string[] {
  const pairs = (headers.cookie ?? '').split(';').map((pair) => pair.trim().split('='));
  return pairs.flatMap(([name, value]) =>
    value && (name === COOKIE.secure || name === COOKIE.plain) && /^[\w-]{43}$/.test(value) ? [value] : [],
  );
}

function hash(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
