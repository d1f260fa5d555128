import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { stringify } from 'yaml';

import { ROOT } from '../harness.ts';
import type { Attack } from './case.ts';
import { recordingCluster, type RecordingCluster } from './cluster.ts';
import { recordingEngine, recordingPrograms, trap, type Recorder } from './recorders.ts';

/** Everything that a case can reach: folders, servers that record, programs that record. */
export interface World {
  secret: string;
  root: string;
  workspace: string;
  cluster: RecordingCluster;
  engine: Awaited<ReturnType<typeof recordingEngine>>;
  trap: Recorder & { port: number };
  ran: () => string[];
  /** Environment and configuration file for the server. */
  env: Record<string, string>;
  config: string;
  fill: (text: string) => string;
  change: (setup: NonNullable<Attack['setup']>) => void;
  /** Every file below workspace, outside and home, by what it is. */
  snapshot: () => Map<string, string>;
  close: () => void;
}

/** What every workspace has: one file of each kind that an agent of the persona may touch. */
const COMMON: Record<string, string> = {
  'docker/Dockerfile': 'FROM scratch\nCOPY app.conf /\n',
  'docker/app.conf': 'level = info\n',
  'kubernetes/deployment.yaml': 'kind: Deployment\nmetadata: { name: api }\n',
  'kubernetes/old.yaml': 'kind: Deployment\nmetadata: { name: old }\n',
  'src/app.py': 'print("hello")\n',
  'README.md': '# Shop\n',
};

export async function newWorld(attack: Attack): Promise<World> {
  const root = mkdtempSync(join(tmpdir(), 'holdpoint-attack-'));
  const at = (name: string) => join(root, name);
  const [workspace, outside, home] = [at('workspace'), at('workspace-evil'), at('home')];
  for (const folder of [workspace, outside, home]) mkdirSync(folder);
  const secret = `s3cr3t${randomBytes(12).toString('hex')}`;
  const cluster = await recordingCluster(secret);
  const engine = await recordingEngine(at('engine.sock'));
  const trapped = await trap();
  const { ran } = recordingPrograms(at('bin'));
  const names: Record<string, string> = {
    secret,
    workspace,
    outside,
    home,
    state: at('state'),
    keys: at('state.keys'),
    root: ROOT,
    trap: `http://127.0.0.1:${trapped.port}`,
    trapPort: String(trapped.port),
  };
  const fill = (text: string) => text.replace(/\{(\w+)\}/g, (whole, name: string) => names[name] ?? whole);

  function change(setup: NonNullable<Attack['setup']>): void {
    const put = (base: string, path: string, content: string) => {
      const file = join(base, fill(path));
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, content.startsWith('base64:') ? Buffer.from(content.slice(7), 'base64') : fill(content), {
        mode: 0o755,
      });
    };
    const made = (path: string) => {
      const full = join(workspace, fill(path));
      mkdirSync(dirname(full), { recursive: true });
      rmSync(full, { force: true, recursive: true });
      return full;
    };
    for (const path of setup.remove ?? []) rmSync(join(workspace, fill(path)), { recursive: true, force: true });
    for (const path of setup.folders ?? []) mkdirSync(join(workspace, fill(path)), { recursive: true });
    for (const [path, content] of Object.entries(setup.files ?? {})) put(workspace, path, content);
    for (const [path, content] of Object.entries(setup.outside ?? {})) put(outside, path, content);
    for (const [path, content] of Object.entries(setup.home ?? {})) put(home, path, content);
    for (const [path, text] of Object.entries(setup.links ?? {})) symlinkSync(fill(text), made(path));
    for (const [path, from] of Object.entries(setup.hardLinks ?? {})) linkSync(join(workspace, fill(from)), made(path));
    for (const path of setup.fifos ?? []) execFileSync('mkfifo', [made(path)]);
    for (const path of setup.sockets ?? []) createServer().listen(made(path)).unref();
    const configured = (setup.gitConfig ?? []).map(([name, value]) => ['config', '--local', name, value]);
    for (const args of [...(setup.git ?? []), ...configured])
      execFileSync('git', args.map(fill), {
        cwd: workspace,
        env: { ...process.env, ...GIT, HOME: home },
        stdio: 'pipe',
      });
  }

  change({ files: COMMON, outside: { 'passwd.txt': 'outside {secret}\n' } });
  if (attack.setup) change(attack.setup);
  writeFileSync(at('kubeconfig'), kubeconfig(cluster.url));
  const config = at('holdpoint.yaml');
  const policy = attack.policy === undefined ? {} : { policy: at('policy.yaml') };
  if (attack.policy !== undefined) writeFileSync(at('policy.yaml'), attack.policy);
  writeFileSync(config, fill(stringify({ ...policy, ...attack.settings })));
  const environment = Object.entries(attack.environment ?? {}).map(([name, value]) => [name, fill(value)] as const);

  return {
    secret,
    root,
    workspace,
    cluster,
    engine,
    trap: trapped,
    ran,
    config,
    fill,
    change,
    env: {
      PATH: [at('bin'), process.env['PATH'] ?? ''].join(delimiter),
      HOME: home,
      // Compiled code is kept between the worlds: the server is the same.
      XDG_CACHE_HOME: CACHE,
      USER: 'attacked',
      HOLDPOINT_APPROVER_PASSPHRASE: '',
      KUBECONFIG: at('kubeconfig'),
      DOCKER_HOST: `unix://${at('engine.sock')}`,
      ...Object.fromEntries(environment),
    },
    snapshot: () => snapshot([workspace, outside, home]),
    close() {
      cluster.close();
      engine.close();
      trapped.close();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

const CACHE = join(tmpdir(), 'holdpoint-attack-cache');

const GIT = {
  GIT_AUTHOR_NAME: 'a',
  GIT_AUTHOR_EMAIL: 'a@example.org',
  GIT_COMMITTER_NAME: 'a',
  GIT_COMMITTER_EMAIL: 'a@example.org',
  GIT_CONFIG_NOSYSTEM: '1',
};

function kubeconfig(server: string): string {
  const context = (name: string) => ({ name, context: { cluster: name, user: 'agent', namespace: 'shop-staging' } });
  const cluster = (name: string) => ({ name, cluster: { server, 'insecure-skip-tls-verify': true } });
  const names = ['staging', 'prod-eu'];
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'staging',
    clusters: names.map(cluster),
    contexts: names.map(context),
    users: [{ name: 'agent', user: { token: 'not-a-secret-of-the-test' } }],
  });
}

/** What git and kubectl keep for themselves, and the compiled code that Holdpoint keeps in its user's cache. */
const OWN = /(?:\.git\/(?:index|logs|objects)|home\/\.(?:cache|kube))$/;

/** Type, mode and content of everything but `OWN`. */
function snapshot(roots: readonly string[]): Map<string, string> {
  const seen = new Map<string, string>();
  const walk = (path: string) => {
    const stat = lstatSync(path);
    const kind = stat.mode.toString(8);
    if (stat.isSymbolicLink()) seen.set(path, `${kind} -> ${readlinkSync(path)}`);
    else if (stat.isFile()) seen.set(path, `${kind} ${createHash('sha256').update(readFileSync(path)).digest('hex')}`);
    else seen.set(path, kind);
    if (!stat.isDirectory()) return;
    for (const name of readdirSync(path)) if (!OWN.test(join(path, name))) walk(join(path, name));
  };
  for (const root of roots) if (existsSync(root)) walk(root);
  return seen;
}
