import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { AuthInfo } from '@modelcontextprotocol/server';

import { TOOL_SCOPES, type Scope } from '../core/scopes.ts';
import { createJwtCheck, type JwtSettings } from './jwt.ts';

/** Where RFC 9728 puts what a client must know to get a token. */
const METADATA = '/.well-known/oauth-protected-resource';

interface HttpToken {
  /** Who a bearer of the token is: the client's name in its principal. */
  name: string;
  value: string;
  scopes: readonly Scope[];
}

export interface Access {
  tokens: readonly HttpToken[];
  /** The authorization server whose tokens are taken as well. */
  jwt?: JwtSettings & { resource?: string | undefined };
}

/** `issued`: by an authorization server, which can be asked for more scopes. */
type Authenticated = { auth: AuthInfo; issued: boolean } | { status: 401 | 503; error: string; challenge?: string };

export interface Authentication {
  check: (request: IncomingMessage) => Promise<Authenticated>;
  /** A `WWW-Authenticate` for a token whose scopes do not reach. */
  insufficient: (scope: Scope) => string;
  /** The metadata of the protected resource, where the path is its address and there is an authorization server. */
  metadata: (path: string) => object | undefined;
}

/**
 * Says who sends a request: by a token of this server's own, compared so that the time says nothing about its value, or by one
 * of the authorization server.
 *
 * @param url of this server, without a path.
 */
export function createAuthentication({ tokens, jwt }: Access, url: () => string): Authentication {
  const known = tokens.map((token) => ({ ...token, digest: digest(token.value) }));
  const checkJwt = jwt && createJwtCheck(jwt);
  const resource = () =>
    jwt?.resource ?? jwt?.audience.find((each) => URL.canParse(each) && /^https?:/.test(each)) ?? `${url()}/mcp`;
  const challenge = (parts: Record<string, string>): string => {
    const all = { realm: 'holdpoint', ...parts, ...(jwt ? { resource_metadata: metadataUrl(resource()) } : {}) };
    return `Bearer ${Object.entries(all)
      .map(([name, value]) => `${name}="${value}"`)
      .join(', ')}`;
  };
  const refuse = (error: string, parts: Record<string, string>): Authenticated => ({
    status: 401,
    error,
    challenge: challenge(parts),
  });
  return {
    async check(request) {
      const given = /^Bearer +([\x21-\x7e]{1,8192})$/i.exec(request.headers.authorization ?? '')?.[1];
      if (given === undefined)
        return refuse(
          'a bearer token is needed: "Authorization: Bearer TOKEN"; Holdpoint printed it when it started, or its operator has one',
          jwt ? { scope: TOOL_SCOPES.join(' ') } : {},
        );
      const mine = digest(given);
      const found = known.filter((token) => timingSafeEqual(token.digest, mine))[0];
      if (found) return { auth: { token: 'checked', clientId: found.name, scopes: [...found.scopes] }, issued: false };
      const checked =
        checkJwt && /^[\w-]+\.[\w-]+\.[\w-]+$/.test(given)
          ? await checkJwt(given)
          : { invalid: 'it is not known here' };
      if ('auth' in checked) return { auth: checked.auth, issued: true };
      if ('unavailable' in checked) return { status: 503, error: checked.unavailable };
      return refuse(`the bearer token is not valid: ${checked.invalid}`, {
        error: 'invalid_token',
        error_description: checked.invalid,
      });
    },
    insufficient: (scope) => challenge({ error: 'insufficient_scope', scope }),
    metadata(path) {
      if (!jwt || (path !== METADATA && path !== `${METADATA}/mcp`)) return undefined;
      return {
        resource: resource(),
        resource_name: 'Holdpoint',
        authorization_servers: [jwt.issuer],
        // Clients ask for all that is listed here, and approvals:decide gives an agent nothing.
        scopes_supported: TOOL_SCOPES,
        bearer_methods_supported: ['header'],
      };
    },
  };
}

/** RFC 9728 §3.1: the well-known part goes between the host and the path. */
function metadataUrl(resource: string): string {
  const { origin, pathname } = new URL(resource);
  return `${origin}${METADATA}${pathname === '/' ? '' : pathname}`;
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
