import { appendFileSync, existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';

import type { ProcessesPort } from '../../../src/adapters/processes/port.ts';
import { git, newFolder, newProcesses, put, refusal, run } from './kit.ts';

let workspace: string;
let processes: ProcessesPort;
/** What a program that should not have run leaves. */
let canary: string;
let evil: string;

beforeEach(() => {
  ({ workspace, processes } = newProcesses());
  const folder = newFolder();
  canary = join(folder, 'canary');
  evil = put(folder, 'evil', `#!/bin/sh\necho "$0 $@" >> ${canary}\ncat\n`, 0o755);
  git(workspace, 'init', '-q', '-b', 'main');
  put(workspace, 'a.txt', 'one\n');
  put(workspace, 'docker/Dockerfile', 'FROM scratch\n');
  git(workspace, 'add', '.');
  git(workspace, 'commit', '-qm', 'first');
});

const config = (text: string) => appendFileSync(join(workspace, '.git/config'), text);

/** Every form of the table that looks or writes, on files that have changed. */
async function everything(): Promise<string> {
  writeFileSync(join(workspace, 'a.txt'), 'two\n');
  const lines = [
    ['status'], ['status', '--short', '--branch'], ['diff'], ['diff', '--', 'a.txt'], ['diff', '--cached', '--', 'a.txt'], ['diff', 'HEAD', '--', 'a.txt'],
    ['show', 'HEAD'], ['show', 'HEAD:a.txt'], ['log'], ['log', '--stat', '--', 'a.txt'], ['blame', '--', 'a.txt'], ['blame', 'HEAD', '--', 'a.txt'],
    ['ls-files', '--others', '--exclude-standard'], ['ls-tree', '-r', 'HEAD'], ['branch', '-a', '-v'], ['branch', 'other'], ['tag'], ['remote'],
    ['describe', '--always'], ['rev-parse', 'HEAD'], ['merge-base', 'HEAD', 'HEAD'], ['switch', '-c', 'feature/x'], ['add', 'a.txt'],
    ['restore', '--staged', 'a.txt'], ['add', '--', 'a.txt'], ['commit', '-m', 'second\n\nwith a body'],
  ]; // prettier-ignore
  let output = '';
  for (const args of lines) {
    const report = await run(processes, 'git', args);
    expect([args.join(' '), report.exitCode, report.output]).toEqual([args.join(' '), 0, expect.anything()]);
    output += report.output;
  }
  return output;
}

test('every form of the table works on a real repository (C4)', async () => {
  const output = await everything();
  for (const said of ['a.txt', '+two', '-one', 'first', 'feature/x', 'Ann']) expect(output).toContain(said);
  expect(git(workspace, 'log', '--format=%an %s %b', '-1', 'feature/x').trim()).toBe('Ann second with a body');
}, 60_000);

describe('a hostile repository runs nothing (C4)', () => {
  const canaryStays = async () => {
    await everything();
    expect(existsSync(canary)).toBe(false);
  };

  test.each<[string, (evil: string) => string]>([
    ['core.fsmonitor', (at) => `[core]\nfsmonitor = ${at}\n`],
    ['core.pager and pager.*', (at) => `[core]\npager = ${at}\n[pager]\nlog = ${at}\ndiff = ${at}\n`],
    ['core.editor', (at) => `[core]\neditor = ${at}\n[sequence]\neditor = ${at}\n`],
    ['diff.external', (at) => `[diff]\nexternal = ${at}\n`],
    [
      'gpg.program',
      (at) => `[gpg]\nprogram = ${at}\n[commit]\ngpgSign = true\n[log]\nshowSignature = true\n[format]\npretty = %G?\n`,
    ],
    [
      'gpg.ssh',
      (at) =>
        `[gpg]\nformat = ssh\n[gpg "ssh"]\nprogram = ${at}\ndefaultKeyCommand = ${at}\n[commit]\ngpgSign = true\n`,
    ],
    ['alias', (at) => `[alias]\nstatus = !${at}\nlog = !${at}\nst = !${at}\n`],
    ['credential.helper', (at) => `[credential]\nhelper = !${at}\n`],
    ['core.sshCommand', (at) => `[core]\nsshCommand = ${at}\naskPass = ${at}\ngitProxy = ${at}\n`],
    ['trailer', (at) => `[trailer "x"]\nkey = X\ncommand = ${at}\ncmd = ${at}\n`],
    ['gc', (at) => `[gc]\nauto = 1\nautoDetach = false\n[maintenance]\nauto = true\n[core]\nhooksPath = ${at}\n`],
  ])(
    '%s',
    async (_, text) => {
      config(text(evil));
      await canaryStays();
    },
    60_000,
  );

  test('hooks, from the folder of hooks and from core.hooksPath', async () => {
    const hooks = [
      'pre-commit',
      'prepare-commit-msg',
      'commit-msg',
      'post-commit',
      'post-checkout',
      'post-index-change',
      'reference-transaction',
      'fsmonitor-watchman',
      'pre-auto-gc',
    ];
    for (const hook of hooks) {
      put(workspace, `.git/hooks/${hook}`, `#!/bin/sh\n${evil}\n`, 0o755);
      put(workspace, `hooks/${hook}`, `#!/bin/sh\n${evil}\n`, 0o755);
    }
    await canaryStays();
    config('[core]\nhooksPath = hooks\n');
    git(workspace, '-c', 'core.hooksPath=/dev/null', 'branch', '-D', 'other');
    git(workspace, '-c', 'core.hooksPath=/dev/null', 'switch', '-q', 'main');
    git(workspace, '-c', 'core.hooksPath=/dev/null', 'branch', '-D', 'feature/x');
    await canaryStays();
  }, 60_000);

  test('filters, diff drivers and text conversion by attributes', async () => {
    put(workspace, '.gitattributes', '* filter=x diff=x merge=x\n');
    put(workspace, '.git/info/attributes', '* filter=y diff=y\n');
    for (const name of ['x', 'y', 'With.Dots and "quotes"'.replaceAll('"', '')])
      config(
        `[filter "${name}"]\nclean = ${evil}\nsmudge = ${evil}\nprocess = ${evil}\nrequired = true\n[diff "${name}"]\ncommand = ${evil}\ntextconv = ${evil}\n[merge "${name}"]\ndriver = ${evil}\n`,
      );
    await canaryStays();
  }, 60_000);

  test('configuration that is included from the workspace', async () => {
    put(workspace, 'extra', `[core]\nfsmonitor = ${evil}\n[filter "x"]\nclean = ${evil}\n`);
    put(workspace, '.gitattributes', '* filter=x\n');
    config('[include]\npath = ../extra\n');
    await canaryStays();
  }, 60_000);

  test('a repository inside the repository, whose own configuration is hostile', async () => {
    const inner = join(workspace, 'docker/inner');
    mkdirSync(inner, { recursive: true });
    git(inner, 'init', '-q');
    put(inner, 'x', 'x');
    git(inner, 'add', '.');
    git(inner, 'commit', '-qm', 'inner');
    put(workspace, '.gitmodules', '[submodule "i"]\npath = docker/inner\nurl = ./docker/inner\nignore = none\n');
    config(
      '[submodule "i"]\nactive = true\nurl = ./docker/inner\nignore = none\n[submodule]\nrecurse = true\n[diff]\nsubmodule = diff\nignoreSubmodules = none\n[status]\nsubmoduleSummary = true\n',
    );
    git(workspace, 'add', '.');
    git(workspace, 'commit', '-qm', 'with a submodule');
    // As long as before, so that only its content, and therefore its filter, can tell.
    writeFileSync(join(inner, 'x'), 'y');
    put(inner, '.gitattributes', '* filter=x\n');
    appendFileSync(join(inner, '.git/config'), `[core]\nfsmonitor = ${evil}\n[filter "x"]\nclean = ${evil}\n`);
    await canaryStays();
    // Nor is it the repository when the call is made in its folder.
    expect((await run(processes, 'git', ['ls-files', '--', 'x'], 'docker/inner')).output).toBe('');
    expect(existsSync(canary)).toBe(false);
  }, 60_000);

  test.each<[string, (evil: string) => string]>([
    ['ext::', (at) => `url = ext::${at}\n`],
    ['uploadpack', (at) => `url = ${at}\nuploadpack = ${at}\n`],
    ['a remote helper', (at) => `url = x::${at}\nvcs = ext\n`],
    ['ssh', () => 'url = ssh://-oProxyCommand=evil/x\n'],
  ])('a partial clone fetches nothing: %s', async (_, url) => {
    config(
      `[core]\nrepositoryFormatVersion = 1\nsshCommand = ${evil}\n[extensions]\npartialClone = origin\n[remote "origin"]\npromisor = true\npartialCloneFilter = blob:none\n${url(evil)}[protocol "ext"]\nallow = always\n`,
    );
    const blob = git(workspace, '-c', 'protocol.allow=never', 'rev-parse', 'HEAD:a.txt').trim();
    rmSync(join(workspace, '.git/objects', blob.slice(0, 2), blob.slice(2)));
    for (const args of [
      ['show', 'HEAD:a.txt'],
      ['diff', '--', 'a.txt'],
      ['show', 'HEAD'],
      ['log', '--stat'],
      ['status'],
    ])
      await run(processes, 'git', args);
    expect((await run(processes, 'git', ['show', 'HEAD:a.txt'])).exitCode).not.toBe(0);
    expect(existsSync(canary)).toBe(false);
  });
});

describe('files that may not be read do not come out of the history (C3)', () => {
  const SECRET = 'hunter2-planted';

  beforeEach(() => {
    put(workspace, 'config/.env', `${SECRET}\n`);
    put(workspace, 'a.txt/../.env', `${SECRET}\n`);
    git(workspace, 'add', '-f', '.');
    git(workspace, 'commit', '-qm', 'secret');
    put(workspace, '.env', `${SECRET} changed\n`);
  });

  test('forms without files show names and counts', async () => {
    for (const args of [
      ['show'],
      ['show', 'HEAD'],
      ['diff', 'HEAD~1'],
      ['diff', 'HEAD~1', 'HEAD'],
      ['diff'],
      ['log', '--stat'],
      ['log', '--name-status', '--', '.env'],
      ['diff', '--stat', '--', 'config'],
    ]) {
      const { output, exitCode } = await run(processes, 'git', args);
      expect([args, exitCode, output.includes(SECRET)]).toEqual([args, 0, false]);
    }
  });

  test('a file does not stand for the folder that had its name', async () => {
    rmSync(join(workspace, 'config'), { recursive: true });
    put(workspace, 'config', 'harmless\n');
    for (const args of [
      ['diff', '--', 'config'],
      ['diff', 'HEAD~1', '--', 'config'],
      ['diff', 'HEAD', '--', 'config'],
      ['diff', 'HEAD~1', 'HEAD', '--', 'config'],
      ['show', 'HEAD:config'],
      ['blame', 'HEAD', '--', 'config'],
      ['diff', '--cached', 'HEAD~1', '--', 'config'],
    ]) {
      const { output } = await run(processes, 'git', args);
      expect([args, output.includes(SECRET)]).toEqual([args, false]);
    }
    // The same with git as it is would bring it out.
    expect(git(workspace, 'diff', 'HEAD', '--', 'config')).toContain(SECRET);
  });

  test('names with characters of patterns mean themselves', async () => {
    for (const name of ['*', '[a-z]x', 'a?c', ':(top)x', '!x', 'b\\z'.replace('\\', '^')]) {
      put(workspace, name, 'changed\n');
      if (!/[a-z]/.test(name)) expect((await refusal(() => run(processes, 'git', ['add', name]))).code).toBe('denied');
      else {
        await run(processes, 'git', ['add', '--', name]);
        expect(git(workspace, 'diff', '--cached', '--name-only', '-z')).toBe(`${name}\0`);
        git(workspace, 'reset', '-q');
      }
    }
  });

  test('a hash, whole or in part, brings out no blob', async () => {
    const blob = git(workspace, 'rev-parse', 'HEAD:.env').trim();
    for (const hash of [blob, blob.slice(0, 7)])
      for (const args of [
        ['show', hash],
        ['show', '--no-patch', hash],
        ['diff', hash, '--', 'a.txt'],
        ['diff', hash, 'HEAD', '--', 'a.txt'],
        ['log', hash],
        ['show', `${hash}:a.txt`],
      ])
        expect((await run(processes, 'git', args)).output).not.toContain(SECRET);
    expect(git(workspace, 'show', blob)).toContain(SECRET);
  });

  test('a file named by blame.ignoreRevsFile does not come out in an error', async () => {
    const outside = put(newFolder(), 'secret', `${SECRET}\n`);
    config(`[blame]\nignoreRevsFile = ${outside}\n`);
    expect((await run(processes, 'git', ['blame', '--', 'a.txt'])).output).not.toContain(SECRET);
  });
});

describe('the repository is the workspace’s own (C4)', () => {
  const other = () => {
    const folder = newFolder();
    git(folder, 'init', '-q', '-b', 'main');
    put(folder, 'theirs', 'x');
    git(folder, 'add', '.');
    git(folder, 'commit', '-qm', 'theirs');
    return folder;
  };

  test.each<[string, (git: string, theirs: string) => void]>([
    ['a link', (at, theirs) => symlinkSync(join(theirs, '.git'), at)],
    ['a file that points to it', (at, theirs) => writeFileSync(at, `gitdir: ${theirs}/.git\n`)],
    [
      'a folder with a commondir',
      (at, theirs) => (
        mkdirSync(at),
        writeFileSync(join(at, 'commondir'), `${theirs}/.git\n`),
        writeFileSync(join(at, 'HEAD'), 'ref: refs/heads/main\n')
      ),
    ],
  ])('%s to another repository is refused', async (_, make) => {
    const theirs = other();
    rmSync(join(workspace, '.git'), { recursive: true });
    make(join(workspace, '.git'), theirs);
    expect((await refusal(() => run(processes, 'git', ['log']))).code).toBe('denied');
  });

  test('a worktree that its repository knows is used', async () => {
    const theirs = other();
    rmSync(workspace, { recursive: true });
    git(theirs, 'worktree', 'add', '-q', '-b', 'mine', workspace);
    expect((await run(processes, 'git', ['log', '--oneline'])).output).toContain('theirs');
    expect((await run(processes, 'git', ['branch', '--show-current'])).output).toBe('mine\n');
  });

  test('a repository above the workspace is not found', async () => {
    rmSync(join(workspace, '.git'), { recursive: true });
    git(join(workspace, '..'), 'init', '-q');
    expect((await refusal(() => run(processes, 'git', ['log']))).code).toBe('not_found');
  });
});
