import { join } from 'node:path';

import type { Client } from './client.ts';

export const claudeDesktop: Client = {
  name: 'claude-desktop',
  title: 'Claude Desktop',
  files: { user: ({ applications }) => join(applications, 'Claude', 'claude_desktop_config.json') },
  servers: 'mcpServers',
  stdio: (run) => ({ ...run }),
  restart: 'Quit Claude Desktop altogether (closing its window is not enough) and start it again.',
  lockDown: {
    kind: 'none',
    says: 'Claude Desktop’s chat has no shell and no file tools of its own. Its other MCP servers and extensions may: take those off that run commands or edit files.',
  },
};
