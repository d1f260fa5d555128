import type { Config } from '../config/config.ts';

/** What a person sees when a server listens: where, how a client connects, and how to approve. */
export function banner(config: Config, persona: string, url: string, token = 'TOKEN', page?: string): string {
  const headers = { Authorization: `Bearer ${token}` };
  const snippet = { mcpServers: { holdpoint: { type: 'http', url: `${url}/mcp`, headers } } };
  const holdpoint = commandName();
  const state = config.given.state ? ` --state ${config.state}` : '';
  return [
    `Holdpoint serves MCP at ${url}/mcp as ${persona}, in ${config.workspace}`,
    `Token: ${token}`,
    '',
    'For a client’s settings:',
    JSON.stringify(snippet, null, 2),
    '',
    'or for Claude Code:',
    `  claude mcp add --transport http holdpoint ${url}/mcp --header "Authorization: Bearer ${token}"`,
    '',
    'Production changes and deletions wait for you. Once:',
    `  ${holdpoint} approver add NAME${state}`,
    'and then, for what waits:',
    `  ${holdpoint} approvals list${state}`,
    `  ${holdpoint} approvals approve ID --as NAME${state}`,
    ...(page === undefined
      ? []
      : [`or in a browser, at ${page}; for a link to sign in with:`, `  ${holdpoint} console link --as NAME${state}`]),
  ].join('\n');
}

/** How this very program is called: in a clone through its own Node. */
function commandName(): string {
  return process.argv[1]?.endsWith('.ts') ? 'node_modules/.bin/node src/main.ts' : 'holdpoint';
}
