import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

import { asHoldpointError } from '../../../src/core/errors.ts';
import { newWorkspace, OUTSIDE, put, textOf } from './workspace.ts';

const ROUNDS = 2500;

test.runIf(process.platform === 'linux')(
  'a folder exchanged with a link all the while: no read, write or removal escapes (C1)',
  async () => {
    const { files, outside, at } = newWorkspace({ 'd/secret.txt': 'inside' });
    const helper = spawn(process.execPath, [join(import.meta.dirname, 'race-helper.mjs'), at('d'), outside], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    await once(helper.stdout, 'data');

    const codes = new Map<string, number>();
    let naive = 0;
    const attempt = async (call: () => Promise<unknown>) => {
      const outcome = await call().then(
        () => 'done',
        (error: unknown) => asHoldpointError(error).code,
      );
      codes.set(outcome, (codes.get(outcome) ?? 0) + 1);
    };
    for (let round = 0; round < ROUNDS; round++) {
      await attempt(async () => expect(await textOf(files, 'd/secret.txt')).not.toContain(OUTSIDE));
      await attempt(() => put(files, `d/new-${round % 20}.txt`, 'x'));
      if (round % 5 === 0)
        await attempt(async () =>
          files.remove(`d/new-${round % 20}.txt`, await files.identity(`d/new-${round % 20}.txt`)),
        );
      if (round % 50 === 0)
        await attempt(() =>
          files
            .search({ query: OUTSIDE, permits: () => true, limit: 5 })
            .then(({ matches }) => expect(matches).toEqual([])),
        );
      try {
        if (readFileSync(at('d/secret.txt'), 'utf8') === OUTSIDE) naive++;
      } catch {
        // In between the folder has no name.
      }
    }

    helper.stdin.end();
    const [swaps] = (await once(helper.stdout, 'data')) as [Buffer];
    expect(readdirSync(outside)).toEqual(['secret.txt']);
    expect(readFileSync(join(outside, 'secret.txt'), 'utf8')).toBe(OUTSIDE);
    // The race was on: the folder moved, opening by name would have been led outside, and some calls were refused, some not.
    expect(Number(swaps)).toBeGreaterThan(1000);
    expect(naive).toBeGreaterThan(0);
    expect([...codes.keys()].toSorted()).toEqual(expect.arrayContaining(['denied', 'done']));
    expect([...codes.keys()].filter((code) => !['done', 'denied', 'stale', 'not_found'].includes(code))).toEqual([]);
  },
);
