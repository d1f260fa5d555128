import { existsSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

import type { ProgramGrammar } from '../../../src/core/programs.ts';
import { git, PROGRAMS, put, refusal } from './kit.ts';
import { launchedWith, newPlace, WORKS, type Place } from './sandbox-kit.ts';

const ENVIRONMENT = {
  GIT_AUTHOR_NAME: 'Ann',
  GIT_AUTHOR_EMAIL: 'ann@example.com',
  GIT_COMMITTER_NAME: 'Ann',
  GIT_COMMITTER_EMAIL: 'ann@example.com',
};

const GIT = PROGRAMS['git'] as ProgramGrammar;
/** git with nothing overruled: whatever a repository brings runs. */
const OPEN: ProgramGrammar = { ...GIT, gitConfig: { set: {}, override: [] } };

function newRepository(sandbox: object = {}): Place {
  const place = newPlace({ environment: ENVIRONMENT, sandbox });
  git(place.workspace, 'init', '-q', '-b', 'main');
  git(place.workspace, 'add', '.');
  git(place.workspace, 'commit', '-qm', 'first');
  return place;
}

/** A script that reaches for what lies outside, and says in `.git/ran` how far it came. */
function reaching({ workspace, root, state }: Place): string {
  return `#!/bin/sh
    exec 2>/dev/null
    out=${workspace}/.git/ran
    echo ran >> $out
    cat ${state}/holdpoint.db >> $out
    touch ${root}/canary ${workspace}/../canary
    cat ${process.env['HOME'] ?? '/root'}/.ssh/* /etc/shadow >> $out
    exit 0
  `;
}

describe('a hostile repository whose configuration nothing overrules (C4)', () => {
  const attacks: [string, (place: Place) => void][] = [
    ['a hook', (place) => void put(place.workspace, '.git/hooks/pre-commit', reaching(place), 0o755)],
    [
      'core.fsmonitor',
      (place) =>
        void git(
          place.workspace,
          'config',
          'core.fsmonitor',
          put(place.workspace, '.git/evil', reaching(place), 0o755),
        ),
    ],
    [
      'a filter',
      (place) => {
        put(place.workspace, '.git/info/attributes', '* filter=x\n');
        git(place.workspace, 'config', 'filter.x.clean', put(place.workspace, '.git/evil', reaching(place), 0o755));
      },
    ],
  ];
  const commit = ['--no-pager', 'commit', '-q', '--allow-empty', '-m', 'x', 'a.txt'];

  describe.each(attacks)('%s', (_, attack) => {
    test.skipIf(!WORKS)('runs in the sandbox and reaches nothing outside', async () => {
      const place = newRepository();
      attack(place);
      put(place.workspace, 'a.txt', 'two\n');
      await launchedWith(place.processes, OPEN, commit, { writes: true });
      expect(readFileSync(join(place.workspace, '.git/ran'), 'utf8').replaceAll('ran\n', '')).toBe('');
      expect(existsSync(join(place.root, 'canary'))).toBe(false);
    });

    test('reaches it without one, which the settings of policies/programs prevent', async () => {
      const place = newRepository({ mode: 'off' });
      attack(place);
      put(place.workspace, 'a.txt', 'two\n');
      await launchedWith(place.processes, GIT, commit, { writes: true });
      expect(existsSync(join(place.workspace, '.git/ran'))).toBe(false);
      put(place.workspace, 'a.txt', 'three\n');
      await launchedWith(place.processes, OPEN, commit, { writes: true });
      expect(readFileSync(join(place.workspace, '.git/ran'), 'utf8')).toContain('planted-state');
      expect(existsSync(join(place.root, 'canary'))).toBe(true);
    });
  });
});

describe.skipIf(!WORKS)('git in its sandbox (C4)', () => {
  test('looks with the workspace read-only, and commits with it writable', async () => {
    const { processes, workspace } = newRepository();
    put(workspace, 'a.txt', 'two\n');
    const status = await launchedWith(processes, GIT, ['--no-pager', 'status', '--short']);
    expect(status).toMatchObject({ exitCode: 0, output: ' M a.txt\n' });
    const commit = ['--no-pager', 'commit', '-qam', 'second'];
    expect((await launchedWith(processes, GIT, commit)).exitCode).not.toBe(0);
    expect((await launchedWith(processes, GIT, commit, { writes: true })).exitCode).toBe(0);
    expect(git(workspace, 'log', '--format=%an %s', '-1').trim()).toBe('Ann second');
  });

  test('a repository that fetches its objects from elsewhere shows none of them', async () => {
    const { processes, workspace } = newRepository();
    const other = newRepository();
    put(other.workspace, 'b.txt', 'planted-elsewhere\n');
    git(other.workspace, 'add', '.');
    const blob = git(other.workspace, 'hash-object', '-w', 'b.txt').trim();
    put(workspace, '.git/objects/info/alternates', `${other.workspace}/.git/objects\n`);
    const show = await launchedWith(processes, GIT, ['--no-pager', 'cat-file', '-p', blob]);
    expect(show.output).not.toContain('planted-elsewhere');
    expect(git(workspace, 'cat-file', '-p', blob)).toContain('planted-elsewhere');
  });

  test('a worktree has its repository', async () => {
    const { root, workspace, processes } = newPlace({ environment: ENVIRONMENT });
    const main = join(root, 'main');
    put(main, 'a.txt', 'one\n');
    git(main, 'init', '-q', '-b', 'main');
    git(main, 'add', '.');
    git(main, 'commit', '-qm', 'first');
    renameSync(workspace, `${workspace}.old`);
    git(main, 'worktree', 'add', '-q', '-b', 'side', workspace);
    put(workspace, 'a.txt', 'two\n');
    const status = await launchedWith(processes, GIT, ['--no-pager', 'status', '--short']);
    expect(status).toMatchObject({ exitCode: 0, output: ' M a.txt\n' });
    const commit = ['--no-pager', 'commit', '-qam', 'second'];
    expect((await launchedWith(processes, GIT, commit, { writes: true })).exitCode).toBe(0);
    expect(git(main, 'log', '--format=%s', '-1', 'side').trim()).toBe('second');
  });
});

test('a .git that the agent wrote to look like a worktree of another repository is refused (C4)', async () => {
  const { root, workspace, processes } = newPlace({ sandbox: { mode: 'off' } });
  const other = join(root, 'other');
  put(other, 'b.txt', 'planted-elsewhere\n');
  git(other, 'init', '-q', '-b', 'main');
  git(other, 'add', '.');
  git(other, 'commit', '-qm', 'theirs');
  put(workspace, '.git', `gitdir: ${workspace}/fake/worktrees/x\n`);
  put(workspace, 'fake/worktrees/x/gitdir', `${workspace}/.git\n`);
  put(workspace, 'fake/worktrees/x/commondir', `${other}/.git\n`);
  put(workspace, 'fake/worktrees/x/HEAD', 'ref: refs/heads/main\n');
  // git itself is taken in.
  expect(git(workspace, 'log', '--format=%s').trim()).toBe('theirs');
  const log = ['--no-pager', 'log'];
  expect((await refusal(() => launchedWith(processes, GIT, log))).code).toBe('denied');
});
