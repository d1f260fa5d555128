import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { storeSource } from '../../src/audit/read.ts';
import { verifyAudit } from '../../src/audit/verify.ts';
import { callTool, effects, LEASE, openServer, type Server } from './place.ts';

/** Before and after every transition of an approved run, and around its own effects. */
const POINTS = ['claim', 'acting', 'run', 'step', 'settle'].flatMap((name) => [`${name}:before`, `${name}:after`]);
const ROUNDS = 20;

let root: string;
let server: Server;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'holdpoint-crash-'));
  server = await openServer(root);
  server.approvers.add({ name: 'alice', person: 'ann', at: Date.now() });
});
afterAll(async () => {
  await server.close();
  rmSync(root, { recursive: true, force: true });
});

async function approvedRequest(text: string): Promise<string> {
  const { envelope } = await callTool(server, 'note', { text });
  const { id, digest } = await server.services.approvals.find(envelope.approval?.id ?? '');
  await server.services.approvals.decide(
    server.approvers.sign({ id, digest, decision: 'approve', approver: 'alice', at: Date.now(), reason: '' }),
  );
  return id;
}

/** Another server process on the same store; what it answered, or the signal that ended it. */
function runElsewhere(id: string, point?: string): Promise<string> {
  return new Promise((done) => {
    execFile(
      process.execPath,
      [join(import.meta.dirname, 'worker.ts'), root, id, ...(point ? [point] : [])],
      (error, stdout) => done(error?.signal ?? stdout.trim()),
    );
  });
}

const counted = (text: string) => effects(root).filter((line) => line === text).length;

describe('kill -9 of the server in an approved run (I2)', () => {
  test.each(POINTS)(`at %s, ${ROUNDS} times: it never runs twice, and its state says what is known`, async (point) => {
    const early = point.startsWith('claim') || point === 'acting:before';
    const round = async (index: number) => {
      const text = `${point} ${index}`;
      const id = await approvedRequest(text);
      expect(await runElsewhere(id, point)).toBe('SIGKILL');
      // Whoever tries while the dead server's lease runs, or after it, must not make it happen twice.
      await callTool(server, 'approval', { action: 'run', id });
      await sleep(LEASE * 2);
      const { state } = await server.services.approvals.find(id);
      const again = (await callTool(server, 'approval', { action: 'run', id })).envelope;
      const ran = counted(text);
      expect(ran).toBeLessThanOrEqual(1);
      if (early) {
        // Nothing had happened: the approval stayed good and was run by the server that lived on.
        expect({ state, ran }).toEqual({ state: expect.stringMatching(/^(?:approved|done)$/) as string, ran: 1 });
        return;
      }
      expect(again.status).toBe('error');
      if (point === 'settle:after') expect(state).toBe('done');
      else {
        expect(state).toBe('unknown');
        expect(
          (await server.services.approvals.resolve(id, ran === 1 ? 'done' : 'failed', 'alice', 'looked at the effects'))
            .state,
        ).toBe(ran === 1 ? 'done' : 'failed');
      }
      expect(counted(text)).toBe(point === 'acting:after' || point === 'run:before' ? 0 : 1);
    };
    for (let index = 0; index < ROUNDS; index += 4)
      await Promise.all([0, 1, 2, 3].map((offset) => round(index + offset)));
  });

  test('no request is lost, and the audit log of all the dead servers verifies (I8)', async () => {
    const rows = await server.store.query<{ state: string; count: number }>(
      'SELECT state, COUNT(*) AS count FROM approval_requests GROUP BY state',
    );
    expect(rows.reduce((sum, { count }) => sum + count, 0)).toBe(POINTS.length * ROUNDS);
    expect(rows.map(({ state }) => state).sort()).toEqual(['done', 'failed']);
    await server.services.audit.flush();
    const verified = await verifyAudit(await storeSource(server.store));
    expect(verified.problems).toEqual([]);
    expect(verified.writers).toBeGreaterThan(ROUNDS);
  });
});
