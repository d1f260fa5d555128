import { join } from 'node:path';

import type { Client } from './client.ts';

/** hypertool picks tools by `tools/list`, so Holdpoint lists all of them there. */
export const hypertool: Client = {
  name: 'hypertool',
  title: 'hypertool',
  files: { project: ({ workspace }) => join(workspace, '.mcp.hypertool.json') },
  servers: 'mcpServers',
  stdio: ({ env, ...run }) => ({ type: 'stdio', ...run, env: { ...env, HOLDPOINT_TOOLS: 'all' } }),
  http: (url) => ({
    entry: { type: 'http', url },
    token:
      'hypertool knows no reference to a secret: add "headers": { "Authorization": "Bearer TOKEN" } to the entry yourself, the token from {token}, and serve with --tools all; or leave --http out.',
  }),
  restart:
    'Run hypertool with this file (hypertool-mcp mcp run --mcp-config FILE), and connect your client to hypertool. For a persona, give its mcp.json with --file.',
  lockDown: {
    kind: 'none',
    says: 'hypertool has no shell and no file tools of its own. The client in front of it may: lock that one down, and look at the other servers in this file.',
  },
};
