import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import type { GlassEvent } from '../../../src/approvals/break-glass.ts';
import type { ApprovalRequest } from '../../../src/approvals/request.ts';
import { tailAudit } from '../../../src/audit/read.ts';
import { AGENT, holdOf, MINUTE, world, type Server, type World } from './kit.ts';

const EMERGENCY = {
  approvals: 2,
  approvers: [{ approvals: 2, names: [], groups: ['sre'], roles: [] }],
  breakGlass: 15 * MINUTE,
  checklists: ['go'],
  items: [{ id: 'go/reviewed', phase: 'pre' as const, says: 'Looked at.', personMayTick: true }],
  windows: ['noon'],
  openings: [{ name: 'noon', timeZone: 'UTC', times: [{ days: [1], from: 720, to: 780 }] }],
};

let here: World;
let server: Server;
let told: GlassEvent[];
beforeEach(async () => {
  here = world();
  here.approvers.add({ name: 'eve', person: 'eve', at: 0, breakGlass: true });
  told = [];
  server = await here.server({ alarm: (event) => told.push(event) });
});
afterEach(() => here.end());

const held = (terms: object = EMERGENCY) => server.approvals.request(holdOf('a', { terms }));
const sign = async ({ id, digest }: ApprovalRequest, approver = 'eve', reason = 'the site is down') =>
  here.approvers.sign({
    id,
    digest,
    decision: 'approve',
    approver,
    at: await server.approvals.now(),
    reason,
    breakGlass: true,
  });
const breakFor = async (request: ApprovalRequest, approver?: string, reason?: string) =>
  server.approvals.decide(await sign(request, approver, reason));
const claim = (id: string) => server.approvals.claim(id, AGENT, 'server-1');
const review = async ({ id, digest }: ApprovalRequest, approver: string, reason = 'right, and mended since') =>
  server.approvals.review(
    here.approvers.sign({ id, digest, decision: 'review', approver, at: await server.approvals.now(), reason }),
  );

describe('I3 break-glass', () => {
  test('one person alone passes over two approvals, a group, a checklist and a closed window, for the minutes given', async () => {
    const request = await breakFor(await held());
    expect(request).toMatchObject({
      state: 'approved',
      runBy: here.time.wall + 15 * MINUTE,
      glass: { by: 'eve', reason: 'the site is down' },
    });
    expect((await claim(request.id)).request.state).toBe('claimed');
    expect(await server.kinds(request.id)).toEqual(['requested', 'decided', 'glass-broken', 'approved', 'claimed']);
    expect(
      (await tailAudit(server.store, 10, { about: request.id })).find(({ kind }) => kind === 'approval.glass-broken')
        ?.data,
    ).toMatchObject({ by: 'eve', person: 'eve', reason: 'the site is down' });
    expect(await server.verify()).toMatchObject({ ok: true });
  });

  test('those who must know are told at once, and again when it runs', async () => {
    const request = await breakFor(await held());
    expect(told).toEqual([
      expect.objectContaining({
        event: 'approved',
        request: request.id,
        approver: 'eve',
        person: 'eve',
        reason: 'the site is down',
      }),
    ]);
    await claim(request.id);
    expect(told.map(({ event }) => event)).toEqual(['approved', 'running']);
  });

  test('after its minutes it is over', async () => {
    const request = await breakFor(await held());
    here.pass(15 * MINUTE + 1);
    await expect(claim(request.id)).rejects.toMatchObject({ message: expect.stringContaining('expired') });
  });

  test.each([
    [
      'a rule that does not name it',
      { ...EMERGENCY, breakGlass: undefined },
      'eve',
      'down',
      'the rule has no break-glass',
    ],
    ['no reason', EMERGENCY, 'eve', ' ', 'breaking the glass needs a reason'],
  ])('not with %s', async (_, terms, approver, reason, why) => {
    const { breakGlass, ...rest } = terms;
    const request = await held({ ...rest, ...(breakGlass !== undefined && { breakGlass }) });
    await expect(breakFor(request, approver, reason)).rejects.toMatchObject({
      code: 'denied',
      message: expect.stringContaining(why),
    });
    expect(told).toEqual([]);
    expect(await server.approvals.find(request.id)).toMatchObject({ state: 'pending', decisions: [] });
  });

  test('not with a key without the mark, whatever the decision says of itself', async () => {
    const request = await held();
    await expect(breakFor(request, 'bob')).rejects.toMatchObject({ code: 'not_found' });
    const { id, digest } = request;
    const signed = here.approvers.sign({
      id,
      digest,
      decision: 'approve',
      approver: 'bob',
      at: 0,
      reason: 'down',
      ticked: ['go/reviewed'],
    });
    await expect(server.approvals.decide({ ...signed, breakGlass: true })).rejects.toMatchObject({ code: 'denied' });
  });

  test('a mark that was taken out of a stored decision, or put in, voids it', async () => {
    const request = await breakFor(await held({ ...EMERGENCY, approvals: 1, approvers: [] }));
    await server.store.query('UPDATE approval_decisions SET break_glass = 0');
    await expect(claim(request.id)).rejects.toMatchObject({ code: 'denied' });
  });

  test('the key taken away before it runs: it does not run', async () => {
    const request = await breakFor(await held());
    here.approvers.remove('eve');
    await expect(claim(request.id)).rejects.toMatchObject({ code: 'denied' });
  });

  test('never by the one whose agent asks, where the rule asks for somebody else', async () => {
    here.approvers.addOwnKey('alice', { at: 0, breakGlass: true });
    await expect(breakFor(await held({ ...EMERGENCY, requesterMayApprove: false }), 'alice')).rejects.toMatchObject({
      code: 'denied',
    });
  });

  test('never over a denial: what was denied stays so', async () => {
    const request = await held();
    await server.decide(request, 'bob', 'deny');
    await expect(breakFor(request)).rejects.toMatchObject({ code: 'conflict' });
  });

  test('never over a freeze', async () => {
    const freezes = [
      {
        id: 'move',
        reason: 'The data centre moves.',
        timeZone: 'UTC',
        from: '2026-01-01 00:00',
        to: '2026-01-03 00:00',
      },
    ];
    const request = await breakFor(await held({ ...EMERGENCY, freezes }));
    await expect(claim(request.id)).rejects.toMatchObject({ code: 'denied', rule: 'move' });
  });

  test('it is no approval among others: with it and one of two it still runs within its minutes alone', async () => {
    const first = await held({ approvals: 2, breakGlass: 15 * MINUTE });
    await server.decide(first, 'bob');
    expect(await breakFor(first)).toMatchObject({
      state: 'approved',
      approvalsGiven: 1,
      runBy: here.time.wall + 15 * MINUTE,
    });
  });
});

describe('I3 after-review', () => {
  test('is open from the moment on, whatever becomes of the run, until somebody else closes it', async () => {
    const request = await breakFor(await held());
    expect((await server.approvals.reviews()).map(({ id }) => id)).toEqual([request.id]);
    expect(await server.approvals.glassCounts()).toEqual({ broken: 1, open: 1 });
    here.pass(60 * MINUTE);
    expect((await server.approvals.reviews())[0]).toMatchObject({ id: request.id, state: 'expired' });

    const reviewed = await review(request, 'bob');
    expect(reviewed.glass).toMatchObject({ by: 'eve', reviewed: { by: 'bob', reason: 'right, and mended since' } });
    expect(await server.approvals.reviews()).toEqual([]);
    expect((await server.approvals.reviews(false)).map(({ id }) => id)).toEqual([request.id]);
    expect(await server.approvals.glassCounts()).toEqual({ broken: 1, open: 0 });
    expect((await tailAudit(server.store, 1, { about: request.id }))[0]).toMatchObject({
      kind: 'approval.reviewed',
      data: { approver: 'bob', reason: 'right, and mended since', signature: expect.any(String) },
    });
    await expect(review(request, 'alice')).rejects.toMatchObject({ code: 'conflict' });
  });

  test('not by who broke it, under that name or another of the same person', async () => {
    const request = await breakFor(await held());
    here.approvers.addOwnKey('eve', { at: 0 });
    await expect(review(request, 'eve')).rejects.toMatchObject({
      code: 'denied',
      message: expect.stringContaining('broke the glass'),
    });
    here.approvers.add({ name: 'eve2', person: 'EVE', at: 0 });
    await expect(review(request, 'eve2')).rejects.toMatchObject({ code: 'denied' });
    expect(await server.approvals.glassCounts()).toMatchObject({ open: 1 });
  });

  test('not without words, not with a changed signature, not with the break-glass key, not where nothing was broken', async () => {
    const request = await breakFor(await held());
    await expect(review(request, 'bob', ' ')).rejects.toMatchObject({ code: 'invalid_input' });
    const { id, digest } = request;
    const said = { id, digest, decision: 'review' as const, approver: 'bob', at: 0, reason: 'fine' };
    await expect(server.approvals.review({ ...here.approvers.sign(said), reason: 'other' })).rejects.toMatchObject({
      code: 'denied',
    });
    here.approvers.add({ name: 'fay', person: 'fay', at: 0, breakGlass: true });
    await expect(
      server.approvals.review(here.approvers.sign({ ...said, approver: 'fay', breakGlass: true })),
    ).rejects.toMatchObject({ code: 'denied' });
    await expect(review(await server.approved('b'), 'alice')).rejects.toMatchObject({ code: 'conflict' });
  });
});
