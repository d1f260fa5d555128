import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test, vi } from 'vitest';

import type { ProcessesPort } from '../../../src/adapters/processes/port.ts';
import { grammarFor, OWNER } from './kit.ts';
import { launchedWith, newPlace, WORKS, type PlaceSettings } from './sandbox-kit.ts';

/** How many processes of this machine live with `mark` as an argument; inside a sandbox they have other numbers. */
function living(mark: string): number {
  const lines = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0');
      } catch {
        return [];
      }
    });
  return lines.filter((line) => line.includes(mark)).length;
}

/** A number of seconds to sleep that nothing else on this machine sleeps. */
let marks = process.pid * 1000;
const newMark = () => `3${marks++}`;

async function started(processes: ProcessesPort, name: string): Promise<string> {
  const grammar = grammarFor(name);
  const { executable } = await processes.examine(grammar);
  return processes.start({ grammar, executable, argv: [], cwd: '.' }, OWNER);
}

const kinds: [string, PlaceSettings, boolean][] = [
  ['in a sandbox', {}, true],
  ['without one', { sandbox: { mode: 'off' } }, false],
];

describe.each(kinds)('how a program ends %s (C4)', (_, settings, sandboxed) => {
  const here = test.skipIf(sandboxed && !WORKS);

  here.each<[string, (mark: string) => string]>([
    ['what it started', (mark) => `sleep ${mark} & sleep ${mark} & wait`],
    [
      'what ignores being asked',
      (mark) => `trap '' TERM; (trap '' TERM; sleep ${mark}; sleep ${mark}) & wait; sleep ${mark}`,
    ],
    ['what has a session of its own', (mark) => `setsid sleep ${mark} & wait; sleep ${mark}`],
    [
      'what was forked twice',
      (mark) => `(setsid sh -c 'trap "" TERM; (setsid sleep ${mark} &); sleep ${mark}' &) ; sleep ${mark}`,
    ],
    ['what is stopped', (mark) => `sleep ${mark} & kill -STOP $!; sleep ${mark}`],
  ])('killing it ends %s', async (_name, script) => {
    const { processes, program } = newPlace(settings);
    const mark = newMark();
    program('forks', script(mark));
    const id = await started(processes, 'forks');
    await vi.waitUntil(() => living(mark) > 0, 10_000);
    await processes.kill(id, OWNER);
    expect((await processes.read(id, OWNER, { waitMs: 0, maxBytes: 100 })).state).toBe('killed');
    expect(living(mark)).toBe(0);
  });

  here('what it leaves behind goes when it ends', async () => {
    const { processes, program } = newPlace(settings);
    const mark = newMark();
    program('leaves', `setsid sleep ${mark} >/dev/null 2>&1 & echo left`);
    expect(await launchedWith(processes, grammarFor('leaves'))).toMatchObject({
      state: 'exited',
      exitCode: 0,
      output: 'left\n',
    });
    expect(living(mark)).toBe(0);
  });

  here('and what becomes another program again and again', async () => {
    const { processes, program } = newPlace(settings);
    const mark = newMark();
    // While it does, it has neither arguments nor environment for a moment.
    const restless = program('restless', `exec "$0" "$1"`);
    program('leaves', `setsid ${restless} ${mark} >/dev/null 2>&1 & sleep 0.02; echo left`);
    for (let round = 0; round < 20; round++) {
      expect(await launchedWith(processes, grammarFor('leaves'))).toMatchObject({ state: 'exited', exitCode: 0 });
      const seen = [living(mark), living(mark), living(mark)];
      expect(seen, `round ${round}`).toEqual([0, 0, 0]);
    }
  });

  here('it is asked before it is forced, and may say goodbye', async () => {
    const { processes, program } = newPlace({ ...settings, limits: { graceMs: 10_000 } });
    program('polite', `trap 'echo bye; exit 3' TERM; echo ready; while :; do sleep 0.05; done`);
    const id = await started(processes, 'polite');
    const read = () => processes.read(id, OWNER, { waitMs: 50, maxBytes: 100 });
    await vi.waitUntil(async () => (await read()).output.includes('ready'), 10_000);
    await processes.kill(id, OWNER);
    expect(await read()).toMatchObject({
      state: 'killed',
      exitCode: 3,
      output: expect.stringMatching(/bye\n$/) as string,
    });
  });

  here('it ends with the server', async () => {
    const { processes, program } = newPlace(settings);
    const mark = newMark();
    program('long', `setsid sleep ${mark} & sleep ${mark}`);
    await started(processes, 'long');
    await vi.waitUntil(() => living(mark) === 2, 10_000);
    await processes.close();
    expect(living(mark)).toBe(0);
  });

  here('its exit code is its own', async () => {
    const { processes, program } = newPlace(settings);
    program('fail', 'exit 7');
    expect(await launchedWith(processes, grammarFor('fail'))).toMatchObject({
      state: 'exited',
      exitCode: 7,
      sandboxed,
    });
  });

  here('it ends when it and what it started take too much memory', async () => {
    const { processes } = newPlace({ ...settings, limits: { memoryBytes: 64 * 1024 * 1024 } });
    // One of them is below the limit, two are above it together.
    const grows = 'my $n = 40_000_000; my $x = ""; vec($x, $n, 8) = 1; sleep 2; print "fine"';
    const alone = await launchedWith(processes, grammarFor('perl'), ['-e', grows]);
    expect(alone).toMatchObject({ state: 'exited', exitCode: 0, output: 'fine' });
    const report = await launchedWith(processes, grammarFor('perl'), ['-e', `fork; ${grows}; sleep 300`]);
    expect(report).toMatchObject({ state: 'over_limit', limit: 'memory' });
  });

  here('it ends when it starts too many processes', async () => {
    const { processes, program } = newPlace({ ...settings, limits: { processes: 10 } });
    const mark = newMark();
    program('many', `i=0; while [ $i -lt 30 ]; do i=$((i+1)); setsid sleep ${mark} & done; wait`);
    program('few', 'sleep 1.5 & sleep 1.5 & wait; echo fine');
    const report = await launchedWith(processes, grammarFor('many'));
    expect(report).toMatchObject({ state: 'over_limit', limit: 'processes' });
    expect(living(mark)).toBe(0);
    expect(await launchedWith(processes, grammarFor('few'))).toMatchObject({ state: 'exited', output: 'fine\n' });
  });
});

describe.skipIf(!WORKS)('the sandbox itself (C4)', () => {
  test('when it is killed from outside, all in it ends', async () => {
    const { processes, program } = newPlace();
    const mark = newMark();
    program('forks', `trap '' TERM; (setsid sleep ${mark} &); sleep ${mark}`);
    const id = await started(processes, 'forks');
    await vi.waitUntil(() => living(mark) === 2, 10_000);
    const leaders = readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && isLeader(pid, id));
    expect(leaders).toHaveLength(1);
    process.kill(Number(leaders[0]), 'SIGKILL');
    const report = await processes.read(id, OWNER, { waitMs: 10_000, maxBytes: 100 });
    expect(report.state).toBe('exited');
    expect(living(mark)).toBe(0);
  });
});

/** Whether a process is this one's own child and carries the marker of `id`. */
function isLeader(pid: string, id: string): boolean {
  try {
    const parent = /\) \S (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'latin1'))?.[1];
    return Number(parent) === process.pid && readFileSync(`/proc/${pid}/environ`, 'latin1').includes(id);
  } catch {
    return false;
  }
}
