import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { createFiles, type WorkspaceFiles } from '../../src/adapters/files/client.ts';
import { createProcesses } from '../../src/adapters/processes/client.ts';
import { programFolders } from '../../src/adapters/processes/executable.ts';
import type { ProcessesPort } from '../../src/adapters/processes/port.ts';
import { lookForSandbox } from '../../src/adapters/processes/sandbox.ts';
import { loadConfig } from '../../src/config/config.ts';
import { readFacts } from '../../src/config/facts.ts';
import type { Facts } from '../../src/core/facts.ts';
import launch from '../../src/tools/processes/launch-process.ts';
import { liveServers } from './servers.ts';

const { kubeconfig, dockerHost } = liveServers();
const PATH = process.env['PATH'] ?? '';
const folders = await programFolders(PATH, '/nowhere');
const sandbox = await lookForSandbox(folders, '/nowhere');
const has = (program: string) => {
  try {
    return execFileSync('sh', ['-c', `command -v ${program}`], { encoding: 'utf8' }) !== '';
  } catch {
    return false;
  }
};

describe.skipIf(sandbox.state !== 'works')('real programs in a real sandbox (C4)', () => {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'holdpoint-sandbox-')));
  const workspace = join(root, 'work');
  let processes: ProcessesPort;
  let files: WorkspaceFiles;
  let facts: Facts;

  /** Runs a command line as launch-process does, without a policy. */
  const run = async (line: string[], cwd?: string) => {
    const [program = '', ...args] = line;
    const context = {
      processes,
      files,
      facts,
      principal: { person: 'p', agent: 'devops', client: 'test' },
      callId: 'live-sandbox',
      signal: new AbortController().signal,
      permits: () => true,
      redact: (text: string) => text,
      progress: () => {},
      stepDone: () => {},
    };
    const plan = await launch.plan({ program, args, cwd, waitSeconds: 40 }, context);
    const report = launch.output.parse(await launch.run(plan, context));
    return { sandbox: plan.preconditions.find(({ id }) => id === 'sandbox')?.value, ...report };
  };

  beforeAll(async () => {
    mkdirSync(join(workspace, 'infra'), { recursive: true });
    writeFileSync(join(workspace, 'infra/main.tf'), 'variable "x" {\ntype=string\n}\n');
    const git = (...args: string[]) =>
      execFileSync('git', ['-c', 'user.name=Ann', '-c', 'user.email=ann@example.com', ...args], { cwd: workspace });
    git('init', '-q', '-b', 'main');
    git('add', '.');
    git('commit', '-qm', 'first');
    const environment = {
      PATH,
      ...(kubeconfig && { KUBECONFIG: kubeconfig }),
      ...(dockerHost && { DOCKER_HOST: dockerHost }),
      GIT_AUTHOR_NAME: 'Ann',
      GIT_AUTHOR_EMAIL: 'ann@example.com',
      GIT_COMMITTER_NAME: 'Ann',
      GIT_COMMITTER_EMAIL: 'ann@example.com',
    };
    facts = await readFacts(loadConfig({ workspace, state: join(root, 'state') }, { HOME: root, ...environment }));
    files = createFiles({ workspace, undoDir: join(root, 'state/undo') });
    processes = createProcesses({
      workspace,
      environment,
      sandbox: { mode: 'required', hidden: [join(root, 'state')], fixed: [], readable: {} },
    });
  });
  afterAll(async () => {
    await processes.close();
    files.close();
    rmSync(root, { recursive: true, force: true });
  });

  test.skipIf(!has('git'))('git looks and commits', async () => {
    expect(await run(['git', 'status', '--short'])).toMatchObject({
      sandbox: 'no network, workspace read-only',
      sandboxed: true,
      exitCode: 0,
      output: '',
    });
    writeFileSync(join(workspace, 'b.txt'), 'two\n');
    expect(await run(['git', 'add', 'b.txt'])).toMatchObject({
      sandbox: 'no network, workspace writable',
      exitCode: 0,
    });
    expect(await run(['git', 'commit', '-m', 'second'])).toMatchObject({ exitCode: 0 });
    expect((await run(['git', 'log', '--oneline'])).output).toContain('second');
  });

  test.skipIf(!has('terraform'))('terraform shows how a file is written', async () => {
    const report = await run(['terraform', 'fmt', '-check', '-diff', 'infra/main.tf']);
    expect(report).toMatchObject({ sandbox: 'no network, workspace read-only', sandboxed: true, exitCode: 3 });
    expect(report.output).toMatch(/\+ +type += string/);
  });

  /** What a playbook that is read can reach: it runs a program of its own. */
  const PIPE =
    "- hosts: \"{{ lookup('pipe', '(cat .env play/.env ../.env; ls -a .. .; touch made && echo wrote) | tr -c a-zA-Z, , ; true') }}\"\n";

  test.skipIf(!has('ansible-playbook'))(
    'ansible-playbook lists, and what a playbook runs sees its folder alone',
    async () => {
      const tasks = '  tasks:\n    - name: install the service\n      command: echo installed\n';
      mkdirSync(join(workspace, 'play'), { recursive: true });
      writeFileSync(join(workspace, '.env'), 'PLANTED=above\n');
      writeFileSync(join(workspace, 'play/hosts.ini'), '[web]\nweb-1\nweb-2\n');
      writeFileSync(join(workspace, 'play/site.yml'), `- hosts: web\n${tasks}`);
      const listed = await run(['ansible-playbook', '--list-tasks', '-i', 'hosts.ini', 'site.yml'], 'play');
      expect(listed).toMatchObject({
        sandbox: 'no network, of the workspace only play',
        sandboxed: true,
        exitCode: 0,
        output: expect.stringContaining('install the service'),
      });
      const hosts = await run(['ansible-playbook', '--list-hosts', '-i', 'hosts.ini', 'site.yml'], 'play');
      expect(hosts.output).toMatch(/hosts \(2\)/);
      writeFileSync(join(workspace, 'play/hostile.yml'), `${PIPE}${tasks}`);
      const hostile = await run(['ansible-playbook', '--list-hosts', '-i', 'hosts.ini', 'hostile.yml'], 'play');
      // It did run: the names of its folder are in what ansible says.
      expect(hostile.output).toContain('hostile.yml');
      expect(hostile.output).not.toContain('PLANTED');
      expect(hostile.output).not.toContain('infra');
      expect(existsSync(join(workspace, 'play/made'))).toBe(false);
    },
  );

  test.skipIf(!has('pnpm'))('pnpm lists what the lock file says, and runs nothing of the workspace', async () => {
    mkdirSync(join(workspace, 'app'), { recursive: true });
    const lock = readFileSync(join(import.meta.dirname, '../../pnpm-lock.yaml'), 'utf8');
    writeFileSync(join(workspace, 'app/pnpm-lock.yaml'), lock);
    writeFileSync(
      join(workspace, 'app/package.json'),
      JSON.stringify({ name: 'app', packageManager: 'pnpm@1.0.0', dependencies: { zod: '4' } }),
    );
    writeFileSync(join(workspace, 'app/.pnpmfile.cjs'), "console.log('PLANTED: ran');\n");
    const report = await run(['pnpm', 'why', 'zod'], 'app');
    expect(report).toMatchObject({ sandboxed: true, exitCode: 0, output: expect.stringContaining('zod@') });
    expect(report.output).not.toContain('PLANTED');
  });

  test.skipIf(!has('kubectl') || kubeconfig === undefined)('kubectl reaches its cluster', async () => {
    const report = await run(['kubectl', 'get', 'namespaces']);
    expect(report).toMatchObject({ sandbox: 'network, workspace read-only', sandboxed: true, exitCode: 0 });
    expect(report.output).toContain('kube-system');
  });

  test.skipIf(!has('docker') || dockerHost === undefined)('docker reaches its Engine', async () => {
    const report = await run(['docker', 'version']);
    expect(report).toMatchObject({ sandbox: 'network, workspace read-only', sandboxed: true, exitCode: 0 });
    expect(report.output).toMatch(/Server:[^]*Version/);
  });
});
