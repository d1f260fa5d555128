import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { storeSource } from '../../src/audit/read.ts';
import { verifyAudit } from '../../src/audit/verify.ts';
import { callTool, effects, openServer, type Server } from '../crash/place.ts';

// The long form of test/unit/approvals/race.test.ts, through whole servers: minutes. It needs no server of its own.
const PROCESSES = 4;
const REQUESTS = 1000;
const RACERS = 50;
/** How many requests are raced for at the same time. */
const AT_ONCE = 4;

let root: string;
let server: Server;
let runners: ReturnType<typeof runner>[];
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'holdpoint-race-'));
  server = await openServer(root, { patience: 60_000 });
  server.approvers.add({ name: 'alice', person: 'ann', at: Date.now() });
  runners = Array.from({ length: PROCESSES }, runner);
  await Promise.all(runners.map((each) => each.ready));
});
afterAll(async () => {
  await Promise.all(runners.map((each) => each.end()));
  await server.close();
  rmSync(root, { recursive: true, force: true });
});

/** A server process; `run` gives how often which answer came. Orders are answered in turn. */
function runner() {
  const child = spawn(process.execPath, [join(import.meta.dirname, '../crash/runner.ts'), root], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const waiting: ((line: string) => void)[] = [];
  const said = () => new Promise<string>((resolve) => void waiting.push(resolve));
  const ready = said();
  createInterface({ input: child.stdout }).on('line', (line) => waiting.shift()?.(line));
  return {
    ready,
    async run(id: string, times: number): Promise<Record<string, number>> {
      child.stdin.write(`${id} ${times}\n`);
      return JSON.parse(await said()) as Record<string, number>;
    },
    end() {
      child.stdin.end();
      return ended;
    },
  };
}

async function approvedRequest(text: string): Promise<string> {
  const { approvals } = server.services;
  const { envelope } = await callTool(server, 'note', { text });
  const { id, digest } = await approvals.find(envelope.approval?.id ?? '');
  const at = await approvals.now();
  await approvals.decide(server.approvers.sign({ id, digest, decision: 'approve', approver: 'alice', at, reason: '' }));
  return id;
}

test(`I2 ${PROCESSES} servers on one store, ${REQUESTS} approved requests, ${RACERS} racing run calls each: every plan runs exactly once`, async () => {
  const answers: Record<string, number> = {};
  let began = 0;
  let spent = 0;
  const lane = async () => {
    for (let index = began++; index < REQUESTS; index = began++) {
      const id = await approvedRequest(`note ${index}`);
      const start = performance.now();
      const counts = await Promise.all(
        runners.map((each, at) => each.run(id, Math.floor(RACERS / PROCESSES) + (at < RACERS % PROCESSES ? 1 : 0))),
      );
      spent += performance.now() - start;
      for (const [answer, count] of counts.flatMap(Object.entries<number>))
        answers[answer] = (answers[answer] ?? 0) + count;
    }
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  process.stdout.write(
    `${REQUESTS} requests, ${REQUESTS * RACERS} run calls in ${((performance.now() - start) / 1000).toFixed(0)} s, a race ${(spent / REQUESTS).toFixed(0)} ms: ${JSON.stringify(answers)}\n`,
  );
  expect(answers).toEqual({ done: REQUESTS, conflict: REQUESTS * (RACERS - 1) });
  const texts = Array.from({ length: REQUESTS }, (_, index) => `note ${index}`);
  expect(effects(root).toSorted()).toEqual(texts.toSorted());
  await server.services.audit.flush();
  expect(await verifyAudit(await storeSource(server.store))).toMatchObject({ ok: true });
}, 1_800_000);
