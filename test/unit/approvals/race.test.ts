import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { holdOf, stateByLog, world, type Server, type World } from './kit.ts';

const PROCESSES = 5;
const RACERS = 10;
const REQUESTS = 20;

let here: World;
let server: Server;
let racers: Awaited<ReturnType<typeof racer>>[];
beforeEach(async () => {
  here = world();
  here.time.wall = Date.now();
  server = await here.server();
  racers = await Promise.all(Array.from({ length: PROCESSES }, racer));
});
afterEach(async () => {
  await Promise.all(racers.map((each) => each.end()));
  await here.end();
});

/** A process that takes orders; `tell` gives its outcomes. */
async function racer() {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'racer.ts'), here.root], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  expect((await lines.next()).value).toBe('ready');
  return {
    async tell(order: string): Promise<string[]> {
      child.stdin.write(`${order}\n`);
      return JSON.parse(String((await lines.next()).value)) as string[];
    },
    end() {
      child.stdin.end();
      return ended;
    },
  };
}

test(`I2 ${PROCESSES} processes with ${RACERS} racers each claim and run one approved request, ${REQUESTS} times: one wins, one effect`, async () => {
  const ids: string[] = [];
  for (let n = 0; n < REQUESTS; n += 1) {
    const { id } = await server.approved(`file ${n}`);
    ids.push(id);
    const outcomes = (await Promise.all(racers.map((each) => each.tell(`run ${id} ${RACERS}`)))).flat();
    expect(outcomes.toSorted()).toEqual(['done', ...Array<string>(PROCESSES * RACERS - 1).fill('refused: conflict')]);
    expect((await server.kinds(id)).filter((kind) => kind === 'claimed')).toHaveLength(1);
    expect(await stateByLog(server.store, id)).toBe('done');
  }
  expect(readFileSync(join(here.root, 'effects'), 'utf8').split('\n')).toEqual([...ids, '']);
  expect(await server.verify()).toMatchObject({ ok: true });
}, 120_000);

test('I2 two approvals from two processes at once are both taken and approve once; twice the same approver counts as one', async () => {
  for (let n = 0; n < REQUESTS; n += 1) {
    const { id } = await server.approvals.request(holdOf(`file ${n}`, { terms: { approvals: 2 } }));
    const names = n % 2 === 0 ? ['alice', 'bob'] : ['bob', 'bob'];
    const orders = names.map((name, index) => racers[index]!.tell(`approve ${id} ${name}`));
    const outcomes = (await Promise.all(orders)).flat().toSorted();
    expect(outcomes).toEqual(n % 2 === 0 ? ['approved', 'pending'] : ['pending', 'refused: conflict']);
    expect(await server.approvals.find(id)).toMatchObject({
      state: n % 2 === 0 ? 'approved' : 'pending',
      approvalsGiven: n % 2 === 0 ? 2 : 1,
    });
    await stateByLog(server.store, id);
  }
  expect(await server.verify()).toMatchObject({ ok: true });
}, 120_000);
