import type { JsonObject } from '../core/json.ts';
import type { LockDown } from './lock-down.ts';
import type { Want } from './wants.ts';

export const CLIENT_NAMES = ['claude-code', 'claude-desktop', 'cursor', 'augment', 'vscode', 'hypertool'] as const;

export type ClientName = (typeof CLIENT_NAMES)[number];

/** `user`: the client's own file, for every project. `project`: a file in the workspace. */
export type Scope = 'user' | 'project';

/** The folders that clients keep their files in. */
export interface Places {
  platform: NodeJS.Platform;
  home: string;
  workspace: string;
  /** Settings of desktop programs: `%APPDATA%`, `~/Library/Application Support` or `~/.config`. */
  applications: string;
}

/** What starts Holdpoint. */
export interface Run {
  command: string;
  args: string[];
  env: Record<string, string>;
}

/** One MCP client: where its files are and how they are written. docs/clients.md says where each fact is from. */
export interface Client {
  name: ClientName;
  title: string;
  /** Its file with the servers, for each scope it has; the first is the default. */
  files: Partial<Record<Scope, (places: Places) => string>>;
  /** The key over the servers. */
  servers: 'mcpServers' | 'servers';
  /** The entry of a server that the client starts. */
  stdio(run: Run): JsonObject;
  /** The entry of a server behind HTTP; absent where the file takes none. */
  http?: (url: string) => HttpEntry;
  /** What a person does for the change to count. */
  restart: string;
  lockDown: LockDown;
}

export interface HttpEntry {
  entry: JsonObject;
  /** What the file needs besides. */
  also?: Want[];
  /** How the client gets the token, which is never written: in words, `{token}` standing for where it is. */
  token: string;
}

/** The folders of this machine. `environment` is the configuration's copy. */
export function placesOf(
  environment: Readonly<Record<string, string>>,
  workspace: string,
  { platform = process.platform, home }: { platform?: NodeJS.Platform; home: string },
): Places {
  const own = platform === 'win32' ? environment['USERPROFILE'] : environment['HOME'];
  const root = own || home;
  const slash = platform === 'win32' ? '\\' : '/';
  const applications: Partial<Record<NodeJS.Platform, string>> = {
    win32: environment['APPDATA'] || [root, 'AppData', 'Roaming'].join(slash),
    darwin: [root, 'Library', 'Application Support'].join(slash),
  };
  return {
    platform,
    home: root,
    workspace,
    applications: applications[platform] ?? (environment['XDG_CONFIG_HOME'] || [root, '.config'].join(slash)),
  };
}
