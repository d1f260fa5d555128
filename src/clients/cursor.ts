import { join } from 'node:path';

import type { Client } from './client.ts';
import type { Want } from './wants.ts';

const DENY: Want = { at: ['permissions', 'deny'], has: ['Shell(*)', 'Write(**)'] };

/** Exit code 2 refuses the tool. Where the hook cannot run at all, failClosed refuses it, too. */
const REFUSE = { command: 'exit 2', matcher: 'Shell|Write|Delete', failClosed: true };

export const cursor: Client = {
  name: 'cursor',
  title: 'Cursor',
  files: {
    project: ({ workspace }) => join(workspace, '.cursor/mcp.json'),
    user: ({ home }) => join(home, '.cursor/mcp.json'),
  },
  servers: 'mcpServers',
  stdio: (run) => ({ type: 'stdio', ...run }),
  http: (url) => ({
    entry: { url, headers: { Authorization: 'Bearer ${env:HOLDPOINT_TOKEN}' } },
    token: 'Start Cursor with HOLDPOINT_TOKEN in its environment: HOLDPOINT_TOKEN="$(cat {token})" cursor .',
  }),
  restart: 'Start Cursor anew and switch the server on under Settings, MCP.',
  lockDown: {
    kind: 'refuses',
    files: (scope, { home, workspace }) => {
      const folder = join(scope === 'user' ? home : workspace, '.cursor');
      const hooks = {
        file: join(folder, 'hooks.json'),
        wants: [
          { at: ['version'], default: 1 },
          { at: ['hooks', 'preToolUse'], has: [REFUSE] },
        ],
      };
      // The user's file must have these keys; in a project's only permissions count.
      const whole: Want[] = [
        { at: ['version'], default: 1 },
        { at: ['editor', 'vimMode'], default: false },
        { at: ['permissions', 'allow'], default: [] },
      ];
      return scope === 'user'
        ? [hooks, { file: join(folder, 'cli-config.json'), wants: [...whole, DENY] }]
        : [hooks, { file: join(folder, 'cli.json'), wants: [DENY] }];
    },
    says: 'A hook refuses the agent’s shell, write and delete tools in the editor; the CLI’s permissions deny them there. Reading files, and what you type or apply by hand, stay as they are.',
  },
};
