import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { createApprovals } from '../../../src/approvals/approvals.ts';
import { openApprovers } from '../../../src/approvals/approvers.ts';
import { openSealKey } from '../../../src/approvals/seal.ts';
import { createAuditLog } from '../../../src/audit/log.ts';
import { openStore } from '../../../src/store/sqlite.ts';
import { AGENT, LIMITS } from './kit.ts';

/**
 * `racer.ts ROOT`: one process of race.test.ts. Each line on stdin is an order, its outcomes are a line of JSON:
 * `run ID N` claims and runs a request N times at once, each run that gets it adding a line to ROOT/effects;
 * `approve ID NAME` approves it.
 */
const root = process.argv[2] ?? '';
const store = await openStore(join(root, 'state'), { patience: 60_000 });
const audit = createAuditLog({ store });
const approvers = openApprovers(join(root, 'keys'));
const sealKey = openSealKey(join(root, 'keys'));
const approvals = createApprovals({ store, audit, approvers, sealKey, limits: LIMITS });

async function run(id: string): Promise<string> {
  const claim = await approvals.claim(id, AGENT, 'the same owner everywhere');
  await approvals.acting(claim, { kind: 'opened', data: {} });
  appendFileSync(join(root, 'effects'), `${id}\n`, { flush: true });
  return (await approvals.settle(claim, { state: 'done', outcome: {} })).state;
}

async function approve(id: string, approver: string): Promise<string> {
  const { digest } = await approvals.find(id);
  const at = await approvals.now();
  return (await approvals.decide(approvers.sign({ id, digest, decision: 'approve', approver, at, reason: '' }))).state;
}

const outcome = (work: Promise<string>) => work.catch((error: { code?: string }) => `refused: ${error.code}`);

process.stdout.write('ready\n');
for await (const line of createInterface({ input: process.stdin })) {
  const [order, id = '', value = ''] = line.split(' ');
  const attempts =
    order === 'run' ? Array.from({ length: Number(value) }, () => outcome(run(id))) : [outcome(approve(id, value))];
  process.stdout.write(`${JSON.stringify(await Promise.all(attempts))}\n`);
}
await audit.close();
await store.close();
