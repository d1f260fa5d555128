import { mkdtempSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';

import Docker from 'dockerode';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { createDocker } from '../../src/adapters/docker/client.ts';
import { createFiles } from '../../src/adapters/files/client.ts';
import type { WorkspaceFiles } from '../../src/adapters/files/client.ts';
import type { Progress, RunContext } from '../../src/core/tool.ts';
import build from '../../src/tools/docker/docker-build.ts';
import push from '../../src/tools/docker/docker-push.ts';
import { baseImage, liveServers } from './servers.ts';

const { dockerHost, registry } = liveServers();
const SECRET = 'planted-5b1e77aa';
/** New in every run, so that the first build is not from the cache. */
const VERSION = `1.2.${Date.now()}`;
const TAG = `local/live-build-${process.pid}`;

describe.skipIf(dockerHost === undefined)('a real Docker Engine', () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdpoint-docker-'));
  const workspace = join(folder, 'workspace');
  const engine = new Docker({ socketPath: (dockerHost ?? '').replace('unix://', '') });
  const stopping = new AbortController();
  let files: WorkspaceFiles;
  let context: RunContext<'docker' | 'files'>;
  const seen: Progress[] = [];

  const write = (path: string, content: string) => writeFileSync(join(workspace, path), content);
  const plan = (input: object) => build.plan(build.input.parse({ context: 'app', tags: [TAG], ...input }), context);
  const run = async (input: object) =>
    build.output.parse(await build.run(JSON.parse(JSON.stringify(await plan(input))) as never, context));

  beforeAll(async () => {
    await baseImage('local/live-base:1');
    mkdirSync(join(workspace, 'app/secrets'), { recursive: true });
    mkdirSync(join(workspace, 'app/empty'));
    write(
      'app/Dockerfile',
      'FROM local/live-base:1\nARG VERSION=none\nCOPY . /app\nRUN echo "version $VERSION" > /version && ls -a /app\n',
    );
    write('app/.dockerignore', '*.log\n!keep.log\n');
    write('app/server.sh', '#!/bin/sh\necho hello\n');
    write('app/.env', `TOKEN=${SECRET}\n`);
    write('app/secrets/key.pem', SECRET);
    write('app/noise.log', 'noise');
    write('app/keep.log', 'kept');
    symlinkSync('.env', join(workspace, 'app/link-to-env'));
    files = createFiles({ workspace, undoDir: join(folder, 'undo') });
    context = {
      docker: createDocker({ host: dockerHost ?? '' }),
      files,
      facts: { kubernetes: { contexts: {} }, docker: { host: 'local' }, github: {}, monitoring: {}, programs: {} },
      principal: { person: 'p', agent: 'devops', client: 'test' },
      callId: 'live-test',
      signal: stopping.signal,
      permits: ({ path = '' }) => !/(^|\/)(\.env|secrets)(\/|$)/.test(path),
      redact: (text: string) => text,
      progress: (update) => seen.push(update),
      stepDone: () => {},
    };
  });

  afterAll(async () => {
    files.close();
    rmSync(folder, { recursive: true, force: true });
    await engine
      .getImage(TAG)
      .remove({ force: true })
      .catch(() => {});
  });

  async function imageFiles(): Promise<string> {
    const container = await engine.createContainer({ Image: TAG, Cmd: ['/bin/sh'] });
    try {
      return (await buffer(await container.export())).toString('latin1');
    } finally {
      await container.remove({ force: true });
    }
  }

  test('D1 C3 builds with progress; .env, secrets and links to them are not in the image, and are named', async () => {
    const result = await run({ buildArgs: { VERSION } });
    expect(result).toMatchObject({
      id: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
      tags: [`${TAG}:latest`],
      builder: 'buildkit',
    });
    expect(result.size).toMatchObject({ withinTarget: true });
    expect(result.leftOut).toEqual(['.env', 'link-to-env', 'secrets/key.pem']);
    expect(seen.some(({ message }) => /COPY/.test(message))).toBe(true);
    expect(seen.at(-1)).toMatchObject({ done: 3, total: 3 });
    const image = await imageFiles();
    expect(image).toContain(`version ${VERSION}`);
    expect(image).toContain('app/server.sh');
    expect(image).toContain('app/keep.log');
    expect(image).not.toContain('app/noise.log');
    expect(image).not.toContain(SECRET);
    expect(image).not.toContain('.env');
    expect((await engine.getImage(TAG).inspect()).Id).toBe(result.id);
  });

  test('D1 a second build comes from the cache', async () => {
    const { steps } = await run({ buildArgs: { VERSION } });
    expect(steps).toEqual({ total: 3, cached: 2 });
  });

  test('I2 a changed byte, or a moved base tag or own tag, moves a precondition', async () => {
    const ids = async () => (await plan({})).preconditions;
    const before = await ids();
    expect(await ids()).toEqual(before);
    write('app/server.sh', '#!/bin/sh\necho hellO\n');
    const changed = await ids();
    expect(changed.filter((p, index) => p.value !== before[index]?.value).map(({ id }) => id)).toEqual(['context:app']);
    await baseImage('local/live-base:2');
    await engine.getImage('local/live-base:2').tag({ repo: TAG, tag: 'latest' });
    const moved = await ids();
    expect(moved.filter((p, index) => p.value !== changed[index]?.value).map(({ id }) => id)).toEqual([
      `tag:${TAG}:latest`,
    ]);
  });

  test('I2 bytes that change after the plan was checked: stale, nothing built', async () => {
    const planned = await plan({ tags: [`${TAG}:never`] });
    write('app/server.sh', '#!/bin/sh\necho HELLO\n');
    await expect(build.run(planned, context)).rejects.toMatchObject({ code: 'stale' });
    await expect(engine.getImage(`${TAG}:never`).inspect()).rejects.toMatchObject({ statusCode: 404 });
  });

  test('D1 a build that fails says where, with its last lines', async () => {
    write(
      'app/broken.Dockerfile',
      'FROM local/live-base:1\nRUN echo before the end && echo the cause is this && exit 7\n',
    );
    const failing = run({ dockerfile: 'app/broken.Dockerfile', noCache: true });
    await expect(failing).rejects.toMatchObject({
      code: 'upstream',
      message: expect.stringMatching(/RUN echo before[\s\S]*exit code: 7[\s\S]*\| the cause is this/),
    });
  });

  test.skipIf(registry === undefined)(
    'D1 an image is pushed to a registry, which has the digest that was said; again, nothing is sent',
    async () => {
      const repo = `${registry}/live-push-${process.pid}`;
      await engine.getImage('local/live-base:1').tag({ repo, tag: '1.2.0' });
      const pushed = async () => {
        const planned = await push.plan({ image: `${repo}:1.2.0` }, context);
        return push.output.parse(await push.run(JSON.parse(JSON.stringify(planned)) as typeof planned, context));
      };
      const result = await pushed();
      const url = `http://${repo.replace('/', '/v2/')}/manifests/1.2.0`;
      const accept = 'application/vnd.docker.distribution.manifest.v2+json';
      const answer = await fetch(url, { method: 'HEAD', headers: { accept } });
      expect(answer.headers.get('docker-content-digest')).toBe(result.digest);
      expect(result.layers.pushed + result.layers.existed).toBeGreaterThan(0);
      expect(await pushed()).toEqual({
        ...result,
        layers: { pushed: 0, existed: result.layers.pushed + result.layers.existed },
      });
      await engine.getImage(`${repo}:1.2.0`).remove();
    },
  );

  test.skipIf(registry === undefined)('D1 a registry that is not there: the Engine’s own words', async () => {
    const repo = '127.0.0.1:1/live-push';
    await engine.getImage('local/live-base:1').tag({ repo, tag: '1.2.0' });
    const planned = await push.plan({ image: `${repo}:1.2.0` }, context);
    await expect(push.run(planned, context)).rejects.toMatchObject({
      code: 'upstream',
      message: expect.stringContaining('127.0.0.1:1') as string,
    });
    await engine.getImage(`${repo}:1.2.0`).remove();
  });

  test('D1 a cancelled build stops', async () => {
    write('app/slow.Dockerfile', 'FROM local/live-base:1\nRUN sleep 600\n');
    const cancel = new AbortController();
    const planned = await plan({ dockerfile: 'app/slow.Dockerfile', noCache: true });
    const started = Promise.withResolvers<void>();
    const running = build.run(planned, {
      ...context,
      signal: cancel.signal,
      progress: ({ message }) => {
        if (message.includes('sleep')) started.resolve();
      },
    });
    await Promise.race([started.promise, running]);
    cancel.abort();
    await expect(running).rejects.toMatchObject({ code: 'timeout' });
  });

  test('D1 an Engine that is not there: unavailable, with what to do', async () => {
    const absent = createDocker({ host: 'unix:///nonexistent/docker.sock' });
    await expect(absent.imageId('x:1', context)).rejects.toMatchObject({
      code: 'unavailable',
      hint: expect.stringContaining('DOCKER_HOST'),
    });
    expect(await absent.imageIdIfReachable('x:1', context)).toBeNull();
  });
});
