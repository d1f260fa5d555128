import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import { BUILD_LIMIT } from '../../../src/adapters/docker/deadline.ts';
import { createFakeDocker } from '../../../src/adapters/docker/fake.ts';
import type { FakeDocker } from '../../../src/adapters/docker/fake.ts';
import { createFiles } from '../../../src/adapters/files/client.ts';
import type { WorkspaceFiles } from '../../../src/adapters/files/client.ts';
import type { Progress, RunContext } from '../../../src/core/tool.ts';
import build from '../../../src/tools/docker/docker-build.ts';

let root: string;
let files: WorkspaceFiles;
let engine: FakeDocker;
let context: RunContext<'docker' | 'files'>;
let seen: Progress[];

const write = (path: string, content = path) => {
  mkdirSync(dirname(join(root, 'ws', path)), { recursive: true });
  writeFileSync(join(root, 'ws', path), content);
};

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'holdpoint-build-'));
  write('Dockerfile', 'FROM base:1\nCOPY . /app\n');
  write('src/main.py');
  write('.env', 'TOKEN=planted-8');
  write('secrets/db.key', 'planted-9');
  files = createFiles({ workspace: join(root, 'ws'), undoDir: join(root, 'undo') });
  engine = createFakeDocker({ 'base:1': 'sha256:base' });
  seen = [];
  context = {
    docker: engine.port,
    files,
    facts: { kubernetes: { contexts: {} }, docker: { host: 'local' }, github: {}, monitoring: {}, programs: {} },
    principal: { person: 'p', agent: 'a', client: 'c' },
    callId: 'call-1',
    signal: new AbortController().signal,
    permits: ({ path = '' }) => !/(^|\/)(\.env|secrets)(\/|$)/i.test(path),
    redact: (text: string) => text,
    progress: (update) => seen.push(update),
    stepDone: () => {},
  };
});
afterEach(() => {
  files.close();
  rmSync(root, { recursive: true, force: true });
});

const plan = (more: object = {}) => build.plan(build.input.parse({ context: '.', tags: ['api:1'], ...more }), context);
const run = async (planned: Awaited<ReturnType<typeof plan>>) =>
  build.output.parse(await build.run(JSON.parse(JSON.stringify(planned)) as typeof planned, context));
const sent = () => Object.keys(engine.builds.at(-1)?.files ?? {});

test('D1 builds what it planned, with progress and the figures', async () => {
  const result = await run(await plan({ buildArgs: { VERSION: '1' }, target: 'prod', noCache: true }));
  expect(result).toMatchObject({
    tags: ['api:1'],
    size: { megabytes: 12.3, withinTarget: true },
    time: { withinTarget: true },
    context: { files: 2 },
  });
  expect(engine.builds[0]?.request).toEqual({
    dockerfile: 'Dockerfile',
    tags: ['api:1'],
    buildArgs: { VERSION: '1' },
    target: 'prod',
    noCache: true,
  });
  expect(seen.map(({ done, total }) => [done, total])).toEqual([
    [1, 2],
    [2, 2],
  ]);
});

describe('C3 what is denied is never in the context', () => {
  test('by name, through a link, and hard-linked; all of it is named', async () => {
    symlinkSync('.env', join(root, 'ws/settings'));
    symlinkSync('secrets', join(root, 'ws/folder-link'));
    symlinkSync('../src', join(root, 'ws/src/src'));
    symlinkSync('/etc/passwd', join(root, 'ws/outside'));
    linkSync(join(root, 'ws/.env'), join(root, 'ws/innocent'));
    const planned = await plan();
    const result = await run(planned);
    expect(sent()).toEqual(['Dockerfile', 'src/main.py']);
    expect(JSON.stringify(engine.builds)).not.toContain('planted');
    expect(JSON.stringify([planned, result])).not.toContain('planted');
    expect(result.leftOut).toEqual([
      '.env',
      'folder-link',
      'innocent',
      'outside',
      'secrets/db.key',
      'settings',
      'src/src',
    ]);
    expect(planned.preview.text).toContain('.env (');
  });

  test('a Dockerfile that copies it is refused with the reason; one that copies more is not', async () => {
    for (const source of ['.env', './.env', '.env*', 'secrets', 'secrets/', '["secrets/db.key","/x"]']) {
      write('Dockerfile', `FROM base:1\nCOPY ${source}${source.startsWith('[') ? '' : ' /app/'}\n`);
      await expect(plan()).rejects.toMatchObject({
        code: 'denied',
        message: expect.stringMatching(/^Line 2 of the Dockerfile copies (\.env|secrets)/),
      });
    }
    write('Dockerfile', 'FROM base:1\nCOPY . src/* /app/\nCOPY --from=base:1 .env /x\n');
    await expect(plan()).resolves.toBeDefined();
  });
});

describe('.dockerignore', () => {
  test('D1 is honoured; Dockerfile and .dockerignore go along all the same', async () => {
    write('.dockerignore', '*\n!src\nsrc/*.log\n');
    write('src/a.log');
    const result = await run(await plan());
    expect(sent()).toEqual(['.dockerignore', 'Dockerfile', 'src/main.py']);
    expect(result.leftOut).toBeUndefined();
  });

  test('D1 the one of the Dockerfile goes before the one of the context', async () => {
    write('.dockerignore', 'src');
    write('docker/api.Dockerfile', 'FROM base:1\n');
    write('docker/api.Dockerfile.dockerignore', 'docker/x');
    write('docker/x');
    await run(await plan({ dockerfile: 'docker/api.Dockerfile' }));
    expect(engine.builds[0]?.request.dockerfile).toBe('docker/api.Dockerfile');
    expect(sent()).toEqual([
      '.dockerignore',
      'Dockerfile',
      'docker/api.Dockerfile',
      'docker/api.Dockerfile.dockerignore',
      'src/main.py',
    ]);
  });
});

describe('I2 what moves makes it stale', () => {
  const moved = async (act: () => void) => {
    const before = (await plan()).preconditions;
    act();
    const after = (await plan()).preconditions;
    return after
      .filter((precondition, index) => JSON.stringify(precondition) !== JSON.stringify(before[index]))
      .map(({ id }) => id);
  };

  test('nothing moved: the same plan', async () => {
    expect(await plan()).toEqual(await plan());
    expect(await moved(() => {})).toEqual([]);
  });

  test('one byte, a new file, a base tag, the tag to build', async () => {
    expect(await moved(() => write('src/main.py', 'src/main.pY'))).toEqual(['context:.']);
    expect(await moved(() => write('src/new.py'))).toEqual(['context:.']);
    expect(await moved(() => engine.images.set('base:1', 'sha256:moved'))).toEqual(['base:base:1']);
    expect(await moved(() => engine.images.set('api:1', 'sha256:taken'))).toEqual(['tag:api:1']);
  });

  test('what is left out moves nothing', async () => {
    expect(await moved(() => write('.env', 'TOKEN=other'))).toEqual([]);
  });

  test('bytes changed after the last check: stale, and the Engine gets no whole context', async () => {
    const planned = await plan();
    write('src/main.py', 'changed');
    await expect(run(planned)).rejects.toMatchObject({ code: 'stale' });
    expect(engine.builds).toEqual([]);
  });
});

test('targets: the folder, the Dockerfile, and every tag on the Engine', () => {
  const input = build.input.parse({ context: 'services/api', tags: ['api', 'api:1'] });
  expect(build.targets(input, { facts: context.facts })).toEqual([
    { kind: 'folder', id: 'services/api', effect: 'read', path: 'services/api' },
    { kind: 'file', id: 'services/api/Dockerfile', effect: 'read', path: 'services/api/Dockerfile' },
    { kind: 'image', id: 'api:latest', effect: 'write', at: { dockerHost: 'local' } },
    { kind: 'image', id: 'api:1', effect: 'write', at: { dockerHost: 'local' } },
  ]);
  expect(() => build.targets(build.input.parse({ context: '../x', tags: ['a'] }), { facts: context.facts })).toThrow(
    expect.objectContaining({ code: 'denied' }),
  );
});

test('D1 refusals: no folder, Dockerfile outside, secrets as arguments, a failed build', async () => {
  await expect(plan({ context: 'nowhere' })).rejects.toMatchObject({ code: 'not_found' });
  await expect(plan({ context: 'Dockerfile', dockerfile: 'Dockerfile' })).rejects.toMatchObject({
    code: 'invalid_input',
  });
  await expect(plan({ context: 'src', dockerfile: 'Dockerfile' })).rejects.toMatchObject({
    code: 'invalid_input',
    hint: expect.stringContaining('.dockerignore'),
  });
  await expect(plan({ buildArgs: { API_TOKEN: 'x' } })).rejects.toMatchObject({ code: 'denied' });
  engine.failWith('The build failed');
  await expect(run(await plan())).rejects.toMatchObject({ code: 'upstream' });
});

test('C3 a Dockerfile with a remote ADD is refused before anything is sent', async () => {
  write('Dockerfile', 'FROM base:1\nADD https://example.org/x /x\n');
  await expect(plan()).rejects.toMatchObject({ code: 'denied', message: expect.stringContaining('Line 2') });
});

describe('D1 the limit of a build', () => {
  /** A build that ends only when it is aborted, and tells its signal. */
  const hanging = (begun: (signal: AbortSignal) => void): RunContext<'docker' | 'files'> => ({
    ...context,
    docker: {
      ...engine.port,
      build: (_request, _report, { signal }) => {
        begun(signal);
        const { promise, reject } = Promise.withResolvers<never>();
        signal.addEventListener('abort', () => reject(new Error('stopped')));
        return promise;
      },
    },
  });
  afterEach(() => vi.useRealTimers());

  test('a build that takes too long is aborted on the Engine: timeout, with what to do', async () => {
    const planned = await plan();
    const { promise, resolve } = Promise.withResolvers<AbortSignal>();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const running = build.run(planned, hanging(resolve));
    const outcome = expect(running).rejects.toMatchObject({ code: 'timeout', hint: expect.stringContaining('target') });
    const signal = await promise;
    await vi.advanceTimersByTimeAsync(BUILD_LIMIT - 1);
    expect(signal.aborted).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    await outcome;
    expect(signal.aborted).toBe(true);
  });

  test('the call’s own end stops it as well, and says so', async () => {
    const planned = await plan();
    const cancel = new AbortController();
    const { promise, resolve } = Promise.withResolvers<AbortSignal>();
    const running = build.run(planned, { ...hanging(resolve), signal: cancel.signal });
    const outcome = expect(running).rejects.toThrow('stopped');
    await promise;
    cancel.abort();
    await outcome;
  });
});

test('I4 the person sees bases and tags with size and age, who runs a tag, the Dockerfile, and the way back', async () => {
  engine.images.set('api:1', 'sha256:old');
  engine.answers.set('/images/json', [
    { Id: 'sha256:base', RepoTags: ['base:1'], Size: 5_000_000, Created: Date.now() / 1000 - 7200 },
    { Id: 'sha256:old', RepoTags: ['api:1'], Size: 90_000_000, Created: Date.now() / 1000 - 86_400 * 3 },
  ]);
  engine.answers.set('/containers/json', [
    {
      Id: 'c1',
      Names: ['/web'],
      Image: 'api:1',
      ImageID: 'sha256:old',
      State: 'running',
      Status: 'Up',
      Ports: [],
      Labels: {},
      Created: 1,
    },
  ]);
  const parts = (await build.preview?.(await plan({ tags: ['api:1', 'api:latest'] }), context)) ?? [];
  const rows = Object.fromEntries(parts.flatMap((part) => (part.kind === 'facts' ? part.rows : [])));
  expect(rows).toEqual({
    'base base:1': 'sha256:base, 5.0MB, made 2h ago',
    'tag api:1': 'moves; now sha256:old, 90MB, made 3d ago; used by web',
    'tag api:latest': 'is new',
  });
  const risks = parts.flatMap((part) => (part.kind === 'risks' ? part.items : []));
  expect(risks).toEqual([
    'the tag api:latest says nothing of what it holds',
    'containers run what a tag stands for now: web',
  ]);
  expect(parts).toContainEqual({ kind: 'diff', title: 'Dockerfile, whole', text: 'FROM base:1\nCOPY . /app\n' });
  expect(parts.at(-1)).toEqual({
    kind: 'undo',
    text: 'api:1: a person moves it back (docker tag sha256:old api:1), as long as nobody has removed that image.\napi:latest: a person removes the tag (docker rmi api:latest).',
  });
});
