import { chmodSync, existsSync, mkdirSync, statSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parse } from 'jsonc-parser';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { placesOf } from '../../../src/clients/client.ts';
import { CLIENTS } from '../../../src/clients/clients.ts';
import { readSettings } from '../../../src/clients/settings-file.ts';
import { connect, fileOf, newHome, planned, type Home } from './home.ts';

let home: Home;
beforeEach(() => {
  home = newHome();
});
afterEach(() => home.remove());

/** A file as people have them: comments, tabs, another server, settings of other things, a trailing comma. */
const lived = (servers: string) => `{
\t// of mine
\t"theme": "dark",
\t"${servers}": {
\t\t"other": { "command": "other", "args": ["-x"] }, // stays
\t},
\t/* and the end */
}
`;

describe.each(CLIENTS.map((client) => ({ name: client.name, client })))('$name', ({ client }) => {
  const file = () => fileOf(client, home.places);
  const servers = () =>
    (parse(home.text(file())) as Record<string, Record<string, Record<string, unknown>>>)[client.servers] ?? {};

  test('a fresh file gets the entry, and folders on the way to it (A2)', () => {
    connect(client, home);
    const entry = servers()['holdpoint'];
    expect(entry).toMatchObject({ command: '/opt/node', args: ['/opt/holdpoint/main.js', 'serve', '--stdio'] });
    expect(entry?.['env']).toMatchObject({ HOLDPOINT_WORKSPACE: '/home/ann/project', HOLDPOINT_PERSONA: 'devops' });
    expect(home.text(file()).endsWith('}\n')).toBe(true);
  });

  test('all that was there keeps its bytes: comments, indentation, other servers (A2)', () => {
    home.put(file(), lived(client.servers));
    chmodSync(file(), 0o640);
    connect(client, home);
    const text = home.text(file());
    for (const line of lived(client.servers).split('\n')) expect(text).toContain(line.replace(/, \/\/ stays$/, ''));
    expect(text).toMatch(/^\t\t"holdpoint": \{$/m);
    expect(Object.keys(servers())).toEqual(['other', 'holdpoint']);
    expect(statSync(file()).mode & 0o777).toBe(0o640);
    expect(home.text(`${file()}.holdpoint.bak`)).toBe(lived(client.servers));
  });

  test('Windows line ends and a byte order mark stay (A2)', () => {
    home.put(file(), `\uFEFF${lived(client.servers).replaceAll('\n', '\r\n')}`);
    connect(client, home);
    const text = home.text(file());
    expect(text.startsWith('\uFEFF{')).toBe(true);
    expect(text.replaceAll('\r\n', '')).not.toContain('\n');
  });

  test('the second time nothing changes, to the byte (A2)', () => {
    home.put(file(), lived(client.servers));
    connect(client, home);
    const first = home.text(file());
    const { settings, text } = planned(client, home);
    expect(text).toBe(settings.text);
    connect(client, home);
    expect(home.text(file())).toBe(first);
  });

  test('an earlier entry of ours is brought up to date, and what a person added to it stays (A2)', () => {
    const mine = {
      command: 'old',
      args: [],
      env: { HOLDPOINT_WORKSPACE: '/old', HOLDPOINT_POLICY: 'old', AWS_PROFILE: 'ann' },
      disabled: false,
    };
    home.put(file(), JSON.stringify({ [client.servers]: { holdpoint: mine } }));
    expect(planned(client, home).ours).toBe(true);
    connect(client, home);
    const entry = servers()['holdpoint'] as { env: Record<string, string> };
    expect(entry).toMatchObject({ command: '/opt/node', disabled: false });
    expect(entry.env).toMatchObject({ HOLDPOINT_WORKSPACE: '/home/ann/project', AWS_PROFILE: 'ann' });
    expect(entry.env).not.toHaveProperty('HOLDPOINT_POLICY');
  });

  test('an entry of the name that is not ours is told from ours (A2)', () => {
    home.put(file(), JSON.stringify({ [client.servers]: { holdpoint: { command: 'somebody-else' } } }));
    expect(planned(client, home)).toMatchObject({ ours: false, before: { command: 'somebody-else' } });
  });

  test.each([
    ['cut off', '{ "a": '],
    ['no object', '[]'],
    ['servers that are no object', `{ "${client.servers}": [] }`],
    ['servers named twice', `{ "${client.servers}": {}, "${client.servers}": {} }`],
  ])('a file that is %s is refused and not touched (A2)', (_what, text) => {
    home.put(file(), text);
    expect(() => connect(client, home)).toThrow(/not touched/);
    expect(home.text(file())).toBe(text);
    expect(existsSync(`${file()}.holdpoint.bak`)).toBe(false);
  });

  test('a read-only file is refused and not touched (A2)', () => {
    home.put(file(), '{}');
    chmodSync(file(), 0o444);
    expect(() => connect(client, home)).toThrow(/read-only/);
    expect(home.text(file())).toBe('{}');
  });

  test('no token is written for HTTP (A2)', () => {
    if (!client.http) {
      expect(() => connect(client, home, 'http://127.0.0.1:7117/mcp')).toThrow(/behind HTTP/);
      return;
    }
    connect(client, home, 'http://127.0.0.1:7117/mcp');
    const entry = servers()['holdpoint'] as { url: string; headers?: { Authorization: string } };
    expect(entry.url).toBe('http://127.0.0.1:7117/mcp');
    expect(entry.headers?.Authorization ?? 'Bearer ${}').toMatch(/^Bearer \$\{[\w:-]*\}$/);
    connect(client, home);
    expect(servers()['holdpoint']).not.toHaveProperty('url');
    expect(servers()['holdpoint']).not.toHaveProperty('headers');
  });
});

describe('details', () => {
  test('VS Code asks for the token, once', () => {
    const vscode = CLIENTS.find(({ name }) => name === 'vscode')!;
    connect(vscode, home, 'http://127.0.0.1:7117/mcp');
    connect(vscode, home, 'http://127.0.0.1:7117/mcp');
    const { inputs } = parse(home.text(fileOf(vscode, home.places))) as { inputs: unknown[] };
    expect(inputs).toEqual([expect.objectContaining({ id: 'holdpoint-token', type: 'promptString', password: true })]);
  });

  test('hypertool gets all tools listed (B6)', () => {
    const hypertool = CLIENTS.find(({ name }) => name === 'hypertool')!;
    expect(planned(hypertool, home).after).toMatchObject({ type: 'stdio', env: { HOLDPOINT_TOOLS: 'all' } });
  });

  test('a token that a person filled in stays where the client has no reference', () => {
    const augment = CLIENTS.find(({ name }) => name === 'augment')!;
    const url = 'http://127.0.0.1:7117/mcp';
    const entry = { type: 'http', url, headers: { Authorization: 'Bearer filled-in-by-hand' } };
    home.put(fileOf(augment, home.places), JSON.stringify({ mcpServers: { holdpoint: entry } }));
    expect(planned(augment, home, url)).toMatchObject({ ours: true, after: entry });
  });

  test('the other servers of a file are named', () => {
    const cursor = CLIENTS.find(({ name }) => name === 'cursor')!;
    home.put(fileOf(cursor, home.places), '{ "mcpServers": { "shell": { "command": "sh" } } }');
    expect(planned(cursor, home).others).toEqual(['shell']);
  });

  test('a link of the user’s is followed; one that leads out of the workspace is not', () => {
    const { workspace, home: root } = home.places;
    const elsewhere = join(root, 'dotfiles/mcp.json');
    home.put(elsewhere, '{}');
    const link = join(workspace, '.mcp.json');
    symlinkSync(elsewhere, link);
    expect(readSettings(link).real).toBe(elsewhere);
    expect(() => readSettings(link, workspace)).toThrow(/out of the workspace/);
    mkdirSync(join(root, 'other'));
    symlinkSync(join(root, 'other'), join(workspace, '.cursor'));
    expect(() => readSettings(join(workspace, '.cursor/mcp.json'), workspace)).toThrow(/out of the workspace/);
  });

  test('a link of the copy’s name is not written through', () => {
    const { workspace, home: root } = home.places;
    const victim = join(root, '.profile');
    home.put(victim, 'mine');
    home.put(join(workspace, '.mcp.json'), '{ "mcpServers": {} }');
    symlinkSync(victim, join(workspace, '.mcp.json.holdpoint.bak'));
    connect(CLIENTS[0]!, home);
    expect(home.text(victim)).toBe('mine');
    expect(home.text(join(workspace, '.mcp.json.holdpoint.bak'))).toBe('{ "mcpServers": {} }');
  });

  test('a link that leads nowhere is not written through', () => {
    const link = join(home.places.workspace, '.mcp.json');
    symlinkSync(join(dirname(link), 'nowhere'), link);
    expect(() => readSettings(link, home.places.workspace)).toThrow(/leads nowhere/);
  });

  test('desktop programs keep their settings where each system has them', () => {
    const desktop = CLIENTS.find(({ name }) => name === 'claude-desktop')!;
    const at = (platform: NodeJS.Platform, environment: Record<string, string>) =>
      desktop.files.user?.(placesOf(environment, '/w', { platform, home: '/root' }));
    expect(at('darwin', { HOME: '/Users/ann' })).toBe(
      '/Users/ann/Library/Application Support/Claude/claude_desktop_config.json',
    );
    expect(at('linux', { HOME: '/home/ann' })).toBe('/home/ann/.config/Claude/claude_desktop_config.json');
    expect(at('linux', { XDG_CONFIG_HOME: '/xdg' })).toBe('/xdg/Claude/claude_desktop_config.json');
    expect(at('win32', { APPDATA: 'C:\\Users\\ann\\AppData\\Roaming' })).toContain('C:\\Users\\ann\\AppData\\Roaming');
  });
});
