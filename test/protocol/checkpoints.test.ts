import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { holdpoint, newPlace, overStdio, type Place } from '../harness.ts';

let place: Place;
beforeEach(() => {
  place = newPlace();
});
afterEach(() => place.remove());

describe('I8 checkpoints of a server', () => {
  test('written outside by its settings, and a log without its end contradicts them', async () => {
    const home = place.env['HOME']!;
    const [file, git] = [join(home, 'outside.jsonl'), join(home, 'proof.git')];
    execFileSync('git', ['init', '--quiet', '--bare', git]);
    place.env['HOLDPOINT_CONFIG'] = join(home, 'settings.yaml');
    writeFileSync(
      place.env['HOLDPOINT_CONFIG'],
      `audit: { checkpoints: [{ file: ${file} }, { git: ${git} }], checkpointRecords: 2 }\n`,
    );
    const agent = await overStdio('2.x', place);
    for (let round = 0; round < 3; round += 1) await agent.call('view', { path: 'README.md' });
    const places = ['--checkpoint', file, '--checkpoint', `git:${git}`];
    await expect
      .poll(async () => (await holdpoint(place, 'audit', 'verify', ...places)).code, { timeout: 20_000 })
      .toBe(0);
    await agent.close();
    const lines = (await holdpoint(place, 'audit', 'export')).stdout.trim().split('\n');
    const log = join(home, 'export.jsonl');
    writeFileSync(log, `${lines.join('\n')}\n`);
    expect(await holdpoint(place, 'audit', 'verify', log, ...places)).toMatchObject({ code: 0 });
    // Only the first record, and a head that knows no more.
    const { hash, record } = JSON.parse(lines[0]!) as { hash: string; record: { writer: string; seq: number } };
    const heads = [{ hash, seq: record.seq, writer: record.writer }];
    writeFileSync(log, `${lines[0]}\n${JSON.stringify({ heads, requests: 0 })}\n`);
    expect(await holdpoint(place, 'audit', 'verify', log)).toMatchObject({ code: 0 });
    for (const outside of [file, `git:${git}`]) {
      const result = await holdpoint(place, 'audit', 'verify', '--offline', log, '--checkpoint', outside);
      expect(result).toMatchObject({ code: 1, stdout: expect.stringContaining('cut: the chain ends after record 1') });
    }
    expect(readFileSync(file, 'utf8')).toMatch(
      /^\{"at":"[^"]+","checkpoint":\{"hash":"sha256:[0-9a-f]{64}","seq":\d+,"writer":"[^"]+"\},"v":1\}\n/,
    );
  });
});
