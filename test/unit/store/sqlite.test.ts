import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { openStore } from '../../../src/store/sqlite.ts';
import type { Store } from '../../../src/store/store.ts';

let root: string;
const opened: Store[] = [];
const open = async (patience?: number) => {
  const store = await openStore(join(root, 'state'), patience === undefined ? {} : { patience });
  opened.push(store);
  return store;
};
const put = 'INSERT INTO facts (name, value) VALUES (?, ?)';
const names = async (store: Store) =>
  (await store.query<{ name: string }>('SELECT name FROM facts ORDER BY name')).map(({ name }) => name);

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'holdpoint-store-'));
});
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close();
  rmSync(root, { recursive: true, force: true });
});

describe('files', () => {
  test('the directory is 0700 and every file 0600, whatever the umask', async () => {
    const umask = process.umask(0);
    try {
      const store = await open();
      await store.query(put, ['a', '1']);
    } finally {
      process.umask(umask);
    }
    expect(statSync(join(root, 'state')).mode & 0o777).toBe(0o700);
    for (const file of ['holdpoint.db', 'holdpoint.db-wal', 'holdpoint.db-shm'])
      expect(statSync(join(root, 'state', file)).mode & 0o777, file).toBe(0o600);
  });

  test('an own directory that others can read is closed to them; one that all can write is refused', async () => {
    mkdirSync(join(root, 'state'), { mode: 0o755 });
    await open();
    expect(statSync(join(root, 'state')).mode & 0o777).toBe(0o700);

    mkdirSync(join(root, 'open'));
    chmodSync(join(root, 'open'), 0o777);
    await expect(openStore(join(root, 'open'))).rejects.toMatchObject({
      code: 'unavailable',
      hint: expect.stringContaining('of your own'),
    });
  });

  test('a file that is no database says so', async () => {
    mkdirSync(join(root, 'state'), { mode: 0o700 });
    const { writeFileSync } = await import('node:fs');
    writeFileSync(
      join(root, 'state', 'holdpoint.db'),
      'no database at all, but long enough to have a header'.repeat(20),
    );
    await expect(openStore(join(root, 'state'))).rejects.toMatchObject({ code: 'unavailable' });
  });

  test('a store made by a newer Holdpoint is left alone', async () => {
    const store = await open();
    await store.query(`INSERT INTO schema_versions (version, applied_at) VALUES (99, '')`);
    await expect(open()).rejects.toMatchObject({ code: 'unavailable', message: expect.stringContaining('99') });
  });

  test('opening writes no warning to stderr, and other warnings still get there', async () => {
    const module = new URL('../../../src/store/sqlite.ts', import.meta.url).href;
    const script = `const { openStore } = await import(${JSON.stringify(module)});
      await (await openStore(${JSON.stringify(join(root, 'state'))})).close();
      process.emitWarning('another one');`;
    const { stderr } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
    expect(stderr).toContain('another one');
    expect(stderr).not.toContain('SQLite');
  });
});

describe('transactions', () => {
  test('what throws leaves nothing behind, and the next one runs', async () => {
    const store = await open();
    const failing = store.transaction(async ({ query }) => {
      await query(put, ['lost', '1']);
      throw new Error('stop');
    });
    await expect(failing).rejects.toThrow('stop');
    await store.transaction(async ({ query }) => query(put, ['kept', '1']));
    expect(await names(store)).toEqual(['kept']);
  });

  test('statements of others wait for the end of an open transaction', async () => {
    const store = await open();
    let release = () => {};
    const gate = new Promise<void>((resolve) => (release = resolve));
    const failing = store.transaction(async ({ query }) => {
      await query(put, ['a', '1']);
      await gate;
      throw new Error('rolled back');
    });
    const seen = names(store);
    const written = store.query(put, ['b', '1']);
    release();
    await expect(failing).rejects.toThrow('rolled back');
    expect(await seen).toEqual([]);
    await written;
    expect(await names(store)).toEqual(['b']);
  });

  test('a session is of no use after its end', async () => {
    const store = await open();
    const session = await store.transaction(async (inside) => inside);
    await expect(session.query('SELECT 1')).rejects.toThrow('ended');
  });

  test('a store that another process holds is unavailable with a hint, and free again afterwards', async () => {
    const [first, second] = [await open(), await open(100)];
    let release = () => {};
    const gate = new Promise<void>((resolve) => (release = resolve));
    const holding = first.transaction(async () => gate);
    await expect(second.transaction(async ({ query }) => query(put, ['b', '1']))).rejects.toMatchObject({
      code: 'unavailable',
      hint: expect.stringContaining('Try again'),
    });
    release();
    await holding;
    await second.transaction(async ({ query }) => query(put, ['b', '1']));
    expect(await names(first)).toEqual(['b']);
  });

  test('two connections count together without losing one', async () => {
    const stores = [await open(), await open()];
    await stores[0]!.query(put, ['n', '0']);
    const add = (store: Store) =>
      store.transaction(async ({ query }) => {
        const [row] = await query<{ value: string }>(`SELECT value FROM facts WHERE name = 'n'`);
        await new Promise(setImmediate);
        await query(`UPDATE facts SET value = ? WHERE name = 'n'`, [String(Number(row?.value) + 1)]);
      });
    await Promise.all(Array.from({ length: 40 }, (_, index) => add(stores[index % 2]!)));
    expect(await stores[1]!.query('SELECT value FROM facts')).toMatchObject([{ value: '40' }]);
  });
});
