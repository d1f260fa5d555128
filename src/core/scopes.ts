/**
 * What a caller may do at all, before the policy is asked. `approvals:decide` is for people at the console; over MCP it
 * gives nothing, since agents never approve.
 */
export const SCOPES = ['tools:read', 'tools:write', 'approvals:decide'] as const;

export type Scope = (typeof SCOPES)[number];

/** Of the person at this machine, and of a token that says nothing else. */
export const TOOL_SCOPES: readonly Scope[] = ['tools:read', 'tools:write'];

/** Whether scopes cover one that is needed; who may write may read. */
export function covers(scopes: readonly Scope[], needed: Scope): boolean {
  return scopes.includes(needed) || (needed === 'tools:read' && scopes.includes('tools:write'));
}

/** The known ones of what a token claims. */
export function knownScopes(claimed: readonly string[]): Scope[] {
  return SCOPES.filter((scope) => claimed.includes(scope));
}
