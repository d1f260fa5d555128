import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';

import { UNDO_LIMITS } from '../../../src/adapters/files/pruning.ts';
import { createUndoStore } from '../../../src/adapters/files/undo.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const START = Date.UTC(2026, 0, 1);

/** A store of small limits; `change` keeps a copy of so many bytes, as a change that is made at once. */
function newStore(limits: Partial<typeof UNDO_LIMITS> = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'holdpoint-undo-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const store = createUndoStore({ dir, limits: { ...UNDO_LIMITS, ...limits } });
  const keep = (path: string, bytes = 1) =>
    store.keep({ workspace: '/w', path, did: 'replaced', mode: 0o644, before: 'x', after: 'y' }, new Uint8Array(bytes));
  const change = async (path: string, bytes?: number) => {
    const id = await keep(path, bytes);
    store.made(id);
    return id;
  };
  return { dir, store, keep, change, paths: () => store.list().map(({ path }) => path) };
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: START });
});
afterEach(() => {
  vi.useRealTimers();
});
const later = (ms: number) => vi.setSystemTime(Date.now() + ms);

describe('how much is kept for undo (C2)', () => {
  test('of more changes than may be kept the oldest go, with their copies', async () => {
    const { dir, change, paths } = newStore({ copies: 3 });
    for (const path of ['a', 'b', 'c', 'd', 'e']) {
      await change(path);
      later(HOUR);
    }
    expect(paths()).toEqual(['e', 'd', 'c']);
    expect(readdirSync(dir)).toHaveLength(6);
  });

  test('of more bytes, too; one large copy may push several out, and the newest stays whatever its size', async () => {
    const { change, paths } = newStore({ megabytes: 1 });
    for (const path of ['a', 'b', 'c']) {
      await change(path, 400_000);
      later(HOUR);
    }
    expect(paths()).toEqual(['c', 'b']);
    await change('large', 2_000_000);
    expect(paths()).toEqual(['large']);
  });

  test('what is older than may be kept goes with the next change that another process or a new start makes', async () => {
    const { dir, change, paths } = newStore({ keepFor: 30 * DAY });
    await change('old');
    later(20 * DAY);
    await change('newer');
    later(11 * DAY);
    const other = createUndoStore({ dir, limits: { ...UNDO_LIMITS, keepFor: 30 * DAY } });
    other.made(await other.keep({ workspace: '/w', path: 'b', did: 'created', mode: 0, after: 'y' }, undefined));
    expect(paths()).toEqual(['b', 'newer']);
  });

  test('a change that is under way keeps its copy, and so does what is younger than ten minutes', async () => {
    const { keep, change, store, paths } = newStore({ copies: 1 });
    const pending = await keep('pending');
    later(HOUR);
    await change('a');
    await change('b');
    expect(paths()).toEqual(['b', 'a', 'pending']);
    later(HOUR);
    await change('c');
    expect(paths()).toEqual(['c', 'pending']);
    store.made(pending);
    expect(paths()).toEqual(['c']);
  });

  test('what a stop left half written goes in time; what is no copy stays', async () => {
    const { dir, change } = newStore({ keepFor: DAY });
    const id = await change('a');
    const orphan = id.replace(/[0-9a-f]{8}$/, 'deadbeef');
    for (const name of [`${orphan}.bytes`, `${orphan}.json.part`, 'notes.txt', 'undo-old.json'])
      writeFileSync(join(dir, name), 'x');
    later(2 * DAY);
    for (let index = 0; index < 101; index++) await change('b');
    expect(readdirSync(dir).filter((name) => name.startsWith(orphan) || name.startsWith(id))).toEqual([]);
    expect(readdirSync(dir)).toEqual(expect.arrayContaining(['notes.txt', 'undo-old.json']));
  });

  test('a clock that was set back removes nothing', async () => {
    const { change, paths } = newStore({ copies: 1, keepFor: DAY });
    await change('a');
    vi.setSystemTime(START - 365 * DAY);
    await change('b');
    expect(paths()).toEqual(['b', 'a']);
  });

  test('a change of which no copy could be kept leaves none, and is not made', async () => {
    const { dir, store, keep } = newStore();
    await keep('a');
    const before = readdirSync(dir);
    vi.setSystemTime(START + 1);
    // The copy is written, the record cannot be.
    const ids = vi.spyOn(JSON, 'stringify').mockImplementationOnce(() => {
      throw new Error('no room');
    });
    onTestFinished(() => ids.mockRestore());
    await expect(keep('b')).rejects.toThrow('no room');
    expect(readdirSync(dir)).toEqual(before);
    expect(store.list()).toHaveLength(1);
  });
});
