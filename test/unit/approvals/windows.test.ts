import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import type { ChangeWindow, FreezeTime } from '../../../src/core/calendar.ts';
import { AGENT, holdOf, MINUTE, world, type Server, type World } from './kit.ts';

/** Monday to Thursday, 09:00 to 16:00 in Berlin. */
const HOURS: ChangeWindow = {
  name: 'business-hours',
  timeZone: 'Europe/Berlin',
  times: [{ days: [1, 2, 3, 4], from: 540, to: 960 }],
};
const at = (text: string) => Date.parse(text);

let here: World;
let server: Server;
beforeEach(async () => {
  here = world();
  server = await here.server();
});
afterEach(() => here.end());

const claim = (id: string) => server.approvals.claim(id, AGENT, 'server-1');
/** Held and approved at a moment; the clocks say that moment then. */
async function approvedAt(moment: string, terms: object = { windows: ['business-hours'], openings: [HOURS] }) {
  here.time.wall = at(moment);
  return server.decide(await server.approvals.request(holdOf('a', { terms })), 'bob');
}

describe('I3 change windows', () => {
  test('approved outside, it does not run, says when it will, and does not expire before', async () => {
    // A Friday afternoon; the window opens on Monday, at 08:00 UTC.
    const request = await approvedAt('2026-11-20T15:00Z');
    expect(request).toMatchObject({
      state: 'approved',
      runBy: at('2026-11-23T08:30Z'),
      window: {
        open: false,
        opensAt: at('2026-11-23T08:00Z'),
        says: 'business-hours: opens at 2026-11-23 09:00 Europe/Berlin',
      },
    });
    await expect(claim(request.id)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('opens at 2026-11-23 09:00 Europe/Berlin'),
      hint: expect.stringContaining('The approval is good until 2026-11-23T08:30'),
    });
    here.time.wall = at('2026-11-23T07:59:59Z');
    await server.approvals.sweep();
    await expect(claim(request.id)).rejects.toMatchObject({ code: 'conflict' });
    here.time.wall = at('2026-11-23T08:00Z');
    expect((await claim(request.id)).request.window).toMatchObject({ open: true });
  });

  test('the time to run is over half an hour after the opening, as it would be after the approval', async () => {
    const request = await approvedAt('2026-11-20T15:00Z');
    here.time.wall = at('2026-11-23T08:31Z');
    await expect(claim(request.id)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('expired'),
    });
  });

  test('approved inside, it runs until the window closes and not after, though its time to run is longer', async () => {
    const request = await approvedAt('2026-11-23T14:45Z');
    expect(request.runBy).toBe(at('2026-11-23T15:15Z'));
    here.time.wall = at('2026-11-23T15:00Z');
    await expect(claim(request.id)).rejects.toMatchObject({
      message: expect.stringContaining('opens at 2026-11-24 09:00'),
    });
  });

  test('on the days when clocks are set, 09:00 is 09:00', async () => {
    const daily = { ...HOURS, times: [{ days: [1, 2, 3, 4, 5, 6, 7], from: 540, to: 960 }] };
    const terms = { windows: ['w'], openings: [daily] };
    expect((await approvedAt('2026-03-29T05:00Z', terms)).window?.opensAt).toBe(at('2026-03-29T07:00Z'));
    expect((await approvedAt('2026-10-25T05:00Z', terms)).window?.opensAt).toBe(at('2026-10-25T08:00Z'));
  });

  test('a clock set back to opening hours opens nothing', async () => {
    const request = await approvedAt('2026-11-23T15:30Z');
    here.time.wall = at('2026-11-23T12:00Z');
    await expect(claim(request.id)).rejects.toMatchObject({ code: 'conflict' });
  });

  test('a row whose time to run was written by hand runs outside the window no more than any other', async () => {
    const request = await approvedAt('2026-11-20T15:00Z');
    await server.store.query('UPDATE approval_requests SET run_by = ? WHERE id = ?', [
      at('2027-01-01T00:00Z'),
      request.id,
    ]);
    await expect(claim(request.id)).rejects.toMatchObject({ code: 'conflict' });
    here.time.wall = at('2026-11-23T09:00Z');
    await expect(claim(request.id)).rejects.toMatchObject({ message: expect.stringContaining('expired') });
  });

  test('of two windows both must be open', async () => {
    const noon: ChangeWindow = {
      name: 'noon',
      timeZone: 'UTC',
      times: [{ days: [1, 2, 3, 4, 5, 6, 7], from: 660, to: 780 }],
    };
    const request = await approvedAt('2026-11-23T09:00Z', {
      windows: ['business-hours', 'noon'],
      openings: [HOURS, noon],
    });
    expect(request.window).toMatchObject({ open: false, opensAt: at('2026-11-23T11:00Z') });
  });

  test('what never opens again never runs, and says so', async () => {
    const once: ChangeWindow = {
      name: 'move',
      timeZone: 'UTC',
      times: [{ start: '2026-05-01 20:00', end: '2026-05-01 22:00' }],
    };
    const request = await approvedAt('2026-11-23T09:00Z', { windows: ['move'], openings: [once] });
    expect(request.window).toEqual({ open: false, says: 'move: will not open within 400 days' });
    await expect(claim(request.id)).rejects.toMatchObject({
      hint: expect.stringContaining('changes the window in the policy'),
    });
  });
});

describe('I3 freezes', () => {
  const freeze: FreezeTime = {
    id: 'year-end',
    reason: 'Nobody is there.',
    timeZone: 'UTC',
    from: '12-18 00:00',
    to: '01-05 00:00',
  };

  test('one that began after the approval holds the run back, and names itself', async () => {
    const request = await approvedAt('2026-12-17T23:50Z', { freezes: [freeze] });
    expect(request.window).toBeUndefined();
    here.pass(15 * MINUTE);
    await expect(claim(request.id)).rejects.toMatchObject({
      code: 'denied',
      rule: 'year-end',
      message: expect.stringContaining('frozen until 2027-01-05 00:00 UTC: Nobody is there.'),
    });
    expect((await server.approvals.find(request.id)).window).toMatchObject({ open: false, freeze: 'year-end' });
  });

  test('a clock set back out of it ends it as little as the time to run', async () => {
    const request = await approvedAt('2026-12-17T23:50Z', { freezes: [freeze] });
    here.time.wall = at('2026-12-18T00:05Z');
    await expect(claim(request.id)).rejects.toMatchObject({ code: 'denied' });
    here.time.wall = at('2026-12-17T23:55Z');
    await expect(claim(request.id)).rejects.toMatchObject({ code: 'denied' });
  });
});
