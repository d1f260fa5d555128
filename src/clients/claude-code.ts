import { join } from 'node:path';

import type { Client } from './client.ts';

/** Names as permission rules write them; each of these changes something or runs a program. */
const DENY = ['Bash', 'PowerShell', 'Monitor', 'Edit', 'Write', 'NotebookEdit'];

export const claudeCode: Client = {
  name: 'claude-code',
  title: 'Claude Code',
  files: {
    project: ({ workspace }) => join(workspace, '.mcp.json'),
    user: ({ home }) => join(home, '.claude.json'),
  },
  servers: 'mcpServers',
  stdio: (run) => ({ type: 'stdio', ...run }),
  http: (url) => ({
    entry: { type: 'http', url, headers: { Authorization: 'Bearer ${HOLDPOINT_TOKEN}' } },
    token: 'Start Claude Code with HOLDPOINT_TOKEN in its environment: HOLDPOINT_TOKEN="$(cat {token})" claude',
  }),
  restart: 'Start Claude Code anew in the workspace and allow the server; /mcp lists it.',
  lockDown: {
    kind: 'refuses',
    files: (scope, { home, workspace }) => [
      {
        file: join(scope === 'user' ? home : workspace, '.claude/settings.json'),
        wants: [
          { at: ['permissions', 'deny'], has: DENY },
          { at: ['permissions', 'allow'], has: ['mcp__holdpoint'] },
        ],
      },
    ],
    says: 'Claude Code no longer runs commands or edits files by itself and does not ask before Holdpoint’s tools. It still reads files: add Read, Grep and Glob to permissions.deny where secrets lie in the workspace.',
  },
};
