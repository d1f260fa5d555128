import { join } from 'node:path';

import type { Client } from './client.ts';
import type { LockFile } from './lock-down.ts';

const AGENT = `---
name: holdpoint
description: Works through Holdpoint alone, without VS Code's own shell and edit tools.
tools: ['holdpoint/*']
---

Use the tools of the MCP server holdpoint for everything.
`;

export const vscode: Client = {
  name: 'vscode',
  title: 'VS Code',
  files: {
    project: ({ workspace }) => join(workspace, '.vscode/mcp.json'),
    user: ({ applications }) => join(applications, 'Code/User/mcp.json'),
  },
  servers: 'servers',
  stdio: (run) => ({ type: 'stdio', ...run }),
  http: (url) => ({
    entry: { type: 'http', url, headers: { Authorization: 'Bearer ${input:holdpoint-token}' } },
    also: [
      {
        at: ['inputs'],
        has: [{ type: 'promptString', id: 'holdpoint-token', description: 'Token of Holdpoint', password: true }],
      },
    ],
    token: 'VS Code asks for the token when it first connects; it is in {token}.',
  }),
  restart: 'Run "MCP: List Servers" in VS Code, choose holdpoint and start it.',
  lockDown: {
    kind: 'asks',
    files: (scope, { applications, workspace }) => {
      const settings: LockFile = {
        file:
          scope === 'user' ? join(applications, 'Code/User/settings.json') : join(workspace, '.vscode/settings.json'),
        wants: [
          { at: ['chat.tools.terminal.autoApprove', '/.*/'], is: false },
          { at: ['chat.tools.edits.autoApprove', '**/*'], is: false },
        ],
      };
      if (scope === 'user') return [settings];
      return [settings, { file: join(workspace, '.github/agents/holdpoint.agent.md'), text: AGENT }];
    },
    says: 'VS Code has no setting that takes its own tools away. These make it ask before each command and edit; the agent "holdpoint" (in the agent picker, with --scope project) has Holdpoint’s tools alone.',
  },
};
