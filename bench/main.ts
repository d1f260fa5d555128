/**
 * `pnpm bench`: figures of one run on this machine, as ratios where a figure alone would say more of the machine than of
 * Holdpoint. Nothing is asserted. The bundle is that of `pnpm build`. `pnpm bench records` is bench/records.ts,
 * `pnpm bench personas` is bench/personas.ts.
 */
import { spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pino } from 'pino';

import { loadConfig } from '../src/config/config.ts';
import { SAMPLE_WORKSPACE } from '../src/config/locations.ts';
import { TOOL_SCOPES } from '../src/core/scopes.ts';
import { decide } from '../src/policy/decide.ts';
import { loadPolicy } from '../src/policy/load.ts';
import { createApp } from '../src/server/app.ts';
import { toolList } from '../src/server/mcp.ts';
import { estimateTokens } from '../src/personas/budget.ts';
import { realTokens } from '../src/personas/tokenizer.ts';
import { alternate, line, median, timed } from './measure.ts';

if (process.argv[2] === 'records') {
  await import('./records.ts');
  process.exit();
}
if (process.argv[2] === 'personas') {
  await import('./personas.ts');
  process.exit();
}

const root = mkdtempSync(join(tmpdir(), 'holdpoint-bench-'));
const main = resolve(import.meta.dirname, '../src/main.ts');
const bundle = resolve(import.meta.dirname, '../dist/main.js');
const bare = resolve(import.meta.dirname, 'bare-server.ts');
const workspace = join(root, 'workspace');
cpSync(SAMPLE_WORKSPACE, workspace, { recursive: true });

const MESSAGES = [
  {
    jsonrpc: '2.0',
    id: 1,
    method: 'initialize',
    params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'bench', version: '1' } },
  },
  { jsonrpc: '2.0', method: 'notifications/initialized' },
  { jsonrpc: '2.0', id: 2, method: 'tools/list', params: {} },
];

/** From spawn to the answer of tools/list. Resolves to the server's peak memory in MiB. */
function untilListed(args: string[]): Promise<number> {
  return new Promise((done, fail) => {
    const child = spawn(process.execPath, args, {
      stdio: ['pipe', 'pipe', 'ignore'],
      env: { PATH: process.env['PATH'], HOME: root },
    });
    let output = '';
    child.on('error', fail);
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      if (!output.includes('"id":2')) return;
      const memory = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1];
      child.kill('SIGKILL');
      child.once('exit', () => done(Number(memory) / 1024));
    });
    for (const message of MESSAGES) child.stdin.write(`${JSON.stringify(message)}\n`);
  });
}

const served = ['serve', '--stdio', '--workspace', workspace, '--state', join(root, 'state')];
const contenders = {
  bare: () => untilListed([bare]),
  bundle: () => untilListed([bundle, ...served]),
  first: () => {
    rmSync(join(root, '.cache'), { recursive: true, force: true });
    return untilListed([bundle, ...served]);
  },
  source: () => untilListed([main, ...served]),
};
/** Runs it once to its end, so that it can write down what it compiled. */
const warm = (entry: string) => spawnSync(process.execPath, [entry, ...served], { input: '', env: { HOME: root } });
const of = (one: number, other: number, unit: string) =>
  `${(one / other).toFixed(2)} × (${other.toFixed(0)} ${unit} → ${one.toFixed(0)} ${unit})`;

warm(bundle);
warm(main);
const ready = await alternate(15, { bare: contenders.bare, bundle: contenders.bundle, source: contenders.source });
const first = await alternate(15, { bare: contenders.bare, first: contenders.first });
line('ready (spawn to tools/list) of the bundle, of a bare SDK server', of(ready.bundle, ready.bare, 'ms'));
line('… at its first start', of(first.first, first.bare, 'ms'));
line('… of the source', of(ready.source, ready.bare, 'ms'));
const memory = { bare: await contenders.bare(), bundle: await contenders.bundle(), source: await contenders.source() };
line('peak memory when ready of the bundle, of a bare SDK server', of(memory.bundle, memory.bare, 'MiB'));
line('… of the source', of(memory.source, memory.bare, 'MiB'));

const config = loadConfig(
  { workspace, state: join(root, 'state') },
  { PATH: process.env['PATH'], HOME: root, USER: 'bench', KUBECONFIG: join(root, 'none') },
);
const app = await createApp({ config, log: pino({ level: 'silent' }) });
const { services, dispatch } = app;
let calls = 0;
const call = (tool: string, args: object) =>
  dispatch.call({
    id: `bench-${++calls}`,
    tool,
    arguments: args,
    principal: { person: 'bench', agent: 'devops', client: 'bench' },
    scopes: TOOL_SCOPES,
    admitted: true,
    transport: 'demo',
    signal: new AbortController().signal,
    progress: () => {},
  });
const file = 'kubernetes/deployment.yaml';
const write = () =>
  services.ports.files
    .look('docker/bench.txt')
    .then((found) => services.ports.files.identity(found))
    .then((identity) => services.ports.files.expect('docker/bench.txt', identity))
    .then((bound) => services.ports.files.write(bound, Buffer.from(String(++calls))));
const reads = await alternate(300, {
  alone: async () => services.ports.files.read(await services.ports.files.look(file), { maxBytes: 100_000 }),
  dispatched: () => call('view', { path: file }),
});
line(
  'a read through dispatch, of the file read alone',
  `${(reads.dispatched / reads.alone).toFixed(2)} × (+${(reads.dispatched - reads.alone).toFixed(2)} ms)`,
);
const writes = await alternate(100, {
  alone: write,
  dispatched: () => call('save-file', { path: 'docker/bench.txt', content: String(++calls) }),
});
line(
  'a write through dispatch, of the same write alone',
  `${(writes.dispatched / writes.alone).toFixed(2)} × (+${(writes.dispatched - writes.alone).toFixed(2)} ms)`,
);

const options = { tools: (name: string) => services.registry.get(name), facts: services.facts };
const policy = await loadPolicy(services.persona.policyFile, options);
const many = {
  ...policy,
  rules: Array.from({ length: Math.ceil(1000 / policy.rules.length) }, () => policy.rules)
    .flat()
    .slice(0, 1000),
};
const target = {
  kind: 'workload' as const,
  resource: 'deployment',
  id: 'deployment/api in tta-prod',
  effect: 'write' as const,
  at: { namespace: 'tta-prod', kubeContext: 'prod-eu' },
};
const subject = { principal: { person: 'p', agent: 'a', client: 'c' }, tool: 'kubectl-rollout', targets: [target] };
const decisions = (each: typeof policy) =>
  timed(async () => {
    for (let round = 0; round < 200; round++) decide(each, subject, 0);
  });
const few = median(await Promise.all(Array.from({ length: 9 }, () => decisions(policy)))) / 200;
const thousand = median(await Promise.all(Array.from({ length: 9 }, () => decisions(many)))) / 200;
line(
  `a decision with 1,000 rules, of one with ${policy.rules.length}`,
  `${(thousand / few).toFixed(1)} × (${(few * 1000).toFixed(0)} µs → ${(thousand * 1000).toFixed(0)} µs)`,
);

for (const list of ['persona', 'all'] as const) {
  const tools = toolList(services, list);
  line(`tools/list (${list}): tools, bytes of JSON`, `${tools.length}, ${Buffer.byteLength(JSON.stringify(tools))}`);
  line(
    `tools/list (${list}): tokens, hypertool's estimate and o200k`,
    `${estimateTokens(tools)}, ${await realTokens(tools)}`,
  );
}
await app.stop();
rmSync(root, { recursive: true, force: true });
