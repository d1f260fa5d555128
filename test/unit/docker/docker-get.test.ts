import { encode } from 'gpt-tokenizer/encoding/o200k_base';
import { assert, integer, property, uniqueArray } from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';

import { createFakeDocker } from '../../../src/adapters/docker/fake.ts';
import type { FakeDocker } from '../../../src/adapters/docker/fake.ts';
import { logLines, logText } from '../../../src/adapters/docker/logs.ts';
import type { Target } from '../../../src/core/target.ts';
import type { RunContext } from '../../../src/core/tool.ts';
import { paidText } from '../../../src/personas/budget.ts';
import { createRedactor } from '../../../src/redact/redact.ts';
import { advertisedSchema } from '../../../src/server/schema.ts';
import get from '../../../src/tools/docker/docker-get.ts';

const SECRET = 'planted-3f9';
let engine: FakeDocker;
let permits: (target: Target) => boolean;

const id = (digit: string) => digit.repeat(64);

function listed(digit: string, name: string, status: string, more: object = {}) {
  const state = status.startsWith('Up') ? 'running' : (status.split(' ')[0] ?? '').toLowerCase();
  return {
    Id: id(digit),
    Names: [`/${name}`],
    Image: `shop/${name}:1.4.2`,
    ImageID: `sha256:${id(digit)}`,
    State: state,
    Status: status,
    Ports: [],
    ...more,
  };
}

function inspected(digit: string, name: string, more: { State?: object; Config?: object; HostConfig?: object } = {}) {
  return {
    Id: id(digit),
    Name: `/${name}`,
    Image: `sha256:${id('f')}`,
    Path: 'server',
    Args: ['--port', '80', '--db-password', SECRET, `--url=${SECRET}`],
    RestartCount: 0,
    Mounts: [{ Type: 'bind', Source: '/srv', Destination: '/data', RW: false }],
    NetworkSettings: { Networks: { shop: { IPAddress: '10.0.0.2' } } },
    ...more,
    State: {
      Status: 'running',
      Running: true,
      OOMKilled: false,
      Error: '',
      StartedAt: '2026-01-01T10:00:00.123Z',
      ...more.State,
    },
    Config: {
      Image: `shop/${name}:1.4.2`,
      User: '',
      Tty: false,
      Env: [`DB_PASSWORD=${SECRET}`, 'MODE=x', 'QUEUE=amqp://app:planted7@mq/app'],
      Labels: { owner: SECRET },
      ...more.Config,
    },
    HostConfig: { RestartPolicy: { Name: 'always', MaximumRetryCount: 0 }, Memory: 0, ...more.HostConfig },
  };
}

/** One frame of a log without a terminal. */
function frame(stream: 1 | 2, content: string | Buffer): Buffer {
  const bytes = Buffer.from(content);
  const header = Buffer.alloc(8);
  header.writeUInt8(stream);
  header.writeUInt32BE(bytes.length, 4);
  return Buffer.concat([header, bytes]);
}

beforeEach(() => {
  engine = createFakeDocker();
  permits = () => true;
  const both = (ip: string) => ({ IP: ip, PublicPort: 8080, PrivatePort: 80, Type: 'tcp' });
  engine.answers.set('/containers/json', [
    listed('a1', 'api', 'Up 2 hours (healthy)', { Ports: [both('0.0.0.0'), both('::')] }),
    listed('a2', 'worker', 'Exited (137) 5 minutes ago'),
    listed('b3', 'db', 'Up 3 days', { Ports: [{ PrivatePort: 5432, Type: 'tcp' }] }),
    listed('b4', 'migrate', 'Exited (0) 3 days ago'),
    listed('b5', 'proxy', 'Up 3 days (unhealthy)', { Ports: [{ ...both('127.0.0.1'), Type: 'udp' }] }),
    listed('b6', 'cache', 'Up 3 days'),
  ]);
  for (const [digit, name] of [
    ['a1', 'api'],
    ['b3', 'db'],
    ['b5', 'proxy'],
    ['b6', 'cache'],
  ] as const)
    engine.answers.set(`/containers/${id(digit)}/json`, inspected(digit, name));
  engine.answers.set(`/containers/${id('a2')}/json`, {
    ...inspected('a2', 'worker', {
      State: { Status: 'exited', Running: false, OOMKilled: true, ExitCode: 137, FinishedAt: '2026-01-01T11:00:00Z' },
    }),
    RestartCount: 4,
  });
  engine.answers.set('/info', { SystemTime: '2026-01-01T12:00:00Z' });
});

function context(): RunContext<'docker'> {
  return {
    docker: engine.port,
    facts: { kubernetes: { contexts: {} }, docker: { host: 'local' }, github: {}, monitoring: {}, programs: {} },
    principal: { person: 'p', agent: 'a', client: 'c' },
    callId: 'call-1',
    signal: new AbortController().signal,
    permits: (target) => permits(target),
    redact: createRedactor([]).text,
    progress: () => {},
    stepDone: () => {},
  };
}

const plan = (input: object) => get.plan(get.input.parse(input), context());
const look = async (input: object) => {
  const planned = await plan(input);
  return get.output.parse(await get.run(JSON.parse(JSON.stringify(planned)) as typeof planned, context()));
};
const text = async (input: object) => get.render?.(await look(input)) ?? '';

describe('tokens', () => {
  test('the definition costs at most 80', () => {
    const { name, description } = get;
    const cost = encode(paidText({ name, description, inputSchema: advertisedSchema(get.input) }).join('\n')).length;
    expect(cost).toBeLessThanOrEqual(80);
  });

  test('an answer on five containers costs less than 200, as text and as JSON', async () => {
    const result = await look({ show: 'containers' });
    expect(result.table?.rows).toHaveLength(5);
    expect(encode(get.render?.(result) ?? '').length).toBeLessThan(200);
    expect(encode(JSON.stringify(result)).length).toBeLessThan(200);
  });
});

describe('containers', () => {
  test('D1 what failed comes first, with why; what ended well only with all', async () => {
    expect((await text({ show: 'containers' })).split('\n')).toEqual([
      'name  image  status  problems  ports',
      'worker  shop/worker:1.4.2  Exited (137) 5 minutes ago  OOM-killed, 4 restarts  -',
      'proxy  shop/proxy:1.4.2  Up 3 days (unhealthy)  -  127.0.0.1:8080->80/udp',
      'api  shop/api:1.4.2  Up 2 hours (healthy)  -  8080->80',
      'db  shop/db:1.4.2  Up 3 days  -  5432',
      'cache  shop/cache:1.4.2  Up 3 days  -  -',
      '1 stopped without an error: all shows them.',
    ]);
    const all = await look({ show: 'containers', all: true, limit: 2 });
    expect(all.table?.rows.map(([name]) => name)).toEqual(['worker', 'proxy']);
    expect(all.note).toBe('4 more: raise limit, or name one.');
    // One that went away since it was listed is no failure of the call.
    expect((await look({ show: 'containers', name: 'migrate' })).table?.rows).toHaveLength(1);
  });

  test('I1 what the policy does not show is counted, and not told in hints', async () => {
    permits = ({ id: name }) => name !== 'db';
    const { table, note } = await look({ show: 'containers' });
    expect(table?.rows.map(([name]) => name)).not.toContain('db');
    expect(note).toContain('1 not shown by policy.');
    await expect(plan({ show: 'logs', name: 'dbs' })).rejects.toMatchObject({
      code: 'not_found',
      hint: expect.not.stringMatching(/mean.*db/),
    });
  });

  test('I1 an id is decided on as the name that it stands for', async () => {
    expect((await plan({ show: 'inspect', name: id('b3').slice(0, 12) })).targets.map(({ id: name }) => name)).toEqual([
      id('b3').slice(0, 12),
      'db',
    ]);
    const [target] = get.targets(get.input.parse({ show: 'logs', name: 'db' }), { facts: context().facts });
    expect(target).toEqual({ kind: 'container', id: 'db', effect: 'read', at: { dockerHost: 'local' } });
  });

  test('D1 names: near ones for a wrong one, the candidates for the beginning of several ids', async () => {
    await expect(plan({ show: 'logs', name: 'wroker' })).rejects.toMatchObject({
      code: 'not_found',
      hint: 'Did you mean worker?',
    });
    await expect(plan({ show: 'logs', name: 'a' })).rejects.toMatchObject({
      code: 'conflict',
      hint: 'Name one: api, worker.',
    });
  });
});

test('D1 what a look does not take is refused, not ignored', async () => {
  for (const input of [
    { show: 'disk', name: 'api' },
    { show: 'inspect', name: 'api', limit: 5 },
    { show: 'images', all: true },
    { show: 'stats', since: '1h' },
    { show: 'containers', limit: 101 },
    { show: 'logs' },
  ])
    await expect(plan(input)).rejects.toMatchObject({ code: 'invalid_input' });
  for (const since of ['15', '0m', '-5m', '2026-01-01', '5m;'])
    expect(get.input.safeParse({ show: 'logs', name: 'api', since }).success).toBe(false);
});

describe('logs', () => {
  const logsOf = (bytes: Buffer) => engine.answers.set(`/containers/${id('a1')}/logs`, bytes);

  test('D1 both streams, lines in several frames, a character cut in two', () => {
    const cafe = Buffer.from('café\n');
    const bytes = Buffer.concat([
      frame(1, 'one '),
      frame(2, 'error\n'),
      frame(1, 'line\n'),
      frame(1, cafe.subarray(0, 4)),
      frame(1, cafe.subarray(4)),
      frame(2, 'end'),
    ]);
    expect(logLines(bytes, false)).toEqual(['error', 'one line', 'café', 'end']);
    expect(logLines(Buffer.from('a\r\nb\n'), true)).toEqual(['a\r', 'b']);
  });

  test('D1 wherever the frames of one stream are cut, the lines are the same', () => {
    const whole = Buffer.from('first é\n\n  second\nlast');
    assert(
      property(uniqueArray(integer({ min: 1, max: whole.length - 1 })), (cuts) => {
        const edges = [0, ...cuts.toSorted((a, b) => a - b), whole.length];
        const frames = edges.slice(1).map((end, index) => frame(1, whole.subarray(edges[index], end)));
        expect(logLines(Buffer.concat(frames), false)).toEqual(['first é', '', '  second', 'last']);
      }),
    );
  });

  test('C3 masked: by shape, by the container’s own secrets, and over control characters', async () => {
    logsOf(
      frame(
        1,
        `got ${SECRET}\npassword=hun\u001B[1mter22\u001B[0m\n-----BEGIN PRIVATE KEY-----\nMIIplanted\n-----END PRIVATE KEY-----\n`,
      ),
    );
    const { logs } = await look({ show: 'logs', name: 'api' });
    expect(logs?.split('\n')).toEqual([
      'got [redacted]',
      'password=[redacted]',
      '[redacted]',
      '[redacted]',
      '[redacted]',
    ]);
  });

  test('C3 masked before it is cut; the last lines stay, at most 5 KB', () => {
    // The bound on a line falls into the token, and what it leaves has no token's shape.
    const line = `${'x'.repeat(475)} ghp_planted${'a1'.repeat(15)}`;
    const { text: shown, leftOut } = logText(
      Array.from({ length: 50 }, (_, index) => `${index} ${line}`),
      createRedactor([]).text,
    );
    expect(shown).not.toContain('planted');
    expect(Buffer.byteLength(shown)).toBeLessThanOrEqual(5000);
    expect(shown.split('\n').at(-1)).toMatch(/^49 x/);
    expect(shown.split('\n')).toHaveLength(50 - leftOut);
  });

  test('D1 the window is on the Engine’s clock', async () => {
    logsOf(frame(1, 'x\n'));
    await look({ show: 'logs', name: 'api', since: '15m', limit: 7 });
    expect(engine.asked.at(-1)?.query).toEqual({
      stdout: '1',
      stderr: '1',
      tail: '7',
      since: String(Date.parse('2026-01-01T11:45:00Z') / 1000),
    });
  });
});

test('C3 inspect: chosen fields, names of labels and of the environment, no values', async () => {
  const Health = {
    Status: 'unhealthy',
    Log: [{ ExitCode: 1, Output: `refused ${SECRET.slice(0, 3)}\u001B[1m${SECRET.slice(3)} and planted7\n` }],
  };
  engine.answers.set(
    `/containers/${id('a1')}/json`,
    inspected('a1', 'api', { State: { Health }, HostConfig: { Memory: 512e6, NanoCpus: 5e8 } }),
  );
  const result = await look({ show: 'inspect', name: 'api' });
  expect(result.details).toMatchObject({
    command: 'server --port 80 --db-password [redacted] --url=[redacted]',
    startedAt: '2026-01-01T10:00:00Z',
    health: 'unhealthy',
    probes: ['exit 1: refused [redacted] and [redacted]'],
    limits: 'memory 512MB, cpus 0.5',
    mounts: ['bind /srv -> /data (read-only)'],
    networks: ['shop 10.0.0.2'],
    labels: ['owner'],
    environment: ['DB_PASSWORD', 'MODE', 'QUEUE'],
  });
  expect(JSON.stringify(result)).not.toContain(SECRET);
  expect(result.details).not.toHaveProperty('error');
});

test('D1 stats as docker has them: between two samples, without the cache that can be dropped', async () => {
  const cpu = (used: number, system: number) => ({
    cpu_usage: { total_usage: used },
    system_cpu_usage: system,
    online_cpus: 4,
  });
  for (const digit of ['a1', 'b3', 'b5'])
    engine.answers.set(`/containers/${id(digit)}/stats`, {
      cpu_stats: cpu(300, 2000),
      precpu_stats: cpu(100, 1000),
      memory_stats: { usage: 50e6, limit: 512e6, stats: { inactive_file: 20e6 } },
      pids_stats: { current: 7 },
      networks: { eth0: { rx_bytes: 1000, tx_bytes: 5 }, eth1: { rx_bytes: 500, tx_bytes: 5 } },
      blkio_stats: {
        io_service_bytes_recursive: [
          { op: 'Read', value: 4000 },
          { op: 'write', value: 3e6 },
          { op: 'Total', value: 9e9 },
        ],
      },
    });
  const { table } = await look({ show: 'stats' });
  expect(table?.rows[0]).toEqual(['api', '80.0%', '30MB', '512MB', '7', '1.5kB/10B', '4.0kB/3.0MB']);
  expect(table?.rows.at(-1)).toEqual(['cache', 'gone', '', '', '', '', '']);
  await expect(look({ show: 'stats', name: 'worker' })).rejects.toMatchObject({ code: 'conflict' });
});

test('D1 events: newest first, the same ones as one, without the health checks’ own', async () => {
  const event = (Action: string, time: number, more: object = {}) =>
    JSON.stringify({
      Type: 'container',
      Action,
      Actor: { ID: id('a2'), Attributes: { name: 'worker', ...more } },
      time,
    });
  const lines = [
    event('start', 1),
    event('exec_create: sh', 2),
    event('die', 3, { exitCode: '137' }),
    event('die', 4, { exitCode: '137' }),
  ];
  engine.answers.set('/events', Buffer.from(`${lines.join('\n')}\n`));
  const { table, note } = await look({ show: 'events', name: 'worker', since: '2h' });
  expect(table?.rows.map(([, name, what]) => [name, what])).toEqual([
    ['worker', 'die (exit 137) x2'],
    ['worker', 'start'],
  ]);
  expect(note).toBe('1 of programs run inside (exec) not shown.');
  const until = Date.parse('2026-01-01T12:00:00Z') / 1000;
  expect(engine.asked.at(-1)?.query).toEqual({
    since: `${until - 7200}.000`,
    until: `${until}.000`,
    filters: JSON.stringify({ container: [id('a2')] }),
  });
});

test('D1 images by tag, with latest filled in, and by id; who uses them', async () => {
  const image = (digit: string, tags: string[] | null) => ({
    Id: `sha256:${id(digit)}`,
    RepoTags: tags,
    Size: 123_400_000,
    Created: Date.now() / 1000 - 300,
  });
  engine.answers.set('/images/json', [image('a1', ['shop/api:latest', 'shop/api:2']), image('c9', null)]);
  const rows = [['shop/api:latest, shop/api:2', '123MB', '5m', 'api']];
  expect((await look({ show: 'images', name: 'shop/api' })).table?.rows).toEqual(rows);
  expect((await look({ show: 'images', name: 'shop/api:2' })).table?.rows).toEqual(rows);
  expect((await look({ show: 'images', name: 'c9c9' })).table?.rows[0]?.[0]).toBe(id('c9').slice(0, 12));
  expect((await plan({ show: 'images', name: 'shop/api:2' })).targets.map(({ id: name }) => name)).toContain(
    'shop/api:latest',
  );
});

test('D1 disk: totals and what can be freed, in the shape of the last API that has it', async () => {
  engine.answers.set('/version', { ApiVersion: '1.53' });
  engine.answers.set('/v1.51/system/df', {
    LayersSize: 300e6,
    Images: [
      { Containers: 1, Size: 200e6, SharedSize: 50e6 },
      { Containers: 0, Size: 150e6, SharedSize: 50e6 },
    ],
    Containers: [
      { State: 'running', SizeRw: 5e6 },
      { State: 'exited', SizeRw: 2e6 },
    ],
    Volumes: [{ UsageData: { Size: 10e6, RefCount: 0 } }, { UsageData: { Size: 20e6, RefCount: 1 } }],
    BuildCache: [
      { InUse: false, Shared: false, Size: 7e6 },
      { InUse: true, Shared: true, Size: 9e6 },
    ],
  });
  expect((await look({ show: 'disk' })).table?.rows).toEqual([
    ['images', '2', '1', '300MB', '150MB'],
    ['containers', '2', '1', '7.0MB', '2.0MB'],
    ['volumes', '2', '1', '30MB', '10MB'],
    ['build cache', '2', '1', '7.0MB', '7.0MB'],
  ]);
});
