import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parse } from 'yaml';

import type { Envelope } from '../../src/core/envelope.ts';
import { holdpoint, newPlace, type Place } from '../harness.ts';

let place: Place;
let client: Client;

beforeEach(async () => {
  place = newPlace();
  client = new Client({ name: 'hypertool-mcp-client', version: '1.0.0' }, { capabilities: { tools: {} } as object });
  expect((await holdpoint(place, 'approver', 'add', 'alice')).code).toBe(0);
});
afterEach(async () => {
  await client.close();
  place.remove();
});

async function call(name: string, args: object): Promise<Envelope> {
  const { structuredContent } = await client.callTool({ name, arguments: { ...args } });
  return structuredContent as Envelope;
}

// hypertool's own client (src/connection/clients/stdio.ts) declares tools and nothing else, and routes by tools/list.
test('behind hypertool: an exported persona is served to a client of tools alone, holding and approval included (B6)', async () => {
  const personas = join(place.workspace, '..', 'personas');
  const exported = await holdpoint(
    place,
    'persona',
    'export',
    'tta-devops-engineer',
    '--hypertool',
    personas,
    '--workspace',
    place.workspace,
    '--json',
  );
  expect(exported).toMatchObject({ code: 0, stderr: '' });
  const { folder } = JSON.parse(exported.stdout) as { folder: string };
  const { toolsets } = parse(readFileSync(join(folder, 'persona.yaml'), 'utf8')) as {
    toolsets: { toolIds: string[] }[];
  };
  const { mcpServers } = JSON.parse(readFileSync(join(folder, 'mcp.json'), 'utf8')) as {
    mcpServers: Record<string, { command: string; args: string[]; env: Record<string, string> }>;
  };
  const { command, args, env } = mcpServers['holdpoint'] ?? { command: '', args: [], env: {} };
  expect(env).toEqual({
    HOLDPOINT_WORKSPACE: place.workspace,
    HOLDPOINT_STATE: place.state,
    HOLDPOINT_KEYS: place.keys,
  });

  const asked: string[] = [];
  client.fallbackRequestHandler = async ({ method }) => {
    asked.push(method);
    throw new Error('This client answers nothing.');
  };
  await client.connect(new StdioClientTransport({ command, args, env: { ...place.env, ...env }, stderr: 'ignore' }));
  const listed = (await client.listTools()).tools.map(({ name }) => `holdpoint.${name}`);
  expect(listed).toEqual(expect.arrayContaining(toolsets.flatMap(({ toolIds }) => toolIds)));
  expect(listed).toContain('holdpoint.gh-run');

  const path = 'kubernetes/old-deployment.yaml';
  const file = join(place.workspace, path);
  expect(await call('view', { path })).toMatchObject({ status: 'done' });
  const held = await call('remove-files', { paths: [path] });
  expect(held.status).toBe('approval_required');
  const id = held.approval?.id ?? '';
  expect(await call('approval', { action: 'run', id })).toMatchObject({ status: 'approval_required' });
  expect(existsSync(file)).toBe(true);
  expect((await holdpoint(place, 'approvals', 'approve', id, '--as', 'alice')).code).toBe(0);
  expect(await call('approval', { action: 'wait', id, waitSeconds: 5 })).toMatchObject({
    result: { state: 'approved' },
  });
  expect(await call('approval', { action: 'run', id })).toMatchObject({ status: 'done' });
  expect(existsSync(file)).toBe(false);
  expect(asked).toEqual([]);

  // Exporting again replaces what an export wrote, and nothing else.
  const again = () => holdpoint(place, 'persona', 'export', 'tta-devops-engineer', '--hypertool', personas);
  expect(await again()).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Replaced /) });
});

test('a secret never gets into an export (B6)', async () => {
  const folder = join(place.workspace, '..', 'out');
  const token = `ghp_${'a1B2c3D4e5'.repeat(4).slice(0, 36)}`;
  const refused = await holdpoint(
    { ...place, env: { ...place.env, GH_TOKEN: token } },
    'persona',
    'export',
    'devops',
    '--hypertool',
    folder,
    '--command',
    `holdpoint serve --stdio --note ${token}`,
  );
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('nothing was written') });
  expect(refused.stderr).not.toContain(token);
  expect(existsSync(folder)).toBe(false);
});
