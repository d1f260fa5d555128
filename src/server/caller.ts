import type { AuthInfo } from '@modelcontextprotocol/server';

import type { Principal } from '../core/principal.ts';
import { knownScopes, type Scope } from '../core/scopes.ts';

/** Who makes a call over a connection, and what it may do at all. */
export interface Caller {
  principal: Principal;
  scopes: readonly Scope[];
  /** The transport has held it to the principal's limits already. */
  admitted?: boolean;
}

/** What a transport says of a token beside the SDK's own fields. */
interface TokenFacts {
  /** Of a token of an authorization server: its subject there. */
  person?: string;
  admitted?: boolean;
}

/**
 * The caller behind a checked token: by the token alone, and the same for every token of the same subject and client.
 *
 * @param person of tokens that name none: this server's own.
 */
export function callerOf({ clientId, scopes, extra }: AuthInfo, person: string, agent: string): Caller {
  const facts = (extra ?? {}) as TokenFacts;
  return {
    principal: { person: facts.person ?? person, agent, client: clientId },
    scopes: knownScopes(scopes),
    ...(facts.admitted ? { admitted: true } : {}),
  };
}
