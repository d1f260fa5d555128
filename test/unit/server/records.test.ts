import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import type { RecordsPort } from '../../../src/adapters/workflow/port.ts';
import { createRecords } from '../../../src/server/records.ts';
import { newBench, PRINCIPAL, type Bench } from './services.ts';

let bench: Bench;
beforeEach(async () => {
  bench = await newBench();
  bench.approvers.add({ name: 'alice', person: 'ann', at: Date.now() });
  bench.services.audit.append({ kind: 'server.started', data: { workspace: '/shop' } });
});
afterEach(() => bench.close());

function records(workspace = '/shop'): RecordsPort {
  const { audit, approvals, redactor } = bench.services;
  return createRecords({
    store: bench.store,
    audit,
    approvals,
    approvers: bench.approvers,
    workspace,
    redact: redactor.text,
  });
}

async function approved(args: object): Promise<string> {
  const { envelope } = await bench.call('value', args);
  const id = envelope.approval?.id ?? '';
  const { digest } = await bench.services.approvals.find(id);
  const decision = {
    id,
    digest,
    decision: 'approve',
    approver: 'alice',
    at: Date.now(),
    reason: 'hunter2-known is it',
  } as const;
  await bench.services.approvals.decide(bench.approvers.sign(decision));
  return id;
}

const BOB = { ...PRINCIPAL, person: 'bob' };

describe('facts of the ledger (H2)', () => {
  test('what ran and how it ended; dry runs, refusals and what waits did not run', async () => {
    await bench.call('value', { name: 'a', namespace: 'dev', to: '2' });
    await bench.call('value', { name: 'a', namespace: 'dev', to: '3', dryRun: true });
    await bench.call('value', { name: 'secret', namespace: 'dev', to: '3' });
    await bench.call('value', { name: 'a', namespace: 'prod', to: '4' });
    bench.world.during = async () => {
      throw new Error('no');
    };
    await bench.call('value', { name: `a`, namespace: 'dev', to: `sha256:${'b'.repeat(64)}` });
    const runs = await records().runs(['value'], 10, PRINCIPAL);
    expect(runs.map(({ summary, result }) => [summary.slice(0, 10), result])).toEqual([
      ['set a to s', 'failed'],
      ['set a to 2', 'done'],
    ]);
    expect(runs[0]).toMatchObject({
      environment: 'development',
      purpose: 'other',
      digests: [`sha256:${'b'.repeat(64)}`],
    });
    expect(await records().runs(['other'], 10, PRINCIPAL)).toEqual([]);
    expect(await records().runs(['value'], 1, PRINCIPAL)).toHaveLength(1);
  });

  test('a decision is told as it was signed, masked, and its run names it', async () => {
    const id = await approved({ name: 'a', namespace: 'prod', to: '2' });
    expect(await records().decisions(PRINCIPAL)).toMatchObject([
      {
        id,
        tool: 'value',
        summary: 'set a to 2',
        environment: 'production',
        purpose: 'other',
        approvals: [{ approver: 'alice', alone: false, reason: expect.not.stringContaining('hunter2') as string }],
      },
    ]);
    await bench.call('approval', { action: 'run', id });
    expect(await records().runs(['value'], 10, PRINCIPAL)).toMatchObject([
      { approval: id, environment: 'production', result: 'done' },
    ]);
    // It is the person's, through whatever client.
    expect(await records().decisions({ ...PRINCIPAL, client: 'another' })).toHaveLength(1);
  });

  test('nothing of another person, nor of another workspace', async () => {
    const id = await approved({ name: 'a', namespace: 'prod', to: '2' });
    await bench.call('approval', { action: 'run', id });
    await bench.call('value', { name: 'a', namespace: 'dev', to: '2' });
    for (const [port, who] of [
      [records(), BOB],
      [records('/other'), PRINCIPAL],
    ] as const) {
      expect(await port.runs(['value'], 10, who)).toEqual([]);
      expect(await port.decisions(who)).toEqual([]);
    }
    expect(await records().runs(['value'], 10, PRINCIPAL)).toHaveLength(2);
  });

  test('what waits, was denied, or has a row without a signature that verifies is no decision', async () => {
    await bench.call('value', { name: 'a', namespace: 'prod', to: '5' });
    const id = await approved({ name: 'a', namespace: 'prod', to: '2' });
    await bench.store.query(`UPDATE approval_decisions SET approver = 'mallory' WHERE request = ?`, [id]);
    expect(await records().decisions(PRINCIPAL)).toEqual([]);
  });
});
