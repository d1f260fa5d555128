import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

import { createFiles } from '../../../src/adapters/files/client.ts';
import { bound, identityOf, newWorkspace, put, refusal, remove, textOf } from './workspace.ts';

describe('writing and removing (C1, C2)', () => {
  test('creates with missing folders, replaces, keeps the permissions, leaves nothing behind', async () => {
    const { files, at } = newWorkspace({ 'run.sh': 'old' });
    chmodSync(at('run.sh'), 0o750);
    expect(await put(files, 'a/b/c.txt', 'new')).toMatchObject({ before: 0, after: 3 });
    expect(await put(files, 'run.sh', 'newer')).toMatchObject({ before: 3, after: 5 });
    expect(statSync(at('run.sh')).mode & 0o777).toBe(0o750);
    expect(await textOf(files, 'a/b/c.txt')).toBe('new');
    expect(readdirSync(at('.'))).toEqual(['a', 'run.sh']);
    expect(readdirSync(at('a/b'))).toEqual(['c.txt']);
  });

  test.each([
    ['other bytes', (path: string) => writeFileSync(path, 'sneaky')],
    [
      'the same bytes in another file',
      (path: string) => (unlinkSync(path), writeFileSync(join(path, '../spare'), ''), writeFileSync(path, 'old')),
    ],
    ['no file', (path: string) => unlinkSync(path)],
    ['a folder', (path: string) => (unlinkSync(path), mkdirSync(path))],
  ])('where there is %s by now, nothing is changed', async (_, move) => {
    const { files, at, undoDir } = newWorkspace({ 'f.txt': 'old' });
    const [identity, held] = [await identityOf(files, 'f.txt'), await bound(files, 'f.txt')];
    move(at('f.txt'));
    const before = readdirSync(at('.'));
    for (const call of [
      () => files.write(held, Buffer.from('mine')),
      () => files.remove(held),
      () => files.expect('f.txt', identity),
    ])
      expect((await refusal(call)).code).toMatch(/^(?:stale|invalid_input)$/);
    expect(readdirSync(at('.'))).toEqual(before);
    expect(readdirSync(join(undoDir, '..')).includes('undo') ? readdirSync(undoDir) : []).toEqual([]);
  });

  test('a file that appeared where none was expected is not overwritten; stale says what was and is', async () => {
    const { files, at } = newWorkspace();
    const held = await bound(files, 'a/new.txt');
    const identity = await files.identity(held);
    mkdirSync(at('a'));
    writeFileSync(at('a/new.txt'), 'theirs');
    expect((await refusal(() => files.write(held, Buffer.from('mine')))).code).toBe('stale');
    expect(await refusal(() => files.expect('a/new.txt', identity))).toMatchObject({
      code: 'stale',
      changes: [
        { what: 'a/new.txt', was: '{"missing":true,"real":"a/new.txt"}', is: expect.stringContaining('sha256') },
      ],
    });
    expect(readFileSync(at('a/new.txt'), 'utf8')).toBe('theirs');
  });

  test('of twenty writers on one file with one expectation, one wins', async () => {
    const { files } = newWorkspace({ 'f.txt': 'old' });
    const held = await bound(files, 'f.txt');
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, (_, index) => files.write(held, Buffer.from(`writer ${index}`))),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await textOf(files, 'f.txt')).toMatch(/^writer \d+$/);
    expect(files.kept()).toHaveLength(1);
  });

  test.skipIf(process.getuid?.() === 0)('a read-only file stays as it is', async () => {
    const { files, at } = newWorkspace({ 'f.txt': 'old' });
    chmodSync(at('f.txt'), 0o444);
    expect((await refusal(() => put(files, 'f.txt', 'new'))).code).toBe('denied');
  });

  test('a file too large to keep a copy of is refused when the change is planned', async () => {
    const { files, at } = newWorkspace();
    writeFileSync(at('large'), '');
    truncateSync(at('large'), 67_108_865);
    expect((await refusal(() => identityOf(files, 'large'))).code).toBe('denied');
  });

  test('folders are neither written nor removed', async () => {
    const { files } = newWorkspace({ 'a/f.txt': '' });
    for (const path of ['a', '.']) {
      expect((await refusal(() => identityOf(files, path))).code).toBe('invalid_input');
      expect((await refusal(() => files.expect(path, { missing: true, real: path }))).code).toBe('invalid_input');
    }
    expect((await refusal(() => textOf(files, 'a/f.txt/x'))).code).toBe('not_found');
  });

  test('reads a range, and says the size of the whole', async () => {
    const { files } = newWorkspace({ 'f.txt': '0123456789' });
    const file = await files.look('f.txt');
    const { bytes, size } = await files.read(file, { offset: 3, maxBytes: 4 });
    expect([Buffer.from(bytes).toString(), size]).toEqual(['3456', 10]);
    expect((await files.read(file, { offset: 50, maxBytes: 4 })).bytes).toHaveLength(0);
  });
});

describe('undo (C2)', () => {
  test('brings back what was replaced and removed, and takes away what was made', async () => {
    const { files, at } = newWorkspace({ 'a/f.sh': 'one' });
    chmodSync(at('a/f.sh'), 0o755);
    const replaced = await put(files, 'a/f.sh', 'two');
    const removed = await remove(files, 'a/f.sh');
    const created = await put(files, 'new.txt', 'new');
    expect(files.kept().map(({ id, did, path }) => [id, did, path])).toEqual([
      [created.undo, 'created', 'new.txt'],
      [removed.undo, 'removed', 'a/f.sh'],
      [replaced.undo, 'replaced', 'a/f.sh'],
    ]);
    await files.restore(removed.undo);
    expect(await textOf(files, 'a/f.sh')).toBe('two');
    await files.restore(replaced.undo);
    expect(await textOf(files, 'a/f.sh')).toBe('one');
    expect(statSync(at('a/f.sh')).mode & 0o777).toBe(0o755);
    await files.restore(created.undo);
    expect(readdirSync(at('.'))).toEqual(['a']);
  });

  test('a path means its newest change; restoring is itself undone', async () => {
    const { files } = newWorkspace({ 'f.txt': 'one' });
    await put(files, 'f.txt', 'two');
    const restored = await files.restore('./f.txt');
    expect(await textOf(files, 'f.txt')).toBe('one');
    await files.restore(restored.undo ?? '');
    expect(await textOf(files, 'f.txt')).toBe('two');
    expect((await refusal(() => files.restore('other.txt'))).code).toBe('not_found');
    expect((await refusal(() => files.restore('../../etc/passwd'))).code).toBe('not_found');
  });

  test('newer content stays unless forced, and is kept then', async () => {
    const { files, at } = newWorkspace({ 'f.txt': 'one' });
    const { undo } = await put(files, 'f.txt', 'two');
    writeFileSync(at('f.txt'), 'three, by hand');
    expect(await refusal(() => files.restore(undo))).toMatchObject({
      code: 'conflict',
      hint: expect.stringContaining('--force'),
    });
    expect(await textOf(files, 'f.txt')).toBe('three, by hand');
    const forced = await files.restore(undo, { force: true });
    expect(await textOf(files, 'f.txt')).toBe('one');
    await files.restore(forced.undo ?? '');
    expect(await textOf(files, 'f.txt')).toBe('three, by hand');
  });

  test('what is restored already is left alone', async () => {
    const { files } = newWorkspace({ 'f.txt': 'one' });
    const { undo } = await put(files, 'f.txt', 'two');
    await files.restore(undo);
    expect(await files.restore(undo)).toEqual({ path: 'f.txt', undid: undo, size: 3 });
  });

  test('copies are encrypted, private, and bound to their record', async () => {
    const { files, dir, undoDir } = newWorkspace({ 'a.txt': 'canary-content', 'b.txt': 'other' });
    const a = await put(files, 'a.txt', '');
    await put(files, 'b.txt', '');
    expect(statSync(undoDir).mode & 0o777).toBe(0o700);
    for (const name of readdirSync(undoDir)) {
      expect(statSync(join(undoDir, name)).mode & 0o777).toBe(0o600);
      expect(readFileSync(join(undoDir, name), 'utf8')).not.toContain('canary-content');
    }
    const other = createFiles({ workspace: dir, undoDir, undoKey: new Uint8Array(32) });
    expect((await refusal(() => other.restore(a.undo))).code).toBe('unavailable');
    other.close();
    const record = join(undoDir, `${a.undo}.json`);
    writeFileSync(record, readFileSync(record, 'utf8').replace('"path":"a.txt"', '"path":"b.txt"'));
    expect((await refusal(() => files.restore(a.undo, { force: true }))).code).toBe('unavailable');
    expect(await textOf(files, 'b.txt')).toBe('');
  });

  test('without a key the copies are kept as they are; two workspaces share one folder', async () => {
    const one = newWorkspace({ 'f.txt': 'one' });
    await put(one.files, 'f.txt', 'x');
    const two = newWorkspace({ 'f.txt': 'plain' });
    const shared = createFiles({ workspace: two.dir, undoDir: one.undoDir });
    expect((await refusal(() => shared.restore('f.txt'))).code).toBe('not_found');
    const { undo } = await put(shared, 'f.txt', 'y');
    expect(readFileSync(join(one.undoDir, `${undo}.bytes`), 'utf8')).toBe('plain');
    await shared.restore('f.txt');
    expect(await textOf(shared, 'f.txt')).toBe('plain');
    expect(one.files.kept()).toHaveLength(1);
    shared.close();
  });
});
