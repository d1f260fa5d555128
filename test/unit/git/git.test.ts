import { chmodSync, linkSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';

import { newFolder, put } from '../processes/kit.ts';
import { newGitBench, type GitBench } from './kit.ts';

let bench: GitBench;
beforeEach(async () => {
  bench = await newGitBench();
});

describe('looking (E6)', () => {
  test('status tells branch, upstream and what changed', async () => {
    bench.write('a.txt', 'two\n');
    bench.write('docker/new', 'x');
    rmSync(join(bench.dir, 'src/a.py'));
    bench.git('branch', '-q', '--set-upstream-to=origin/main');
    bench.git('commit', '-q', '--allow-empty', '-m', 'here');
    bench.colleague('main');
    bench.git('fetch', '-q');
    expect(await bench.result({ action: 'status' })).toEqual({
      branch: 'main',
      commit: bench.git('rev-parse', 'HEAD').trim(),
      upstream: { name: 'origin/main', ahead: 1, behind: 1 },
      changed: [
        { path: 'a.txt', state: 'modified' },
        { path: 'src/a.py', state: 'deleted' },
        { path: 'docker/new', state: 'untracked' },
      ],
    });
    bench.git('checkout', '-q', '--detach');
    expect(await bench.result({ action: 'status' })).not.toHaveProperty('branch');
  });

  test('status of many changes is bounded and says so', async () => {
    for (let file = 0; file < 60; file++) bench.write(`docker/${file}`, 'x');
    const { changed, more } = await bench.result({ action: 'status' });
    expect([(changed as unknown[]).length, more]).toEqual([40, '20 more changed files']);
  });

  test('an empty repository is told as one', async () => {
    rmSync(join(bench.dir, '.git'), { recursive: true });
    bench.git('init', '-q', '-b', 'feature/first');
    expect(await bench.result({ action: 'status' })).toMatchObject({ branch: 'feature/first' });
    for (const action of ['log', 'diff'])
      expect(await bench.tool({ action })).toMatchObject({ error: { reason: 'Nothing has been committed yet.' } });
    await bench.result({ action: 'commit', message: 'First', paths: ['a.txt'] });
    expect(bench.git('show', '--stat', '--format=%P|%s').trim()).toMatch(/^\|First\n\n a.txt \|/);
  });

  test('log is one line each, bounded, of a range and of paths', async () => {
    for (const subject of ['second', 'third \u001B[31mred', `long ${'x'.repeat(300)}`]) {
      bench.write('a.txt', subject);
      bench.git('commit', '-qam', subject);
    }
    const { text, more } = await bench.result({ action: 'log', limit: 3 });
    const lines = (text as string).split('\n');
    expect(lines.map((line) => line.replace(/^\w+ \S+ /, '').slice(0, 14))).toEqual(
      ['Ann: long xxxxx', 'Ann: third [31', 'Ann: second'].map((line) => line.slice(0, 14)),
    );
    expect(lines.every((line) => line.length <= 160)).toBe(true);
    expect(more).toMatch(/larger limit/);
    const first = await bench.result({ action: 'log', ref: 'HEAD~3..HEAD~2' });
    expect([first['text'], first['more']]).toEqual([expect.stringMatching(/Ann: second$/), undefined]);
    expect((await bench.result({ action: 'log', paths: ['src'] }))['text']).toMatch(/Ann: first$/);
  });

  test('diff shows what changed against a commit, and between two', async () => {
    bench.write('a.txt', 'two\n');
    expect((await bench.result({ action: 'diff' }))['text']).toContain('-one\n+two');
    bench.git('commit', '-qam', 'second');
    expect((await bench.result({ action: 'diff' }))['text']).toBe('');
    expect((await bench.result({ action: 'diff', ref: 'HEAD~1..HEAD' }))['text']).toContain('+two');
    bench.write('docker/Dockerfile', 'FROM other\n');
    expect((await bench.result({ action: 'diff', ref: 'main~1', paths: ['docker'] }))['text']).not.toContain('two');
  });

  test('a long diff is cut at a line and says how much more there is', async () => {
    bench.write('a.txt', Array.from({ length: 2000 }, (_, line) => `line ${line}`).join('\n'));
    const { text, more } = await bench.result({ action: 'diff' });
    expect((text as string).length).toBeLessThanOrEqual(5500);
    expect(text).toMatch(/\n\+line \d+$/);
    expect(more).toMatch(/^left out: \d+ characters more\. Name fewer files/);
  });

  test('branches and tags are listed, newest first', async () => {
    bench.git('branch', 'feature/a');
    bench.git('tag', 'v1.0.0');
    expect((await bench.result({ action: 'branch' }))['text']).toMatch(/^\* main \w+ \S+ first$/m);
    expect((await bench.result({ action: 'branch', limit: 1 }))['more']).toMatch(/larger limit/);
    expect((await bench.result({ action: 'tag' }))['text']).toMatch(/^v1\.0\.0 \w+ \S+ first$/);
  });

  test('arguments that an action does not take are refused, not ignored', async () => {
    for (const [args, said] of [
      [{ action: 'status', limit: 3 }, 'status does not take limit'],
      [{ action: 'commit' }, 'needs a message'],
      [{ action: 'branch', ref: 'main' }, 'needs a name'],
      [{ action: 'push', paths: ['a'] }, 'does not take paths'],
      [{ action: 'log', limit: 0 }, 'limit is 1'],
      [{ action: 'branch', name: 'feature/../x' }, 'no name for a branch'],
      [{ action: 'branch', name: '--force' }, 'no name for a branch'],
      [{ action: 'push', name: '+main' }, undefined],
      [{ action: 'push', name: 'a:main' }, 'no name for a branch'],
      [{ action: 'push', remote: '/tmp/x' }, 'no name for a remote'],
      [{ action: 'push', remote: 'ext::x' }, 'no name for a remote'],
      [{ action: 'branch', name: 'feature/x', ref: 'main..HEAD' }, 'one commit'],
      [{ action: 'commit', message: 'a\u202Eb' }, 'invisible'],
    ] as const)
      expect([args, await bench.tool(args as never)]).toEqual([
        args,
        { status: 'error', error: expect.objectContaining({ reason: expect.stringContaining(said ?? '') }) },
      ]);
    for (const ref of ['--output=x', 'HEAD:.env', ':/x', 'a b'])
      expect(await bench.tool({ action: 'diff', ref })).toMatchObject({ status: 'denied' });
  });
});

describe('a branch (E6, S1)', () => {
  test('is made where one is, with what is changed carried along', async () => {
    bench.write('a.txt', 'two\n');
    expect(await bench.result({ action: 'branch', name: 'feature/x' })).toEqual({ branch: 'feature/x' });
    expect(bench.git('branch', '--show-current').trim()).toBe('feature/x');
    expect(readFileSync(join(bench.dir, 'a.txt'), 'utf8')).toBe('two\n');
    expect(await bench.tool({ action: 'branch', name: 'feature/x' })).toMatchObject({ error: { code: 'conflict' } });
  });

  test('is switched to where it is there, unless that would lose changes', async () => {
    bench.git('switch', '-qc', 'feature/x');
    bench.write('a.txt', 'two\n');
    bench.git('commit', '-qam', 'second');
    bench.git('switch', '-qc', 'feature/y', 'main');
    bench.write('a.txt', 'three\n');
    expect(await bench.tool({ action: 'branch', name: 'feature/x' })).toMatchObject({ error: { code: 'conflict' } });
    expect(readFileSync(join(bench.dir, 'a.txt'), 'utf8')).toBe('three\n');
    bench.git('checkout', '-q', '.');
    const planned = await bench.tool({ action: 'branch', name: 'feature/x', dryRun: true });
    expect(JSON.stringify(planned)).toContain('switch to the branch feature/x, which changes 1 file');
    await bench.result({ action: 'branch', name: 'feature/x' });
    expect(readFileSync(join(bench.dir, 'a.txt'), 'utf8')).toBe('two\n');
    expect(await bench.tool({ action: 'branch', name: 'feature/y', ref: 'main' })).toMatchObject({
      error: { code: 'conflict', reason: 'The branch feature/y is there already.' },
    });
  });

  test('of a protected or unknown name is held', async () => {
    for (const name of ['main2', 'release/1', 'production'])
      expect(await bench.tool({ action: 'branch', name })).toMatchObject({ status: 'approval_required' });
  });

  test('that brings other files than may be written waits for a person', async () => {
    bench.write('src/a.py', 'x = 2\n');
    bench.write('.env', 'A=1\n');
    bench.git('add', '-f', '.');
    bench.git('commit', '-qm', 'second');
    // An old commit may hold an old policy.
    const run = await bench.approve({ action: 'branch', name: 'feature/old', ref: 'HEAD~1' });
    const [request] = await bench.services.approvals.list({});
    expect(JSON.stringify(request)).toContain(
      String.raw`2 files among them may not be written by an agent:\n.env\nsrc/a.py`,
    );
    expect(await run()).toMatchObject({ status: 'done' });
    expect(readFileSync(join(bench.dir, 'src/a.py'), 'utf8')).toBe('x = 1\n');
  });
});

describe('a commit (E6)', () => {
  beforeEach(() => {
    bench.git('switch', '-qc', 'feature/x');
  });

  test('holds what is tracked and changed, by the operator', async () => {
    bench.write('a.txt', 'two\n');
    bench.write('new.txt', 'x');
    rmSync(join(bench.dir, 'docker/Dockerfile'));
    const { commit, branch } = await bench.result({ action: 'commit', message: 'Change\n\nBecause' });
    expect(branch).toBe('feature/x');
    expect(bench.git('log', '-1', '--format=%H|%an|%ae|%cn|%B').trim()).toBe(
      `${String(commit)}|Ann|ann@example.com|Ann|Change\n\nBecause`,
    );
    expect(bench.git('cat-file', 'commit', String(commit))).toMatch(/\n\nChange\n\nBecause\n$/);
    expect(bench.git('show', '--name-status', '--format=').trim()).toBe('M\ta.txt\nD\tdocker/Dockerfile');
    expect(bench.git('status', '--short')).toBe('?? new.txt\n');
    expect(await bench.tool({ action: 'commit', message: 'Again' })).toMatchObject({
      error: { reason: 'There is nothing to commit.', hint: expect.stringContaining('named in paths') },
    });
  });

  test('of named paths takes these alone, untracked ones too, and leaves what is staged', async () => {
    bench.write('a.txt', 'two\n');
    bench.write('src/a.py', 'x = 2\n');
    bench.git('add', 'src/a.py');
    bench.write('docker/new', 'x', 0o755);
    await bench.result({ action: 'commit', message: 'Change', paths: ['docker', 'a.txt'] });
    expect(bench.git('show', '--raw', '--format=').trim()).toMatch(
      /100644 100644 .* M\ta.txt\n:000000 100755 .* A\tdocker\/new/,
    );
    expect(bench.git('status', '--short')).toBe('M  src/a.py\n');
    expect(await bench.tool({ action: 'commit', message: 'x', paths: ['nowhere'] })).toMatchObject({
      error: { code: 'invalid_input' },
    });
  });

  test('keeps line ends as .gitattributes wants them, and modes that the disk does not have', async () => {
    bench.write('.gitattributes', '*.txt text=auto\n');
    bench.write('b.txt', 'one\r\ntwo\r\n');
    bench.git('config', 'core.fileMode', 'false');
    chmodSync(join(bench.dir, 'b.txt'), 0o755);
    await bench.result({ action: 'commit', message: 'Lines', paths: ['.gitattributes', 'b.txt'] });
    expect(bench.git('show', 'HEAD:b.txt')).toBe('one\ntwo\n');
    expect(bench.git('ls-tree', 'HEAD', 'b.txt')).toMatch(/^100644/);
    expect(bench.git('status', '--short')).toBe('');
  });

  test('.env is never committed, whatever the call (C3)', async () => {
    bench.write('.env', 'planted-8\n');
    bench.write('docker/secrets/x', 'planted-9\n');
    bench.write('a.txt', 'two\n');
    bench.write('exotic.bin', 'x');
    for (const [paths, name] of [
      [['.env'], '.env'],
      [['.'], '.env'],
      [['docker'], 'docker/secrets/x'],
      [['a.txt', 'docker/secrets'], 'docker/secrets/x'],
      [['exotic.bin'], 'exotic.bin'],
    ] as const)
      expect(await bench.tool({ action: 'commit', message: 'x', paths: [...paths] })).toMatchObject({
        error: { code: 'denied', reason: `${name} may not be read, so it is not committed.` },
      });
    bench.git('add', '-f', '.env');
    expect(await bench.tool({ action: 'commit', message: 'x' })).toMatchObject({ status: 'denied' });
    await bench.result({ action: 'commit', message: 'Change', paths: ['a.txt'] });
    expect(bench.git('ls-tree', '-r', '--name-only', 'HEAD').split('\n')).not.toContain('.env');
    expect(bench.git('log', '--format=%H', '--', '.env', 'docker/secrets')).toBe('');
  });

  test('takes no links, hard links, repositories, or paths of a filter', async () => {
    const outside = put(newFolder(), 'secret', 'planted-7');
    symlinkSync(outside, join(bench.dir, 'docker/link'));
    linkSync(outside, join(bench.dir, 'docker/hard'));
    bench.write('big.txt', 'x');
    bench.write('.gitattributes', 'big.txt filter=lfs\n');
    bench.git('init', '-q', 'docker/inner');
    bench.git('-C', 'docker/inner', 'commit', '-q', '--allow-empty', '-m', 'x');
    for (const path of ['docker/link', 'docker/hard', 'big.txt', 'docker/inner'])
      expect([path, await bench.tool({ action: 'commit', message: 'x', paths: [path] })]).toMatchObject([
        path,
        { status: expect.stringMatching(/^(?:denied|error)$/) },
      ]);
    for (const to of [outside, 'docker/Dockerfile']) {
      rmSync(join(bench.dir, 'a.txt'));
      symlinkSync(to, join(bench.dir, 'a.txt'));
      expect(await bench.tool({ action: 'commit', message: 'x' })).toMatchObject({ error: { code: 'denied' } });
    }
    expect(bench.git('log', '--oneline').trim().split('\n')).toHaveLength(1);
  });

  test('is refused during a merge, without a branch, with a secret in its message', async () => {
    bench.write('a.txt', 'two\n');
    expect(await bench.tool({ action: 'commit', message: 'with hunter2-known' })).toMatchObject({
      error: { code: 'denied' },
    });
    put(bench.dir, '.git/MERGE_HEAD', bench.git('rev-parse', 'main'));
    expect(await bench.tool({ action: 'commit', message: 'x' })).toMatchObject({ error: { code: 'conflict' } });
    rmSync(join(bench.dir, '.git/MERGE_HEAD'));
    bench.git('checkout', '-q', '--detach');
    expect(await bench.tool({ action: 'commit', message: 'x' })).toMatchObject({ error: { code: 'conflict' } });
  });

  test('on a protected branch is held, shows what goes in, and is stale once a file moved', async () => {
    bench.git('switch', '-q', 'main');
    bench.write('a.txt', 'two\n');
    const run = await bench.approve({ action: 'commit', message: 'Change' });
    const [request] = await bench.services.approvals.list({});
    expect(JSON.stringify(request)).toMatch(/by Ann <ann@example.com>.*M a\.txt.*-one\\+n\+two/);
    bench.write('a.txt', 'three\n');
    expect(await run()).toMatchObject({ status: 'stale', error: { changes: [{ what: 'the content of a.txt' }] } });
    const again = await bench.approve({ action: 'commit', message: 'Change' });
    bench.git('commit', '-q', '--allow-empty', '-m', 'other');
    expect(await again()).toMatchObject({ status: 'stale', error: { changes: [{ what: 'the last commit of main' }] } });
    const third = await bench.approve({ action: 'commit', message: 'Change' });
    expect(await third()).toMatchObject({ status: 'done' });
    expect(bench.git('show', 'HEAD:a.txt')).toBe('three\n');
  });

  test('is stale once another branch is checked out', async () => {
    bench.git('switch', '-q', 'main');
    bench.write('a.txt', 'two\n');
    const run = await bench.approve({ action: 'commit', message: 'Change' });
    bench.git('switch', '-q', 'feature/x');
    expect(await run()).toMatchObject({
      status: 'stale',
      error: { changes: expect.arrayContaining([expect.objectContaining({ what: 'the branch that is checked out' })]) },
    });
  });
});

describe('a tag (E6)', () => {
  test('is held, made where it was planned, and never moved', async () => {
    const run = await bench.approve({ action: 'tag', name: 'v1.0.0', message: 'One' });
    expect(await run()).toMatchObject({ status: 'done', result: { tag: 'v1.0.0' } });
    expect(bench.git('cat-file', '-p', 'v1.0.0')).toMatch(/tag v1\.0\.0\ntagger Ann .*\n\nOne\n$/);
    const plain = await bench.approve({ action: 'tag', name: 'v1.0.1', ref: 'main' });
    expect(await plain()).toMatchObject({ status: 'done' });
    expect(bench.git('rev-parse', 'v1.0.1')).toBe(bench.git('rev-parse', 'main'));
    expect(await bench.tool({ action: 'tag', name: 'v1.0.0' })).toMatchObject({ error: { code: 'conflict' } });
    const moved = await bench.approve({ action: 'tag', name: 'v1.0.2' });
    bench.git('commit', '-q', '--allow-empty', '-m', 'other');
    expect(await moved()).toMatchObject({ status: 'stale', error: { changes: [{ what: 'the commit to tag' }] } });
  });
});

describe('content that may not be read (C3)', () => {
  const SECRET = 'planted-8';

  test('is named and not shown in a diff, of the working tree or the history', async () => {
    bench.write('.env', `${SECRET}\n`);
    bench.write('docker/secrets/x', `${SECRET}\n`);
    bench.write('config/.env', `${SECRET}\n`);
    bench.git('add', '-f', '.');
    bench.git('commit', '-qm', 'secrets');
    bench.write('.env', `${SECRET} changed\n`);
    bench.write('a.txt', 'two\n');
    const now = await bench.result({ action: 'diff' });
    expect([now['hidden'], now['text']]).toEqual([['.env'], expect.stringContaining('+two')]);
    const then = await bench.result({ action: 'diff', ref: 'HEAD~1..HEAD' });
    expect(then['hidden']).toEqual(['.env', 'config/.env', 'docker/secrets/x']);
    // A file with the name of what was a folder does not bring out what was in it.
    rmSync(join(bench.dir, 'config'), { recursive: true });
    bench.write('config', 'harmless\n');
    bench.git('add', '-A', 'config');
    const folder = await bench.result({ action: 'diff', paths: ['config', '.env'] });
    expect([folder['hidden'], folder['text']]).toEqual([['.env', 'config/.env'], expect.stringContaining('+harmless')]);
    for (const each of [now, then, folder]) expect(JSON.stringify(each)).not.toContain(SECRET);
    expect(bench.git('diff', 'HEAD', '--', 'config')).toContain(SECRET);
  });

  test('is not shown through a hard link', async () => {
    rmSync(join(bench.dir, 'a.txt'));
    linkSync(put(newFolder(), 'secret', `${SECRET}\n`), join(bench.dir, 'a.txt'));
    const found = await bench.result({ action: 'diff' });
    expect([found['hidden'], JSON.stringify(found).includes(SECRET)]).toEqual([['a.txt'], false]);
    expect(bench.git('diff')).toContain(SECRET);
  });

  test('secrets in what may be read are masked before the cut', async () => {
    bench.write('a.txt', `${'x'.repeat(5300)}\npassword: ${'hunter2-known'.repeat(30)}\n`);
    expect(JSON.stringify(await bench.result({ action: 'diff' }))).not.toContain('hunter2');
  });
});
