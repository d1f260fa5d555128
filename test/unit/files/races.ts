import { join } from 'node:path';
import { expect, test } from 'vitest';

import { createFakeDocker } from '../../../src/adapters/docker/fake.ts';
import { newFilesBench } from './bench.ts';
import { exchangesOf, fillOutside, race, type Exchange } from './race.ts';
import { fileOperations, portOperations, toolOperations } from './race-operations.ts';
import { newWorkspace } from './workspace.ts';

/** Codes that say that something moved, or leads where it may not. Any other would be a fault. */
const REFUSALS = ['denied', 'stale', 'not_found', 'conflict', 'invalid_input'];

/** The races, `operations` long in all. The timeout is for each, in milliseconds. */
export function testRaces(operations: number, timeout: number): void {
  const byPaths = Math.ceil(operations * 0.15);
  const throughDispatch = Math.ceil(operations * 0.2);

  test.runIf(process.platform === 'linux')(
    'while files, folders, links and pipes are exchanged: nothing outside is read, written or removed (C1)',
    { timeout },
    async () => {
      const workspace = newWorkspace();
      const exchanges = exchangesOf(workspace);
      const total = operations - byPaths - throughDispatch;
      expectBoth(await race(workspace.outside, exchanges, portOperations(workspace.files), total));
    },
  );

  test.runIf(process.platform === 'linux')(
    'without descriptors, while the last names of paths are exchanged: nothing outside is read or written (C1)',
    { timeout },
    async () => {
      const workspace = newWorkspace({}, { reach: 'paths' });
      const exchanges = exchangesOf(workspace).filter(({ how }) => ['link', 'hard', 'pipe'].includes(how));
      const operationsOnThem = fileOperations(workspace.files, ['f.txt', 'h.txt', 'p.txt', 'l-inside/secret.txt']);
      expectBoth(await race(workspace.outside, exchanges, operationsOnThem, byPaths));
    },
  );

  test.runIf(process.platform === 'linux')(
    'through dispatch, while folders and files are exchanged: nothing outside is read, written, built or removed (C1, C3)',
    { timeout },
    async () => {
      const docker = createFakeDocker();
      const bench = await newFilesBench({ docker: docker.port });
      const { outside, at } = bench;
      const names = ['docker/Dockerfile', 'docker/redis/redis.conf', 'docker/secret.txt', 'kubernetes/service.yaml', 'kubernetes/secret.txt', 'docker-compose.yml']; // prettier-ignore
      fillOutside(outside, names);
      const exchanges: Exchange[] = [
        { how: 'folder', path: at('docker'), with: join(outside, 'docker') },
        { how: 'folder', path: at('kubernetes'), with: join(outside, 'kubernetes') },
        { how: 'link', path: at('docker-compose.yml'), with: join(outside, 'docker-compose.yml') },
        { how: 'hard', path: at('docker-compose.yml'), with: join(outside, 'docker-compose.yml') },
      ];
      expectBoth(await race(outside, exchanges, toolOperations(bench, docker), throughDispatch));
    },
  );
}

/** A race in which all is refused, or all goes through, shows nothing; nor does a call that is never let through. */
function expectBoth(outcomes: Record<string, Record<string, number>>): void {
  const sum = (counts: Record<string, number>) => Object.values(counts).reduce((all, count) => all + count, 0);
  let refused = 0;
  for (const [name, { done = 0, ...others }] of Object.entries(outcomes)) {
    expect.soft(done, `${name}, let through`).toBeGreaterThan(0);
    expect.soft(REFUSALS, `${name}, refused`).toEqual(expect.arrayContaining(Object.keys(others)));
    // A search counts what it cannot open and goes on; and of few calls all may come at the right moment.
    if (!/search|retrieval/.test(name) && done + sum(others) > 300)
      expect.soft(sum(others), `${name}, refused`).toBeGreaterThan(0);
    refused += sum(others);
  }
  expect(refused).toBeGreaterThan(10);
}
