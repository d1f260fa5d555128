import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { POINTS } from '../../../src/approvals/points.ts';
import { AGENT, bytesBelow, holdOf, MINUTE, planOf, SECRET, world, type Server, type World } from './kit.ts';

let here: World;
let server: Server;
beforeEach(async () => {
  here = world();
  server = await here.server();
});
afterEach(() => here.end());

const OPENED = { kind: 'opened', callId: 'call-2', data: { tool: 'remove-files' } } as const;
const claim = (id: string, owner = 'server-1') => server.approvals.claim(id, AGENT, owner, 'call-2');

describe('I2 one run', () => {
  test('request, approve, claim, act, settle: each with its audit record; the second run is refused and says when it ran', async () => {
    const { approvals } = server;
    const request = await approvals.request(holdOf());
    expect(request).toMatchObject({
      state: 'pending',
      summary: 'Remove docker/Dockerfile',
      approvalsNeeded: 1,
      approvalsGiven: 0,
    });
    expect(request.id).toMatch(/^apr_[0-9a-f]{32}$/);
    await expect(claim(request.id)).rejects.toMatchObject({
      code: 'approval_required',
      hint: expect.stringContaining(`approvals approve ${request.id}`),
    });

    expect(await server.decide(request, 'bob', 'approve', 'fine')).toMatchObject({
      state: 'approved',
      approvalsGiven: 1,
      runBy: here.time.wall + 30 * MINUTE,
    });
    const held = await claim(request.id);
    expect(held.input).toEqual(holdOf().input);
    expect(held.plan).toEqual(planOf('docker/Dockerfile'));
    expect(held.request.plan).toEqual(holdOf().shown);
    await approvals.acting(held, OPENED);
    await approvals.stepDone(held, 'remove', { removed: 1 });
    await approvals.settle(held, { state: 'done', outcome: { text: 'gone' } });

    const done = await approvals.find(request.id, AGENT);
    expect(done).toMatchObject({
      state: 'done',
      outcome: { text: 'gone' },
      steps: [{ step: 'remove', outcome: { removed: 1 } }],
    });
    await expect(claim(request.id)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining(`ran already, at ${new Date(done.actedAt!).toISOString()}`),
    });
    expect(await server.kinds(request.id)).toEqual([
      'requested',
      'decided',
      'approved',
      'claimed',
      'acting',
      'step',
      'done',
    ]);
    expect(await server.verify()).toMatchObject({ ok: true });
  });

  test('acting and its audit record are one transaction: a record that cannot be written lets nothing act', async () => {
    const request = await server.approved();
    const held = await claim(request.id);
    await server.store.query(
      `CREATE TRIGGER no_opened BEFORE INSERT ON audit_records WHEN NEW.kind = 'opened' BEGIN SELECT RAISE(ABORT, 'no'); END`,
    );
    await expect(server.approvals.acting(held, OPENED)).rejects.toThrow('no');
    expect(await server.approvals.find(request.id)).toMatchObject({ state: 'claimed' });
  });

  test('a claim that was given back can be taken again, by a new fence; the old one is worth nothing', async () => {
    const request = await server.approved();
    const first = await claim(request.id);
    expect(await server.approvals.giveBack(first)).toMatchObject({ state: 'approved' });
    const second = await claim(request.id, 'server-2');
    expect(second.fence).toBe(first.fence + 1);
    await expect(server.approvals.acting(first, OPENED)).rejects.toMatchObject({ code: 'conflict' });
    await server.approvals.acting(second, OPENED);
    expect(await server.kinds(request.id)).toEqual([
      'requested',
      'decided',
      'approved',
      'claimed',
      'released',
      'claimed',
      'acting',
    ]);
  });

  test('I9 what moved makes it stale, for good, and says what', async () => {
    const request = await server.approved();
    const changes = [{ what: 'the content of docker/Dockerfile', was: '1', is: '2' }];
    expect(await server.approvals.stale(await claim(request.id), changes)).toMatchObject({
      state: 'stale',
      note: { changes },
    });
    await expect(claim(request.id)).rejects.toMatchObject({ code: 'stale', changes });
  });
});

describe('leases', () => {
  test('a claim that runs out before it acted goes back; a claim that acted becomes unknown and is never retried', async () => {
    const request = await server.approved();
    const first = await claim(request.id);
    here.pass(MINUTE + 1);
    expect(await server.approvals.sweep()).toBe(1);
    await expect(server.approvals.acting(first, OPENED)).rejects.toMatchObject({ code: 'conflict' });
    const second = await claim(request.id);
    await server.approvals.acting(second, OPENED);
    here.pass(MINUTE + 1);
    await server.approvals.sweep();
    expect(await server.approvals.find(request.id)).toMatchObject({ state: 'unknown' });
    await expect(claim(request.id)).rejects.toMatchObject({
      code: 'conflict',
      hint: expect.stringContaining('approvals resolve'),
    });
  });

  test('renewing keeps a long run alive', async () => {
    const request = await server.approved();
    const held = await claim(request.id);
    await server.approvals.acting(held, OPENED);
    for (let n = 0; n < 5; n += 1) {
      here.pass(MINUTE - 1);
      await server.approvals.renew(held);
    }
    await server.approvals.sweep();
    expect(await server.approvals.find(request.id)).toMatchObject({ state: 'acting' });
  });

  test('a late result of the same fence settles what was unknown', async () => {
    const request = await server.approved();
    const held = await claim(request.id);
    await server.approvals.acting(held, OPENED);
    here.pass(MINUTE + 1);
    await server.approvals.sweep();
    await expect(server.approvals.renew(held)).rejects.toMatchObject({ code: 'conflict' });
    expect(await server.approvals.settle(held, { state: 'done', outcome: { late: true } })).toMatchObject({
      state: 'done',
    });
  });

  test('a person resolves what nobody saw the end of; then the late result is refused', async () => {
    const request = await server.approved();
    const held = await claim(request.id);
    await server.approvals.acting(held, OPENED);
    await expect(server.approvals.resolve(request.id, 'failed', 'ann', 'looked')).rejects.toMatchObject({
      code: 'conflict',
    });
    here.pass(MINUTE + 1);
    expect(await server.approvals.resolve(request.id, 'failed', 'ann', 'looked')).toMatchObject({
      state: 'failed',
      note: { by: 'ann', reason: 'looked' },
    });
    await expect(server.approvals.settle(held, { state: 'done', outcome: {} })).rejects.toMatchObject({
      code: 'conflict',
    });
  });
});

describe('I2 expiry', () => {
  test('pending expires at its time to approve, approved at its time to run', async () => {
    const one = await server.approvals.request(holdOf('a'));
    const two = await server.approved('b');
    here.pass(30 * MINUTE + 1);
    await expect(claim(two.id)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('expired'),
    });
    expect(await server.approvals.find(one.id)).toMatchObject({ state: 'pending' });
    here.pass(30 * MINUTE);
    expect(await server.approvals.find(one.id)).toMatchObject({ state: 'expired' });
    await expect(server.decide(one, 'bob')).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('is expired'),
    });
  });

  test('a clock set back an hour stops no expiry, in this process or the next', async () => {
    const request = await server.approved();
    here.time.wall -= 60 * MINUTE;
    here.pass(29 * MINUTE);
    const other = await here.server();
    await other.approvals.giveBack(await other.approvals.claim(request.id, AGENT, 'server-2'));
    here.pass(2 * MINUTE);
    await expect(claim(request.id)).rejects.toMatchObject({ message: expect.stringContaining('expired') });
    const third = await here.server();
    expect(await third.approvals.find(request.id)).toMatchObject({ state: 'expired' });
  });

  test('a claim whose time to run passed while it was held is not approved again', async () => {
    const request = await server.approved();
    here.pass(30 * MINUTE - 1);
    const held = await claim(request.id);
    here.pass(2 * MINUTE);
    await expect(server.approvals.giveBack(held)).rejects.toMatchObject({ code: 'conflict' });
    expect(await server.approvals.find(request.id)).toMatchObject({ state: 'expired' });
  });
});

describe('I2 deciding', () => {
  test('N approvals are N different approvers', async () => {
    const request = await server.approvals.request(holdOf('a', { terms: { approvals: 2 } }));
    expect(await server.decide(request, 'alice')).toMatchObject({ state: 'pending', approvalsGiven: 1 });
    await expect(server.decide(request, 'alice')).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('already'),
    });
    expect(await server.decide(request, 'bob')).toMatchObject({ state: 'approved', approvalsGiven: 2 });
  });

  test('the person whose agent asks may approve, unless the rule says otherwise', async () => {
    expect(await server.decide(await server.approvals.request(holdOf('a')), 'alice')).toMatchObject({
      state: 'approved',
    });
    const strict = await server.approvals.request(holdOf('b', { terms: { requesterMayApprove: false } }));
    await expect(server.decide(strict, 'alice')).rejects.toMatchObject({
      code: 'denied',
      message: expect.stringContaining('other than ann'),
    });
    expect(await server.decide(strict, 'bob')).toMatchObject({ state: 'approved' });
  });

  test.each(['ann@id.example', 'Ann@corp.example@id.example'])(
    'of a token %s may be the user ann: then ann is nobody else',
    async (person) => {
      const principal = { person, agent: 'devops', client: 'claude' };
      const strict = await server.approvals.request(holdOf('b', { principal, terms: { requesterMayApprove: false } }));
      await expect(server.decide(strict, 'alice')).rejects.toMatchObject({ code: 'denied' });
      expect(await server.decide(strict, 'bob')).toMatchObject({ state: 'approved' });
    },
  );

  test('one denial is final, needs a reason, and the same plan is refused for a while', async () => {
    const request = await server.approvals.request(holdOf('a', { terms: { approvals: 2 } }));
    await server.decide(request, 'alice');
    await expect(server.decide(request, 'bob', 'deny', ' ')).rejects.toMatchObject({ code: 'invalid_input' });
    await server.decide(request, 'bob', 'deny', 'not today');
    await expect(server.decide(request, 'alice')).rejects.toMatchObject({ code: 'conflict' });
    await expect(claim(request.id)).rejects.toMatchObject({
      code: 'denied',
      message: expect.stringContaining('not today'),
      handOff: 'architect',
    });
    await expect(server.approvals.request(holdOf('a'))).rejects.toMatchObject({
      code: 'denied',
      hint: expect.stringContaining('Do not ask again'),
    });
    await server.approvals.request(holdOf('b'));
    here.pass(10 * MINUTE + 1);
    expect(await server.approvals.request(holdOf('a'))).toMatchObject({ state: 'pending' });
  });

  test('revoking stops an approved request; after a claim it says that it came too late', async () => {
    const one = await server.approved('a');
    expect(await server.approvals.revoke(one.id, 'ann', 'changed my mind')).toMatchObject({ state: 'revoked' });
    await expect(claim(one.id)).rejects.toMatchObject({
      code: 'denied',
      message: expect.stringContaining('changed my mind'),
    });
    const two = await server.approved('b');
    await claim(two.id);
    await expect(server.approvals.revoke(two.id, 'ann', '')).rejects.toMatchObject({
      code: 'conflict',
      hint: expect.stringContaining('too late'),
    });
  });

  test('an approver who was removed, or whose key is new, no longer counts', async () => {
    const request = await server.approved();
    here.approvers.remove('bob');
    await expect(claim(request.id)).rejects.toMatchObject({
      code: 'denied',
      message: expect.stringContaining('signatures'),
    });
    here.approvers.add({ name: 'bob', person: 'ben', at: 0 });
    await expect(claim(request.id)).rejects.toMatchObject({ code: 'denied' });
  });
});

describe('whose request', () => {
  const other = { ...AGENT, client: 'another' };

  test('nobody but the requesting principal can see, wait for, run or cancel it; to others it does not exist', async () => {
    const { approvals } = server;
    const request = await server.approved();
    for (const attempt of [
      approvals.find(request.id, other),
      approvals.claim(request.id, other, 'x'),
      approvals.cancel(request.id, other),
      approvals.wait(request.id, other, 0),
    ])
      await expect(attempt).rejects.toMatchObject({ code: 'not_found' });
    expect(await approvals.list({ principal: other })).toEqual([]);
    expect(await approvals.find(request.id, { ...AGENT })).toMatchObject({ state: 'approved' });
  });

  test('the requester can withdraw what is pending or approved, and nothing that runs', async () => {
    const pending = await server.approvals.request(holdOf('a'));
    expect(await server.approvals.cancel(pending.id, AGENT)).toMatchObject({ state: 'cancelled' });
    const approved = await server.approved('b');
    expect(await server.approvals.cancel(approved.id, AGENT)).toMatchObject({ state: 'revoked' });
    const running = await server.approved('c');
    await claim(running.id);
    await expect(server.approvals.cancel(running.id, AGENT)).rejects.toMatchObject({ code: 'conflict' });
  });

  test('waiting ends with the decision, the time, or the signal', async () => {
    const request = await server.approvals.request(holdOf());
    expect(await server.approvals.wait(request.id, AGENT, 1)).toMatchObject({ state: 'pending' });
    expect(await server.approvals.wait(request.id, AGENT, 1e9, AbortSignal.abort())).toMatchObject({
      state: 'pending',
    });
    const waiting = server.approvals.wait(request.id, AGENT, 1e9);
    await (await here.server()).decide(request, 'bob');
    expect(await waiting).toMatchObject({ state: 'approved' });
  });
});

describe('asking', () => {
  test('the same held call is the same request while it is open, on every server', async () => {
    const first = await server.approvals.request(holdOf());
    const other = await here.server();
    expect(await other.approvals.request(holdOf())).toMatchObject({ id: first.id, state: 'pending' });
    await server.decide(first, 'bob');
    expect(await other.approvals.request(holdOf())).toMatchObject({ id: first.id, state: 'approved' });
    expect((await server.kinds(first.id)).filter((kind) => kind === 'requested')).toHaveLength(1);
    for (const differs of [
      { policyDigest: 'x' },
      { schemaHash: 'x' },
      { principal: { ...AGENT, client: 'x' } },
      { plan: planOf('docker/Dockerfile', { other: 1 }) },
    ])
      expect(
        (await server.approvals.request(holdOf('docker/Dockerfile', differs))).id,
        JSON.stringify(differs),
      ).not.toBe(first.id);
    await claim(first.id);
    expect(await server.approvals.request(holdOf())).toMatchObject({ id: first.id, state: 'claimed' });
  });

  test('a cap on what waits, and on how often', async () => {
    const capped = await here.server({ limits: { pendingPerPrincipal: 2, requestsPerMinute: 3 } });
    const ask = (name: string) => capped.approvals.request(holdOf(name));
    const a = await ask('a');
    await ask('b');
    await expect(ask('c')).rejects.toMatchObject({ code: 'conflict', hint: expect.stringContaining('cancel') });
    expect(await ask('a')).toMatchObject({ id: a.id });
    await capped.approvals.cancel(a.id, AGENT);
    await ask('c');
    await capped.decide(a, 'bob').catch(() => undefined);
    await capped.approvals.cancel((await ask('b')).id, AGENT);
    await expect(ask('d')).rejects.toMatchObject({
      code: 'unavailable',
      hint: expect.stringContaining('Wait a minute'),
    });
    here.pass(MINUTE + 1);
    await ask('d');
  });

  test('C3 neither input nor plan data nor outcomes can be read in the state directory', async () => {
    const request = await server.approved();
    const held = await claim(request.id);
    await server.approvals.acting(held, OPENED);
    await server.approvals.stepDone(held, 'remove', { text: SECRET });
    await server.approvals.settle(held, { state: 'done', outcome: { text: SECRET } });
    const bytes = bytesBelow(join(here.root, 'state'));
    expect(bytes).not.toContain(SECRET);
    expect(bytes).not.toContain(Buffer.from(SECRET).toString('base64').slice(0, -4));
    expect(bytes).not.toContain('unredacted');
    expect(bytes).toContain('as people see it');
  });

  test('ids can be shortened while they are clear', async () => {
    const [a, b] = [await server.approvals.request(holdOf('a')), await server.approvals.request(holdOf('b'))];
    expect(await server.approvals.named(a.id.slice(0, 12))).toMatchObject({ id: a.id });
    expect(await server.approvals.named(b.id.slice(4, 12))).toMatchObject({ id: b.id });
    await expect(server.approvals.named('apr_')).rejects.toMatchObject({ code: 'conflict' });
    for (const none of ['', '%', 'apr_zzz', `${a.id}0`])
      await expect(server.approvals.named(none), none).rejects.toMatchObject({ code: 'not_found' });
  });
});

test('the seam is called before and after every transition', async () => {
  const seen = new Set<string>();
  const { approvals, ...rest } = await here.server({ at: (point) => seen.add(point) });
  const run = async (name: string) => approvals.claim((await rest.approved(name)).id, AGENT, 'x');
  const done = await run('a');
  await approvals.renew(done);
  await approvals.acting(done, OPENED);
  await approvals.stepDone(done, 'remove', null);
  await approvals.settle(done, { state: 'unknown', outcome: {} });
  await approvals.resolve(done.request.id, 'done', 'ann', '');
  await approvals.giveBack(await run('b'));
  await approvals.stale(await run('c'), []);
  const remark = {
    id: done.request.id,
    digest: done.request.digest,
    approver: 'bob',
    at: await approvals.now(),
    reason: '',
  };
  // Refused, after looking.
  await approvals.tick(here.approvers.sign({ ...remark, decision: 'tick' })).catch(() => {});
  await approvals.review(here.approvers.sign({ ...remark, decision: 'review' })).catch(() => {});
  await approvals.cancel((await approvals.request(holdOf('d'))).id, AGENT);
  await approvals.revoke((await rest.approved('e')).id, 'ann', '');
  await approvals.request(holdOf('f'));
  here.pass(61 * MINUTE);
  await approvals.sweep();
  expect([...seen].toSorted()).toEqual([...POINTS].toSorted());
});
