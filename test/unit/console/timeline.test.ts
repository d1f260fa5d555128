import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { createAuditLog, type AuditLog } from '../../../src/audit/log.ts';
import { timeline } from '../../../src/console/timeline.ts';
import { openStore } from '../../../src/store/sqlite.ts';
import type { Store } from '../../../src/store/store.ts';

let root: string;
let store: Store;
let logs: AuditLog[];
let now: number;
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'holdpoint-timeline-'));
  store = await openStore(join(root, 'state'));
  now = Date.parse('2026-01-01T00:00:00.000Z');
  logs = [createAuditLog({ store, now: () => now }), createAuditLog({ store, now: () => now })];
});
afterEach(async () => {
  for (const log of logs) await log.close();
  await store.close();
  rmSync(root, { recursive: true, force: true });
});

const approval = `apr_${'a'.repeat(32)}`;

/** 120 records of two writers, some at the same moment. */
async function write(): Promise<void> {
  for (let index = 0; index < 120; index++) {
    now += index % 3 === 0 ? 1000 : 0;
    const tool = index % 2 === 0 ? 'view' : 'git';
    const verdict = index % 10 === 0 ? 'deny' : 'allow';
    const about = index % 40 === 0 ? { approval } : {};
    logs[index % 2]?.append({
      kind: 'opened',
      data: { index, tool, verdict, principal: `Ann/devops/${index % 4}`, ...about },
    });
  }
  for (const log of logs) await log.flush();
}

async function all(filter: Parameters<typeof timeline>[1]): Promise<number[]> {
  const found: number[] = [];
  for (let before: string | undefined; ;) {
    const { records, older } = await timeline(store, { ...filter, ...(before !== undefined && { before }) });
    expect(records.length).toBeLessThanOrEqual(50);
    found.push(...records.map(({ data }) => Number(data['index'])));
    if (older === undefined) return found;
    before = older;
  }
}

const those = (fits: (index: number) => boolean) => Array.from({ length: 120 }, (_, index) => index).filter(fits);

test('I8 pages lead through all records once, newest first, whoever wrote them', async () => {
  await write();
  const found = await all({});
  expect(found.toSorted((a, b) => a - b)).toEqual(those(() => true));
  const times = found.map((index) => Math.floor(index / 3));
  expect(times).toEqual(times.toSorted((a, b) => b - a));
});

test('I8 filters hold together: tool, verdict, part of the principal, request, time', async () => {
  await write();
  const sorted = async (filter: Parameters<typeof timeline>[1]) => (await all(filter)).sort((a, b) => a - b);
  expect(await sorted({ tool: 'git' })).toEqual(those((index) => index % 2 === 1));
  expect(await sorted({ verdict: 'deny' })).toEqual(those((index) => index % 10 === 0));
  expect(await sorted({ principal: 'ann/DEVOPS/3' })).toEqual(those((index) => index % 4 === 3));
  expect(await sorted({ approval, tool: 'view' })).toEqual([0, 40, 80]);
  expect(await sorted({ from: '2026-01-01T00:00:02.000Z', to: '2026-01-01T00:00:02.000Z' })).toEqual([3, 4, 5]);
  expect(await sorted({ tool: 'view', verdict: 'deny', from: '2026-01-01T00:00:30.000Z' })).toEqual([90, 100, 110]);
});
