import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import type { Found } from '../../../src/approvals/checklists.ts';
import type { ApprovalRequest } from '../../../src/approvals/request.ts';
import { tailAudit } from '../../../src/audit/read.ts';
import type { ChecklistItem } from '../../../src/core/checklist.ts';
import { AGENT, holdOf, world, type Server, type World } from './kit.ts';

const ITEMS: ChecklistItem[] = [
  { id: 'go/reviewed', phase: 'pre', says: 'Somebody looked.', personMayTick: true },
  { id: 'go/tests', phase: 'pre', says: 'Tests pass.', evidence: { kind: 'checks' }, personMayTick: true },
  {
    id: 'go/alerts',
    phase: 'pre',
    says: 'Quiet.',
    evidence: { kind: 'alerts', are: 'quiet', matching: [] },
    personMayTick: false,
  },
  { id: 'go/watched', phase: 'post', says: 'It was watched.', personMayTick: true },
  { id: 'go/ready', phase: 'post', says: 'Pods are ready.', evidence: { kind: 'pods' }, personMayTick: false },
];
const TERMS = { checklists: ['go'], items: ITEMS };

let here: World;
let server: Server;
/** What looking gives, by item. */
let world0: Record<string, Found['state'] | Error>;
let looks: string[];

beforeEach(async () => {
  here = world();
  world0 = { 'go/tests': 'ok', 'go/alerts': 'ok', 'go/ready': 'ok' };
  looks = [];
  server = await here.server({
    evidence: {
      async look(_body, items) {
        looks.push(...items.map(({ id }) => id));
        return items.map(({ id }) => {
          const state = world0[id];
          if (state === undefined || state instanceof Error) throw state ?? new Error('no such item');
          return { item: id, state, says: `seen: ${state}` };
        });
      },
    },
  });
});
afterEach(() => here.end());

const held = (terms: object = {}) => server.approvals.request(holdOf('a', { terms: { ...TERMS, ...terms } }));
const approve = async ({ id, digest }: ApprovalRequest, ticked: string[], approver = 'bob') =>
  server.approvals.decide(
    here.approvers.sign({
      id,
      digest,
      decision: 'approve',
      approver,
      at: await server.approvals.now(),
      reason: '',
      ticked,
    }),
  );
const claim = (id: string) => server.approvals.claim(id, AGENT, 'server-1', 'call-2');
const records = (id: string) => tailAudit(server.store, 100, { about: id });

describe('I3 items that only a person knows', () => {
  test('an approval that leaves one open is refused, saying which and how; ticked in the signed approval it counts', async () => {
    const request = await held();
    await expect(approve(request, [])).rejects.toMatchObject({
      code: 'conflict',
      message: '1 of its items are open: go/reviewed.',
      hint: expect.stringContaining(`holdpoint approvals approve ${request.id} --as bob --tick all`),
    });
    expect(await server.approvals.find(request.id)).toMatchObject({ state: 'pending', decisions: [] });
    const approved = await approve(request, ['go/reviewed']);
    expect(approved).toMatchObject({ state: 'approved' });
    expect(approved.checklist?.[0]).toMatchObject({ id: 'go/reviewed', kind: 'person', state: 'ok', by: 'bob' });
    expect((await claim(request.id)).request.state).toBe('claimed');
  });

  test('the items are in what is signed: a row with others does not run', async () => {
    const request = await held();
    await approve(request, ['go/reviewed']);
    const [row] = await server.store.query<{ body: string }>('SELECT body FROM approval_requests WHERE id = ?', [
      request.id,
    ]);
    const body = JSON.parse(row?.body ?? '') as ApprovalRequest;
    expect(body.terms.items).toEqual(ITEMS);
    await server.store.query('UPDATE approval_requests SET body = ? WHERE id = ?', [
      JSON.stringify({ ...body, terms: { ...body.terms, items: [], checklists: [] } }),
      request.id,
    ]);
    await expect(claim(request.id)).rejects.toThrow('was changed after it was made');
  });

  test('a tick added to the stored decision afterwards voids the signature', async () => {
    const request = await held({ items: ITEMS.slice(0, 1) });
    await approve(request, ['go/reviewed']);
    await server.store.query(`UPDATE approval_decisions SET ticked = '["go/reviewed","go/more"]' WHERE request = ?`, [
      request.id,
    ]);
    await expect(claim(request.id)).rejects.toMatchObject({ code: 'denied' });
  });

  test('of two approvals that are needed each may rely on what the other ticked, for as long as that one counts', async () => {
    here.approvers.add({ name: 'cleo', person: 'cleo', at: 0 });
    const request = await held({ approvals: 2 });
    await approve(request, ['go/reviewed']);
    expect(await approve(request, [], 'cleo')).toMatchObject({ state: 'approved' });
    here.approvers.add({ name: 'dan', person: 'dan', at: 0 });
    here.approvers.remove('bob');
    await expect(claim(request.id)).rejects.toMatchObject({ code: 'denied' });
  });

  test('a request that was stored without the items of its checklist is approved by nobody', async () => {
    const request = await held({ items: [] });
    await expect(approve(request, ['go/items'])).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('the call must be made again'),
    });
  });
});

describe('I3 items that tick themselves', () => {
  test('are looked at with the decision and again before the claim, and the log keeps what was seen', async () => {
    const request = await held();
    expect(looks).toEqual([]);
    expect(request.checklist?.[1]).toMatchObject({ state: 'unknown', evidence: 'not looked at' });
    await approve(request, ['go/reviewed']);
    expect(looks).toEqual(['go/tests', 'go/alerts']);
    await claim(request.id);
    expect(looks).toEqual(['go/tests', 'go/alerts', 'go/tests', 'go/alerts']);
    for (const kind of ['approval.decided', 'approval.claimed'])
      expect((await records(request.id)).find((record) => record.kind === kind)?.data['checklist']).toEqual([
        { id: 'go/reviewed', state: 'ok', by: 'bob' },
        { id: 'go/tests', state: 'ok', evidence: 'seen: ok' },
        { id: 'go/alerts', state: 'ok', evidence: 'seen: ok' },
      ]);
  });

  test('evidence against it: nobody can tick it away, whatever the checklist says', async () => {
    world0['go/tests'] = 'failed';
    const request = await held();
    await expect(approve(request, ['go/reviewed', 'go/tests'])).rejects.toMatchObject({
      message: '1 of its items are open: go/tests (failed: seen: failed).',
      hint: expect.stringContaining('nobody else can: go/tests'),
    });
  });

  test('what could not be seen may be vouched for by name, where the checklist says so, and the decision says so', async () => {
    world0['go/tests'] = 'unknown';
    const request = await held();
    await expect(approve(request, ['go/reviewed'])).rejects.toMatchObject({
      hint: expect.stringContaining(`vouch for them by name: go/tests`),
    });
    const approved = await approve(request, ['go/reviewed', 'go/tests']);
    expect(approved.decisions[0]?.ticked).toEqual(['go/reviewed', 'go/tests']);
    const decided = (await records(request.id)).find(({ kind }) => kind === 'approval.decided');
    expect(decided?.data['checklist']).toContainEqual({
      id: 'go/tests',
      state: 'ok',
      evidence: 'ticked by hand; seen: unknown',
      by: 'bob',
    });
    await claim(request.id);
  });

  test('what could not be seen and may not be vouched for stays open', async () => {
    world0['go/alerts'] = 'unknown';
    const request = await held();
    await expect(approve(request, ['go/reviewed', 'go/alerts'])).rejects.toMatchObject({
      message: expect.stringContaining('go/alerts (unknown'),
    });
  });

  test('looking that fails as a whole ticks nothing', async () => {
    world0['go/alerts'] = new Error('the cable is cut');
    const request = await held();
    await expect(approve(request, ['go/reviewed', 'go/tests'])).rejects.toMatchObject({
      message: '1 of its items are open: go/alerts (unknown: looking at it failed).',
    });
  });

  test('a server without a source of evidence ticks nothing either', async () => {
    const other = await here.server();
    const request = await held();
    const { id, digest } = request;
    const signed = here.approvers.sign({
      id,
      digest,
      decision: 'approve',
      approver: 'bob',
      at: 0,
      reason: '',
      ticked: ['go/reviewed', 'go/tests'],
    });
    await expect(other.approvals.decide(signed)).rejects.toMatchObject({
      message: expect.stringContaining('go/alerts (unknown: nothing here can look at it)'),
    });
  });

  test('what was so at the approval must be so at the run: the claim refuses, and the approval stays good', async () => {
    const request = await held();
    await approve(request, ['go/reviewed']);
    world0['go/alerts'] = 'failed';
    await expect(claim(request.id)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('go/alerts (failed: seen: failed)'),
      hint: expect.stringContaining('The approval is good until'),
    });
    expect(await server.approvals.find(request.id)).toMatchObject({ state: 'approved', fence: 0 });
    world0['go/alerts'] = 'ok';
    await claim(request.id);
  });

  test('what was vouched for counts no more once it is seen to be wrong', async () => {
    world0['go/tests'] = 'unknown';
    const request = await held();
    await approve(request, ['go/reviewed', 'go/tests']);
    world0['go/tests'] = 'failed';
    await expect(claim(request.id)).rejects.toMatchObject({ message: expect.stringContaining('go/tests (failed') });
  });

  test('denying looks at nothing', async () => {
    await server.decide(await held(), 'bob', 'deny');
    expect(looks).toEqual([]);
  });
});

describe('I3 items of during and after', () => {
  async function ran() {
    const request = await held();
    await approve(request, ['go/reviewed']);
    const run = await claim(request.id);
    await server.approvals.acting(run, { kind: 'opened', data: {} });
    await server.approvals.settle(run, { state: 'done', outcome: {} });
    return server.approvals.find(request.id);
  }
  const tick = async ({ id, digest }: ApprovalRequest, ticked: string[], approver = 'alice') =>
    server.approvals.tick(
      here.approvers.sign({
        id,
        digest,
        decision: 'tick',
        approver,
        at: await server.approvals.now(),
        reason: 'seen',
        ticked,
      }),
    );

  test('hold nothing back, stay open, and are ticked afterwards by a signed remark that the log keeps', async () => {
    const done = await ran();
    expect(done.checklist?.find(({ id }) => id === 'go/watched')).toMatchObject({ state: 'open' });
    const ticked = await tick(done, ['go/watched']);
    expect(ticked.checklist?.find(({ id }) => id === 'go/watched')).toMatchObject({ state: 'ok', by: 'alice' });
    const record = (await records(done.id)).at(-1);
    expect(record).toMatchObject({
      kind: 'approval.ticked',
      data: { ticked: ['go/watched'], approver: 'alice', reason: 'seen' },
    });
    expect(await server.verify()).toMatchObject({ ok: true });
  });

  test('evidence for them is looked at once it has run, when somebody asks', async () => {
    const before = await held();
    expect((await server.approvals.examine(before)).checklist?.at(-1)).toMatchObject({ state: 'unknown' });
    await server.decide(before, 'bob', 'deny');
    here.pass(11 * 60_000);
    const done = await ran();
    looks = [];
    expect((await server.approvals.examine(done)).checklist?.at(-1)).toMatchObject({
      state: 'ok',
      evidence: 'seen: ok',
    });
    expect(looks).toContain('go/ready');
  });

  test.each([
    ['an item that ticks itself', ['go/ready'], 'denied'],
    ['an item of before', ['go/reviewed'], 'not_found'],
    ['an item that there is not', ['go/nothing'], 'not_found'],
    ['nothing', [], 'not_found'],
  ])('%s cannot be ticked afterwards', async (_, ticked, code) => {
    await expect(tick(await ran(), ticked)).rejects.toMatchObject({ code });
  });

  test('before the run nothing can be ticked so; by a changed signature, or nobody, never', async () => {
    const request = await held();
    await expect(tick(request, ['go/watched'])).rejects.toMatchObject({ code: 'conflict' });
    const { id, digest } = await ran().catch(() => request);
    const signed = here.approvers.sign({
      id,
      digest,
      decision: 'tick',
      approver: 'alice',
      at: 0,
      reason: '',
      ticked: ['go/watched'],
    });
    await expect(server.approvals.tick({ ...signed, reason: 'other' })).rejects.toMatchObject({ code: 'denied' });
    await expect(server.approvals.tick({ ...signed, approver: 'mallory' })).rejects.toMatchObject({ code: 'denied' });
  });

  test('what was signed as a tick is no approval, and an approval no tick', async () => {
    const request = await held({ items: ITEMS.slice(3), checklists: ['go'] });
    const { id, digest } = request;
    const said = { id, digest, approver: 'bob', at: await server.approvals.now(), reason: '', ticked: ['go/watched'] };
    const asTick = here.approvers.sign({ ...said, decision: 'tick' });
    await expect(server.approvals.decide({ ...asTick, decision: 'approve' })).rejects.toMatchObject({ code: 'denied' });
  });
});
