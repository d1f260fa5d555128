import { join } from 'node:path';

import type { Client } from './client.ts';

const DENY = ['launch-process', 'write-process', 'kill-process', 'save-file', 'str-replace-editor', 'remove-files'];

/** Holdpoint's tools of the same names are `launch-process_holdpoint` and so on to Augment, so none of these means them. */
export const augment: Client = {
  name: 'augment',
  title: 'Augment',
  files: { user: ({ home }) => join(home, '.augment/settings.json') },
  servers: 'mcpServers',
  stdio: (run) => ({ ...run }),
  http: (url) => ({
    entry: { type: 'http', url },
    token:
      'Augment knows no reference to a secret: add "headers": { "Authorization": "Bearer TOKEN" } to the entry yourself, the token from {token}; or leave --http out.',
  }),
  restart:
    'Start Auggie anew; /mcp-status lists the server. In Augment’s extension of an editor: its settings panel, MCP, import what --print shows.',
  lockDown: {
    kind: 'refuses',
    files: (_scope, { home }) => [
      {
        file: join(home, '.augment/settings.json'),
        wants: [
          { at: ['toolPermissions'], first: DENY.map((toolName) => ({ toolName, permission: { type: 'deny' } })) },
        ],
      },
    ],
    says: 'Auggie (the CLI) no longer runs commands or edits files by itself. Augment’s editor extensions do not read these settings and have none of the kind: there, keep the agent out of auto mode.',
  },
};
