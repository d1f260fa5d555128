import { existsSync, mkdirSync, readFileSync, renameSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';

import { createOutput, plain } from '../../../src/adapters/processes/output.ts';
import { grammarFor, launched, newFolder, newProcesses, OWNER, PROGRAMS, put, refusal } from './kit.ts';

const BIN = '/usr/bin:/bin';

/** A program of that name in a folder of its own, and a PATH with it. */
function newProgram(name: string, script: string): { path: string; file: string } {
  const bin = newFolder();
  return { path: `${bin}${delimiter}${BIN}`, file: put(bin, name, `#!/bin/sh\n${script}\n`, 0o755) };
}

const alive = (pid: number): boolean => {
  try {
    // A zombie has ended; whoever should collect it is another matter.
    return !/^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
};

describe('how a program is started (C4)', () => {
  test('its environment is built from nothing', async () => {
    const { path } = newProgram('show-env', 'env');
    const { processes } = newProcesses({
      PATH: path,
      AWS_SECRET_ACCESS_KEY: 'leak',
      LD_PRELOAD: 'leak.so',
      WANTED: 'yes',
      NODE_OPTIONS: 'leak',
    });
    const grammar = grammarFor(
      'show-env',
      "environment: [WANTED, MISSING]\nset: { FIXED: '{workspace}/x', HOME: '{private}/home' }",
    );
    const { output } = await launched(processes, grammar, []);
    const names = output
      .trim()
      .split('\n')
      .map((line) => line.split('=')[0] ?? '')
      .sort((a, b) => a.localeCompare(b, 'en'));
    const shells = new Set(['PWD', 'OLDPWD', 'SHLVL', '_']);
    const expected = [
      'FIXED',
      'HOLDPOINT_PROCESS',
      'HOME',
      'LANG',
      'NO_COLOR',
      'PAGER',
      'PATH',
      'TERM',
      'TMPDIR',
      'WANTED',
    ];
    expect(names.filter((name) => !shells.has(name))).toEqual(expected);
    expect(output).not.toContain('leak');
    expect((await processes.examine(grammar)).environment).toEqual(
      expected.filter((name) => name !== 'HOLDPOINT_PROCESS'),
    );
  });

  test.each(Object.values(PROGRAMS).filter(({ commands }) => commands.length > 0))(
    '$program gets of Holdpoint’s environment what its file names, and nothing else',
    async (grammar) => {
      const { path } = newProgram(grammar.program, 'env');
      const named = Object.fromEntries(grammar.environment.map((name) => [name, `/given-${name}`]));
      const others = [
        'HOLDPOINT_TOKEN', 'HOLDPOINT_STATE', 'HOLDPOINT_APPROVER_PASSPHRASE', 'HOLDPOINT_SANDBOX', 'GH_TOKEN', 'GITHUB_TOKEN', 'NPM_TOKEN',
        'AWS_SECRET_ACCESS_KEY', 'VAULT_TOKEN', 'SSH_AUTH_SOCK', 'NODE_OPTIONS', 'LD_PRELOAD', 'LD_LIBRARY_PATH', 'LD_AUDIT', 'GCONV_PATH', 'BASH_ENV',
        'ENV', 'PYTHONPATH', 'PERL5OPT', 'GIT_SSH_COMMAND', 'GIT_EXTERNAL_DIFF', 'KUBECONFIG', 'DOCKER_HOST', 'HTTPS_PROXY', 'XDG_CONFIG_HOME', 'USER',
      ].filter((name) => !grammar.environment.includes(name)); // prettier-ignore
      const planted = Object.fromEntries(others.map((name) => [name, `planted-${name}`]));
      const { processes } = newProcesses({ ...planted, ...named, PATH: path });
      const { gitConfig: _, ...without } = { ...grammar, folder: 'empty' as const };
      const { output } = await launched(processes, without, []);
      expect(output).not.toContain('planted');
      for (const name of grammar.environment)
        if (!Object.hasOwn(grammar.set, name)) expect(output).toContain(`${name}=/given-${name}\n`);
    },
  );

  test('arguments arrive as they are, whatever a shell would make of them (CVE-2025-53355)', async () => {
    const { path } = newProgram('show-args', 'for a in "$@"; do printf "<%s>\\n" "$a"; done');
    const { workspace, processes } = newProcesses({ PATH: path });
    const args = [
      '; touch pwned',
      '$(touch pwned)',
      '`touch pwned`',
      '| touch pwned',
      '&& touch pwned',
      '> pwned',
      'a b',
      '*',
      '~',
      '$HOME',
      "'",
      '"',
      '\\',
      '',
    ];
    const { output } = await launched(processes, grammarFor('show-args'), args);
    expect(output).toBe(args.map((arg) => `<${arg}>\n`).join(''));
    expect(existsSync(join(workspace, 'pwned'))).toBe(false);
  });

  test('nothing is there to read, and the terminal is not there', async () => {
    const { path } = newProgram('ask', 'read x && echo "got $x"; test -t 0 || echo no terminal');
    const { processes } = newProcesses({ PATH: path });
    expect((await launched(processes, grammarFor('ask'), [])).output).toBe('no terminal\n');
  });

  test('it runs in the folder of the workspace, or in an empty one outside', async () => {
    const { path } = newProgram('where', 'pwd -P; ls -A');
    const { workspace, processes } = newProcesses({ PATH: path });
    put(workspace, 'a/b/file', '');
    expect((await launched(processes, grammarFor('where'), [], 'a/b')).output).toBe(`${workspace}/a/b\nfile\n`);
    const empty = (await launched(processes, { ...grammarFor('where'), folder: 'empty' }, [], 'a/b')).output;
    expect(empty).toMatch(/\/holdpoint-run-\w+\/where\/empty\n$/);
    expect(empty).not.toContain(workspace);
  });

  test('a folder that is a link, leads out, or is not there is refused', async () => {
    const { path, file } = newProgram('where', 'pwd');
    const { workspace, processes } = newProcesses({ PATH: path });
    mkdirSync(join(workspace, 'real/in'), { recursive: true });
    symlinkSync(join(file, '..'), join(workspace, 'out'));
    symlinkSync('real', join(workspace, 'link'));
    for (const cwd of ['out', 'link', 'link/in', 'missing'])
      expect((await refusal(() => launched(processes, grammarFor('where'), [], cwd))).code, cwd).toBe('denied');
  });

  test('a program of the workspace is never the one that runs', async () => {
    const { path, file } = newProgram('tool', 'echo right');
    const folder = newFolder();
    const { workspace, processes } = newProcesses({ PATH: ['.', 'bin', folder, path].join(delimiter) });
    put(workspace, 'bin/tool', '#!/bin/sh\necho wrong\n', 0o755);
    put(workspace, 'tool', '#!/bin/sh\necho wrong\n', 0o755);
    symlinkSync(join(workspace, 'bin/tool'), join(folder, 'tool'));
    expect((await processes.examine(grammarFor('tool'))).executable.path).toBe(file);
    expect((await launched(processes, grammarFor('tool'), [])).output).toBe('right\n');
    const inside = newProcesses();
    put(inside.workspace, 'bin/only-here', '#!/bin/sh\n', 0o755);
    expect((await refusal(() => inside.processes.examine(grammarFor('only-here')))).code).toBe('unavailable');
  });

  test('a folder of PATH that lies in the workspace is neither searched nor passed on', async () => {
    const { path } = newProgram('show-path', 'echo "$PATH"');
    const root = newFolder();
    const { createProcesses } = await import('../../../src/adapters/processes/client.ts');
    const workspace = join(root, 'work');
    put(workspace, 'bin/show-path', '#!/bin/sh\necho wrong\n', 0o755);
    symlinkSync(join(workspace, 'bin'), join(root, 'link'));
    const processes = createProcesses({
      workspace,
      environment: { PATH: [join(workspace, 'bin'), join(root, 'link'), path].join(delimiter) },
    });
    onTestFinished(() => processes.close());
    expect((await launched(processes, grammarFor('show-path'), [])).output).not.toContain('work');
  });

  test('a program that is another file than planned is stale (I9)', async () => {
    const { path, file } = newProgram('tool', 'echo one');
    const { processes } = newProcesses({ PATH: path });
    const grammar = grammarFor('tool');
    const { executable } = await processes.examine(grammar);
    put(join(file, '..'), 'tool.new', '#!/bin/sh\necho two\n', 0o755);
    renameSync(`${file}.new`, file);
    const error = await refusal(() => processes.start({ grammar, executable, argv: [], cwd: '.' }, OWNER));
    expect(error).toMatchObject({ code: 'stale', changes: [{ what: `the program ${executable.path}` }] });
    utimesSync(file, 1, 1);
    expect((await processes.examine(grammar)).executable.identity).not.toBe(executable.identity);
  });

  test.each([
    ['KUBECONFIG', 'work/kubeconfig'],
    ['KUBECONFIG', '/etc/hosts:work/kubeconfig'],
    ['KUBECONFIG', 'link/kubeconfig'],
    ['DOCKER_CERT_PATH', 'work/certs'],
    ['DOCKER_HOST', 'unix://work/docker.sock'],
  ])('%s=%s, which the agent could write, is refused', async (name, value) => {
    const { path } = newProgram('tool', 'echo ran');
    const { createProcesses } = await import('../../../src/adapters/processes/client.ts');
    const root = newFolder();
    mkdirSync(join(root, 'work'));
    symlinkSync(join(root, 'work'), join(root, 'link'));
    const absolute = value.replace(/work|link/, (folder) => join(root, folder));
    const settings = (at: string) => ({ workspace: join(root, 'work'), environment: { PATH: path, [name]: at } });
    const grammar = grammarFor('tool', `environment: [${name}]`);
    const [refused, allowed] = [createProcesses(settings(absolute)), createProcesses(settings('/etc/hosts'))];
    onTestFinished(() => refused.close());
    onTestFinished(() => allowed.close());
    expect((await refusal(() => refused.examine(grammar))).code).toBe('denied');
    expect((await refusal(() => launched(refused, grammar, []))).code).toBe('denied');
    expect((await launched(allowed, grammar, [])).output).toBe('ran\n');
  });

  test('a kubeconfig at a relative path is refused', async () => {
    const { path } = newProgram('tool', '');
    const { processes } = newProcesses({ PATH: path, KUBECONFIG: 'kubeconfig' });
    expect((await refusal(() => processes.examine(grammarFor('tool', 'environment: [KUBECONFIG]')))).code).toBe(
      'denied',
    );
  });
});

describe('how a program ends (C4)', () => {
  test('its exit code is told', async () => {
    const { path } = newProgram('fail', 'echo out; echo err >&2; exit 7');
    const { processes } = newProcesses({ PATH: path });
    const report = await launched(processes, grammarFor('fail'), []);
    expect(report).toMatchObject({ state: 'exited', exitCode: 7 });
    expect(report.output.split('\n').sort()).toEqual(['', 'err', 'out']);
  });

  test('killing it ends all it started, also what left its group and session or ignores being asked', async () => {
    const { path } = newProgram(
      'forks',
      `trap '' TERM
       sleep 300 & echo $!
       setsid sleep 301 & echo $!
       (setsid sh -c 'trap "" TERM; echo $$; sleep 302 & echo $!; wait' &)
       echo $$
       while :; do sleep 1; done`,
    );
    const { processes } = newProcesses({ PATH: path });
    const grammar = grammarFor('forks');
    const { executable } = await processes.examine(grammar);
    const id = await processes.start({ grammar, executable, argv: [], cwd: '.' }, OWNER);
    let output = '';
    await vi.waitUntil(async () => {
      output += (await processes.read(id, OWNER, { waitMs: 50, maxBytes: 5000 })).output;
      return output.split('\n').length > 5;
    }, 10_000);
    const pids = output.trim().split('\n').map(Number);
    expect(pids.map(alive)).toEqual(pids.map(() => true));
    await processes.kill(id, OWNER);
    expect((await processes.read(id, OWNER, { waitMs: 0, maxBytes: 5000 })).state).toBe('killed');
    expect(pids.map(alive)).toEqual(pids.map(() => false));
  });

  test('what it leaves behind goes when it ends', async () => {
    const { path } = newProgram('leaves', 'setsid sleep 300 & echo $!');
    const { processes } = newProcesses({ PATH: path });
    const { output, state } = await launched(processes, grammarFor('leaves'), []);
    expect(state).toBe('exited');
    expect(alive(Number(output))).toBe(false);
  });

  test('it ends with the server', async () => {
    const { path } = newProgram('long', 'echo $$; exec sleep 300');
    const { processes } = newProcesses({ PATH: path });
    const { output } = await launched(processes, grammarFor('long'), [], '.', 500);
    const pid = Number(output);
    expect(alive(pid)).toBe(true);
    await processes.close();
    expect(alive(pid)).toBe(false);
    expect((await refusal(() => launched(processes, grammarFor('long'), []))).code).not.toBe('not_found');
  });

  test('it ends when it takes too long', async () => {
    const { path } = newProgram('long', 'exec sleep 300');
    const { processes } = newProcesses({ PATH: path }, { timeMs: 100 });
    expect(await launched(processes, grammarFor('long'), [])).toMatchObject({ state: 'timed_out' });
  });

  test('it ends when it writes without end, and the oldest output is counted as lost', async () => {
    const { path } = newProgram('flood', 'while :; do echo 0123456789012345678901234567890123456789; done');
    const { processes } = newProcesses({ PATH: path }, { outputBytes: 500_000, keptCharacters: 10_000 });
    const report = await launched(processes, grammarFor('flood'), []);
    expect(report.state).toBe('flooded');
    expect(report.dropped).toBeGreaterThan(400_000);
    expect(report.output.length).toBeLessThanOrEqual(12_500);
  });
});

describe('reading (C4, A7)', () => {
  test('each read gives what is new, and nothing is lost in between', async () => {
    const { path } = newProgram('counts', 'i=0; while [ $i -lt 3000 ]; do i=$((i+1)); echo "line $i"; done');
    const { processes } = newProcesses({ PATH: path });
    const grammar = grammarFor('counts');
    const { executable } = await processes.examine(grammar);
    const id = await processes.start({ grammar, executable, argv: [], cwd: '.' }, OWNER);
    let text = '';
    for (let done = false; !done;) {
      const report = await processes.read(id, OWNER, { waitMs: 20_000, maxBytes: 1000 });
      expect(Buffer.byteLength(JSON.stringify(report.output))).toBeLessThanOrEqual(1000);
      text += report.output;
      done = report.unread === undefined;
    }
    expect(text).toBe(Array.from({ length: 3000 }, (_, index) => `line ${index + 1}\n`).join(''));
  });

  test('a process is its owner’s alone', async () => {
    const { path } = newProgram('secret', 'echo mine; exec sleep 300');
    const { processes } = newProcesses({ PATH: path });
    const grammar = grammarFor('secret');
    const { executable } = await processes.examine(grammar);
    const id = await processes.start({ grammar, executable, argv: [], cwd: '.' }, OWNER);
    const options = { waitMs: 0, maxBytes: 1000 };
    expect((await refusal(() => processes.read(id, 'bob/devops/tests', options))).code).toBe('not_found');
    expect((await refusal(() => processes.kill(id, 'bob/devops/tests'))).code).toBe('not_found');
    expect((await refusal(() => processes.read('prc_none', OWNER, options))).code).toBe('not_found');
    expect((await processes.read(id, OWNER, options)).state).toBe('running');
  });

  test('only so many run at a time for one owner, also when started at once', async () => {
    const { path } = newProgram('long', 'exec sleep 300');
    const { processes } = newProcesses({ PATH: path }, { runningPerOwner: 2 });
    const grammar = grammarFor('long');
    const { executable } = await processes.examine(grammar);
    const start = { grammar, executable, argv: [], cwd: '.' };
    const results = await Promise.allSettled([1, 2, 3, 4].map(() => processes.start(start, OWNER)));
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'fulfilled', 'rejected', 'rejected']);
    expect(await processes.start(start, 'bob/devops/tests')).toMatch(/^prc_[0-9a-f]{24}$/);
  });

  test('a waiting read stops when the call is called off', async () => {
    const { path } = newProgram('long', 'exec sleep 300');
    const { processes } = newProcesses({ PATH: path });
    const grammar = grammarFor('long');
    const { executable } = await processes.examine(grammar);
    const id = await processes.start({ grammar, executable, argv: [], cwd: '.' }, OWNER);
    const gone = new AbortController();
    const reading = processes.read(id, OWNER, { waitMs: 25_000, maxBytes: 1000, signal: gone.signal });
    gone.abort();
    expect((await reading).state).toBe('running');
  });

  test('lines come as progress while waiting, not without end', async () => {
    // It writes only once somebody reads: what came before is in the result, and is no progress.
    const { path } = newProgram(
      'counts',
      'while [ ! -e go ]; do sleep 0.01; done; i=0; while [ $i -lt 500 ]; do i=$((i+1)); printf "\\033[31mline %s\\033[0m\\n" $i; done',
    );
    const { processes, workspace } = newProcesses({ PATH: path });
    const grammar = grammarFor('counts');
    const { executable } = await processes.examine(grammar);
    const id = await processes.start({ grammar, executable, argv: [], cwd: '.' }, OWNER);
    const lines: string[] = [];
    const reading = processes.read(id, OWNER, { waitMs: 20_000, maxBytes: 1000, onLine: (line) => lines.push(line) });
    writeFileSync(join(workspace, 'go'), '');
    await reading;
    expect(lines.length).toBeLessThanOrEqual(40);
    expect(lines[0]).toMatch(/^line \d+$/);
  });

  test('half a line waits for its end, so that no secret is cut in two', () => {
    const output = createOutput(1000);
    output.add('one\ntok');
    expect(output.take(1000, false)).toEqual({ output: 'one\n', unread: 3, dropped: 0 });
    output.add('en\n');
    expect(output.take(1000, false).output).toBe('token\n');
    output.add('last');
    expect(output.take(1000, true).output).toBe('last');
  });

  test('characters that move the cursor or turn text round are left out', () => {
    expect(plain('\u001b[2Ja\u001b]0;title\u0007b\u202Ec\u0000d\re\r\nf\tg')).toBe('abcde\nf\tg');
  });
});
