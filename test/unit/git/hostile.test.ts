import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';

import type { JsonObject } from '../../../src/core/json.ts';
import { git as gitIn, newFolder, put } from '../processes/kit.ts';
import { configure, newGitBench, newTrap, type GitBench } from './kit.ts';

let bench: GitBench;
let trap: ReturnType<typeof newTrap>;
beforeEach(async () => {
  bench = await newGitBench();
  bench.git('branch', 'feature/there');
  trap = newTrap();
});

/** Every action, on files that have changed; how each ended. Pushes may be refused, where `pushes` says so. */
async function everything(pushes: 'done' | 'denied' = 'done'): Promise<void> {
  bench.write('a.txt', 'two\n');
  bench.write('docker/new', 'x\n');
  const ended: [string, string][] = [];
  const act = async (args: JsonObject) => {
    const { status, error } = await bench.tool(args);
    ended.push([JSON.stringify(args), error?.code ?? status]);
  };
  for (const action of ['status', 'diff', 'log', 'branch', 'tag']) await act({ action });
  await act({ action: 'diff', ref: 'HEAD', paths: ['a.txt'] });
  await act({ action: 'branch', name: 'feature/x' });
  await act({ action: 'commit', message: 'second\n\nX: y', paths: ['a.txt', 'docker/new'] });
  await act({ action: 'diff', ref: 'HEAD~1..HEAD' });
  await act({ action: 'branch', name: 'feature/there' });
  await act({ action: 'branch', name: 'feature/back', ref: 'feature/x' });
  // A name by which no person is asked.
  await act({ action: 'tag', name: 'feature/t1', message: 'tagged' });
  await act({ action: 'tag', name: 'feature/t2' });
  for (const name of ['feature/x', 'feature/t1']) await act({ action: 'push', name });
  const expected = ended.map(([args]) => [args, args.includes('"push"') ? pushes : 'done']);
  expect(ended).toEqual(expected);
  expect(bench.remoteRef('refs/heads/feature/x') !== '').toBe(pushes === 'done');
}

describe('a hostile repository runs nothing, whatever the action (E6)', () => {
  test.each<[string, (evil: string) => string]>([
    [
      'what looks and what edits',
      (at) => `[core]
fsmonitor = ${at}
pager = ${at}
editor = ${at}
[pager]
log = ${at}
diff = ${at}
branch = ${at}
tag = ${at}
[sequence]
editor = ${at}
[diff]
external = ${at}
tool = x
[interactive]
diffFilter = ${at}
[difftool "x"]
cmd = ${at}
[mergetool "x"]
cmd = ${at}
[trailer "x"]
key = X
command = ${at}
cmd = ${at}
ifExists = addIfDifferent
`,
    ],
    [
      'aliases',
      (at) =>
        ['status', 'log', 'diff', 'switch', 'push', 'tag', 'update-ref', 'hash-object', 'ls-remote', 'config'].reduce(
          (text, name) => `${text}${name} = !${at}\n`,
          '[alias]\n',
        ),
    ],
    [
      'what connects and what is done beside',
      (at) => `[credential]
helper = !${at}
[credential "https://github.com"]
helper = !${at}
[core]
sshCommand = ${at}
askPass = ${at}
gitProxy = ${at}
alternateRefsCommand = ${at}
hooksPath = ${at}
[protocol]
allow = always
[protocol "ext"]
allow = always
[remote "other"]
url = ext::${at}
[uploadpack]
packObjectsHook = ${at}
[gc]
auto = 1
autoDetach = false
[maintenance]
auto = true
[receive]
autogc = true
`,
    ],
    [
      'signing',
      (at) => `[gpg]
program = ${at}
[gpg "openpgp"]
program = ${at}
[commit]
gpgSign = true
[tag]
gpgSign = true
forceSignAnnotated = true
[push]
gpgSign = true
[log]
showSignature = true
[user]
signingKey = x
`,
    ],
    [
      'signing by ssh',
      (at) => `[gpg]
format = ssh
[gpg "ssh"]
program = ${at}
defaultKeyCommand = ${at}
allowedSignersFile = /dev/null
[commit]
gpgSign = true
[tag]
gpgSign = true
[push]
gpgSign = true
`,
    ],
  ])('%s', async (_, text) => {
    configure(bench.dir, text(trap.program));
    await everything();
    expect(trap.ran()).toBe(false);
  });

  test.each<[string, (evil: string, origin: string) => string]>([
    ['receivepack', (at) => `[remote "origin"]\nreceivepack = ${at}\n`],
    ['uploadpack', (at) => `[remote "origin"]\nuploadpack = ${at}\n`],
    ['vcs', () => '[remote "origin"]\nvcs = ext\n'],
    ['pushurl', (at) => `[remote "origin"]\npushurl = ext::${at}\n`],
    ['insteadOf', (at, origin) => `[url "ext::${at} "]\ninsteadOf = ${origin}\n`],
    [
      'a remote named as the address',
      (at, origin) => `[remote "${origin}"]\nreceivepack = ${at}\nuploadpack = ${at}\n`,
    ],
    [
      'a partial clone',
      (at) =>
        `[core]\nrepositoryFormatVersion = 1\n[extensions]\npartialClone = lazy\n[remote "lazy"]\nurl = ssh://x/y\nuploadpack = ${at}\n`,
    ],
    ['http', (at) => `[http]\nproxySSLKey = ${at}\n`],
  ])('a push is refused: %s', async (_, text) => {
    configure(bench.dir, `${text(trap.program, bench.origin)}[protocol "ext"]\nallow = always\n`);
    expect(await bench.tool({ action: 'push', name: 'feature/there' })).toMatchObject({ status: 'denied' });
    expect(trap.ran()).toBe(false);
  });

  test('an address that is a program is refused', async () => {
    bench.git('remote', 'set-url', 'origin', `ext::${trap.program}`);
    configure(bench.dir, '[protocol "ext"]\nallow = always\n');
    await everything('denied');
    expect(trap.ran()).toBe(false);
  });

  test('hooks, in their folder and where core.hooksPath leads', async () => {
    const hooks =
      'pre-commit prepare-commit-msg commit-msg post-commit pre-push post-checkout post-index-change reference-transaction pre-auto-gc fsmonitor-watchman post-rewrite pre-merge-commit';
    for (const hook of hooks.split(' '))
      for (const folder of ['.git/hooks', 'hooks'])
        put(bench.dir, `${folder}/${hook}`, `#!/bin/sh\n${trap.program}\n`, 0o755);
    await everything();
    expect(trap.ran()).toBe(false);
    // They would have run.
    bench.git('commit', '-q', '--allow-empty', '-m', 'x');
    expect(trap.ran()).toBe(true);
  });

  test('hooks by core.hooksPath', async () => {
    for (const hook of ['pre-push', 'post-checkout', 'reference-transaction', 'post-index-change'])
      put(bench.dir, `hooks/${hook}`, `#!/bin/sh\n${trap.program}\n`, 0o755);
    configure(bench.dir, '[core]\nhooksPath = hooks\n');
    await everything();
    expect(trap.ran()).toBe(false);
  });

  test('diff drivers, text conversion and merge drivers by attributes', async () => {
    put(bench.dir, '.git/info/attributes', '* diff=x merge=x\n');
    configure(
      bench.dir,
      `[diff "x"]\ncommand = ${trap.program}\ntextconv = ${trap.program}\ncachetextconv = true\n[merge "x"]\ndriver = ${trap.program}\n`,
    );
    await everything();
    expect(trap.ran()).toBe(false);
  });

  test('filters by attributes, whose files are not committed', async () => {
    put(bench.dir, '.git/info/attributes', '* filter=x\n');
    const at = trap.program;
    configure(bench.dir, `[filter "x"]\nclean = ${at}\nsmudge = ${at}\nprocess = ${at}\nrequired = true\n`);
    bench.write('a.txt', 'two\n');
    for (const action of ['status', 'diff', 'log']) await bench.result({ action });
    expect(await bench.tool({ action: 'commit', message: 'x' })).toMatchObject({ status: 'denied' });
    await bench.result({ action: 'branch', name: 'feature/x' });
    bench.git(
      '-c',
      'filter.x.process=',
      '-c',
      'filter.x.clean=',
      '-c',
      'filter.x.required=false',
      'commit',
      '-qam',
      'x',
    );
    await bench.result({ action: 'branch', name: 'feature/there' });
    await bench.result({ action: 'push', name: 'feature/x' });
    expect(trap.ran()).toBe(false);
  });

  test('configuration that is included from the workspace', async () => {
    put(
      bench.dir,
      'docker/extra',
      `[core]\nfsmonitor = ${trap.program}\nhooksPath = ${trap.program}\n[diff]\nexternal = ${trap.program}\n`,
    );
    configure(bench.dir, '[include]\npath = ../docker/extra\n');
    await everything();
    expect(trap.ran()).toBe(false);
  });

  test('submodules with a hostile configuration of their own', async () => {
    const inner = join(bench.dir, 'docker/inner');
    mkdirSync(inner);
    gitIn(inner, 'init', '-q');
    put(inner, 'x', 'x');
    gitIn(inner, 'add', '.');
    gitIn(inner, 'commit', '-qm', 'inner');
    put(bench.dir, '.gitmodules', '[submodule "i"]\npath = docker/inner\nurl = ./docker/inner\nignore = none\n');
    bench.git('add', '.');
    bench.git('commit', '-qm', 'with a submodule');
    put(inner, 'x', 'y');
    put(inner, '.git/config', `[core]\nrepositoryFormatVersion = 0\nfsmonitor = ${trap.program}\n`);
    configure(
      bench.dir,
      `[submodule "i"]\nactive = true\nurl = ./docker/inner\nignore = none\nupdate = !${trap.program}\n[submodule]\nrecurse = true\n[diff]\nsubmodule = diff\nignoreSubmodules = none\n[status]\nsubmoduleSummary = true\n[push]\nrecurseSubmodules = check\n`,
    );
    bench.git('branch', '-f', 'feature/there');
    await everything();
    expect(trap.ran()).toBe(false);
  });

  test('another working tree, or a bare repository, by its configuration', async () => {
    const elsewhere = newFolder();
    put(elsewhere, 'a.txt', 'elsewhere\n');
    configure(bench.dir, `[core]\nworktree = ${elsewhere}\nbare = true\n`);
    await everything();
    expect((await bench.result({ action: 'diff', ref: 'feature/there' }))['text']).not.toContain('elsewhere');
  });

  test.each<[string, (dir: string, theirs: string) => void]>([
    ['a file that points to another repository', (dir, theirs) => void put(dir, '.git', `gitdir: ${theirs}/.git\n`)],
    ['no repository', () => {}],
  ])('%s is not used', async (_, make) => {
    const theirs = newFolder();
    gitIn(theirs, 'init', '-q', '-b', 'main');
    gitIn(theirs, 'commit', '-q', '--allow-empty', '-m', 'theirs');
    rmSync(join(bench.dir, '.git'), { recursive: true });
    make(bench.dir, theirs);
    for (const args of [
      { action: 'log' },
      { action: 'branch', name: 'feature/x' },
      { action: 'push', name: 'main2' },
      { action: 'commit', message: 'x' },
    ])
      expect((await bench.tool(args)).error?.code).toMatch(/^(?:denied|not_found)$/);
    expect(gitIn(theirs, 'branch', '--list')).toBe('* main\n');
  });

  test('names of files that are options or patterns mean files', async () => {
    bench.git('switch', '-q', 'feature/there');
    for (const name of ['-rf.txt', 'docker/*', 'docker/:(top)x', 'docker/[a]', 'docker/a b']) bench.write(name, 'x\n');
    await bench.result({ action: 'commit', message: 'odd', paths: ['-rf.txt', 'docker/*', 'docker/:(top)x'] });
    expect(bench.git('show', '--name-only', '--format=', '-z').split('\0').filter(Boolean)).toEqual([
      '-rf.txt',
      'docker/*',
      'docker/:(top)x',
    ]);
    bench.write('docker/[a]', 'y\n');
    bench.write('docker/line\nbreak', 'x\n');
    expect(await bench.tool({ action: 'commit', message: 'odd', paths: ['docker'] })).toMatchObject({
      status: 'denied',
    });
    expect((await bench.call('git', { action: 'status' })).text).toContain(String.raw`untracked "docker/line\nbreak"`);
  });
});
