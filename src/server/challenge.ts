import { randomUUID } from 'node:crypto';
import type { AuthInfo, JSONRPCMessage } from '@modelcontextprotocol/server';

import type { Envelope } from '../core/envelope.ts';
import { covers, type Scope } from '../core/scopes.ts';
import { callerOf } from './caller.ts';
import { parseInput } from './input.ts';
import type { McpOptions } from './mcp.ts';
import { SCOPE_RULE, scopeFor, worstOf } from './scopes.ts';
import type { Call, Services } from './services.ts';
import { unwrap } from './unwrap.ts';

/** A call that a token does not reach, and the scope that is lacking. */
export interface Challenge {
  scope: Scope;
  envelope: Envelope;
}

/**
 * Finds calls whose targets alone say that the token's scopes do not reach, before an HTTP status has gone out: a client with an
 * authorization server behind it can then be told to ask for more. Dispatch refuses and records them as any other; calls that
 * only their plan shows to be writes get the same refusal as a result.
 */
export function createChallenge({ services, dispatch, person }: McpOptions) {
  return async (message: JSONRPCMessage, auth: AuthInfo): Promise<Challenge | undefined> => {
    if (!('method' in message) || message.method !== 'tools/call') return undefined;
    const params = (message.params ?? {}) as { name?: unknown; arguments?: unknown };
    if (typeof params.name !== 'string') return undefined;
    const call: Call = {
      ...callerOf(auth, person, services.persona.name),
      id: randomUUID(),
      tool: params.name,
      arguments: params.arguments,
      transport: 'http',
      signal: new AbortController().signal,
      progress: () => {},
    };
    const scope = neededBy(call, services);
    if (scope === undefined || covers(call.scopes, scope)) return undefined;
    const { envelope } = await dispatch.call(call);
    return envelope.error?.rule === SCOPE_RULE ? { scope, envelope } : undefined;
  };
}

/** By the targets of a call; undefined where it has none yet, or is no call that could be made. */
function neededBy(call: Call, services: Services): Scope | undefined {
  try {
    const inner = unwrap(call, services.registry);
    const tool = services.registry.get(inner.tool);
    if (!tool) return undefined;
    const { input } = parseInput(tool, inner.arguments);
    return scopeFor(worstOf(tool.targets(input, { facts: services.facts })));
  } catch {
    // Dispatch says what is wrong with it.
    return undefined;
  }
}
