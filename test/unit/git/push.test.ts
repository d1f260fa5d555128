import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test, vi } from 'vitest';

import { checkedAddress } from '../../../src/adapters/git/remote.ts';
import { git as gitIn, newFolder, put, refusal } from '../processes/kit.ts';
import { PRINCIPAL } from '../server/services.ts';
import { configure, isAlive, newGitBench, policy, type GitBench } from './kit.ts';

let bench: GitBench;
beforeEach(async () => {
  bench = await newGitBench();
});

const call = { callId: 'call', signal: new AbortController().signal, redact: (text: string) => text };
const head = () => bench.git('rev-parse', 'HEAD').trim();

function commit(branch: string, path = 'a.txt', text = `${Math.random()}\n`): string {
  if (bench.git('branch', '--show-current').trim() !== branch) bench.git('switch', '-qc', branch);
  bench.write(path, text);
  bench.git('add', path);
  bench.git('commit', '-qm', `change ${path}`);
  return head();
}

describe('a push (E6, S1)', () => {
  test('of a feature branch runs at once, and once more with what is new', async () => {
    const first = commit('feature/x');
    expect(await bench.result({ action: 'push' })).toEqual({
      commit: first,
      pushed: { ref: 'refs/heads/feature/x', to: bench.origin, commits: 1 },
    });
    expect(bench.remoteRef('refs/heads/feature/x')).toBe(first);
    expect(await bench.result({ action: 'status' })).toMatchObject({
      upstream: { name: 'origin/feature/x', ahead: 0, behind: 0 },
    });
    const second = commit('feature/x');
    expect(await bench.result({ action: 'status' })).toMatchObject({ upstream: { ahead: 1 } });
    bench.git('switch', '-q', 'main');
    await bench.result({ action: 'push', name: 'feature/x' });
    expect(bench.remoteRef('refs/heads/feature/x')).toBe(second);
    expect(await bench.tool({ action: 'push', name: 'feature/x' })).toMatchObject({
      error: { code: 'conflict', reason: expect.stringContaining('nothing to push') },
    });
  });

  test('of a protected branch is held, with address and commits to decide on, and then runs as it was shown', async () => {
    const before = bench.remoteRef('refs/heads/main');
    const wanted = commit('main');
    const run = await bench.approve({ action: 'push' });
    const [request] = await bench.services.approvals.list({});
    expect(request?.summary).toBe(`push branch main to origin (${bench.origin}): 1 commit`);
    expect(JSON.stringify(request)).toMatch(/change a\.txt\\nstarts no workflow/);
    expect(bench.remoteRef('refs/heads/main')).toBe(before);
    expect(await run()).toMatchObject({ status: 'done' });
    expect(bench.remoteRef('refs/heads/main')).toBe(wanted);
  });

  test('of a branch that no environment has is held', async () => {
    commit('anything');
    expect(await bench.tool({ action: 'push' })).toMatchObject({ status: 'approval_required' });
  });

  test.each<[string, () => void]>([
    ['the remote', () => bench.colleague('main')],
    ['the branch here', () => void commit('main')],
    ['the address', () => void bench.git('remote', 'set-url', 'origin', `${bench.origin}/../other.git`)],
  ])('is stale once %s moved', async (_, move) => {
    gitIn(bench.dir, 'clone', '-q', '--bare', bench.origin, `${bench.origin}/../other.git`);
    commit('main');
    const run = await bench.approve({ action: 'push', name: 'main' });
    const now = () => [bench.remoteRef('refs/heads/main'), gitIn(`${bench.origin}/../other.git`, 'rev-parse', 'main')];
    move();
    const before = now();
    expect(await run()).toMatchObject({ status: 'stale' });
    expect(now()).toEqual(before);
  });

  test('I4 the person sees its commits, the difference that may be shown, and how to take it back', async () => {
    bench.write('docker/Dockerfile', 'FROM other\n');
    bench.write('.env', 'PLANTED=1\n');
    bench.git('add', '-f', '.');
    bench.git('commit', '-qm', 'Change \u202e the base');
    const held = await bench.tool({ action: 'push', name: 'main' });
    const { parts = [] } = (await bench.services.approvals.find(held.approval?.id ?? '')).plan.preview;
    const diffs = parts.flatMap((part) => (part.kind === 'diff' ? [part.text] : [])).join('\n');
    expect(diffs).toMatch(/^[0-9a-f]+ Change the base\n/);
    expect(diffs).toContain('-FROM scratch\n+FROM other');
    expect(JSON.stringify(parts)).not.toContain('PLANTED');
    expect(parts).toContainEqual({
      kind: 'facts',
      title: 'Of that difference',
      rows: [['not shown', 'by policy: «.env»']],
    });
    expect(parts.at(-1)).toMatchObject({
      kind: 'undo',
      text: expect.stringContaining('--force-with-lease=refs/heads/main:'),
    });
  });

  test('that raced with another is stale and changes nothing, though all was checked before', async () => {
    const wanted = commit('feature/x');
    const remote = { name: 'origin', url: bench.origin, host: bench.origin };
    const update = { remote, ref: 'refs/heads/feature/x', commit: wanted, was: null };
    bench.colleague('feature/x');
    const theirs = bench.remoteRef('refs/heads/feature/x');
    const { git } = bench.services.ports;
    expect(await refusal(() => git.push(update, call))).toMatchObject({ code: 'stale' });
    const was = bench.git('rev-parse', 'main').trim();
    expect(await refusal(() => git.push({ ...update, was }, call))).toMatchObject({ code: 'stale' });
    expect(bench.remoteRef('refs/heads/feature/x')).toBe(theirs);
    // Also where nothing would be lost: it is not the update that was decided on.
    const between = commit('feature/y');
    const last = commit('feature/y');
    bench.git('push', '-q', 'origin', `${between}:refs/heads/feature/y`);
    const forward = { ...update, ref: 'refs/heads/feature/y', commit: last, was };
    expect(await refusal(() => git.push(forward, call))).toMatchObject({ code: 'stale' });
    expect(bench.remoteRef('refs/heads/feature/y')).toBe(between);
  });

  test('with force is denied by the policy', async () => {
    commit('feature/x');
    for (const args of [{}, { name: 'feature/x' }])
      expect(await bench.tool({ action: 'push', force: true, ...args })).toMatchObject({
        status: 'denied',
        error: { rule: 'force-push' },
      });
    expect(bench.remoteRef('refs/heads/feature/x')).toBe('');
  });

  test('that would lose commits is refused whatever the policy says, known or unknown here', async () => {
    bench.setPolicy(policy({ force: 'allow' }));
    commit('feature/x');
    await bench.result({ action: 'push', name: 'feature/x', force: true });
    const kept = bench.remoteRef('refs/heads/feature/x');
    bench.git('commit', '-q', '--amend', '-m', 'another');
    for (const force of [true, false])
      expect(await bench.tool({ action: 'push', name: 'feature/x', force })).toMatchObject({
        error: { code: 'denied', rule: 'force-push' },
      });
    expect(await bench.tool({ action: 'push', name: 'feature/x', force: true, dryRun: true })).toMatchObject({
      status: 'denied',
    });
    const remote = { name: 'origin', url: bench.origin, host: bench.origin };
    const update = { remote, ref: 'refs/heads/feature/x', commit: head(), was: kept };
    expect(await refusal(() => bench.services.ports.git.push(update, call))).toMatchObject({ code: 'denied' });
    expect(bench.remoteRef('refs/heads/feature/x')).toBe(kept);
    bench.colleague('feature/y');
    commit('feature/y');
    expect(await bench.tool({ action: 'push' })).toMatchObject({
      error: { hint: expect.stringContaining('git fetch') },
    });
  });

  test('of a tag is held, and never moves one', async () => {
    bench.git('tag', 'v1.0.0');
    const run = await bench.approve({ action: 'push', name: 'v1.0.0' });
    expect(await run()).toMatchObject({ result: { pushed: { ref: 'refs/tags/v1.0.0' } } });
    expect(bench.remoteRef('refs/tags/v1.0.0')).toBe(head());
    commit('feature/x');
    bench.git('tag', '-f', 'v1.0.0');
    expect(await bench.tool({ action: 'push', name: 'v1.0.0' })).toMatchObject({
      error: { code: 'denied', hint: expect.stringContaining('not moved') },
    });
  });

  test('sends nothing else: no tags, no options, no submodules, and is not signed', async () => {
    const said = join(newFolder(), 'said');
    put(
      bench.origin,
      'hooks/post-receive',
      `#!/bin/sh\n(echo "options=\${GIT_PUSH_OPTION_COUNT:-0}"; cat) > ${said}\n`,
      0o755,
    );
    gitIn(bench.origin, 'config', 'receive.advertisePushOptions', 'true');
    configure(
      bench.dir,
      '[push]\npushOption = ci.skip\nfollowTags = true\ngpgSign = true\nrecurseSubmodules = on-demand\ndefault = matching\n',
    );
    commit('feature/x');
    bench.git('tag', '-am', 'x', 'v9');
    await bench.result({ action: 'push' });
    // The hook is the remote's own and runs there.
    expect(readFileSync(said, 'utf8')).toBe(`options=0\n${'0'.repeat(40)} ${head()} refs/heads/feature/x\n`);
  });

  test('that the remote refuses says why', async () => {
    put(bench.origin, 'hooks/pre-receive', '#!/bin/sh\necho "no \u001B[31mway"\nexit 1\n', 0o755);
    commit('feature/x');
    expect(await bench.tool({ action: 'push' })).toMatchObject({
      error: {
        code: 'upstream',
        reason: 'origin did not take the push of feature/x: [remote rejected] (pre-receive hook declined)',
      },
    });
  });

  test('to what is not there says so', async () => {
    commit('feature/x');
    expect(await bench.tool({ action: 'push', remote: 'other' })).toMatchObject({ error: { code: 'not_found' } });
    expect(await bench.tool({ action: 'push', name: 'feature/none' })).toMatchObject({ error: { code: 'not_found' } });
    rmSync(bench.origin, { recursive: true });
    expect(await bench.tool({ action: 'push' })).toMatchObject({ error: { code: 'unavailable' } });
    configure(bench.dir, '[remote "origin"]\nurl = https://other.example/x\n');
    expect(await bench.tool({ action: 'push' })).toMatchObject({ error: { code: 'denied' } });
  });
});

describe('a push counts as what it triggers (E6)', () => {
  const workflow = (on: string, job = '') =>
    `on: ${on}\njobs:\n  deploy:\n    runs-on: ubuntu-latest\n${job}    steps: [{ run: x }]\n`;
  const PRODUCTION = '    environment: production\n';

  test.each<[string, string, 'done' | 'approval_required']>([
    [
      'environment: production on every push',
      workflow("{ push: { branches: ['**'] } }", PRODUCTION),
      'approval_required',
    ],
    ['environment: production on push without filters', workflow('push', PRODUCTION), 'approval_required'],
    ['environment: production on a new branch', workflow('create', PRODUCTION), 'approval_required'],
    ['environment: production on main alone', workflow('{ push: { branches: [main] } }', PRODUCTION), 'done'],
    ['environment: production on tags alone', workflow("{ push: { tags: ['v*'] } }", PRODUCTION), 'done'],
    ['environment: dev on every push', workflow('push', '    environment: dev\n'), 'done'],
    ['tests on every push', workflow('push'), 'done'],
    [
      'an environment that is not known before it runs',
      workflow('push', '    environment: ${{ vars.WHERE }}\n'),
      'approval_required',
    ],
    ['what cannot be read', 'on: [push\njobs: {', 'approval_required'],
    ['what is no workflow', 'just text', 'approval_required'],
    [
      'a workflow of another repository',
      'on: push\njobs: { x: { uses: other/repo/.github/workflows/x.yml@main } }\n',
      'approval_required',
    ],
    [
      'a local workflow that is not there',
      'on: push\njobs: { x: { uses: ./.github/workflows/none.yml } }\n',
      'approval_required',
    ],
  ])('%s', async (_, text, status) => {
    commit('feature/x', '.github/workflows/w.yml', text);
    expect(await bench.tool({ action: 'push' })).toMatchObject({ status });
  });

  test('as the workflows are at the pushed commit, not in the working tree', async () => {
    commit('feature/x', '.github/workflows/w.yml', workflow('push', PRODUCTION));
    bench.write('.github/workflows/w.yml', workflow('push'));
    expect(await bench.tool({ action: 'push' })).toMatchObject({ status: 'approval_required' });
    bench.git('rm', '-qf', '.github/workflows/w.yml');
    bench.git('commit', '-qm', 'without');
    expect(await bench.tool({ action: 'push' })).toMatchObject({ status: 'done' });
  });

  test('a workflow for other paths does not count, once the branch is there', async () => {
    commit('feature/x');
    await bench.result({ action: 'push' });
    const text = workflow("{ push: { paths: ['deploy/**'] } }", PRODUCTION);
    commit('feature/x', 'docs.md');
    bench.git('switch', '-q', 'main');
    bench.write('.github/workflows/w.yml', text);
    bench.git('add', '.');
    bench.git('commit', '-qm', 'on main');
    bench.git('push', '-q', 'origin', 'main:feature/w');
    bench.git('switch', '-qc', 'feature/w');
    commit('feature/w', 'more.md');
    expect(await bench.tool({ action: 'push' })).toMatchObject({ status: 'done' });
    commit('feature/w', 'deploy/x');
    expect(await bench.tool({ action: 'push' })).toMatchObject({ status: 'approval_required' });
  });

  test('replaced objects and grafts do not hide what is pushed', async () => {
    const bad = commit('feature/x', '.github/workflows/w.yml', workflow('push', PRODUCTION));
    bench.git('switch', '-qc', 'feature/y', 'main');
    bench.git('replace', bad, commit('feature/y', 'a.txt'));
    expect(bench.git('ls-tree', '-r', 'feature/x')).not.toContain('w.yml');
    expect(await bench.tool({ action: 'push', name: 'feature/x' })).toMatchObject({ status: 'approval_required' });
    // A graft that makes an unrelated commit its ancestor.
    bench.git('replace', '-d', bad);
    bench.setPolicy(policy({ force: 'allow' }));
    await bench.result({ action: 'push', name: 'feature/y' });
    const kept = bench.remoteRef('refs/heads/feature/y');
    bench.git('reset', '-q', '--hard', 'main');
    const other = commit('feature/y', 'b.txt');
    put(bench.dir, '.git/info/grafts', `${other} ${kept}\n`);
    expect(await bench.tool({ action: 'push', name: 'feature/y' })).toMatchObject({ status: 'denied' });
  });
});

describe('where a push goes', () => {
  const workspace = '/nowhere/work';
  test.each<[string, string | null]>([
    ['https://github.com/acme/shop.git', 'github.com'],
    ['ssh://git@github.com:22/acme/shop.git', 'github.com'],
    ['git@github.com:acme/shop.git', 'github.com'],
    ['http://127.0.0.1:3000/x', '127.0.0.1'],
    ['/srv/mirror.git', '/srv/mirror.git'],
    ['file:///srv/mirror.git', '/srv/mirror.git'],
    ['http://github.com/acme/shop', null],
    ['https://ann:secret@github.com/x', null],
    [`https://secret${'x'.repeat(40)}@github.com/x`, null],
    ['https://github.com/x?token=secret', null],
    ['https://ann@github.com/acme/shop', 'github.com'],
    ['git://github.com/x', null],
    ['ext::sh -c evil', null],
    ['ext::evil', null],
    ['fd::3', null],
    ['https::https://x', null],
    ['ftp://x/y', null],
    ['-oProxyCommand=evil', null],
    ['ssh://-oProxyCommand=evil/x', null],
    ['ssh://%2DoProxyCommand=evil/x', null],
    ['-oProxyCommand=evil@host:x/y', null],
    ['host:-x', null],
    ['git@host:nick', null],
    ['relative/path', null],
    ['../sibling.git', null],
    ['file://host/x', null],
    ['file:///srv/%2e%2e/x', null],
    ['https://x/\u202Ey', null],
    [`${workspace}/docker/evil.git`, null],
    [`/srv/..${workspace}/x`, null],
    [`${workspace}/../work-evil/x.git`, `${workspace}/../work-evil/x.git`],
  ])('%s', async (url, host) => {
    const found = await checkedAddress(url, workspace).catch((error: unknown) => error);
    expect(found).toMatchObject(host === null ? { code: 'denied' } : { host });
    expect(JSON.stringify(found)).not.toContain('secret');
  });

  test('a repository that steers its connections pushes nothing', async () => {
    commit('feature/x');
    const config = readFileSync(join(bench.dir, '.git/config'), 'utf8');
    for (const text of [
      '[http]\nproxy = http://evil.example\n',
      '[http "https://github.com"]\nsslVerify = false\n',
      '[url "https://evil.example/"]\ninsteadOf = /\n',
      '[url "https://evil.example/"]\npushInsteadOf = /\n',
      '[remote "origin"]\npushurl = https://evil.example/x\n',
      '[remote "origin"]\nvcs = ext\n',
      '[remote "origin"]\nproxy = http://evil.example\n',
      `[remote "${bench.origin}"]\nurl = https://evil.example/x\n`,
      `[remote "${bench.origin}"]\nmirror = true\n`,
      '[extensions]\npartialClone = origin\n',
    ]) {
      put(bench.dir, '.git/config', config + text);
      expect([text, await bench.tool({ action: 'push' })]).toMatchObject([
        text,
        { status: 'denied', error: { rule: 'programs' } },
      ]);
    }
    put(bench.dir, 'docker/extra', '[http]\nproxy = http://evil.example\n');
    put(bench.dir, '.git/config', `${config}[include]\npath = ../docker/extra\n`);
    expect(await bench.tool({ action: 'push' })).toMatchObject({ status: 'denied' });
    put(bench.dir, '.git/config', `${config}[http]\npostBuffer = 1000\n`);
    expect(await bench.tool({ action: 'push' })).toMatchObject({ status: 'done' });
  });

  test('over ssh the operator’s own ssh is used, without questions', async () => {
    const bin = newFolder();
    // Runs what it is to run over there, here.
    put(bin, 'ssh', `#!/bin/sh\necho "$SSH_AUTH_SOCK $*" >> ${bin}/log\nfor last; do :; done\neval "$last"\n`, 0o755);
    bench = await newGitBench({ environment: { PATH: `${bin}:${process.env['PATH']}`, SSH_AUTH_SOCK: '/run/agent' } });
    bench.git('remote', 'set-url', 'origin', `ssh://git@code.example${bench.origin}`);
    configure(bench.dir, '[ssh]\nvariant = tortoiseplink\n[core]\nsshCommand = false\n');
    const wanted = commit('feature/x');
    await bench.result({ action: 'push' });
    expect(bench.remoteRef('refs/heads/feature/x')).toBe(wanted);
    const lines = readFileSync(join(bin, 'log'), 'utf8').trim().split('\n');
    for (const line of lines)
      expect(line).toMatch(
        /^\/run\/agent -oBatchMode=yes -oControlMaster=no (?:-o SendEnv=GIT_PROTOCOL )?git@code\.example git-/,
      );
  });

  test('the token goes to its host alone, over https, and stands in no argument', async () => {
    const bin = newFolder();
    const real = gitIn(bench.dir, '--exec-path').trim();
    put(
      bin,
      'git',
      `#!/bin/sh\ncase "$*" in *ls-remote*) echo "$@" >> ${bin}/args; env >> ${bin}/env; exit 128;; esac\nexec ${real}/git "$@"\n`,
      0o755,
    );
    const token = 'planted-token-1234';
    bench = await newGitBench({
      environment: {
        PATH: `${bin}:${process.env['PATH']}`,
        HTTPS_PROXY: 'http://proxy.example',
        GH_TOKEN: token,
        OTHER: token,
      },
      credentials: { host: 'github.com', token },
    });
    commit('feature/x');
    const basic = Buffer.from(`x-access-token:${token}`).toString('base64');
    for (const [url, given] of [
      ['https://github.com/acme/shop.git', true],
      ['https://github.com.evil.example/x', false],
      ['http://127.0.0.1:9/x', false],
      ['ssh://github.com/acme/shop.git', false],
      [bench.origin, false],
    ] as const) {
      for (const file of ['args', 'env']) rmSync(join(bin, file), { force: true });
      bench.git('remote', 'set-url', 'origin', url);
      const answer = await bench.tool({ action: 'push' });
      expect(answer).toMatchObject({ error: { code: 'unavailable' } });
      const [args, env] = ['args', 'env'].map((file) => readFileSync(join(bin, file), 'utf8'));
      expect([url, env?.includes(basic)]).toEqual([url, given]);
      expect([env?.includes(token), args?.includes(basic), JSON.stringify(answer).includes(basic)]).toEqual([
        false,
        false,
        false,
      ]);
      if (given) expect(env).toMatch(/=http\.https:\/\/github\.com\/\.extraHeader\n[^]*^GIT_ALLOW_PROTOCOL=https$/m);
      expect([url, env?.includes('HTTPS_PROXY')]).toEqual([url, url.startsWith('https:')]);
    }
  });

  test('a remote that does not answer ends with the call, with all it started', async () => {
    const bin = newFolder();
    put(bin, 'ssh', `#!/bin/sh\necho $$ > ${bin}/pid.new\nmv ${bin}/pid.new ${bin}/pid\nsleep 300\n`, 0o755);
    bench = await newGitBench({ environment: { PATH: `${bin}:${process.env['PATH']}` } });
    bench.git('remote', 'set-url', 'origin', 'ssh://git@code.example/x');
    commit('feature/x');
    const controller = new AbortController();
    const answer = bench.call('git', { action: 'push' }, { signal: controller.signal, principal: PRINCIPAL });
    await vi.waitFor(() => expect(existsSync(join(bin, 'pid'))).toBe(true), 10_000);
    controller.abort();
    expect((await answer).envelope).toMatchObject({ status: 'error', error: { code: 'timeout' } });
    const pid = Number(readFileSync(join(bin, 'pid'), 'utf8'));
    await vi.waitFor(() => expect(isAlive(pid)).toBe(false), 10_000);
  });
});

test('a remote in the workspace, whose hooks the agent writes, is refused', async () => {
  mkdirSync(join(bench.dir, 'docker'), { recursive: true });
  gitIn(bench.dir, 'init', '-q', '--bare', 'docker/evil.git');
  bench.git('remote', 'set-url', 'origin', join(bench.dir, 'docker/evil.git'));
  commit('feature/x');
  expect(await bench.tool({ action: 'push' })).toMatchObject({ status: 'denied' });
});
