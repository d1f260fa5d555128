import { performance } from 'node:perf_hooks';
import type { AuthInfo } from '@modelcontextprotocol/server';

import { principalId } from '../core/principal.ts';
import { callerOf } from './caller.ts';
import { createLimits, turnAway, type LimitSettings } from './limits.ts';
import type { McpOptions } from './mcp.ts';

/**
 * Holds requests over HTTP to their principal's limits before a body is read and a status is sent, where `Retry-After` can be
 * said. Dispatch counts once more what runs, since a write goes on when its client has hung up.
 */
export function createDoor({ services, person }: McpOptions, settings: LimitSettings) {
  const limits = createLimits(settings, () => performance.now());
  return (auth: AuthInfo): { leave: () => void } | { reason: string; retryAfter: number } => {
    const who = principalId(callerOf(auth, person, services.persona.name).principal);
    const entry = limits.enter(who);
    if (!('refused' in entry)) return entry;
    turnAway(entry.refused, who, 'http', services);
    return entry.refused;
  };
}
