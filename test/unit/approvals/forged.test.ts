import { generateKeyPairSync, sign } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { canonicalJson, sha256 } from '../../../src/audit/canonical.ts';
import { decisionBytes } from '../../../src/approvals/digest.ts';
import type { ApprovalRequest, RequestBody, SignedDecision } from '../../../src/approvals/request.ts';
import { AGENT, holdOf, MINUTE, world, type Server, type World } from './kit.ts';

let here: World;
let server: Server;
beforeEach(async () => {
  here = world();
  server = await here.server();
});
afterEach(() => here.end());

const sql = (text: string, ...parameters: (string | number)[]) => server.store.query(text, parameters);
const claim = (id: string) => server.approvals.claim(id, AGENT, 'server-1');
const refused = async (id: string) => {
  await expect(claim(id)).rejects.toMatchObject({ name: 'HoldpointError' });
  expect(await server.kinds(id)).not.toContain('claimed');
};
const markApproved = (id: string) =>
  sql(`UPDATE approval_requests SET state = 'approved', run_by = ? WHERE id = ?`, here.time.wall + MINUTE, id);
const insertDecision = ({ id, approver, decision, at, reason, digest, signature }: SignedDecision) =>
  sql(
    'INSERT INTO approval_decisions (request, approver, decision, at, reason, digest, signature) VALUES (?, ?, ?, ?, ?, ?, ?)',
    id,
    approver,
    decision,
    at,
    reason,
    digest,
    signature,
  );
const unsigned = ({ id, digest }: ApprovalRequest, approver: string) => ({
  id,
  digest,
  approver,
  decision: 'approve' as const,
  at: here.time.wall,
  reason: '',
  ticked: [],
  key: here.approvers.list().find(({ name }) => name === approver)?.keys[0]?.fingerprint ?? 'sha256:0',
});

describe('I2 rows written by hand', () => {
  test('a row set to approved runs nothing', async () => {
    const request = await server.approvals.request(holdOf());
    await markApproved(request.id);
    await expect(claim(request.id)).rejects.toMatchObject({
      code: 'denied',
      message: expect.stringContaining('signatures do not prove it'),
    });
    await refused(request.id);
  });

  test('a decision by an invented approver runs nothing, signed with a key of its own though it is', async () => {
    const request = await server.approvals.request(holdOf());
    const { privateKey } = generateKeyPairSync('ed25519');
    for (const approver of ['mallory', 'alice']) {
      const decision = unsigned(request, approver);
      await insertDecision({
        ...decision,
        signature: sign(null, decisionBytes(decision), privateKey).toString('base64'),
      });
    }
    await markApproved(request.id);
    await refused(request.id);
  });

  test('a signature from another request, by another approver, or for a denial does not count', async () => {
    const approved = await server.approved('a');
    const request = await server.approvals.request(holdOf('b'));
    const [elsewhere] = approved.decisions;
    await insertDecision({ ...unsigned(request, 'bob'), signature: elsewhere!.signature });
    const byAlice = here.approvers.sign(unsigned(request, 'alice'));
    await sql('UPDATE approval_decisions SET at = at + 1 WHERE request = ?', request.id);
    await insertDecision({ ...byAlice, approver: 'bobby' });
    const denial = here.approvers.sign({ ...unsigned(request, 'alice'), decision: 'deny', reason: 'no' });
    await insertDecision({ ...denial, decision: 'approve' });
    await markApproved(request.id);
    await refused(request.id);
  });

  test('each signed field is bound: digest, time, reason, approver', async () => {
    const request = await server.approvals.request(holdOf());
    const signed = here.approvers.sign(unsigned(request, 'bob'));
    for (const change of [
      { digest: 'sha256:0' },
      { at: signed.at - 1 },
      { reason: 'x' },
      { ticked: ['release/backup'] },
      { key: 'sha256:0' },
      { breakGlass: true as const },
      { approver: 'alice' },
      { signature: '' },
      { signature: 'AAAA' },
    ])
      await expect(server.approvals.decide({ ...signed, ...change }), JSON.stringify(change)).rejects.toMatchObject({
        code: 'denied',
      });
    await expect(server.approvals.decide({ ...signed, decision: 'deny', reason: 'x' })).rejects.toMatchObject({
      code: 'denied',
    });
    await expect(
      server.approvals.decide(here.approvers.sign({ ...unsigned(request, 'bob'), at: here.time.wall + 2 * MINUTE })),
    ).rejects.toMatchObject({
      message: expect.stringContaining('future'),
    });
    expect(await server.approvals.decide(signed)).toMatchObject({ state: 'approved' });
  });

  test('one key under two names is one approver', async () => {
    const request = await server.approvals.request(holdOf('a', { terms: { approvals: 2 } }));
    await server.decide(request, 'bob');
    const { readFileSync, writeFileSync } = await import('node:fs');
    const bob = JSON.parse(readFileSync(`${here.keys}/approvers/bob.json`, 'utf8')) as object;
    writeFileSync(`${here.keys}/approvers/robert.json`, JSON.stringify({ ...bob, name: 'robert' }), { mode: 0o600 });
    await expect(server.decide(request, 'robert')).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('"robert" is the same person as "bob"'),
    });
    expect(await server.approvals.find(request.id)).toMatchObject({ state: 'pending', approvalsGiven: 1 });
  });

  test('nothing in a stored request can be changed: not who, what, how it is shown, how many, or how long', async () => {
    const request = await server.approved();
    const [row] = await server.store.query<{ body: string }>('SELECT body FROM approval_requests');
    const body = JSON.parse(row!.body) as RequestBody;
    const changes: Partial<RequestBody>[] = [
      { principal: { ...AGENT, client: 'another' } },
      { tool: 'kubectl-rollout' },
      { plan: { ...body.plan, preview: { summary: 'harmless' } } },
      { plan: { ...body.plan, steps: [] } },
      { environment: 'development' },
      { policyDigest: 'sha256:x' },
      { approveBy: body.approveBy + MINUTE },
      { terms: { ...body.terms, runWithin: 1e9 } },
    ];
    for (const change of changes) {
      const text = canonicalJson({ ...body, ...change });
      await sql('UPDATE approval_requests SET body = ?', text);
      await expect(claim(request.id), JSON.stringify(change)).rejects.toMatchObject({ code: 'denied' });
      expect(await server.approvals.altered()).toEqual([request.id]);
      expect(await server.approvals.list()).toEqual([]);
      // With a digest that fits again, the signatures do not.
      await sql('UPDATE approval_requests SET body = ?, digest = ?', text, sha256(text));
      if (!change.principal) await refused(request.id);
      await sql('UPDATE approval_requests SET body = ?, digest = ?', row!.body, request.digest);
    }
    await claim(request.id);
  });

  test('the sealed input of another request does not open here', async () => {
    const [one, two] = [await server.approved('a'), await server.approved('b')];
    await sql(
      'UPDATE approval_requests SET sealed = (SELECT sealed FROM approval_requests WHERE id = ?) WHERE id = ?',
      two.id,
      one.id,
    );
    await expect(claim(one.id)).rejects.toMatchObject({
      code: 'denied',
      message: expect.stringContaining('was changed'),
    });
  });

  test.each(['done', 'revoked', 'denied', 'cancelled', 'expired', 'stale'])(
    'a request that was %s and is set back to approved by hand stays so',
    async (end) => {
      const request =
        end === 'denied' || end === 'cancelled' ? await server.approvals.request(holdOf()) : await server.approved();
      if (end === 'done') {
        const held = await claim(request.id);
        await server.approvals.acting(held, { kind: 'opened', data: {} });
        await server.approvals.settle(held, { state: 'done', outcome: {} });
      } else if (end === 'revoked') await server.approvals.revoke(request.id, 'ann', '');
      else if (end === 'denied') await server.decide(request, 'bob', 'deny');
      else if (end === 'cancelled') await server.approvals.cancel(request.id, AGENT);
      else if (end === 'stale') await server.approvals.stale(await claim(request.id), []);
      else {
        here.pass(31 * MINUTE);
        await server.approvals.sweep();
      }
      expect(await server.approvals.find(request.id)).toMatchObject({ state: end });
      if (end === 'denied' || end === 'cancelled')
        await insertDecision(here.approvers.sign(unsigned(request, 'alice')));
      await markApproved(request.id);
      await expect(claim(request.id)).rejects.toMatchObject({
        code: 'conflict',
        message: expect.stringContaining('audit log'),
      });
    },
  );

  test('a time to run that was put off by hand is not the signed one', async () => {
    const request = await server.approved();
    await sql('UPDATE approval_requests SET run_by = run_by + 1000000000');
    here.pass(31 * MINUTE);
    await expect(claim(request.id)).rejects.toMatchObject({ message: expect.stringContaining('expired') });
  });

  test('a state that does not exist is no state', async () => {
    const request = await server.approved();
    await sql(`UPDATE approval_requests SET state = 'aproved'`);
    await expect(claim(request.id)).rejects.toMatchObject({ code: 'denied' });
  });
});
