import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';

import { createProcesses } from '../../../src/adapters/processes/client.ts';
import { grammarFor, newFolder, OWNER, put, refusal } from './kit.ts';
import { launchedWith, newPlace, WORKS } from './sandbox-kit.ts';

/** Says what it could read of its arguments. */
const READ = 'for f in "$@"; do cat "$f" 2>/dev/null || echo "no $f"; done';

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1');
  } catch {
    return '';
  }
}

describe.skipIf(!WORKS)('what a program sees in its sandbox (C4)', () => {
  test('its workspace and the system’s programs, and that it is sandboxed is told', async () => {
    const { processes, program, workspace } = newPlace();
    program('look', 'cat a.txt; pwd; ls /usr/bin/env; ls -d /etc/passwd');
    const report = await launchedWith(processes, grammarFor('look'));
    expect(report).toMatchObject({
      state: 'exited',
      exitCode: 0,
      sandboxed: true,
      output: `one\n${workspace}\n/usr/bin/env\n/etc/passwd\n`,
    });
  });

  test('not the state, nor what lies around the workspace, nor homes and other users’ files', async () => {
    const { processes, program, root, state } = newPlace();
    program('look', READ);
    const beside = put(root, 'beside', 'planted');
    const [database, shadow] = [join(state, 'holdpoint.db'), '/etc/shadow'];
    const argv = [beside, database, shadow, '/proc/1/root/etc/shadow', `/proc/1/cwd/../beside`];
    const { output } = await launchedWith(processes, grammarFor('look'), argv);
    expect(output).toBe(argv.map((path) => `no ${path}\n`).join(''));
    program('list', 'ls -A / /root /home /var /run /tmp "$@" 2>/dev/null');
    const listed = await launchedWith(processes, grammarFor('list'), [homedir(), join(homedir(), '.ssh')]);
    for (const name of ['.ssh', '.config', '.local', 'home', 'srv', 'mnt'])
      expect(listed.output.split('\n')).not.toContain(name);
    // The twin: without a sandbox the same program reads them.
    const open = newPlace({ sandbox: { mode: 'off' } });
    open.program('look', READ);
    expect((await launchedWith(open.processes, grammarFor('look'), [beside, database])).output).toBe(
      'plantedplanted-state',
    );
  });

  test('a program that runs what lies around it sees the named files alone, and does not run without a sandbox', async () => {
    const { processes, program, workspace } = newPlace();
    put(workspace, '.env', 'planted');
    put(workspace, 'play/site.yml', 'play\n');
    program('look', 'cat a.txt; cat .env 2>/dev/null; find . -type f | sort; echo x 2>/dev/null > made || echo kept');
    const named = await launchedWith(processes, grammarFor('look'), [], { sees: ['a.txt', 'missing.txt'] });
    expect(named).toMatchObject({ sandboxed: true, output: 'one\n./a.txt\nkept\n' });
    program('list', 'find . -type f');
    const folder = await launchedWith(processes, grammarFor('list'), [], { sees: ['play'] });
    expect(folder.output).toBe('./play/site.yml\n');
    const open = newPlace({ sandbox: { mode: 'off' } });
    open.program('look', 'cat a.txt');
    const error = await refusal(() => launchedWith(open.processes, grammarFor('look'), [], { sees: ['a.txt'] }));
    expect(error).toMatchObject({ code: 'unavailable', message: expect.stringContaining('in a sandbox alone') });
    // Nor where the sandbox went between the plan and the run.
    const { executable } = await open.processes.examine(grammarFor('look'));
    const start = { grammar: grammarFor('look'), executable, argv: [], cwd: '.', sees: ['a.txt'] };
    expect((await refusal(() => open.processes.start(start, OWNER))).code).toBe('unavailable');
  });

  test('the state is hidden where it lies in a folder that is shown', async () => {
    const place = newPlace();
    const { processes, program, root, state } = newPlace({
      sandbox: { readable: { look: [place.root] }, hidden: [place.state, '/nonexistent'] },
    });
    program('look', `exec 2>/dev/null; ${READ}; touch ${place.state}/made && echo wrote; ls -A ${place.state}`);
    const beside = put(place.root, 'beside', 'shown\n');
    const argv = [beside, join(place.state, 'holdpoint.db'), join(state, 'holdpoint.db'), join(root, 'work/a.txt')];
    const { output } = await launchedWith(processes, grammarFor('look'), argv);
    expect(output).toBe(`shown\nno ${argv[1]}\nno ${argv[2]}\none\n`);
  });

  test('the state is hidden under another name too, and a file of it is not shown by naming it', async () => {
    const place = newPlace();
    const alias = join(newFolder(), 'alias');
    symlinkSync(place.root, alias);
    const file = join(place.state, 'holdpoint.db');
    const { processes, program } = newPlace({
      sandbox: { readable: { look: [alias, file] }, hidden: [join(alias, 'state')] },
    });
    program('look', READ);
    const argv = [join(alias, 'work/a.txt'), join(alias, 'state/holdpoint.db'), file];
    const { output } = await launchedWith(processes, grammarFor('look'), argv);
    expect(output).toBe(`one\nno ${argv[1]}\nno ${argv[2]}\n`);
  });

  test('no other process, and not the environment of Holdpoint', async () => {
    const { processes, program } = newPlace();
    program('look', 'ls /proc | grep -c "^[0-9]"; cat /proc/[0-9]*/environ | tr "\\0" "\\n" | cut -d= -f1 | sort -u');
    const { output } = await launchedWith(processes, grammarFor('look'));
    const [count, ...names] = output.trim().split('\n');
    expect(Number(count)).toBeLessThan(10);
    expect(names).not.toContain('VITEST');
    expect(names).toContain('HOLDPOINT_PROCESS');
  });

  test('it has no capabilities, and cannot get any', async () => {
    const { processes, program } = newPlace();
    program(
      'caps',
      'grep -E "^(Cap(Prm|Eff|Bnd)|NoNewPrivs)" /proc/self/status | cut -f2 | sort -u; mount -t tmpfs x /mnt 2>/dev/null && echo mounted; unshare -U true 2>/dev/null && echo nested',
    );
    const { output } = await launchedWith(processes, grammarFor('caps'));
    expect(output.replace(/nested\n/, '')).toBe('0000000000000000\n1\n');
  });

  test('what a variable of its grammar leads to is there, read-only', async () => {
    const folder = newFolder();
    const key = put(folder, 'certs/client.key', 'the key\n');
    const kubeconfig = put(
      folder,
      'kube/config',
      'users: [{ user: { client-key: ../certs/client.key, exec: { command: aws } } }]\n',
    );
    const settings = { environment: { KUBECONFIG: kubeconfig } };
    const script = `exec 2>/dev/null; cat "$KUBECONFIG" ${key}; (echo x >> "$KUBECONFIG") || echo kept; ls ${folder}`;
    const { processes, program } = newPlace(settings);
    program('kube', script);
    const grammar = { ...grammarFor('kube', 'environment: [KUBECONFIG]'), acts: 'kubernetes' as const };
    const { output } = await launchedWith(processes, grammar, [], { network: true });
    expect(output).toContain('the key');
    expect(output).toMatch(/kept\ncerts\nkube\n$/);
    // A command of the same program that acts on this machine alone, and a program that does not name it, get nothing.
    expect((await launchedWith(processes, grammar)).output).not.toContain('the key');
    expect((await launchedWith(processes, grammarFor('kube'), [], { network: true })).output).not.toContain('the key');
  });

  test('a secret that begins like a path does not come into a command line', async () => {
    const { processes, program } = newPlace({ environment: { SECRET_KEY: '/wJalrXUtnFEMI/K7MDENG' } });
    program('look', 'echo "$SECRET_KEY"; sleep 300');
    const grammar = { ...grammarFor('look', 'environment: [SECRET_KEY]'), acts: 'remote' as const };
    const { executable } = await processes.examine(grammar);
    const id = await processes.start({ grammar, executable, argv: [], cwd: '.', network: true }, OWNER);
    let output = '';
    await vi.waitUntil(async () => {
      output += (await processes.read(id, OWNER, { waitMs: 50, maxBytes: 1000 })).output;
      return output.includes('wJalrXUtnFEMI');
    }, 10_000);
    const lines = readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(commandLine);
    expect(lines.join()).toContain('--die-with-parent');
    expect(lines.join()).not.toContain('wJalrXUtnFEMI');
  });

  test('the Engine’s socket is there for docker alone', async () => {
    const folder = newFolder();
    const socket = join(folder, 'docker.sock');
    const server = createServer().listen(socket);
    onTestFinished(() => void server.close());
    const { processes, program } = newPlace({ environment: { DOCKER_HOST: `unix://${socket}` } });
    program('docker', `test -S ${socket} && echo socket || echo none`);
    const docker = { ...grammarFor('docker', 'environment: [DOCKER_HOST]'), acts: 'docker' as const };
    expect((await launchedWith(processes, docker, [], { network: true })).output).toBe('socket\n');
    expect((await launchedWith(processes, grammarFor('docker'), [], { network: true })).output).toBe('none\n');
  });

  test('it is called by its own name where its file has another', async () => {
    const { processes, program, root } = newPlace();
    const file = program('many', 'echo "called $(basename "$0")"');
    symlinkSync(file, join(root, 'bin/one'));
    expect((await launchedWith(processes, grammarFor('one'))).output).toBe('called one\n');
  });
});

describe.skipIf(!WORKS)('what a program may change in its sandbox (C4)', () => {
  test('nothing of the workspace, unless its rule says that it changes files', async () => {
    const { processes, program, workspace } = newPlace();
    program('write', 'echo two > a.txt && echo wrote');
    expect((await launchedWith(processes, grammarFor('write'))).output).not.toContain('wrote');
    expect(readFileSync(join(workspace, 'a.txt'), 'utf8')).toBe('one\n');
    expect((await launchedWith(processes, grammarFor('write'), [], { writes: true })).output).toBe('wrote\n');
    expect(readFileSync(join(workspace, 'a.txt'), 'utf8')).toBe('two\n');
  });

  test('never what binds the agent, nor the hooks of a repository', async () => {
    const fixed: string[] = [];
    const { processes, program, workspace, root } = newPlace({ sandbox: { fixed } });
    fixed.push(put(workspace, 'policy/rules.yaml', 'rules\n'), put(root, 'outside', 'out\n'), '/nonexistent');
    mkdirSync(join(workspace, '.git/hooks'), { recursive: true });
    program('write', 'for f in "$@"; do echo two > $f && echo "wrote $f"; done');
    const argv = ['policy/rules.yaml', '.git/hooks/pre-commit', 'b.txt'];
    const { output } = await launchedWith(processes, grammarFor('write'), argv, { writes: true });
    expect(output).toMatch(/wrote b\.txt\n$/);
    expect(output.match(/wrote/g)).toHaveLength(1);
    expect(existsSync(join(workspace, '.git/hooks/pre-commit'))).toBe(false);
    program('look', READ);
    expect((await launchedWith(processes, grammarFor('look'), [join(root, 'outside')])).output).toMatch(/^no /);
  });

  test('its own folders, and a /tmp that ends with it', async () => {
    const { processes, program } = newPlace();
    const name = `holdpoint-${process.pid}`;
    program('write', `for f in "$HOME/f" "$TMPDIR/f" /tmp/${name}; do echo x > "$f" && echo wrote; done`);
    const { output } = await launchedWith(processes, grammarFor('write'));
    expect(output).toBe('wrote\nwrote\nwrote\n');
    expect(existsSync(`/tmp/${name}`)).toBe(false);
    program(
      'outside',
      `exec 2>/dev/null; for f in / /usr /etc /dev /run /proc/sys/kernel; do touch $f/${name} && echo $f; done; echo tried`,
    );
    expect((await launchedWith(processes, grammarFor('outside'), [], { writes: true })).output).toBe('tried\n');
  });

  test('its folders in memory have an end', async () => {
    const { processes, program } = newPlace();
    program(
      'fill',
      'exec 2>/dev/null; for f in /tmp/x /dev/shm/x; do head -c 100000000 /dev/zero > $f || echo full; done',
    );
    expect((await launchedWith(processes, grammarFor('fill'))).output).toBe('full\nfull\n');
  });
});

describe.skipIf(!WORKS)('the network of a sandbox (C4)', () => {
  /** Answers `hello` on loopback. */
  async function listening(): Promise<number> {
    const server = createServer((socket) => socket.end('hello')).listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await new Promise((done) => server.once('listening', done));
    return (server.address() as AddressInfo).port;
  }

  test('a program that acts on this machine opens no connection; one that acts elsewhere does', async () => {
    const { processes } = newPlace();
    const port = await listening();
    const argv = ['-c', `exec 3<>/dev/tcp/127.0.0.1/${port} && cat <&3`];
    const local = await launchedWith(processes, grammarFor('bash'), argv);
    expect(local.exitCode).not.toBe(0);
    expect(local.output).not.toContain('hello');
    expect((await launchedWith(processes, grammarFor('bash'), argv, { network: true })).output).toBe('hello');
  });
});

describe('where there is no sandbox (C4)', () => {
  const withoutBwrap = (mode: 'auto' | 'required') => {
    const bin = newFolder();
    put(bin, 'tool', '#!/bin/sh\necho ran\n', 0o755);
    const workspace = newFolder();
    const settings = { mode, hidden: [], fixed: [], readable: {} };
    const processes = createProcesses({ workspace, environment: { PATH: bin }, sandbox: settings });
    onTestFinished(() => processes.close());
    return { processes, bin, workspace };
  };

  test('`auto` runs the program and says that it was without', async () => {
    const { processes } = withoutBwrap('auto');
    expect((await processes.examine(grammarFor('tool'))).sandbox).toBe('none');
    expect(await launchedWith(processes, grammarFor('tool'))).toMatchObject({ output: 'ran\n', sandboxed: false });
  });

  test('`required` refuses, at the plan already, and says what the operator does', async () => {
    const { processes } = withoutBwrap('required');
    const error = await refusal(() => processes.examine(grammarFor('tool')));
    expect(error).toMatchObject({ code: 'unavailable', hint: expect.stringContaining('bubblewrap') as string });
  });

  test('one that is there and does not start counts as none, and its reason is told', async () => {
    const { processes, bin } = withoutBwrap('required');
    put(bin, 'bwrap', '#!/bin/sh\necho "bwrap: No permissions to create new namespace" >&2\nexit 1\n', 0o755);
    const error = await refusal(() => processes.examine(grammarFor('tool')));
    expect(error.message).toContain('No permissions to create new namespace');
  });

  test('a bwrap of the workspace is never the one', async () => {
    const root = newFolder();
    const bin = put(root, 'work/bin/bwrap', '#!/bin/sh\ntouch ran\nexec /bin/true\n', 0o755).replace('/bwrap', '');
    const workspace = join(root, 'work');
    const processes = createProcesses({
      workspace,
      environment: { PATH: bin },
      sandbox: { mode: 'required', hidden: [], fixed: [], readable: {} },
    });
    onTestFinished(() => processes.close());
    put(root, 'other/tool', '#!/bin/sh\n', 0o755);
    expect((await refusal(() => processes.examine(grammarFor('tool')))).code).toBe('unavailable');
    expect(existsSync(join(workspace, 'ran'))).toBe(false);
  });

  test.skipIf(!WORKS)('the plan says what the program is kept to', async () => {
    const { processes } = newPlace({ sandbox: { mode: 'auto' } });
    const grammar = grammarFor('sh');
    expect((await processes.examine(grammar)).sandbox).toBe('no network, workspace read-only');
    expect((await processes.examine(grammar, { network: true, writes: true })).sandbox).toBe(
      'network, workspace writable',
    );
  });
});
