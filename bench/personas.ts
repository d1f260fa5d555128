/**
 * `pnpm bench personas`: what `tools/list` costs a model, of each shipped persona and of other MCP servers that are started for
 * it: real packages in pinned versions, installed by npm into a cache folder. Both counts, and ratios of one run; nothing is
 * asserted.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';

import { SAMPLE_WORKSPACE } from '../src/config/locations.ts';
import type { Definition } from '../src/personas/budget.ts';
import { shippedPersonas } from '../src/personas/persona.ts';
import { costOf, type Cost } from '../src/personas/tokenizer.ts';

/** Versions of November 2026; `main` is what npm puts into node_modules/.bin. */
const PEERS = [
  {
    name: '@modelcontextprotocol/server-filesystem',
    version: '2026.8.31',
    main: 'mcp-server-filesystem',
    args: [tmpdir()],
  },
  { name: '@modelcontextprotocol/server-github', version: '2025.4.8', main: 'mcp-server-github', args: [] },
  { name: 'kubernetes-mcp-server', version: '0.0.67', main: 'kubernetes-mcp-server', args: [] },
  { name: 'mcp-server-kubernetes', version: '4.1.7', main: 'mcp-server-kubernetes', args: [] },
] as const;

const KUBECONFIG = `apiVersion: v1
kind: Config
current-context: nowhere
clusters: [{ name: nowhere, cluster: { server: 'https://127.0.0.1:9' } }]
users: [{ name: nobody, user: {} }]
contexts: [{ name: nowhere, context: { cluster: nowhere, user: nobody } }]
`;

const MAIN = join(import.meta.dirname, '../src/main.ts');
const cache = join(tmpdir(), 'holdpoint-bench-peers');
const home = mkdtempSync(join(tmpdir(), 'holdpoint-bench-'));
const kubeconfig = join(home, 'kubeconfig');
writeFileSync(kubeconfig, KUBECONFIG);
const env = { PATH: process.env['PATH'] ?? '', HOME: home, USER: 'bench', KUBECONFIG: kubeconfig };

function install(): void {
  mkdirSync(cache, { recursive: true });
  const marker = join(cache, `${PEERS.map(({ version }) => version).join('_')}.installed`);
  if (existsSync(marker)) return;
  const wanted = PEERS.map(({ name, version }) => `${name}@${version}`);
  execFileSync('npm', ['install', '--prefix', cache, '--no-audit', '--no-fund', '--save-exact', ...wanted], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  writeFileSync(marker, '');
}

/** What a server lists to a client that has just connected; all pages of it. */
async function listed(command: string, args: readonly string[]): Promise<Definition[]> {
  const client = new Client({ name: 'holdpoint-bench', version: '1' });
  await client.connect(new StdioClientTransport({ command, args: [...args], env, stderr: 'ignore' }));
  const { tools } = await client.listTools();
  await client.close();
  return tools;
}

const own = (persona: string, ...more: string[]) =>
  listed(process.execPath, [MAIN, 'serve', '--stdio', '--workspace', SAMPLE_WORKSPACE, '--persona', persona, ...more]);

function row(
  name: string,
  tools: number | string,
  { estimate, o200k }: Record<keyof Cost, number | string>,
  times: string,
) {
  const columns = [tools, estimate, o200k].map((value) => String(value).padStart(9)).join('');
  console.log(`${name.padEnd(50)}${columns}   ${times}`.trimEnd());
}

install();
row('tools/list of', 'tools', { estimate: 'estimate', o200k: 'o200k' }, 'of devops, in both counts');
let base: Cost | undefined;
const tell = async (name: string, tools: Definition[]) => {
  const cost = await costOf(tools);
  base ??= cost;
  const times = (key: keyof Cost) => `${(cost[key] / (base?.[key] ?? 1)).toFixed(2)} ×`;
  row(name, tools.length, cost, `${times('estimate')}, ${times('o200k')}`);
  return cost;
};
await tell('devops', await own('devops'));
for (const persona of shippedPersonas().filter((name) => name !== 'devops')) await tell(persona, await own(persona));
await tell('devops, --tools all', await own('devops', '--tools', 'all'));
const together: Cost = { estimate: 0, o200k: 0 };
for (const { name, version, main, args } of PEERS) {
  const cost = await tell(`${name} ${version}`, await listed(join(cache, 'node_modules/.bin', main), args));
  together.estimate += cost.estimate;
  together.o200k += cost.o200k;
}
const share = (key: keyof Cost) => ((base?.[key] ?? 0) / together[key]).toFixed(2);
console.log(`\ndevops costs ${share('estimate')} and ${share('o200k')} of what these four cost together.`);
rmSync(home, { recursive: true, force: true });
