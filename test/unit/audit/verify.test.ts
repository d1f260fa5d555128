import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import fc from 'fast-check';

import { sealRecord, type AuditRecord } from '../../../src/audit/chain.ts';
import { exportSource } from '../../../src/audit/export.ts';
import { verifyAudit } from '../../../src/audit/verify.ts';
import { auditKit, type AuditKit } from './kit.ts';

let kit: AuditKit;
let first: string;
let second: string;

/** Two writers with five and four records; the second has checkpointed and gone on. */
beforeEach(async () => {
  kit = await auditKit();
  const one = kit.log();
  const two = kit.log();
  [first, second] = [one.writer, two.writer];
  for (let n = 1; n <= 5; n += 1) one.append({ kind: 'received', callId: `c${n}`, data: { n, text: 'line\u2028end' } });
  await one.flush();
  two.append({ kind: 'received', data: { n: 1 } });
  await two.checkpoint();
  two.append({ kind: 'received', data: { n: 3 } });
  await two.close();
  await one.checkpoint();
  await one.close();
});
afterEach(() => kit.end());

const edit = (sql: string, ...parameters: (string | number)[]) => kit.store.query(sql, parameters);
const problemsOf = async () => (await kit.verify()).problems;

describe('I8 in the store', () => {
  test('an untouched log verifies', async () => {
    expect(await kit.verify()).toEqual({ ok: true, records: 9, writers: 2, checkpoints: 2, problems: [] });
  });

  test.each([
    ['a value', `UPDATE audit_records SET record = replace(record, '"n":3', '"n":4') WHERE writer = ? AND seq = 3`],
    ['a blank', `UPDATE audit_records SET record = replace(record, '"n":3', '"n": 3') WHERE writer = ? AND seq = 3`],
    [
      'the hash',
      `UPDATE audit_records SET hash = replace(hash, substr(hash, 8, 64), printf('%064d', 0)) WHERE writer = ? AND seq = 3`,
    ],
    ['the kind beside it', `UPDATE audit_records SET kind = 'closed' WHERE writer = ? AND seq = 3`],
    ['the call beside it', `UPDATE audit_records SET call_id = 'c9' WHERE writer = ? AND seq = 3`],
    ['the time beside it', `UPDATE audit_records SET time = '2020' WHERE writer = ? AND seq = 3`],
    ['the approval beside it', `UPDATE audit_records SET approval = 'apr_1' WHERE writer = ? AND seq = 3`],
  ])('one record with %s changed is found where it is', async (_, sql) => {
    await edit(sql, first);
    expect(await problemsOf()).toContainEqual(expect.objectContaining({ problem: 'changed', writer: first, seq: 3 }));
  });

  test('a record that was changed and hashed anew is found by the next', async () => {
    const [row] = await kit.store.query<{ record: string }>(
      'SELECT record FROM audit_records WHERE writer = ? AND seq = 3',
      [first],
    );
    const record = { ...(JSON.parse(row!.record) as AuditRecord), data: { n: 'forged' } };
    const { text, hash } = sealRecord(record);
    await edit('UPDATE audit_records SET record = ?, hash = ? WHERE writer = ? AND seq = 3', text, hash, first);
    expect(await problemsOf()).toEqual([expect.objectContaining({ problem: 'changed', writer: first, seq: 4 })]);
  });

  test('a missing record', async () => {
    await edit('DELETE FROM audit_records WHERE writer = ? AND seq = 3', first);
    expect(await problemsOf()).toEqual([expect.objectContaining({ problem: 'missing', writer: first, seq: 3 })]);
  });

  test('two records in each other’s place', async () => {
    await edit('UPDATE audit_records SET seq = -1 WHERE writer = ? AND seq = 2', first);
    await edit('UPDATE audit_records SET seq = 2 WHERE writer = ? AND seq = 3', first);
    await edit('UPDATE audit_records SET seq = 3 WHERE writer = ? AND seq = -1', first);
    const problems = await problemsOf();
    expect(problems).toContainEqual(expect.objectContaining({ problem: 'changed', writer: first, seq: 2 }));
    expect(problems).toContainEqual(expect.objectContaining({ problem: 'changed', writer: first, seq: 3 }));
  });

  test('a tail that was cut: the heads know better', async () => {
    await edit('DELETE FROM audit_records WHERE writer = ? AND seq >= 5', first);
    expect(await problemsOf()).toContainEqual(expect.objectContaining({ problem: 'cut', writer: first, seq: 5 }));
  });

  test('a tail that was cut and its head set back: a checkpoint of another writer knows better', async () => {
    await edit('DELETE FROM audit_records WHERE writer = ? AND seq >= 5', first);
    await edit(
      'UPDATE audit_heads SET seq = 4, hash = (SELECT hash FROM audit_records WHERE writer = audit_heads.writer AND seq = 4) WHERE writer = ?',
      first,
    );
    expect(await problemsOf()).toContainEqual(expect.objectContaining({ problem: 'cut', writer: first, seq: 5 }));
  });

  test('a whole writer taken out: the checkpoints know of it', async () => {
    await edit('DELETE FROM audit_records WHERE writer = ?', second);
    await edit('DELETE FROM audit_heads WHERE writer = ?', second);
    expect(await problemsOf()).toContainEqual(expect.objectContaining({ problem: 'cut', writer: second, seq: 1 }));
  });

  test('a chain written anew from its second record on: the checkpoint knows another hash', async () => {
    const rows = await kit.store.query<{ record: string; hash: string }>(
      'SELECT record, hash FROM audit_records WHERE writer = ? ORDER BY seq',
      [first],
    );
    let prevHash = rows[0]!.hash;
    for (const row of rows.slice(1)) {
      const record = { ...(JSON.parse(row.record) as AuditRecord), prevHash };
      if (record.kind === 'received') record.data = { forged: true };
      const { text, hash } = sealRecord(record);
      await edit(
        'UPDATE audit_records SET record = ?, hash = ? WHERE writer = ? AND seq = ?',
        text,
        hash,
        first,
        record.seq,
      );
      await edit('UPDATE audit_heads SET hash = ? WHERE writer = ?', hash, first);
      prevHash = hash;
    }
    expect(await problemsOf()).toEqual([expect.objectContaining({ problem: 'changed', writer: first, seq: 5 })]);
  });

  test('a record beyond the head, and one of a writer that no head knows', async () => {
    await edit('UPDATE audit_heads SET seq = seq - 1 WHERE writer = ?', second);
    expect(await problemsOf()).toContainEqual(expect.objectContaining({ problem: 'unknown', writer: second, seq: 3 }));
    await edit('DELETE FROM audit_heads WHERE writer = ?', second);
    expect(await problemsOf()).toContainEqual(expect.objectContaining({ problem: 'unknown', writer: second, seq: 1 }));
  });
});

describe('I8 in an exported file', () => {
  const verifyLines = async (lines: readonly string[]) => {
    const file = join(kit.root, 'audit.jsonl');
    writeFileSync(file, lines.map((line) => `${line}\n`).join(''));
    return verifyAudit(await exportSource(file));
  };

  test('as it was written it verifies', async () => {
    expect(await verifyLines(await kit.exported())).toMatchObject({ ok: true, records: 9, writers: 2, checkpoints: 2 });
  });

  test('any byte changed anywhere is found', async () => {
    const lines = await kit.exported();
    const text = lines.join('\n');
    await fc.assert(
      fc.asyncProperty(fc.nat(text.length - 1), fc.constantFrom('0', 'x', ' ', '"', '\n', '}'), async (at, byte) => {
        fc.pre(text[at] !== byte);
        const { ok, problems } = await verifyLines((text.slice(0, at) + byte + text.slice(at + 1)).split('\n'));
        expect(ok, JSON.stringify(problems)).toBe(false);
      }),
      { numRuns: 150 },
    );
  });

  test('any name or value changed in the line of heads is found', async () => {
    const lines = await kit.exported();
    const heads = lines.at(-1)!;
    for (let at = 0; at < heads.length; at += 1) {
      const changed = lines
        .slice(0, -1)
        .concat(`${heads.slice(0, at)}${heads[at] === 'x' ? 'y' : 'x'}${heads.slice(at + 1)}`);
      expect((await verifyLines(changed)).ok, `at ${at}`).toBe(false);
    }
  });

  test('any line removed, doubled, or moved is found', async () => {
    const lines = await kit.exported();
    for (const [index, line] of lines.entries()) {
      expect((await verifyLines(lines.toSpliced(index, 1))).ok, `without line ${index + 1}`).toBe(false);
      expect((await verifyLines(lines.toSpliced(index, 0, line))).ok, `line ${index + 1} twice`).toBe(false);
    }
    const third = lines.findIndex((line) => line.includes(`"n":3,`) && line.includes(first));
    const swapped = lines.with(third, lines[third + 1]!).with(third + 1, lines[third]!);
    expect((await verifyLines(swapped)).problems).toEqual([
      expect.objectContaining({ problem: 'out of order', writer: first, seq: 3 }),
    ]);
    const doubled = await verifyLines(lines.toSpliced(third, 0, lines[third]!));
    expect(doubled.problems).toEqual([expect.objectContaining({ problem: 'duplicate', writer: first, seq: 3 })]);
  });

  test('a file that is not there says what to give', async () => {
    await expect(exportSource(join(kit.root, 'none.jsonl'))).rejects.toMatchObject({ code: 'not_found' });
  });
});
