import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import type { HoldpointError } from '../../../src/core/errors.ts';
import type { ApproverDemand } from '../../../src/core/decision.ts';
import { nextOf } from '../../../src/server/hold.ts';
import { AGENT, holdOf, world, type Server, type World } from './kit.ts';
import { softPasskey } from './passkeys.ts';

/** Without a console. */
const SERVED = { reviewUrl: () => undefined };

let here: World;
let server: Server;
beforeEach(async () => {
  here = world();
  server = await here.server();
});
afterEach(() => here.end());

function demand(approvals: number, of: Partial<ApproverDemand>): ApproverDemand {
  return { approvals, names: [], groups: [], roles: [], ...of };
}

const add = (name: string, groups: string[] = [], also: string[] = [], roles: string[] = []) =>
  here.approvers.add({ name, person: name, groups, also, roles, at: 0 });
const claim = (id: string) => server.approvals.claim(id, AGENT, 'owner');

describe('I2 N of M', () => {
  test('by group: others cannot approve, and so many different people of the group must', async () => {
    for (const name of ['s1', 's2']) add(name, ['sre']);
    const terms = { approvals: 2, approvers: [demand(2, { groups: ['sre'] })] };
    const request = await server.approvals.request(holdOf('a', { terms }));
    expect(request).toMatchObject({ stillNeeded: ['2 of group sre'] });
    expect(request.cannotBeMet).toBeUndefined();
    await expect(server.decide(request, 'bob')).rejects.toMatchObject({
      code: 'denied',
      message: expect.stringContaining('approval of group sre'),
    });
    expect(await server.decide(request, 's1')).toMatchObject({
      state: 'pending',
      stillNeeded: ['1 more of group sre'],
    });
    await expect(server.decide(request, 's1')).rejects.toMatchObject({ code: 'conflict' });
    expect(await server.decide(request, 's2')).toMatchObject({ state: 'approved', approvalsGiven: 2 });
    await claim(request.id);
  });

  test('by name, group and role: any of them will do; several demands are all to be met; one person may meet several', async () => {
    add('lead', ['sre', 'security']);
    add('carol', [], [], ['release-manager']);
    const terms = {
      approvers: [
        demand(1, { groups: ['sre'] }),
        demand(1, { names: ['bob'], roles: ['release-manager'] }),
        demand(1, { groups: ['security'] }),
      ],
    };
    const request = await server.approvals.request(holdOf('a', { terms }));
    expect(request.stillNeeded).toEqual(['1 of group sre', '1 of bob or role release-manager', '1 of group security']);
    expect(await server.decide(request, 'lead')).toMatchObject({
      state: 'pending',
      stillNeeded: ['1 of bob or role release-manager'],
    });
    expect(await server.decide(request, 'carol')).toMatchObject({ state: 'approved' });
  });

  test('more than the demands ask for may come from anybody', async () => {
    add('s1', ['sre']);
    const terms = { approvals: 2, approvers: [demand(1, { groups: ['sre'] })] };
    const request = await server.approvals.request(holdOf('a', { terms }));
    expect(await server.decide(request, 'bob')).toMatchObject({
      stillNeeded: ['1 more of any approver', '1 of group sre'],
    });
    await expect(server.decide(request, 'alice')).resolves.toMatchObject({
      state: 'pending',
      stillNeeded: ['1 of group sre'],
    });
    expect(await server.decide(request, 's1')).toMatchObject({ state: 'approved' });
  });

  test('one person counts once: same person, an alias, a token of the same user, or through a third', async () => {
    here.approvers.add({ name: 'robert', person: 'BEN', at: 0 });
    add('benjamin', [], ['ben@issuer.example']);
    add('third', [], ['x@issuer.example', 'benjamin']);
    add('fourth', [], ['x@issuer.example']);
    const request = await server.approvals.request(holdOf('a', { terms: { approvals: 2 } }));
    await server.decide(request, 'bob');
    for (const name of ['robert', 'benjamin', 'third', 'fourth'])
      await expect(server.decide(request, name), name).rejects.toMatchObject({
        code: 'conflict',
        message: `"${name}" is the same person as "bob"; ${request.id} needs 1 more of any approver.`,
      });
    expect(await server.decide(request, 'alice')).toMatchObject({ state: 'approved' });
  });

  test('leaving the group, or turning out to be one person, before the run takes the approval away', async () => {
    for (const name of ['s1', 's2']) add(name, ['sre']);
    const terms = { approvals: 2, approvers: [demand(2, { groups: ['sre'] })] };
    const approved = async (name: string) => {
      const request = await server.approvals.request(holdOf(name, { terms }));
      await server.decide(request, 's1');
      return server.decide(request, 's2');
    };
    const [left, one] = [await approved('a'), await approved('b')];
    here.approvers.set('s2', { groups: [] });
    await expect(claim(left.id)).rejects.toMatchObject({ code: 'denied' });
    here.approvers.set('s2', { groups: ['sre'], also: ['s1'] });
    await expect(claim(one.id)).rejects.toMatchObject({ code: 'denied' });
    here.approvers.set('s2', { also: [] });
    await claim(one.id);
  });

  test('who comes into the group while it waits counts from the next approval on', async () => {
    add('s1', ['sre']);
    const terms = { approvals: 2, approvers: [demand(1, { groups: ['sre'] })] };
    const request = await server.approvals.request(holdOf('a', { terms }));
    for (const name of ['alice', 'bob']) await server.decide(request, name);
    here.approvers.set('bob', { groups: ['sre'] });
    expect(await server.approvals.find(request.id)).toMatchObject({ state: 'pending', stillNeeded: [] });
    expect(await server.decide(request, 'bob')).toMatchObject({ state: 'approved' });
    await claim(request.id);
  });

  test('the time to run begins with the approval that was enough', async () => {
    const request = await server.approvals.request(holdOf('a'));
    const first = await server.decide(request, 'bob');
    // Signed in time by another one, and put into the store by hand: it prolongs nothing.
    here.pass(1000);
    const late = here.approvers.sign({
      id: request.id,
      digest: request.digest,
      decision: 'approve',
      approver: 'alice',
      at: here.time.wall,
      reason: '',
    });
    await server.store.query(
      `INSERT INTO approval_decisions (request, approver, decision, at, reason, digest, ticked, break_glass, key, signature)
       VALUES (?, ?, ?, ?, ?, ?, '[]', 0, ?, ?)`,
      [late.id, late.approver, late.decision, late.at, late.reason, late.digest, late.key, late.signature],
    );
    here.pass(30 * 60_000 - 1000);
    await expect(claim(request.id)).resolves.toMatchObject({ request: { runBy: first.runBy } });
  });
});

describe('I2 requester ≠ approver', () => {
  test('the requester is excluded under every name, alias and key of the same person', async () => {
    add('ann2', [], ['ann']);
    add('annie', [], ['ann@corp.example@id.example']);
    add('through', [], ['ann2']);
    const terms = { requesterMayApprove: false };
    const principal = { ...AGENT, person: 'ann@corp.example@id.example' };
    for (const hold of [holdOf('a', { terms }), holdOf('b', { terms, principal })]) {
      const request = await server.approvals.request(hold);
      for (const name of ['alice', 'ann2', 'annie', 'through'])
        await expect(server.decide(request, name), name).rejects.toMatchObject({
          code: 'denied',
          message: expect.stringContaining('somebody other than'),
        });
      expect(await server.decide(request, 'bob')).toMatchObject({ state: 'approved' });
    }
  });

  test('an alias that is told after the approval still takes it away', async () => {
    const request = await server.approvals.request(holdOf('a', { terms: { requesterMayApprove: false } }));
    await server.decide(request, 'bob');
    here.approvers.set('bob', { also: ['ann'] });
    await expect(claim(request.id)).rejects.toMatchObject({ code: 'denied' });
  });
});

describe('I2 demands that nobody can meet', () => {
  const cannot = async (terms: Parameters<typeof holdOf>[1]) =>
    (await server.approvals.request(holdOf('a', terms))).cannotBeMet;

  test('the request is made, and says who is missing', async () => {
    add('s1', ['sre']);
    expect(await cannot({ terms: { approvals: 2, approvers: [demand(2, { groups: ['sre'] })] } })).toBe(
      'it needs 2 of group sre; registered: s1',
    );
  });

  test('the agent is told that somebody is missing, and not who there is', async () => {
    const terms = { approvers: [demand(1, { groups: ['sre'] })] };
    const request = await server.approvals.request(holdOf('a', { terms }));
    const refusal = (await claim(request.id).catch((error: unknown) => error)) as HoldpointError;
    expect(refusal).toMatchObject({ code: 'approval_required' });
    for (const text of [nextOf(request, SERVED), refusal.message]) {
      expect(text).toContain('cannot give what the rules ask for');
      expect(text).not.toMatch(/alice|bob|sre/);
    }
    here.approvers.set('bob', { groups: ['sre'] });
    expect(nextOf(await server.approvals.find(request.id), SERVED)).not.toContain('cannot give');
  });

  test('the requester does not count where they may not approve', async () => {
    here.approvers.remove('bob');
    expect(await cannot({ terms: { requesterMayApprove: false } })).toBe(
      'it needs 1 of any approver who is not the requester; registered: nobody',
    );
    expect(
      await cannot({ callId: 'other', principal: { ...AGENT, person: 'cid' }, terms: { requesterMayApprove: false } }),
    ).toBeUndefined();
  });

  test('a key of the kind that is asked for is needed', async () => {
    expect(await cannot({ terms: { signature: 'passkey' } })).toBe(
      'it needs 1 of any approver with a passkey; registered: nobody',
    );
    here.approvers.addKey('bob', softPasskey().key);
    expect(await cannot({ terms: { signature: 'passkey' } })).toBeUndefined();
    expect(await cannot({ callId: 'x', tool: 'another', terms: { signature: 'none-fits' } })).toMatch(
      /no signature is both/,
    );
  });

  test('break-glass keys approve nothing by the ordinary way', async () => {
    for (const name of ['alice', 'bob']) here.approvers.remove(name);
    here.approvers.add({ name: 'night', person: 'night', breakGlass: true, at: 0 });
    expect(await cannot({})).toBe('it needs 1 of any approver; registered: nobody');
  });
});

describe('I6 what a rule asks of an approval', () => {
  test('a reason, where it is required', async () => {
    const request = await server.approvals.request(holdOf('a', { terms: { reasonRequired: true } }));
    for (const reason of ['', '  '])
      await expect(server.decide(request, 'bob', 'approve', reason)).rejects.toMatchObject({
        message: expect.stringContaining('asks for a reason'),
      });
    expect(await server.decide(request, 'bob', 'approve', 'agreed')).toMatchObject({ state: 'approved' });
  });

  test('a passkey, where it is asked for: no other key will do, nor a passkey taken away before the run', async () => {
    const soft = softPasskey();
    here.approvers.addKey('bob', soft.key);
    const request = await server.approvals.request(holdOf('a', { terms: { signature: 'passkey' } }));
    await expect(server.decide(request, 'bob')).rejects.toMatchObject({
      message: expect.stringContaining('asks for a signature with a passkey'),
    });
    const decision = soft.sign({
      id: request.id,
      digest: request.digest,
      decision: 'approve',
      approver: 'bob',
      at: here.time.wall,
      reason: '',
      ticked: [],
    });
    expect(await server.approvals.decide(decision)).toMatchObject({ state: 'approved' });
    here.approvers.removeKey('bob', soft.key.fingerprint);
    await expect(claim(request.id)).rejects.toMatchObject({ code: 'denied' });
    here.approvers.addKey('bob', soft.key);
    await claim(request.id);
  });

  test('any registered key may deny', async () => {
    add('s1', ['sre']);
    const terms = {
      signature: 'passkey' as const,
      approvers: [demand(1, { groups: ['sre'] })],
      requesterMayApprove: false,
    };
    const request = await server.approvals.request(holdOf('a', { terms }));
    expect(await server.decide(request, 'alice', 'deny', 'not now')).toMatchObject({ state: 'denied' });
  });

  test('files of the first form are still read, and what they sign counts', async () => {
    const { readFileSync, writeFileSync } = await import('node:fs');
    const file = join(here.keys, 'approvers/bob.json');
    const {
      keys: [key],
      private: halves,
      ...rest
    } = JSON.parse(readFileSync(file, 'utf8'));
    rmSync(file);
    const { name, person, addedAt } = rest;
    const { publicKey, fingerprint } = key;
    writeFileSync(file, JSON.stringify({ name, person, addedAt, publicKey, fingerprint, ...halves[fingerprint] }), {
      mode: 0o600,
    });
    const request = await server.approvals.request(holdOf('a'));
    expect(await server.decide(request, 'bob')).toMatchObject({ state: 'approved' });
  });
});
