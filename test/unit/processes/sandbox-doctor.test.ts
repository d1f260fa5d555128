import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

import { loadConfig } from '../../../src/config/config.ts';
import { runChecks, type Context, type Finding } from '../../../src/doctor/check.ts';
import { sandbox } from '../../../src/doctor/sandbox.ts';
import { newFolder, put } from './kit.ts';
import { PATH, WORKS } from './sandbox-kit.ts';

/** What doctor says of the sandbox where PATH and HOLDPOINT_SANDBOX are these. */
async function found(path: string, mode = 'auto'): Promise<Finding | undefined> {
  const root = newFolder();
  mkdirSync(join(root, 'work'));
  const config = loadConfig(
    { workspace: join(root, 'work'), state: join(root, 'state') },
    { HOME: root, PATH: path, HOLDPOINT_SANDBOX: mode },
  );
  return (await runChecks([sandbox], { config } as Context))[0];
}

test.skipIf(!WORKS)('doctor starts a sandbox and says that it works (A5, C4)', async () => {
  expect(await found(PATH)).toMatchObject({ level: 'ok', detail: expect.stringContaining('bwrap') as string });
});

test('doctor says how bubblewrap is installed; a fault only where it is required (A5, C4)', async () => {
  const fix = expect.stringContaining('apt-get install bubblewrap') as string;
  expect(await found(newFolder())).toMatchObject({ level: 'warn', fix });
  expect(await found(newFolder(), 'required')).toMatchObject({ level: 'fail', fix });
});

test('doctor says why one that is there does not start (A5, C4)', async () => {
  const bin = newFolder();
  put(bin, 'bwrap', '#!/bin/sh\necho "bwrap: setting up uid map: Permission denied" >&2\nexit 1\n', 0o755);
  expect(await found(bin)).toMatchObject({
    level: 'warn',
    detail: expect.stringContaining('setting up uid map: Permission denied') as string,
    fix: expect.stringContaining('user namespaces') as string,
  });
});

test('doctor says that it is switched off (A5, C4)', async () => {
  expect(await found(PATH, 'off')).toMatchObject({
    level: 'warn',
    detail: expect.stringContaining('switched off') as string,
  });
});
