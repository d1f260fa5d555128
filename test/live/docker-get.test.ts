import Docker from 'dockerode';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { createDocker } from '../../src/adapters/docker/client.ts';
import type { RunContext } from '../../src/core/tool.ts';
import { createRedactor } from '../../src/redact/redact.ts';
import get from '../../src/tools/docker/docker-get.ts';
import { baseImage, liveServers } from './servers.ts';

const { dockerHost } = liveServers();
const RUN = `live-get-${process.pid}`;
const IMAGE = 'local/live-get:1';
const SECRET = 'planted-77c1e0';
const URL_SECRET = 'planted-0d4af2';

describe.skipIf(dockerHost === undefined)('docker-get on a real Docker Engine', () => {
  const engine = new Docker({ socketPath: (dockerHost ?? '').replace('unix://', '') });
  const context: RunContext<'docker'> = {
    docker: createDocker({ host: dockerHost ?? '' }),
    facts: { kubernetes: { contexts: {} }, docker: { host: 'local' }, github: {}, monitoring: {}, programs: {} },
    principal: { person: 'p', agent: 'devops', client: 'test' },
    callId: 'live-test',
    signal: AbortSignal.timeout(120_000),
    permits: () => true,
    redact: createRedactor([]).text,
    progress: () => {},
    stepDone: () => {},
  };
  const look = async (input: object) => {
    const planned = await get.plan(get.input.parse(input), context);
    return get.output.parse(await get.run(JSON.parse(JSON.stringify(planned)) as typeof planned, context));
  };
  const text = async (input: object) => get.render?.(await look(input)) ?? '';
  const container = async (name: string, script: string, more: object = {}) => {
    const made = await engine.createContainer({
      name: `${RUN}-${name}`,
      Image: IMAGE,
      Cmd: ['/bin/sh', '-c', script],
      ...more,
    });
    await made.start();
    return made;
  };
  let failedId: string;

  beforeAll(async () => {
    await baseImage(IMAGE);
    const failed = await container(
      'failed',
      `echo starting; echo "password=hunter2-${SECRET} and $DB_PASSWORD" >&2; printf 'caf\\303\\251\\n'; echo "last: no database"; exit 3`,
      { Env: [`DB_PASSWORD=${SECRET}`, `DATABASE_URL=postgres://app:${URL_SECRET}@db/app`, 'MODE=test'] },
    );
    await failed.wait();
    failedId = failed.id;
    const done = await container('done', 'true');
    await done.wait();
    await container('up', 'while :; do :; done', {
      Env: [`API_TOKEN=${SECRET}`, 'LANG=C'],
      Labels: { 'org.example.owner': SECRET },
      User: '1000',
      HostConfig: { Memory: 64_000_000, RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 2 } },
    });
    await container('terminal', 'echo on a terminal; sleep 600', { Tty: true });
  });

  afterAll(async () => {
    const all = await engine.listContainers({ all: true, filters: { name: [RUN] } });
    await Promise.all(all.map(({ Id }) => engine.getContainer(Id).remove({ force: true })));
  });

  test('D1 containers: the failed one first, what ended well only with all', async () => {
    const shown = await text({ show: 'containers', limit: 100 });
    const lines = shown.split('\n');
    expect(lines).toContainEqual(expect.stringMatching(new RegExp(`^${RUN}-failed  ${IMAGE}  Exited \\(3\\)`)));
    expect(lines.findIndex((line) => line.startsWith(`${RUN}-failed`))).toBeLessThan(
      lines.findIndex((line) => line.startsWith(`${RUN}-up`)),
    );
    expect(shown).not.toContain(`${RUN}-done`);
    expect(shown).toContain('stopped without an error');
    expect(await text({ show: 'containers', all: true, limit: 100 })).toContain(`${RUN}-done  ${IMAGE}  Exited (0)`);
  });

  test('D1 C3 logs of the failed one: both streams in order, the passwords masked, by name and by id', async () => {
    for (const name of [`${RUN}-failed`, failedId.slice(0, 12)]) {
      const { logs } = await look({ show: 'logs', name });
      expect(logs).toContain('starting');
      expect(logs).toContain('café');
      expect(logs).toContain('last: no database');
      expect(logs).toContain('password=[redacted]');
      expect(logs).not.toContain(SECRET);
    }
    const { logs, note } = await look({ show: 'logs', name: `${RUN}-failed`, limit: 1, since: '15m' });
    expect(logs?.split('\n')).toHaveLength(1);
    expect(note).toContain('raise limit');
    expect((await look({ show: 'logs', name: `${RUN}-terminal` })).logs).toBe('on a terminal');
  });

  test('C3 inspect: names of the environment and labels, never a value', async () => {
    const shown = await text({ show: 'inspect', name: `${RUN}-up` });
    expect(shown).toMatch(/^environment: .*API_TOKEN; LANG/m);
    expect(shown).toMatch(/^labels: org.example.owner$/m);
    expect(shown).toMatch(/^limits: memory 64MB$/m);
    expect(shown).toMatch(/^restartPolicy: on-failure:2$/m);
    expect(shown).toMatch(/^user: 1000$/m);
    expect(shown).not.toContain(SECRET);
    const failed = await look({ show: 'inspect', name: `${RUN}-failed` });
    expect(failed.details).toMatchObject({ state: 'exited', exitCode: 3 });
    expect(JSON.stringify(failed)).not.toMatch(new RegExp(`${SECRET}|${URL_SECRET}`));
  });

  test('D1 stats of a busy one; one that ended has none', async () => {
    const { table } = await look({ show: 'stats', name: `${RUN}-up` });
    const [name, cpu, memory, limit, pids] = table?.rows[0] ?? [];
    expect(name).toBe(`${RUN}-up`);
    expect(Number.parseFloat(cpu ?? '')).toBeGreaterThan(1);
    expect(Number.parseFloat(memory ?? '')).toBeGreaterThan(0);
    expect(limit).toBe('64MB');
    expect(Number(pids)).toBeGreaterThan(0);
    await expect(look({ show: 'stats', name: `${RUN}-failed` })).rejects.toMatchObject({ code: 'conflict' });
  });

  test('D1 events: one container’s, newest first, up to now', async () => {
    const { table } = await look({ show: 'events', name: `${RUN}-failed`, since: '15m' });
    expect(table?.rows.map((row) => row[2])).toEqual(['die (exit 3)', 'start', 'create']);
    expect(await text({ show: 'events', since: '15m' })).toContain(`${RUN}-up  start`);
  });

  test('D1 images with who uses them, and the disk', async () => {
    const { table } = await look({ show: 'images', name: IMAGE });
    expect(table?.rows).toHaveLength(1);
    expect(table?.rows[0]?.[3]).toContain(RUN);
    const disk = await look({ show: 'disk' });
    expect(disk.table?.rows.map((row) => row[0])).toEqual(['images', 'containers', 'volumes', 'build cache']);
    expect(Number(disk.table?.rows[1]?.[1])).toBeGreaterThanOrEqual(4);
    expect(disk.table?.rows[0]?.[3]).toMatch(/^[\d.]+(kB|MB|GB)$/);
  });

  test('D1 names: near ones for a wrong one; an Engine that is not there', async () => {
    await expect(look({ show: 'logs', name: `${RUN}-faild` })).rejects.toMatchObject({
      code: 'not_found',
      hint: expect.stringContaining(`${RUN}-failed`),
    });
    const absent = createDocker({ host: 'unix:///nonexistent/docker.sock' });
    await expect(absent.containers(context)).rejects.toMatchObject({
      code: 'unavailable',
      hint: expect.stringContaining('DOCKER_HOST'),
    });
    const cancelled = { ...context, signal: AbortSignal.abort() };
    await expect(context.docker.containers(cancelled)).rejects.toMatchObject({ code: 'timeout' });
  });
});
