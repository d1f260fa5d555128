import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

import { createFiles } from '../../../src/adapters/files/client.ts';
import { openSealKey } from '../../../src/approvals/seal.ts';
import { holdpoint, newPlace } from '../../harness.ts';
import { put, remove } from './workspace.ts';

test('holdpoint files list and restore: by path and id, from any folder, newer content only when forced (C2)', async () => {
  const place = newPlace();
  onTestFinished(() => place.remove());
  const file = join(place.workspace, 'docker/Dockerfile');
  const original = readFileSync(file, 'utf8');
  const files = createFiles({
    workspace: place.workspace,
    undoDir: join(place.state, 'undo'),
    undoKey: openSealKey(place.keys),
  });
  onTestFinished(files.close);
  await put(files, 'docker/Dockerfile', 'FROM x\n');
  await remove(files, 'docker-compose.yml');

  const listed = await holdpoint(place, 'files', 'list');
  expect(listed.code).toBe(0);
  expect(listed.stdout.trim().split('\n')).toEqual([
    expect.stringMatching(/^undo-\S+ {2}\S+Z {2}removed {7,}\d+ {2}\S+\/docker-compose\.yml$/),
    expect.stringMatching(/^undo-\S+ {2}\S+Z {2}replaced {6,}\d+ {2}\S+\/docker\/Dockerfile$/),
    expect.stringMatching(
      /^2 changes kept, \d+ bytes\. At most 10000 changes, 2048 MiB and 90 days are kept in all; the oldest go first\.$/,
    ),
  ]);
  const [kept] = JSON.parse((await holdpoint(place, 'files', 'list', 'docker/Dockerfile', '--json')).stdout) as {
    id: string;
    path: string;
  }[];
  expect(kept).toMatchObject({ path: 'docker/Dockerfile', did: 'replaced', size: original.length });

  const restored = await holdpoint(place, 'files', 'restore', 'docker/Dockerfile');
  expect(restored).toMatchObject({
    code: 0,
    stdout: expect.stringContaining(`docker/Dockerfile is back (${original.length} bytes)`),
  });
  expect(readFileSync(file, 'utf8')).toBe(original);

  writeFileSync(file, 'by hand');
  expect(await holdpoint(place, 'files', 'restore', kept?.id ?? '')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('--force'),
  });
  expect(readFileSync(file, 'utf8')).toBe('by hand');
  expect(await holdpoint(place, 'files', 'restore', kept?.id ?? '', '--force', '--json')).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('"undo": "undo-'),
  });
  expect(readFileSync(file, 'utf8')).toBe(original);

  expect(await holdpoint(place, 'files', 'restore', 'nothing.txt')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('Nothing is kept'),
  });
  expect(await holdpoint(place, 'files', 'restore')).toMatchObject({ code: 2 });
  expect((await holdpoint(place, 'files', 'list', '--workspace', join(place.workspace, 'docker'))).stdout).toMatch(
    /^Nothing is kept\. At most .*\n$/,
  );
});
