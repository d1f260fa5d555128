/** Packs the MCP bundle (.mcpb) with its own tool, unpacks it and starts the server in it as a client's manifest says. */
import { execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import { bundleManifest } from './manifests.ts';

const MCPB = '@anthropic-ai/mcpb@2.1.2';
const ROOT = resolve(import.meta.dirname, '..');
const folder = mkdtempSync(join(tmpdir(), 'holdpoint-bundle-'));
const source = join(folder, 'source');
const target = join(folder, 'target');
const mcpb = (...args: string[]) =>
  execFileSync('npx', ['-y', MCPB, ...args], { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
try {
  for (const part of ['dist', 'policies', 'personas', 'skills', 'fixtures/workspace', 'package.json', 'README.md'])
    cpSync(join(ROOT, part), join(source, part), { recursive: true });
  writeFileSync(join(source, 'manifest.json'), bundleManifest());
  mcpb('validate', join(source, 'manifest.json'));
  mcpb('pack', source, 'holdpoint.mcpb');
  mcpb('unpack', 'holdpoint.mcpb', target);
  const { server } = JSON.parse(bundleManifest()) as { server: { mcp_config: { args: string[] } } };
  const values: Record<string, string> = {
    __dirname: target,
    'user_config.workspace': join(target, 'fixtures/workspace'),
  };
  const args = server.mcp_config.args.map((arg) =>
    arg.replace(/\$\{([\w.]+)\}/g, (_whole, key: string) => values[key] ?? ''),
  );
  const clientInfo = { name: 'check', version: '1' };
  const messages = [
    { id: 1, method: 'initialize', params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo } },
    { method: 'notifications/initialized' },
    { id: 2, method: 'tools/call', params: { name: 'view', arguments: { path: 'README.md' } } },
  ];
  // A client that was given no token sends an empty one.
  const env = {
    HOME: folder,
    PATH: process.env['PATH'] ?? '',
    HOLDPOINT_PERSONA: 'devops',
    GH_TOKEN: '',
    GRAFANA_URL: '',
  };
  const child = spawn(process.execPath, args, { env });
  for (const message of messages) child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  let said = '';
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
    said += chunk.toString();
    if (said.includes('"id":2')) child.stdin.end();
  }
  if (!said.includes('"status":"done"')) throw new Error(`the bundle did not answer a call:\n${said}`);
  console.log('holdpoint.mcpb: packed, unpacked and run');
} finally {
  rmSync(folder, { recursive: true, force: true });
}
