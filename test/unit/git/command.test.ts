import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';

import { runGit } from '../../../src/adapters/git/command.ts';
import { newFolder, put, refusal } from '../processes/kit.ts';
import { isAlive } from './kit.ts';

/** A stand-in for git that runs these lines. */
function place(lines: string) {
  const cwd = newFolder();
  return { file: put(cwd, 'git', `#!/bin/sh\n${lines}\n`, 0o755), cwd, env: { PATH: process.env['PATH'] ?? '' } };
}
const signal = new AbortController().signal;

test('output beyond its bound ends the command and is cut', async () => {
  const flood = place('yes');
  expect(await runGit(flood, { args: ['x'], maxBytes: 1000 }, signal)).toMatchObject({
    cut: true,
    stdout: 'y\n'.repeat(500),
    code: null,
  });
});

test('the time limit ends the command with what it started', async () => {
  const slow = place('sleep 300 &\necho $! > child\nwait');
  expect(await refusal(() => runGit(slow, { args: ['x'], limit: 1000 }, signal))).toMatchObject({ code: 'timeout' });
  const child = Number(readFileSync(join(slow.cwd, 'child'), 'utf8'));
  await vi.waitFor(() => expect(isAlive(child)).toBe(false), 10_000);
});

test('what stays behind and holds the output does not hold the answer', async () => {
  const behind = place('setsid sleep 300 &\necho $! > child\necho said');
  onTestFinished(() => void process.kill(Number(readFileSync(join(behind.cwd, 'child'), 'utf8')), 'SIGKILL'));
  expect(await runGit(behind, { args: ['x'] }, signal)).toMatchObject({ code: 0, stdout: 'said\n', cut: false });
});

test('a call that is over starts nothing', async () => {
  const never = place('touch started');
  await refusal(() => runGit(never, { args: ['x'] }, AbortSignal.abort()));
  await refusal(async () => runGit({ ...never, file: join(never.cwd, 'none') }, { args: ['x'] }, signal));
  expect(existsSync(join(never.cwd, 'started'))).toBe(false);
});
