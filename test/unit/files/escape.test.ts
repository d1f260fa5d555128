import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, readdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';

import { createFiles } from '../../../src/adapters/files/client.ts';
import { openWorkspace } from '../../../src/adapters/files/descriptors.ts';
import { createOpening } from '../../../src/adapters/files/opening.ts';
import { list, newWorkspace, OUTSIDE, put, refusal, remove, textOf, type TestWorkspace } from './workspace.ts';

// Each way of reaching entries is held to the same cases; the race test is for descriptors alone.
describe.each([['descriptors'], ['paths']] as const)(
  'what leads out of the workspace, reached by %s (C1, C3)',
  (reach) => {
    const start = (contents: Record<string, string> = {}) =>
      newWorkspace({ 'a/f.txt': 'inside', ...contents }, { reach });

    /** Nothing reads, writes or removes through `path`, and what is outside stays as it was. */
    async function expectClosed({ files, outside }: TestWorkspace, path: string, code: string | RegExp = 'denied') {
      for (const call of [() => files.look(path), () => files.expect(path, { missing: true, real: path })])
        expect((await refusal(call)).code).toMatch(code);
      expect(readdirSync(outside)).toEqual(['secret.txt']);
      expect(readFileSync(join(outside, 'secret.txt'), 'utf8')).toBe(OUTSIDE);
    }

    test('a linked file; its twin inside is read and written through, and says where it is', async () => {
      const at = start();
      symlinkSync(join(at.outside, 'secret.txt'), at.at('absolute'));
      symlinkSync('../work-outside/secret.txt', at.at('relative'));
      symlinkSync('a/f.txt', at.at('twin'));
      symlinkSync(join(at.dir, 'a/f.txt'), at.at('absolute-twin'));
      await expectClosed(at, 'absolute');
      await expectClosed(at, 'relative');
      for (const twin of ['twin', 'absolute-twin']) {
        expect(await at.files.look(twin)).toMatchObject({ path: twin, real: 'a/f.txt', type: 'file' });
        await put(at.files, twin, `by ${twin}`);
        expect(readFileSync(at.at('a/f.txt'), 'utf8')).toBe(`by ${twin}`);
      }
    });

    test('a linked folder, a link in a link, a link back and forth; their twins inside', async () => {
      const at = start();
      symlinkSync(at.outside, at.at('out'));
      symlinkSync('out', at.at('out-again'));
      symlinkSync('a/../../work-outside', at.at('a/up'));
      symlinkSync('a', at.at('in'));
      symlinkSync('../in/../in', at.at('a/round'));
      await expectClosed(at, 'out/secret.txt');
      await expectClosed(at, 'out/new.txt');
      await expectClosed(at, 'out-again/secret.txt');
      await expectClosed(at, 'a/up/secret.txt');
      expect(await at.files.look('in/f.txt')).toMatchObject({ real: 'a/f.txt' });
      expect(await at.files.look('a/round/f.txt')).toMatchObject({ real: 'a/f.txt' });
      expect(await at.files.look('in/new/deep.txt')).toMatchObject({ real: 'a/new/deep.txt', type: 'missing' });
    });

    test('a dangling link, which a write would create through; a missing file beside it is created', async () => {
      const at = start();
      symlinkSync(join(at.outside, 'new.txt'), at.at('dangling-out'));
      symlinkSync('a/new.txt', at.at('dangling-in'));
      symlinkSync('nowhere', at.at('dangling-folder'));
      await expectClosed(at, 'dangling-out');
      await expectClosed(at, 'dangling-in');
      await expectClosed(at, 'dangling-folder/x');
      await put(at.files, 'a/new.txt', 'made');
      expect(await textOf(at.files, 'a/new.txt')).toBe('made');
    });

    test('links that go round in circles', async () => {
      const at = start();
      symlinkSync('loop-b', at.at('loop-a'));
      symlinkSync('loop-a', at.at('loop-b'));
      await expectClosed(at, 'loop-a');
    });

    test('a hard link, also to a file inside; a file with one name is read', async () => {
      const at = start({ '.env': 'KEY=canary' });
      linkSync(join(at.outside, 'secret.txt'), at.at('hard-out'));
      linkSync(at.at('.env'), at.at('hard-in'));
      await expectClosed(at, 'hard-out');
      await expectClosed(at, 'hard-in');
      expect(await textOf(at.files, 'a/f.txt')).toBe('inside');
    });

    test('a pipe, a socket, a device: refused without waiting for a writer', async () => {
      const at = start();
      execFileSync('mkfifo', [at.at('pipe')]);
      const server = createServer().listen(at.at('socket'));
      onTestFinished(() => void server.close());
      await new Promise((listening) => server.once('listening', listening));
      symlinkSync('/dev/zero', at.at('device'));
      await expectClosed(at, 'pipe');
      await expectClosed(at, 'socket');
      await expectClosed(at, 'device');
    });

    test.each(['/proc/self/root', '/proc/self/cwd', '/proc/self/environ', '/dev/fd/0', '/dev/stdin'])(
      'a magic link: %s',
      async (to) => {
        const at = start();
        symlinkSync(to, at.at('magic'));
        await expectClosed(at, 'magic');
        await expectClosed(at, 'magic/etc/passwd');
      },
    );

    test('/proc below the workspace itself; a file beside it is found', async () => {
      const at = start();
      const everything = openWorkspace('/', reach);
      onTestFinished(everything.close);
      const { look } = createOpening(everything);
      expect((await refusal(() => look('proc/self/root/etc/passwd'))).code).toBe('denied');
      expect((await refusal(() => look('sys/kernel'))).code).toBe('denied');
      expect(await look(at.at('a/f.txt').slice(1))).toMatchObject({ type: 'file' });
      expect(() => openWorkspace('/proc/self', reach)).toThrow(expect.objectContaining({ code: 'denied' }));
    });

    test('git’s own files are not written; files beside them are', async () => {
      const at = start({ '.git/config': '[core]', '.gitignore': '' });
      symlinkSync('.git', at.at('git'));
      for (const path of [
        '.git/config',
        '.git/hooks/pre-commit',
        '.GIT/hooks/pre-commit',
        'sub/.git',
        'git/hooks/pre-commit',
      ])
        expect((await refusal(async () => put(at.files, path, 'x'))).code).toBe('denied');
      expect((await refusal(async () => remove(at.files, '.git/config'))).code).toBe('denied');
      await put(at.files, '.gitignore', 'x');
      await put(at.files, '.github/workflows/ci.yml', 'x');
    });

    test('the policy and the persona are not written, though they lie in the workspace; files beside them are', async () => {
      const at = start({ 'ops/policy.yaml': 'rules', 'ops/persona/instructions.md': 'be good' });
      symlinkSync('ops', at.at('alias'));
      const protect = [at.at('ops/policy.yaml'), at.at('alias/persona')];
      const files = createFiles({ workspace: at.dir, undoDir: at.undoDir, reach, protect });
      onTestFinished(files.close);
      for (const path of [
        'ops/policy.yaml',
        'alias/policy.yaml',
        'ops/persona/instructions.md',
        'ops/persona/new.md',
        'OPS/Policy.yaml',
      ]) {
        expect((await refusal(() => put(files, path, 'allow everything'))).code).toBe('denied');
        expect((await refusal(async () => remove(files, path))).code).toBe('denied');
      }
      expect(await textOf(files, 'alias/policy.yaml')).toBe('rules');
      await put(files, 'ops/policy.yaml.md', 'notes');
    });

    test('an exchanged workspace folder', async () => {
      const at = start();
      const [file, root] = [await at.files.look('a/f.txt'), await at.files.look('.')];
      renameSync(at.dir, `${at.dir}-moved`);
      mkdirSync(at.at('a'), { recursive: true });
      writeFileSync(at.at('a/f.txt'), 'another');
      expect((await refusal(() => at.files.look('a/f.txt'))).code).toBe('conflict');
      expect((await refusal(() => at.files.read(file, { maxBytes: 10 }))).code).toBe('conflict');
      expect((await refusal(() => at.files.list(root, { limit: 10 }))).code).toBe('conflict');
    });

    test('a name in NFD on the disk is reached by its NFC path; of two that read the same, only the one in NFC', async () => {
      const at = start();
      writeFileSync(at.at('cafe\u0301.txt'), 'nfd');
      expect(await at.files.look('café.txt')).toMatchObject({ real: 'café.txt', type: 'file' });
      await put(at.files, 'café.txt', 'changed');
      expect(readFileSync(at.at('cafe\u0301.txt'), 'utf8')).toBe('changed');
      expect((await list(at.files, '.', { limit: 10 })).entries.map(({ path }) => path)).toEqual(['a', 'café.txt']);
      writeFileSync(at.at('caf\u00e9.txt'), 'nfc');
      expect(await textOf(at.files, 'café.txt')).toBe('nfc');
      const { entries, refused } = await list(at.files, '.', { limit: 10 });
      expect(entries.map(({ path }) => path)).toEqual(['a', 'café.txt']);
      expect(refused).toHaveLength(1);
    });

    test('a name in another letter case is another name, or refused, never the same file', async () => {
      const at = start({ '.env': 'KEY=canary' });
      for (const path of ['.ENV', 'A/f.txt', 'a/F.TXT']) {
        const found = await at.files.look(path).catch((error: { code: string }) => ({ type: error.code }));
        expect(['missing', 'stale']).toContain(found.type);
      }
    });

    test('the copies for undo may not lie in the workspace', () => {
      const at = start();
      for (const undoDir of [at.at('undo'), at.dir])
        expect(() => createFiles({ workspace: at.dir, undoDir, reach })).toThrow(/inside the workspace/);
    });
  },
);
