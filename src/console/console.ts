import type { IncomingMessage, ServerResponse } from 'node:http';

import type { Approvals } from '../approvals/approvals.ts';
import type { Approver, Approvers } from '../approvals/approvers.ts';
import type { AuditLog } from '../audit/log.ts';
import { asHoldpointError, HoldpointError } from '../core/errors.ts';
import type { Store } from '../store/store.ts';
import { namedAddress, placeOf, type Place } from './address.ts';
import { loadAssets } from './assets.ts';
import { createChallenges, createAttempts } from './challenges.ts';
import { createChanges } from './changes.ts';
import { send, sendError, sendJson } from './exchange.ts';
import { openLinks } from './links.ts';
import { createLooking } from './looking.ts';
import { ROUTES } from './routes.ts';
import { createSessions, type Session } from './sessions.ts';

/** What the console works with: the same state that the command line and the server share. */
export interface ConsoleParts {
  approvals: Approvals;
  approvers: Approvers;
  audit: AuditLog;
  store: Store;
  /** Masks secrets in what a person writes down, before it is signed or stored. */
  redact: (text: string) => string;
  keysDir: string;
  /** What the operator says the console's address is, without `/console`. */
  publicUrl: string | undefined;
  /** Milliseconds that somebody stays signed in. */
  session: number;
  log: (error: Error) => void;
}

/** What all routes share. */
type Room = ReturnType<typeof createRoom>;

function createRoom(parts: ConsoleParts) {
  const now = () => Date.now();
  return {
    ...parts,
    now,
    links: openLinks(parts.keysDir),
    sessions: createSessions(parts.session, now),
    challenges: createChallenges(now),
    attempts: createAttempts(30, now),
    changes: createChanges(parts.store, now),
    examined: createLooking(parts.approvals, now),
  };
}

/** One request to a route; `who` is there where the route asks for somebody who is signed in. */
export interface Visit {
  room: Room;
  request: IncomingMessage;
  response: ServerResponse;
  url: URL;
  /** The part of the path that the route leaves open. */
  id: string;
  /** Where the browser has the console open. */
  place: Place;
}

export interface SignedInVisit extends Visit {
  session: Session;
  who: Approver;
}

/**
 * Scripts, styles and connections of its own alone; nothing inline; in no frame; and where the browser knows Trusted Types,
 * no text can become HTML or script.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "frame-ancestors 'none'",
  "form-action 'none'",
  "base-uri 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

const PAGES = /^\/console(?:\/?|\/requests\/apr_[0-9a-f]{32}|\/audit|\/account)$/;

/**
 * The approvers' console: the handler of everything at and below `/console`. Host and Origin have been checked, and the usual
 * headers set, by the transport; a bearer token opens nothing here.
 */
export function createConsole(parts: ConsoleParts) {
  const room = createRoom(parts);
  let assets: ReturnType<typeof loadAssets> | undefined;

  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '/', 'http://console');
    response.setHeader('Content-Security-Policy', POLICY);
    response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
    response.setHeader('Permissions-Policy', 'publickey-credentials-get=(self), publickey-credentials-create=(self)');
    try {
      if (url.pathname.startsWith('/console/api/')) return await answer({ room, request, response, url });
      if (request.method !== 'GET' && request.method !== 'HEAD') return notAllowed(response, 'GET, HEAD');
      if (PAGES.test(url.pathname)) {
        const named = namedAddress(request);
        if (named !== undefined) {
          response.setHeader('Location', `${named}${url.pathname}`);
          return send(response, 307, 'text/plain', `The console is at ${named}${url.pathname}\n`);
        }
      }
      const name = PAGES.test(url.pathname) ? 'index.html' : url.pathname.slice('/console/'.length);
      const asset = (await (assets ??= loadAssets())).get(name);
      if (asset) return send(response, 200, asset.type, asset.text);
      return sendError(response, new HoldpointError('not_found', 'The console has no such page.'));
    } catch (thrown) {
      const error = asHoldpointError(thrown);
      if (error.code === 'internal') parts.log(error.cause instanceof Error ? error.cause : error);
      if (response.headersSent) response.destroy();
      else sendError(response, error);
      return undefined;
    }
  };
}

/** Finds the route, and for most of them who is signed in. */
async function answer(visit: Omit<Visit, 'id' | 'place'>): Promise<void> {
  const { room, request, response, url } = visit;
  const path = url.pathname.slice('/console/api/'.length);
  const site = request.headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin')
    throw new HoldpointError('denied', 'This was not sent by the console’s own page.');
  for (const route of ROUTES) {
    const match = route.path.exec(path);
    if (!match) continue;
    if (request.method !== route.method) return notAllowed(response, route.method);
    const id = match[1] ?? '';
    // Browsers say the origin of a POST; a GET changes nothing, and needs the page's key, which no other origin has.
    const place = route.method === 'POST' ? placeOf(request, room.publicUrl) : undefined;
    if ('open' in route) return route.open({ ...visit, id, place: place ?? placeOf(request, room.publicUrl) });
    const session = room.sessions.find(request);
    const who = session && room.approvers.list().find((approver) => isStill(approver, session));
    if (!session || !who)
      return sendJson(response, 401, { code: 'signed_out', message: 'You are not signed in, or no longer.' });
    if (place && place.origin !== session.place.origin)
      throw new HoldpointError('denied', 'You signed in at another address.', { hint: 'Sign in at this one.' });
    return route.handle({ ...visit, id, place: session.place, session, who });
  }
  throw new HoldpointError('not_found', 'The console has no such address.');
}

/** Whether this approver opened the session: not another one of that name, and not with a passkey that was taken away since. */
function isStill({ name, addedAt, keys }: Approver, { approver, addedAt: then, how, key }: Session): boolean {
  if (name !== approver || addedAt !== then) return false;
  return how === 'link' || keys.some(({ fingerprint }) => fingerprint === key);
}

function notAllowed(response: ServerResponse, methods: string): void {
  response.setHeader('Allow', methods);
  if (!response.req.complete) response.setHeader('Connection', 'close');
  sendJson(response, 405, { code: 'invalid_input', message: `Only ${methods} here.` });
}
