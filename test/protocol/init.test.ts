import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { CLIENT_NAMES } from '../../src/clients/client.ts';
import { loadRegistry } from '../../src/server/registry.ts';
import { holdpoint, newPlace, type Place } from '../harness.ts';

interface Entry {
  command: string;
  args: string[];
  env: Record<string, string>;
}

let place: Place;
beforeEach(() => {
  place = newPlace();
});
afterEach(() => place.remove());

const init = (...args: string[]) => holdpoint(place, 'init', '--workspace', place.workspace, ...args);

/** Starts what an entry says as a client does: a few variables of its own, no folder in particular. */
async function toolsOf({ command, args, env }: Entry): Promise<string[]> {
  const client = new Client({ name: 'holdpoint-tests', version: '1.0.0' });
  const own = { PATH: place.env['PATH'] ?? '', HOME: place.env['HOME'] ?? '' };
  await client.connect(
    new StdioClientTransport({ command, args, env: { ...own, ...env }, cwd: '/', stderr: 'ignore' }),
  );
  const { tools } = await client.listTools();
  await client.close();
  return tools.map(({ name }) => name);
}

function entryIn(text: string): Entry {
  const { mcpServers, servers } = JSON.parse(text) as Record<string, Record<string, Entry>>;
  return (mcpServers ?? servers ?? {})['holdpoint']!;
}

describe('init', () => {
  test.each(CLIENT_NAMES)('what it prints for %s starts a server that lists tools (A2)', async (client) => {
    const { code, stdout, stderr } = await init('--client', client, '--print');
    expect(code).toBe(0);
    expect(stderr).toContain('This goes into');
    const tools = await toolsOf(entryIn(stdout));
    expect(tools).toContain('kubectl-get');
    expect(tools).toContain('approval');
  });

  test('hypertool’s lists every tool, the persona’s others do not (B6)', async () => {
    const [all, some] = await Promise.all(
      ['hypertool', 'cursor'].map(async (client) =>
        toolsOf(entryIn((await init('--client', client, '--print')).stdout)),
      ),
    );
    const every = [...(await loadRegistry()).keys()];
    expect(all).toEqual(expect.arrayContaining(every));
    expect(some?.length).toBeLessThanOrEqual(all?.length ?? 0);
  });

  test('it writes the file, says so and what comes next, and changes nothing the second time (A2)', async () => {
    const file = join(place.workspace, '.mcp.json');
    const first = await init('--client', 'claude-code', '--no-lock-down');
    expect(first).toMatchObject({ code: 0 });
    expect(first.stdout).toContain(`Made ${file}.`);
    expect(first.stderr).toMatch(/holdpoint approver add NAME/);
    const text = readFileSync(file, 'utf8');
    expect(entryIn(text).env).toMatchObject({ HOLDPOINT_STATE: place.state, KUBECONFIG: place.env['KUBECONFIG'] });
    const second = await init('--client', 'claude-code', '--no-lock-down');
    expect(second.stdout).toContain(`Nothing to change in ${file}.`);
    expect(readFileSync(file, 'utf8')).toBe(text);
    expect(existsSync(`${file}.holdpoint.bak`)).toBe(false);
    expect(await toolsOf(entryIn(text))).toContain('view');
  });

  test('without a terminal the lock-down is shown, with --lock-down written (A2)', async () => {
    const settings = join(place.workspace, '.claude/settings.json');
    const shown = await init('--client', 'claude-code');
    expect(shown.stderr).toMatch(/permissions\.deny: Bash/);
    expect(existsSync(settings)).toBe(false);
    const written = await init('--client', 'claude-code', '--lock-down');
    expect(written.stdout).toContain(`Made ${settings}.`);
    expect(JSON.parse(readFileSync(settings, 'utf8'))).toMatchObject({
      permissions: { deny: expect.arrayContaining(['Bash', 'Edit', 'Write']), allow: ['mcp__holdpoint'] },
    });
  });

  test('Augment keeps entry and lock-down in one file; its copy is of the time before both (A2)', async () => {
    const file = join(place.env['HOME'] ?? '', '.augment/settings.json');
    mkdirSync(join(file, '..'));
    writeFileSync(file, '{ "model": "x" }\n');
    await init('--client', 'augment', '--lock-down');
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({
      model: 'x',
      mcpServers: { holdpoint: {} },
      toolPermissions: expect.arrayContaining([{ toolName: 'launch-process', permission: { type: 'deny' } }]),
    });
    expect(readFileSync(`${file}.holdpoint.bak`, 'utf8')).toBe('{ "model": "x" }\n');
  });

  test('somebody else’s entry is shown and replaced only with --force, a secret in it masked (A2)', async () => {
    const file = join(place.workspace, '.cursor/mcp.json');
    mkdirSync(join(file, '..'));
    const theirs = '{ "mcpServers": { "holdpoint": { "command": "x", "env": { "API_TOKEN": "hush-hush-hush" } } } }';
    writeFileSync(file, theirs);
    const refused = await init('--client', 'cursor', '--no-lock-down');
    expect(refused.code).toBe(1);
    expect(refused.stdout).toContain('-  "command": "x"');
    expect(refused.stdout + refused.stderr).not.toContain('hush-hush-hush');
    expect(readFileSync(file, 'utf8')).toBe(theirs);
    expect(await init('--client', 'cursor', '--no-lock-down', '--force')).toMatchObject({ code: 0 });
    expect(entryIn(readFileSync(file, 'utf8')).command).toBe(process.execPath);
    expect(readFileSync(`${file}.holdpoint.bak`, 'utf8')).toBe(theirs);
  });

  test('secrets of the environment are named and not written (A2)', async () => {
    place.env['GH_TOKEN'] = 'ghp_0123456789abcdefghijklmnopqrstuvwxyz';
    const { stdout, stderr } = await init('--client', 'vscode', '--no-lock-down');
    const text = readFileSync(join(place.workspace, '.vscode/mcp.json'), 'utf8');
    expect(stderr).toContain('GH_TOKEN');
    expect(stdout + stderr + text).not.toContain(place.env['GH_TOKEN']);
  });

  test('over HTTP the address is written and the token’s place told (A2)', async () => {
    const { stdout, stderr } = await init('--client', 'claude-code', '--http', '127.0.0.1:7200', '--print');
    expect(JSON.parse(stdout)).toEqual({
      mcpServers: {
        holdpoint: {
          type: 'http',
          url: 'http://127.0.0.1:7200/mcp',
          headers: { Authorization: 'Bearer ${HOLDPOINT_TOKEN}' },
        },
      },
    });
    expect(stderr).toContain(join(place.keys, 'http-token'));
  });

  test('--command and --file are taken as they are; a scope the client lacks is refused (A2)', async () => {
    const file = join(place.env['HOME'] ?? '', 'persona/mcp.json');
    const command = 'npx -y pnpm@12 --dir /opt/holdpoint start';
    await init('--client', 'hypertool', '--file', file, '--command', command);
    expect(entryIn(readFileSync(file, 'utf8'))).toMatchObject({
      command: 'npx',
      args: ['-y', 'pnpm@12', '--dir', '/opt/holdpoint', 'start'],
    });
    expect(await init('--client', 'hypertool', '--scope', 'user')).toMatchObject({ code: 2 });
    expect(await init('--client', 'netscape')).toMatchObject({ code: 2 });
    expect(await init('--client', 'cursor', '--persona', 'nobody')).toMatchObject({ code: 2 });
  });
});
