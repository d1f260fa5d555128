import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import fc from 'fast-check';

import { canonicalJson, sha256, wellFormed } from '../../../src/audit/canonical.ts';
import { GENESIS, sealRecord } from '../../../src/audit/chain.ts';
import { createAuditLog } from '../../../src/audit/log.ts';
import { tailAudit } from '../../../src/audit/read.ts';
import type { Json, JsonObject } from '../../../src/core/json.ts';
import type { Store } from '../../../src/store/store.ts';
import { auditKit, type AuditKit } from './kit.ts';

let kit: AuditKit;
beforeEach(async () => {
  kit = await auditKit();
});
afterEach(() => kit.end());

/** In the order of the chain, of which there is one; a record's time is when it was appended. */
const stored = async () =>
  (await tailAudit(kit.store, 1000)).toSorted((a, b) => a.seq - b.seq).map(({ kind, data }) => [kind, data]);

/** The kit's store, which can be told to fail, and counts transactions. */
function shakyStore() {
  const state = { failing: false, transactions: 0 };
  const store: Store = {
    ...kit.store,
    transaction(work) {
      state.transactions += 1;
      return state.failing ? Promise.reject(new Error('disk full')) : kit.store.transaction(work);
    },
  };
  return { state, store };
}

describe('appending', () => {
  test('I8 records are on disk after flush, in order, chained from the genesis', async () => {
    const log = kit.log();
    log.append({ kind: 'received', callId: 'c1', data: { n: 1 } });
    log.append({ kind: 'closed', callId: 'c1', data: { n: 2 } });
    await log.flush();
    const [first, second] = await tailAudit(kit.store, 10);
    expect(first).toMatchObject({ writer: log.writer, seq: 1, kind: 'received', callId: 'c1', prevHash: GENESIS });
    expect(second).toMatchObject({ seq: 2, prevHash: sealRecord(first!).hash });
    expect(await kit.verify()).toMatchObject({ ok: true, records: 2, writers: 1, problems: [] });
  });

  test('records get to disk by themselves, and several share a commit', async () => {
    const { state, store } = shakyStore();
    const log = createAuditLog({ store });
    for (let n = 0; n < 50; n += 1) log.append({ kind: 'received', data: { n } });
    await expect.poll(stored).toHaveLength(50);
    expect(state.transactions).toBe(1);
    await log.close();
  });

  test('what is appended while a commit is under way is written by the next', async () => {
    const log = kit.log();
    log.append({ kind: 'received', data: { n: 1 } });
    await log.transaction(async (_, append) => {
      log.append({ kind: 'received', data: { n: 3 } });
      await append({ kind: 'opened', data: { n: 2 } });
    });
    await log.flush();
    expect((await stored()).map(([, data]) => data)).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
  });

  test('what the caller changes later is not what it appended', async () => {
    const log = kit.log();
    const data: JsonObject = { path: 'a' };
    log.append({ kind: 'received', data });
    data['path'] = 'b';
    await log.flush();
    expect(await stored()).toEqual([['received', { path: 'a' }]]);
  });

  test('the second net redacts everything, the drafts of transactions too', async () => {
    const redact = (value: Json) => JSON.parse(JSON.stringify(value).replaceAll('hunter2', '[redacted]')) as Json;
    const log = kit.log({ redact });
    log.append({ kind: 'received', data: { note: 'pw hunter2' } });
    await log.transaction(async (_, append) => append({ kind: 'opened', data: { note: 'pw hunter2' } }));
    const [{ all } = { all: '' }] = await kit.store.query<{ all: string }>(
      'SELECT group_concat(record) AS "all" FROM audit_records',
    );
    expect(all).toContain('[redacted]');
    expect(all).not.toContain('hunter2');
  });

  test('text that no JSON can carry, endless nesting and huge data still leave a record', async () => {
    const log = kit.log();
    let deep: Json = 'x';
    for (let n = 0; n < 200_000; n += 1) deep = [deep];
    log.append({ kind: 'received', data: { lone: 'a\ud800b', ['\udc00']: 1, line: '\u2028', kept: '\\ud800' } });
    log.append({ kind: 'received', data: { deep } });
    log.append({ kind: 'received', data: { huge: 'x'.repeat(300_000) } });
    await log.flush();
    const records = await stored();
    expect(records[0]).toEqual(['received', { lone: 'a\ufffdb', '\ufffd': 1, line: '\u2028', kept: '\\ud800' }]);
    expect(records[1]).toEqual(['received', { omitted: 'not writable as JSON' }]);
    expect(records[2]).toMatchObject(['received', { omitted: expect.stringContaining('too large') }]);
    expect(await kit.verify()).toMatchObject({ ok: true, records: 3 });
  });

  test('wellFormed changes lone surrogates and nothing else', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'binary' }), (value) => {
        const json = JSON.parse(JSON.stringify(value)) as Json;
        const text = canonicalJson(wellFormed(json));
        expect(text.isWellFormed()).toBe(true);
        if (JSON.stringify(json).search(/\\ud[89a-f]/) < 0) expect(text).toBe(canonicalJson(json));
      }),
    );
  });

  test('canonical JSON is one text per value, and hashes as RFC 8785 says', () => {
    expect(canonicalJson({ b: 1, a: [1e21, 0.1, -0], é: '\u001f' })).toBe(
      String.raw`{"a":[1e+21,0.1,0],"b":1,"é":"\u001f"}`,
    );
    expect(sha256('')).toBe('sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
    expect(() => canonicalJson('\ud800')).toThrow(expect.objectContaining({ code: 'invalid_input' }));
  });
});

describe('failing', () => {
  test('a log that cannot be written says so until everything is on disk, in order', async () => {
    const { state, store } = shakyStore();
    const log = createAuditLog({ store });
    state.failing = true;
    log.append({ kind: 'received', data: { n: 1 } });
    await expect(log.flush()).rejects.toMatchObject({ code: 'unavailable' });
    expect(log.broken()).toMatchObject({ code: 'unavailable' });
    log.append({ kind: 'received', data: { n: 2 } });
    await expect(log.flush()).rejects.toMatchObject({ code: 'unavailable' });
    state.failing = false;
    await log.flush();
    expect(log.broken()).toBeUndefined();
    expect(await stored()).toEqual([
      ['received', { n: 1 }],
      ['received', { n: 2 }],
    ]);
    expect(await kit.verify()).toMatchObject({ ok: true });
  });

  test('a transaction that is rolled back takes its records with it and leaves those before', async () => {
    const log = kit.log();
    log.append({ kind: 'received', data: { n: 1 } });
    const failing = log.transaction(async ({ query }, append) => {
      await query(`INSERT INTO facts (name, value) VALUES ('x', 'y')`);
      await append({ kind: 'opened', data: {} });
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(log.broken()).toBeUndefined();
    await log.transaction(async (_, append) => append({ kind: 'closed', data: {} }));
    expect((await stored()).map(([kind]) => kind)).toEqual(['received', 'closed']);
    expect(await kit.store.query(`SELECT * FROM facts WHERE name = 'x'`)).toEqual([]);
    expect(await kit.verify()).toMatchObject({ ok: true, records: 2 });
  });

  test('closing writes what waits and refuses what comes later', async () => {
    const log = kit.log();
    log.append({ kind: 'received', data: {} });
    await log.close();
    expect(await stored()).toHaveLength(1);
    expect(() => log.append({ kind: 'received', data: {} })).toThrow(expect.objectContaining({ code: 'unavailable' }));
  });
});

test('I8 any mix of appends, transactions, flushes and checkpoints by several writers verifies', async () => {
  const act = fc.record({
    writer: fc.nat(2),
    what: fc.constantFrom('append', 'transaction', 'rollback', 'flush', 'checkpoint'),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(act, { maxLength: 40 }), async (acts) => {
      const fresh = await auditKit();
      try {
        const logs = [fresh.log(), fresh.log(), fresh.log()];
        let expected = 0;
        const running: Promise<unknown>[] = [];
        for (const { writer, what } of acts) {
          const log = logs[writer]!;
          if (what === 'append') log.append({ kind: 'received', data: { n: (expected += 1) } });
          else if (what === 'flush') running.push(log.flush());
          else if (what === 'checkpoint') running.push(log.checkpoint(), Promise.resolve((expected += 1)));
          else if (what === 'transaction')
            running.push(
              log.transaction(async (_, append) => append({ kind: 'opened', data: { n: (expected += 1) } })),
            );
          else
            running.push(
              log
                .transaction(async (_, append) =>
                  append({ kind: 'opened', data: {} }).then(() => Promise.reject(new Error('no'))),
                )
                .catch(() => undefined),
            );
        }
        await Promise.all(running);
        for (const log of logs) await log.close();
        expect(await fresh.verify()).toMatchObject({ problems: [], records: expected });
      } finally {
        await fresh.end();
      }
    }),
    { numRuns: 25 },
  );
});
