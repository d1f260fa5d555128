import {
  closeSync,
  fstatSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';

import { openWorkspace, type Entry } from '../../../src/adapters/files/descriptors.ts';
import type { BoundFile, FileHandle } from '../../../src/adapters/files/port.ts';
import { bound, identityOf, list, newWorkspace, OUTSIDE, refusal, textOf, type TestWorkspace } from './workspace.ts';

describe.each([['descriptors'], ['paths']] as const)(
  'what was looked at is what is opened, by %s (C1, C2)',
  (reach) => {
    const start = (contents: Record<string, string> = {}) =>
      newWorkspace({ 'a/f.txt': 'inside', ...contents }, { reach });

    test('a link that leads elsewhere than was decided on', async () => {
      const at = start({ 'b/f.txt': 'other' });
      symlinkSync('a', at.at('current'));
      const { real } = await at.files.look('current/f.txt');
      const identity = await identityOf(at.files, 'current/f.txt');
      renameSync(at.at('current'), at.at('old'));
      symlinkSync('b', at.at('current'));
      expect((await refusal(() => at.files.look('current/f.txt', { real }))).code).toBe('stale');
      expect((await refusal(() => at.files.expect('current/f.txt', identity))).code).toBe('stale');
      const now = await at.files.look('current/f.txt', { real: 'b/f.txt' });
      expect(Buffer.from((await at.files.read(now, { maxBytes: 10 })).bytes).toString()).toBe('other');
    });

    // What was looked at is what is opened: each way to put something else in its place, after it was looked at.
    test.each<[string, (at: TestWorkspace) => void, RegExp]>([
      ['a link out', (at) => swap(at, () => symlinkSync(join(at.outside, 'secret.txt'), at.at('a/f.txt'))), /denied/],
      ['a link inside', (at) => swap(at, () => symlinkSync('../.env', at.at('a/f.txt'))), /stale/],
      ['a hard link out', (at) => swap(at, () => linkSync(join(at.outside, 'secret.txt'), at.at('a/f.txt'))), /denied/],
      ['a file of the workspace', (at) => renameSync(at.at('.env'), at.at('a/f.txt')), /stale/],
      ['a folder', (at) => swap(at, () => mkdirSync(at.at('a/f.txt'))), /stale/],
      ['nothing', (at) => unlinkSync(at.at('a/f.txt')), /stale/],
      [
        'a folder above that is a link out',
        (at) => {
          renameSync(at.at('a'), at.at('aside'));
          writeFileSync(join(at.outside, 'f.txt'), OUTSIDE);
          symlinkSync(at.outside, at.at('a'));
        },
        /denied/,
      ],
    ])('after it was looked at: %s', async (_, exchange, code) => {
      const at = start({ '.env': OUTSIDE });
      const [file, held] = [await at.files.look('a/f.txt'), await bound(at.files, 'a/f.txt')];
      exchange(at);
      const before = [readdirSync(at.outside), readdirSync(at.dir)];
      for (const call of [
        () => at.files.read(file, { maxBytes: 100 }),
        () => at.files.identity(file),
        () => at.files.write(held, Buffer.from('x')),
        () => at.files.remove(held),
      ])
        expect((await refusal(call)).code).toMatch(code);
      expect(await at.files.search(file, { query: OUTSIDE, permits: () => true, limit: 5 })).toMatchObject({
        matches: [],
        skipped: { refused: 1 },
      });
      expect([readdirSync(at.outside), readdirSync(at.dir)]).toEqual(before);
      expect(readFileSync(join(at.outside, 'secret.txt'), 'utf8')).toBe(OUTSIDE);
    });

    test('an entry that has lost its place between being opened and being checked', () => {
      const { dir, outside, at } = start();
      const workspace = openWorkspace(dir, reach);
      onTestFinished(workspace.close);
      const opened = (folder: Entry, name: string): Entry => {
        const child = workspace.child(folder, name);
        if (!child || !('entry' in child)) throw new Error(`${name} is not there`);
        onTestFinished(() => closeSync(child.entry.fd));
        return child.entry;
      };
      linkSync(join(outside, 'secret.txt'), at('hard'));
      const [folder, hard] = [opened(workspace.root, 'a'), opened(workspace.root, 'hard')];
      const file = opened(folder, 'f.txt');
      expect(() => workspace.checkWhereabouts(file, ['a', 'f.txt'])).not.toThrow();
      // What was opened is the file outside, and has one name again: its link count says nothing any more.
      unlinkSync(at('hard'));
      expect(fstatSync(hard.fd).nlink).toBe(1);
      expect(() => workspace.checkWhereabouts(hard, ['hard'])).toThrow();
      renameSync(at('a'), join(outside, 'a'));
      expect(() => workspace.checkWhereabouts(file, ['a', 'f.txt'])).toThrow();
    });

    test('on Windows, names that mean a stream, a drive or a device there; here they are names like any other', () => {
      const names = ['.env::$DATA', 'a.txt:x', 'C:', 'NUL', 'nul.txt', 'Com1.log', 'aux', 'CONIN$', 'a*'];
      const twins = ['env', 'nulled', 'com', 'auxiliary.txt', 'a$'];
      const { dir, at } = start();
      for (const name of [...names, ...twins]) writeFileSync(at(name), '');
      for (const platform of ['win32', 'linux'] as const) {
        const workspace = openWorkspace(dir, reach, platform);
        onTestFinished(workspace.close);
        const isOpened = (name: string) => {
          const child = workspace.child(workspace.root, name);
          if (child && 'entry' in child) closeSync(child.entry.fd);
          return child !== undefined;
        };
        for (const name of twins) expect(isOpened(name)).toBe(true);
        for (const name of names)
          if (platform === 'linux') expect(isOpened(name)).toBe(true);
          else expect(() => isOpened(name)).toThrow(expect.objectContaining({ code: 'denied' }));
      }
    });

    test('a folder that was looked at and is another by now; one that is the same goes on', async () => {
      const at = start({ 'b/f.txt': 'other' });
      const [a, b] = [await at.files.look('a'), await at.files.look('b')];
      renameSync(at.at('a'), at.at('c'));
      renameSync(at.at('b'), at.at('a'));
      for (const folder of [a, b])
        expect((await refusal(() => at.files.list(folder, { limit: 9 }))).code).toBe('stale');
      expect((await list(at.files, 'a', { limit: 9 })).entries.map(({ path }) => path)).toEqual(['a/f.txt']);
    });

    test('what is no handle of this workspace opens nothing; a handle that was only looked at changes nothing', async () => {
      const [at, other] = [start(), start()];
      const file = await at.files.look('a/f.txt');
      const forged = [{ ...file }, { ...file, path: '.env' }, await other.files.look('a/f.txt')] as FileHandle[];
      for (const handle of forged)
        expect(await refusal(() => at.files.read(handle, { maxBytes: 9 }))).toMatchObject({ code: 'internal' });
      expect(() => Object.assign(file, { real: '.env' })).toThrow(TypeError);
      expect((await refusal(() => at.files.write(file as BoundFile, Buffer.from('x')))).code).toBe('internal');
      expect((await refusal(() => at.files.remove(file as BoundFile))).code).toBe('internal');
      expect(await textOf(at.files, 'a/f.txt')).toBe('inside');
    });
  },
);

function swap({ at }: TestWorkspace, put: () => void): void {
  unlinkSync(at('a/f.txt'));
  put();
}
