import { join } from 'node:path';
import { parse } from 'jsonc-parser';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import type { Scope } from '../../../src/clients/client.ts';
import { CLIENTS } from '../../../src/clients/clients.ts';
import { lockState } from '../../../src/clients/plan.ts';
import { connect, lock, newHome, type Home } from './home.ts';

let home: Home;
beforeEach(() => {
  home = newHome();
});
afterEach(() => home.remove());

const locking = CLIENTS.filter(({ lockDown }) => lockDown.kind !== 'none').flatMap((client) =>
  (Object.keys(client.files) as Scope[]).map((scope) => ({ name: client.name, scope, client })),
);

describe.each(locking)('$name, $scope', ({ client, scope }) => {
  test('off, then on, then unchanged to the byte (A2)', () => {
    expect(lockState(client, scope, home.places)).toBe('off');
    lock(client, home, scope);
    expect(lockState(client, scope, home.places)).toBe('on');
    const files = client.lockDown.kind === 'none' ? [] : client.lockDown.files(scope, home.places);
    const texts = files.map(({ file }) => home.text(file));
    lock(client, home, scope);
    expect(files.map(({ file }) => home.text(file))).toEqual(texts);
  });

  test('a settings file that cannot be read leaves the state unknown (A2)', () => {
    lock(client, home, scope);
    const [first] = client.lockDown.kind === 'none' ? [] : client.lockDown.files(scope, home.places);
    home.put(first?.file ?? '', '{ broken');
    expect(lockState(client, scope, home.places)).toBe('unknown');
  });
});

const named = (name: string) => CLIENTS.find((client) => client.name === name)!;

test('Claude Code keeps a person’s own rules beside ours (A2)', () => {
  const file = join(home.places.workspace, '.claude/settings.json');
  home.put(file, '{\n  // mine\n  "permissions": { "deny": ["WebFetch", "Bash"], "ask": ["Skill"] }\n}\n');
  expect(lockState(named('claude-code'), 'project', home.places)).toBe('off');
  lock(named('claude-code'), home);
  const { permissions } = parse(home.text(file)) as { permissions: Record<string, string[]> };
  expect(permissions['deny']).toEqual(['WebFetch', 'Bash', 'PowerShell', 'Monitor', 'Edit', 'Write', 'NotebookEdit']);
  expect(permissions).toMatchObject({ ask: ['Skill'], allow: ['mcp__holdpoint'] });
  expect(home.text(file)).toContain('// mine');
});

test('for Augment, where the first rule counts, ours go before a person’s (A2)', () => {
  const file = join(home.places.home, '.augment/settings.json');
  const theirs = [
    { toolName: 'launch-process', shellInputRegex: '^ls', permission: { type: 'allow' } },
    { toolName: 'view', permission: { type: 'allow' } },
  ];
  home.put(file, JSON.stringify({ toolPermissions: theirs }));
  connect(named('augment'), home);
  lock(named('augment'), home);
  const settings = parse(home.text(file)) as { toolPermissions: { toolName: string }[]; mcpServers: object };
  expect(settings.toolPermissions.find(({ toolName }) => toolName === 'launch-process')).toEqual({
    toolName: 'launch-process',
    permission: { type: 'deny' },
  });
  expect(settings.toolPermissions.slice(-2)).toEqual(theirs);
  expect(settings.mcpServers).toHaveProperty('holdpoint');
});

test('a hook of a person’s in Cursor stays; a rule that is taken out is seen (A2)', () => {
  const file = join(home.places.workspace, '.cursor/hooks.json');
  home.put(file, JSON.stringify({ version: 1, hooks: { preToolUse: [{ command: './mine.sh' }], stop: [] } }));
  lock(named('cursor'), home);
  const { hooks } = parse(home.text(file)) as { hooks: Record<string, unknown[]> };
  expect(hooks['preToolUse']).toHaveLength(2);
  expect(hooks['stop']).toEqual([]);
  home.put(join(home.places.workspace, '.cursor/cli.json'), '{ "permissions": { "deny": ["Shell(*)"] } }');
  expect(lockState(named('cursor'), 'project', home.places)).toBe('partly');
});

test('VS Code’s settings are named as asking, not as refusing (A2)', () => {
  expect(named('vscode').lockDown.kind).toBe('asks');
  lock(named('vscode'), home);
  const agent = home.text(join(home.places.workspace, '.github/agents/holdpoint.agent.md'));
  expect(agent).toContain("tools: ['holdpoint/*']");
});
