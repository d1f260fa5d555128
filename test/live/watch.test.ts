import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { holdpoint, newPlace, overStdio, ROOT, type Agent, type Place } from '../harness.ts';
import { hasScript, onTerminal } from './terminal.ts';

describe.skipIf(!hasScript)('approvals watch on a terminal (I5)', () => {
  let place: Place;
  let agent: Agent;
  beforeEach(async () => {
    place = newPlace();
    expect((await holdpoint(place, 'approver', 'add', 'alice')).code).toBe(0);
    agent = await overStdio('2.x', place);
  });
  afterEach(async () => {
    await agent.close();
    place.remove();
  });
  const watch = (...more: string[]) =>
    onTerminal(
      [process.execPath, join(ROOT, 'src/main.ts'), 'approvals', 'watch', '--state', place.state, ...more],
      place.env,
    );
  const ask = async (path: string) =>
    (await agent.call('remove-files', { paths: [path] })).envelope.approval?.id ?? 'none was made';

  test('lists, shows, approves and denies with the commands’ own code, and gives the terminal back', async () => {
    const first = await ask('docker/old-compose.yml');
    const terminal = watch('--as', 'alice');
    await terminal.type('', '1 waiting for people');
    await terminal.type('\r', 'PENDING · no runtime environment (files) · destroy');
    await terminal.type('\x1b', 'j k choose');
    await terminal.type('a', 'Reason (may be empty): ');
    await terminal.type('agreed\r', 'Really approve as alice? [y/N] ');
    await terminal.type('y\r', `${first} is approved`);
    await terminal.type('\r', '0 waiting for people, 1 approved or running');
    // A request that comes while it runs shows by itself.
    const second = await ask('docker/Dockerfile');
    await terminal.type('', '1 waiting for people, 1 approved or running');
    await terminal.type('k', `> ${second.slice(0, 12)}`);
    await terminal.type('d', 'Why (the agent reads it): ');
    await terminal.type('\r', 'A denial needs a reason');
    await terminal.type('\r', 'j k choose');
    await terminal.type('d', 'Why (the agent reads it): ');
    await terminal.type('not today\r', 'Really deny as alice? [y/N] ');
    await terminal.type('y\r', `${second} is denied`);
    await terminal.type('\r', '0 waiting for people, 1 approved or running');
    await terminal.type('q', '\x1b[?1049l');
    expect(await terminal.ended).toBe(0);
    const after = terminal.output().split('\x1b[?1049l').at(-1) ?? '';
    expect(after).toMatch(/[^-]icanon/);
    expect(after).toMatch(/[^-]echo /);
    expect((await agent.call('approval', { action: 'run', id: first })).envelope.status).toBe('done');
  });

  test('a signal gives the terminal back as well', async () => {
    const terminal = watch();
    await terminal.type('', 'Nothing waits');
    await terminal.type('\x03', '\x1b[?1049l');
    expect(await terminal.ended).toBe(0);
    expect(terminal.output().split('\x1b[?1049l').at(-1)).toMatch(/[^-]icanon/);
  });
});
