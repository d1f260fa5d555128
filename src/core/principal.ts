/** The caller, from the connection; nothing in a tool's arguments reaches it. Stable across reconnects. */
export interface Principal {
  /** The person whose agent this is: the operating system's user on stdio, the token's owner on HTTP. */
  person: string;
  /** The agent's role: the persona's name. */
  agent: string;
  /** The program in between: the client's own name on stdio, the token's name on HTTP. */
  client: string;
}

/** One string for a principal, the same for the same three parts. */
export function principalId(principal: Principal): string {
  return [principal.person, principal.agent, principal.client].map(encodeURIComponent).join('/');
}
