import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { canonicalJson, sha256 } from '../../../src/audit/canonical.ts';
import type { Claim, RequestBody } from '../../../src/approvals/request.ts';
import type { SqlValue } from '../../../src/store/store.ts';
import { AGENT, holdOf, LIMITS, MINUTE, planOf, world, type Server, type World } from './kit.ts';

let here: World;
let server: Server;
beforeEach(async () => {
  here = world();
  server = await here.server();
});
afterEach(() => here.end());

const sql = (text: string, ...parameters: SqlValue[]) => server.store.query(text, parameters);
const claim = (id: string) => server.approvals.claim(id, AGENT, 'server-1');
const act = (held: Claim) => server.approvals.acting(held, { kind: 'opened', data: {} });
const runsNothing = async (id: string) => {
  const before = (await server.kinds(id)).filter((kind) => kind === 'claimed').length;
  await expect(claim(id)).rejects.toMatchObject({ name: 'HoldpointError' });
  expect((await server.kinds(id)).filter((kind) => kind === 'claimed')).toHaveLength(before);
};
const FREED = `state = 'approved', run_by = ?, owner = NULL, lease_until = NULL`;
const setBack = (id: string) => sql(`UPDATE approval_requests SET ${FREED} WHERE id = ?`, here.time.wall + MINUTE, id);
const runOnce = async (id: string) => {
  const held = await claim(id);
  await act(held);
  await server.approvals.settle(held, { state: 'done', outcome: {} });
};

async function insert(table: string, row: Record<string, SqlValue>): Promise<void> {
  const names = Object.keys(row);
  const marks = names.map(() => '?');
  await sql(`INSERT INTO ${table} (${names.join(', ')}) VALUES (${marks.join(', ')})`, ...Object.values(row));
}
const rowsOf = async (id: string) => ({
  request: (await server.store.query('SELECT * FROM approval_requests WHERE id = ?', [id]))[0]!,
  decisions: await server.store.query('SELECT * FROM approval_decisions WHERE request = ?', [id]),
});

describe('I2 decision rows changed by hand', () => {
  test.each([
    ['its reason', `reason = 'of course'`],
    ['its time', 'at = at + 60000'],
    ['its digest', `digest = 'sha256:0'`],
    ['its approver', `approver = 'alice'`],
    ['who is not registered', `approver = 'mallory'`],
    ['its decision', `decision = 'deny'`],
    ['its signature', `signature = 'AAAA' || substr(signature, 5)`],
    ['its request', `request = (SELECT id FROM approval_requests WHERE state = 'pending')`],
  ])('%s', async (_, set) => {
    const [request, other] = [await server.approved('a'), await server.approvals.request(holdOf('b'))];
    await sql(`UPDATE approval_decisions SET ${set} WHERE request = ?`, request.id);
    await setBack(other.id);
    for (const { id } of [request, other]) await runsNothing(id);
  });

  test('a whole row copied from another request, or the same one twice, is no second approval', async () => {
    const approved = await server.approved('a');
    const request = await server.approvals.request(holdOf('b', { terms: { approvals: 2 } }));
    await server.decide(request, 'bob');
    const [decision] = (await rowsOf(approved.id)).decisions;
    const [own] = (await rowsOf(request.id)).decisions;
    await insert('approval_decisions', { ...decision, request: request.id, approver: 'alice' });
    await insert('approval_decisions', { ...own, approver: 'bob ' });
    await setBack(request.id);
    await runsNothing(request.id);
  });

  test('a denial that was taken out stays a denial, also where others approve afterwards', async () => {
    const request = await server.approvals.request(holdOf());
    await server.decide(request, 'alice', 'deny');
    await sql('DELETE FROM approval_decisions');
    await sql(`UPDATE approval_requests SET state = 'pending', note = NULL`);
    expect(await server.decide(request, 'bob')).toMatchObject({ state: 'approved' });
    await runsNothing(request.id);
  });
});

describe('I2 request rows changed by hand', () => {
  test.each([
    ['the digest', `digest = 'sha256:' || substr(digest, 9) || '0'`],
    ['a byte of the sealed plan', `sealed = 'AAAA' || substr(sealed, 5)`],
    ['the id', `id = 'apr_00000000000000000000000000000000'`],
  ])('%s', async (_, set) => {
    const { id } = await server.approved();
    await sql('PRAGMA foreign_keys = OFF');
    await sql(`UPDATE approval_requests SET ${set}`);
    for (const each of [id, 'apr_00000000000000000000000000000000']) await runsNothing(each);
  });

  test('fewer approvals in the terms are not the terms that were signed', async () => {
    const request = await server.approvals.request(holdOf('a', { terms: { approvals: 2 } }));
    await server.decide(request, 'bob');
    const body = JSON.parse(String((await rowsOf(request.id)).request['body'])) as RequestBody;
    const text = canonicalJson({ ...body, terms: { ...body.terms, approvals: 1 } });
    await sql('UPDATE approval_requests SET body = ?', text);
    await setBack(request.id);
    await runsNothing(request.id);
    await sql('UPDATE approval_requests SET digest = ?', sha256(text));
    await runsNothing(request.id);
    await sql('UPDATE approval_decisions SET digest = ?', sha256(text));
    await runsNothing(request.id);
  });

  test('a time to approve that was put off lets nobody approve later', async () => {
    const request = await server.approvals.request(holdOf());
    await sql('UPDATE approval_requests SET approve_by = approve_by + 1000000000');
    here.pass(61 * MINUTE);
    await expect(server.decide(request, 'bob')).rejects.toMatchObject({
      message: expect.stringContaining('after the time to approve'),
    });
    await setBack(request.id);
    await runsNothing(request.id);
  });

  test.each(['no time', 'NaN', '', '-1', '0'])(
    'a kept time of "%s" brings nothing back that has expired',
    async (time) => {
      const { id } = await server.approved();
      here.pass(31 * MINUTE);
      await sql(`UPDATE facts SET value = ? WHERE name = 'time'`, time);
      for (const each of [server, await here.server()])
        await expect(each.approvals.claim(id, AGENT, 'x')).rejects.toMatchObject({
          message: expect.stringContaining('expired'),
        });
    },
  );

  test('another principal in the column is not another owner', async () => {
    const { id } = await server.approved();
    const other = { ...AGENT, client: 'another' };
    await sql(`UPDATE approval_requests SET principal = ?`, 'person=ann agent=devops client=another');
    await expect(server.approvals.claim(id, other, 'x')).rejects.toMatchObject({ code: 'not_found' });
  });

  test('rows that were deleted and put back, as they were before the run or under a new id, do not run again', async () => {
    const request = await server.approved();
    const { request: row, decisions } = await rowsOf(request.id);
    await runOnce(request.id);
    for (const id of [request.id, `apr_${'1'.repeat(32)}`]) {
      await sql('DELETE FROM approval_decisions');
      await sql('DELETE FROM approval_steps');
      await sql('DELETE FROM approval_requests');
      await insert('approval_requests', { ...row, id });
      for (const decision of decisions) await insert('approval_decisions', { ...decision, request: id });
      await runsNothing(id);
    }
  });

  test.each(['fence = fence - 1', 'fence = fence + 1', `owner = 'server-2'`, 'owner = NULL', 'lease_until = NULL'])(
    'a claim whose row was changed (%s) does not act',
    async (set) => {
      const { id } = await server.approved();
      const held = await claim(id);
      await sql(`UPDATE approval_requests SET ${set}`);
      await expect(act(held)).rejects.toMatchObject({ code: 'conflict' });
      expect(await server.kinds(id)).not.toContain('acting');
    },
  );

  test('of two claims made alike by hand, one acts, whatever the row says then', async () => {
    const { id } = await server.approved();
    const first = await claim(id);
    await setBack(id);
    await sql('UPDATE approval_requests SET fence = fence - 1');
    const second = await claim(id);
    expect([second.fence, second.owner]).toEqual([first.fence, first.owner]);
    await act(first);
    await sql(`UPDATE approval_requests SET state = 'claimed'`);
    for (const held of [second, first]) await expect(act(held)).rejects.toMatchObject({ code: 'conflict' });
    expect((await server.kinds(id)).filter((kind) => kind === 'acting')).toHaveLength(1);
  });
});

/** Columns that an edit may fill from another row, from the past, or with a value of its own. */
const EDITS = {
  approval_requests:
    'state fence digest body sealed principal tool plan_digest approve_by run_by owner lease_until moved_at',
  approval_decisions: 'request approver decision at reason digest signature',
};
const edit = fc.oneof(
  ...Object.entries(EDITS).map(([table, columns]) =>
    fc.record({
      table: fc.constant(table),
      column: fc.constantFrom(...columns.split(' ')),
      to: fc.nat(3),
      from: fc.nat(3),
      value: fc.option(fc.constantFrom<SqlValue>('approved', 'claimed', 'alice', 'approve', 0, 1, 4e12), { freq: 2 }),
    }),
  ),
);

test('I2 whatever mix of edits: only the plan that people signed runs, of the request they signed, once', async () => {
  let ran = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 8 }), async (edits) => {
      const place = world();
      try {
        const own = await place.server();
        const good = await own.approved('good');
        const done = await own.approved('done');
        const held = await own.approvals.claim(done.id, AGENT, 'x');
        await own.approvals.acting(held, { kind: 'opened', data: {} });
        await own.approvals.settle(held, { state: 'done', outcome: {} });
        const half = await own.approvals.request(holdOf('half', { terms: { approvals: 2 } }));
        await own.decide(half, 'alice');
        const denied = await own.approvals.request(holdOf('denied'));
        await own.decide(denied, 'bob', 'deny');
        const ids = [good, done, half, denied].map(({ id }) => id);

        await own.store.query('PRAGMA foreign_keys = OFF');
        for (const { table, column, to, from, value } of edits) {
          const key = table === 'approval_requests' ? 'id' : 'request';
          const read = `SELECT "${column}" AS it FROM ${table} WHERE ${key} = ?`;
          const [source] = await own.store.query(read, [ids[from]!]);
          const write = `UPDATE OR IGNORE ${table} SET "${column}" = ? WHERE ${key} = ?`;
          const written = own.store.query(write, [value ?? source?.['it'] ?? null, ids[to]!]);
          await written.catch((error: unknown) => expect(String(error)).toMatch(/constraint/));
        }
        let runs = 0;
        for (let round = 0; round < 2; round += 1) {
          for (const id of ids) {
            const got = await own.approvals.claim(id, AGENT, 'x').catch(() => undefined);
            if (!got) continue;
            expect(id).toBe(good.id);
            runs += 1;
            expect(got.plan).toEqual(planOf('good'));
            await own.approvals.acting(got, { kind: 'opened', data: {} });
            place.pass(LIMITS.lease + 1);
          }
          await own.store.query(`UPDATE OR IGNORE approval_requests SET state = 'approved', run_by = 4000000000000`);
        }
        expect(runs).toBeLessThanOrEqual(1);
        ran += runs;
      } finally {
        await place.end();
      }
    }),
    { numRuns: 100 },
  );
  // Not every mix spoils the one request that is truly approved.
  expect(ran).toBeGreaterThan(5);
});
