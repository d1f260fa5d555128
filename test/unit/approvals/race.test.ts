import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { world, type World } from './kit.ts';

const RACERS = 50;

let here: World;
beforeEach(() => {
  here = world();
});
afterEach(() => here.end());

test(`I2 ${RACERS} processes claim one approved request at once: exactly one gets it, the others are told why not`, async () => {
  here.time.wall = Date.now();
  const server = await here.server();
  const request = await server.approved();
  const racers = Array.from({ length: RACERS }, () => {
    const child = spawn(
      process.execPath,
      [join(import.meta.dirname, 'racer.ts'), join(here.root, 'state'), here.keys, request.id],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    );
    return { child, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() };
  });
  for (const { lines } of racers) expect((await lines.next()).value).toBe('ready');
  for (const { child } of racers) child.stdin.write('go');
  const outcomes = await Promise.all(racers.map(async ({ lines }) => String((await lines.next()).value)));

  expect(outcomes.filter((outcome) => outcome === 'claimed 1')).toHaveLength(1);
  expect(outcomes.filter((outcome) => outcome === 'refused conflict')).toHaveLength(RACERS - 1);
  expect((await server.kinds(request.id)).filter((kind) => kind === 'claimed')).toHaveLength(1);
  expect(await server.verify()).toMatchObject({ ok: true });
}, 120_000);
