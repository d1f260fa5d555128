import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';

import { stateByLog } from '../unit/approvals/kit.ts';
import { storeSource } from '../../src/audit/read.ts';
import { verifyAudit } from '../../src/audit/verify.ts';
import { main } from '../../src/cli/main.ts';
import { callTool, effects, LEASE, openServer, type Server } from './place.ts';

/** Before and after every transition of an approved run, and around its own effects. */
const ACTS = ['claim', 'acting', 'run', 'step', 'settle'] as const;
const POINTS = ACTS.flatMap((name) => [`${name}:before`, `${name}:after`]);
/** A kill that is not at a point comes at most so many milliseconds after one. */
const AFTER = 8;
const AT_ONCE = 4;

/** kill -9 of a server in an approved run: at each point so many times, and so many times somewhere after each `before`. */
export function testKills(atEach: number, afterEach: number, timeout: number): void {
  let root: string;
  let server: Server;
  let ahead = 0;
  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'holdpoint-crash-'));
    server = await openServer(root, { ahead: () => ahead });
    server.approvers.add({ name: 'alice', person: 'ann', at: Date.now() });
    // One that comes to its end, so that what was compiled is kept for the others.
    expect(await runElsewhere('apr_0')).toBe('error not_found');
  });
  afterAll(async () => {
    await server.close();
    rmSync(root, { recursive: true, force: true });
  });

  async function approvedRequest(text: string): Promise<string> {
    const { envelope } = await callTool(server, 'note', { text });
    const { id, digest } = await server.services.approvals.find(envelope.approval?.id ?? '');
    const at = await server.services.approvals.now();
    await server.services.approvals.decide(
      server.approvers.sign({ id, digest, decision: 'approve', approver: 'alice', at, reason: '' }),
    );
    return id;
  }

  /** Another server process on the same store, killed at the point, or `after` milliseconds later; what it answered, or the signal that ended it. */
  function runElsewhere(id: string, point?: string, after?: number): Promise<string> {
    const args = [
      join(import.meta.dirname, 'worker.ts'),
      root,
      id,
      ...(point ? [point] : []),
      ...(after === undefined ? [] : ['tell']),
    ];
    const child = spawn(process.execPath, args, {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, NODE_COMPILE_CACHE: join(root, 'compiled') },
    });
    return new Promise((done, fail) => {
      let said = '';
      child.on('error', fail);
      child.on('exit', (_code, signal) => done(signal ?? said.trim()));
      child.stdout.on('data', (chunk: Buffer) => {
        const first = said === '';
        said += chunk.toString();
        if (first && after !== undefined) void sleep(after).then(() => child.kill('SIGKILL'));
      });
    });
  }

  const counted = (text: string) => effects(root).filter((line) => line === text).length;

  /** The command that the answer names, as a person would give it after looking. */
  async function resolved(id: string, text: string, elsewhere: boolean): Promise<void> {
    const outcome = counted(text) === 1 ? 'done' : 'failed';
    const places = ['--state', join(root, 'state'), '--keys', join(root, 'keys')];
    const argv = ['approvals', 'resolve', id, '--outcome', outcome, '--reason', 'looked at the effects', ...places];
    if (elsewhere)
      await new Promise((done, fail) => {
        execFile(process.execPath, [resolve(import.meta.dirname, '../../src/main.ts'), ...argv], (error, out) =>
          error ? fail(error) : done(out),
        );
      });
    else await main(['node', 'holdpoint', ...argv]);
    expect((await server.services.approvals.find(id)).state).toBe(outcome);
  }

  async function killed(id: string, point: string, after?: number): Promise<void> {
    const ended = await runElsewhere(id, point, after);
    if (after === undefined) expect(ended).toBe('SIGKILL');
    // Whoever tries while the dead server's lease runs must not make it happen twice.
    await callTool(server, 'approval', { action: 'run', id });
  }

  /** Whoever tries when the lease is over must not either, and what is not known is said and resolved. */
  async function afterwards(id: string, text: string, point: string, named: boolean): Promise<void> {
    const { state } = await server.services.approvals.find(id);
    const again = (await callTool(server, 'approval', { action: 'run', id })).envelope;
    const ran = counted(text);
    if (state === 'approved') expect({ status: again.status, ran }).toEqual({ status: 'done', ran: 1 });
    else expect({ status: again.status, code: again.error?.code }).toEqual({ status: 'error', code: 'conflict' });
    if (state === 'unknown') {
      expect(again.error?.reason).toContain('its end is not known');
      expect(again.error?.hint).toContain(`holdpoint approvals resolve ${id}`);
      await resolved(id, text, text.endsWith(' 0'));
    } else expect({ state, ran }).toEqual({ state: expect.stringMatching(/^(?:approved|done)$/) as string, ran: 1 });
    if (named) {
      // Before it acted nothing had happened: the approval stayed good and was run by the server that lived on.
      const known = point.startsWith('claim') || point === 'acting:before' || point === 'settle:after';
      expect(state === 'unknown').toBe(!known);
      expect(ran).toBe(point === 'acting:after' || point === 'run:before' ? 0 : 1);
    }
    expect(counted(text)).toBe(ran);
  }

  /** Kills so many servers, each in a run of its own; at the point, or at any moment after it. */
  async function kills(count: number, point: string, named: boolean): Promise<void> {
    const runs: { id: string; text: string }[] = [];
    for (let index = 0; index < count; index += 1) {
      const text = `${named ? 'at' : 'after'} ${point} ${index}`;
      runs.push({ text, id: await approvedRequest(text) });
    }
    const left = [...runs];
    const lane = async () => {
      for (let next = left.shift(); next; next = left.shift())
        await killed(next.id, point, named ? undefined : Math.random() * AFTER);
    };
    const lanes = await Promise.allSettled(Array.from({ length: AT_ONCE }, lane));
    for (const each of lanes) if (each.status === 'rejected') throw each.reason;
    ahead += LEASE + 1000;
    for (const { id, text } of runs) await afterwards(id, text, point, named);
  }

  const all = POINTS.length * atEach + ACTS.length * afterEach;
  describe(`kill -9 of the server in an approved run, ${all} times (I2)`, () => {
    beforeAll(() => void vi.spyOn(console, 'log').mockReturnValue());
    afterAll(() => void vi.restoreAllMocks());

    test.each(POINTS)(
      `at %s, ${atEach} times: it never runs twice, and its state says what is known`,
      (point) => kills(atEach, point, true),
      timeout,
    );

    test.each(ACTS)(
      `at any moment after %s begins, ${afterEach} times`,
      (name) => kills(afterEach, `${name}:before`, false),
      timeout,
    );

    test('no request is lost, each acted once at most, and the audit log of all the dead servers verifies (I8)', async () => {
      const { query } = server.store;
      const rows = await query<{ id: string; state: string }>('SELECT id, state FROM approval_requests');
      expect(rows).toHaveLength(all);
      expect([...new Set(rows.map(({ state }) => state))].toSorted()).toEqual(['done', 'failed']);
      for (const { id, state } of rows) expect(await stateByLog(server.store, id)).toBe(state);
      expect(effects(root)).toHaveLength(new Set(effects(root)).size);
      const acted = `SELECT approval FROM audit_records WHERE kind = 'approval.acting' GROUP BY approval HAVING count(*) > 1`;
      expect(await query(acted)).toEqual([]);
      await server.services.audit.flush();
      const verified = await verifyAudit(await storeSource(server.store));
      expect(verified.problems).toEqual([]);
      expect(verified.writers).toBeGreaterThan(all / 2);
    });
  });
}
