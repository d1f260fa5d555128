import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { createDocker } from '../../../src/adapters/docker/client.ts';
import { withinPushLimit } from '../../../src/adapters/docker/deadline.ts';
import type { RegistryAccount } from '../../../src/adapters/docker/push.ts';
import { registryReference } from '../../../src/adapters/docker/references.ts';
import type { Ports, Progress } from '../../../src/core/tool.ts';
import { loadRegistry } from '../../../src/server/registry.ts';
import push from '../../../src/tools/docker/docker-push.ts';
import { newBench, type Bench } from '../server/services.ts';

const POLICY = `
version: 1
name: pushes
environments: { production: {}, development: { hosts: [localhost], dockerHosts: [local] } }
rules:
  - id: images
    decision: allow
    when: { kind: image }
    reason: Images are pushed.
    examples: [{ tool: x, targets: [{ kind: image, id: a, effect: write, at: { host: localhost } }], expect: allow }]
  - id: production
    decision: require_approval
    when: { environment: production, effect: [write, destroy] }
    reason: A person confirms production.
    examples: [{ tool: x, targets: [{ kind: image, id: a, effect: write, at: { host: a.example } }], expect: require_approval }]
`;
const LOCAL = 'localhost:5000/team/api:1.2.0';
const REMOTE = 'registry.example.org/api:1.2.0';
const DIGEST = `sha256:${'d'.repeat(64)}`;
const OTHER = `sha256:${'2'.repeat(64)}`;
const PASSWORD = 'planted-push-4c1';
const ACCOUNTS = [{ host: 'localhost:5000', username: 'ann', password: PASSWORD }];
const layer = (id: string, ...statuses: string[]) => statuses.map((status) => ({ id, status }));
const PUSHED = [
  { status: 'The push refers to repository [localhost:5000/team/api]' },
  ...layer('a1', 'Preparing'),
  ...layer('b2', 'Preparing', 'Pushing'),
  ...layer('a1', 'Layer already exists'),
  ...layer('b2', 'Pushed'),
  { status: `1.2.0: digest: ${DIGEST} size: 528` },
  { progressDetail: {}, aux: { Tag: '1.2.0', Digest: DIGEST, Size: 528 } },
];

/** What is behind the fake socket: the Engine's two calls that a push takes. */
let images: Map<string, string>;
let events: object[];
/** With which status the push is answered, where not 200. */
let status: number;
let asked: { path: string; headers: IncomingHttpHeaders }[];
let duringPush: () => void;
/** Keeps the push's answer open. */
let hold: ((answer: ServerResponse) => void) | undefined;
let folder: string;
let closers: (() => Promise<unknown> | void)[];

beforeEach(async () => {
  images = new Map([LOCAL, REMOTE].map((image) => [image, `sha256:${'1'.repeat(64)}`]));
  [events, status, asked, duringPush, hold, closers] = [PUSHED, 200, [], () => {}, undefined, []];
  folder = mkdtempSync(join(tmpdir(), 'holdpoint-push-'));
  const server = createServer(({ method, url = '', headers }, answer) => {
    const name = /^\/images\/(.+)\/json/.exec(url)?.[1];
    if (method === 'POST') {
      asked.push({ path: url, headers });
      duringPush();
      if (hold !== undefined) {
        answer.writeHead(200).flushHeaders();
        return hold(answer);
      }
      answer.writeHead(status, { 'content-type': 'application/json' });
      answer.end(events.map((event) => `${JSON.stringify(event)}\r\n`).join(''));
      return;
    }
    const id = images.get(name ?? '');
    answer.writeHead(id === undefined ? 404 : 200, { 'content-type': 'application/json' });
    answer.end(JSON.stringify(id === undefined ? { message: 'no such image' } : inspected(id)));
  });
  await new Promise<void>((listening) => void server.listen(join(folder, 'engine.sock'), listening));
  closers.push(() => new Promise((closed) => void server.close(closed)));
});
afterEach(async () => {
  for (const close of closers.toReversed()) await close();
  rmSync(folder, { recursive: true, force: true });
});

const inspected = (Id: string) => ({ Id, Size: 12_345_678, RootFS: { Type: 'layers', Layers: ['x', 'y'] } });

async function bench(registries: RegistryAccount[] = [], engine = 'local'): Promise<Bench> {
  const docker = createDocker({ host: `unix://${join(folder, 'engine.sock')}`, registries });
  const made = await newBench({
    registry: await loadRegistry(),
    ports: { docker } as Ports,
    facts: { kubernetes: { contexts: {} }, docker: { host: engine }, github: {}, monitoring: {}, programs: {} },
  });
  made.setPolicy(POLICY);
  made.approvers.add({ name: 'alice', person: 'bob', at: Date.now() });
  closers.push(() => made.close());
  return made;
}

async function approve({ services, approvers }: Bench, id: string) {
  const { digest } = await services.approvals.find(id);
  const signed = { id, digest, decision: 'approve', approver: 'alice', at: Date.now(), reason: 'fine' } as const;
  await services.approvals.decide(approvers.sign(signed));
}

const authOf = (at: number) =>
  JSON.parse(Buffer.from(String(asked[at]?.headers['x-registry-auth']), 'base64url').toString('utf8')) as object;

describe('D1 where it goes decides', () => {
  test('D1 a registry of development is pushed to at once, with progress and what the Engine says', async () => {
    const asking = await bench();
    const seen: Progress[] = [];
    const { envelope } = await asking.call(
      'docker-push',
      { image: LOCAL },
      { progress: (update) => void seen.push(update) },
    );
    expect(envelope).toMatchObject({
      status: 'done',
      result: { image: LOCAL, digest: DIGEST, size: { megabytes: 12.3 }, layers: { pushed: 1, existed: 1 } },
    });
    expect(asked.map(({ path }) => path)).toEqual(['/images/localhost:5000/team/api/push?tag=1.2.0']);
    expect(seen.filter(({ total }) => total !== undefined).map(({ done, total }) => [done, total])).toEqual([
      [1, 2],
      [2, 2],
    ]);
  });

  test('D1 any other is production: held with what a person needs, pushed once when approved', async () => {
    const held = await bench();
    const { envelope } = await held.call('docker-push', { image: REMOTE });
    expect(envelope).toMatchObject({ status: 'approval_required' });
    expect(asked).toEqual([]);
    const id = envelope.approval?.id ?? '';
    const shown = JSON.stringify((await held.services.approvals.find(id)).plan);
    for (const said of [
      'registry.example.org',
      `sha256:${'1'.repeat(64)}`,
      '12MB',
      'replaces what it stands for',
      'a person deletes',
    ])
      expect(shown).toContain(said);
    await approve(held, id);
    expect((await held.call('approval', { action: 'run', id })).envelope).toMatchObject({ status: 'done' });
    expect(asked.map(({ path }) => path)).toEqual(['/images/registry.example.org/api/push?tag=1.2.0']);
  });

  test('D1 loopback is the Engine’s own: on another machine it counts as that machine', async () => {
    const asking = await bench([], 'build.example');
    expect((await asking.call('docker-push', { image: LOCAL })).envelope.status).toBe('approval_required');
    expect(asked).toEqual([]);
  });

  test('D1 a name without a registry or tag, with a digest, or with a host spelt otherwise is refused', () => {
    const refused = {
      'api:1': /docker\.io\/library\/api:1/,
      'team/api:1': /docker\.io\/team\/api:1/,
      'localhost:5000/api': /localhost:5000\/api:1\.2\.0/,
      'registry.example.org/api@sha256:aa': /lower-case name/,
      'Registry.example.org/api:1': /lower-case/,
      '127.1:5000/api:1': /127\.0\.0\.1/,
      '2130706433:5000/api:1': /127\.0\.0\.1/,
      'localhost:99999/api:1': /lower-case/,
      'index.docker.io/api:1': /docker\.io/,
      '../api:1': /lower-case name/,
    };
    for (const [image, hint] of Object.entries(refused))
      expect(() => registryReference(image), image).toThrow(
        expect.objectContaining({ code: 'invalid_input', hint: expect.stringMatching(hint) as string }),
      );
    expect(registryReference('docker.io/team/api:1')).toMatchObject({ registry: 'docker.io', host: 'docker.io' });
    expect(registryReference(LOCAL)).toMatchObject({ repository: 'localhost:5000/team/api', host: 'localhost' });
  });
});

describe('D1 what is pushed is what was decided on', () => {
  test('D1 an image that is not there: how it gets there; nothing is sent', async () => {
    const asking = await bench();
    const { envelope } = await asking.call('docker-push', { image: 'localhost:5000/other:1' });
    expect(envelope.error).toMatchObject({
      code: 'not_found',
      hint: expect.stringContaining('docker-build') as string,
    });
    expect(asked).toEqual([]);
  });

  test('D1 a tag that moved after the approval: stale, nothing is sent', async () => {
    const held = await bench();
    const id = (await held.call('docker-push', { image: REMOTE })).envelope.approval?.id ?? '';
    await approve(held, id);
    images.set(REMOTE, OTHER);
    const { envelope } = await held.call('approval', { action: 'run', id });
    expect(envelope).toMatchObject({
      status: 'stale',
      error: { changes: [{ is: expect.stringContaining(OTHER) as string }] },
    });
    expect(asked).toEqual([]);
  });

  test('D1 a tag that moved after the last plan is found before anything is sent', async () => {
    const { services } = await bench();
    const context = { ...services, ...services.ports, callId: 'call-1', signal: new AbortController().signal };
    const planned = await push.plan({ image: LOCAL }, context as never);
    images.set(LOCAL, OTHER);
    await expect(push.run(planned, context as never)).rejects.toMatchObject({ code: 'stale' });
    expect(asked).toEqual([]);
  });

  test('D1 a tag that moves while it is pushed is no success', async () => {
    const asking = await bench();
    duringPush = () => void images.set(LOCAL, OTHER);
    const { envelope } = await asking.call('docker-push', { image: LOCAL });
    expect(envelope.error).toMatchObject({ code: 'conflict', hint: expect.stringContaining(DIGEST) as string });
  });
});

describe('D1 accounts', () => {
  test('D1 go to exactly their host and port, and into nothing that is kept or shown', async () => {
    const own = await bench(ACCOUNTS);
    images.set('localhost:5001/api:1', 'sha256:x').set('localhost/api:1', 'sha256:y');
    const said = [];
    for (const image of [LOCAL, 'localhost:5001/api:1', 'localhost/api:1'])
      said.push(await own.call('docker-push', { image }), await own.call('docker-push', { image, dryRun: true }));
    expect(said.map(({ envelope }) => envelope.status)).toEqual([
      'done',
      'planned',
      'done',
      'planned',
      'done',
      'planned',
    ]);
    expect([0, 1, 2].map(authOf)).toEqual([
      { username: 'ann', password: PASSWORD, serveraddress: 'localhost:5000' },
      {},
      {},
    ]);
    const kept = JSON.stringify([said, await own.audit()]);
    expect(kept).toContain(LOCAL);
    expect(kept).not.toContain(PASSWORD);
    expect(kept).not.toContain(Buffer.from(PASSWORD).toString('base64').slice(0, 12));
  });

  test.each([
    ['in the stream', 200, [{ errorDetail: { message: 'unauthorized: authentication required' }, error: 'x' }]],
    ['at once', 500, [{ message: 'denied: requested access to the resource is denied' }]],
  ])('D1 a registry that refuses says so, %s: what the operator sets', async (_, code, answer) => {
    [status, events] = [code, answer];
    for (const [accounts, hint] of [
      [[], /docker: \{ registries: \[\{ host: 'localhost:5000'/],
      [ACCOUNTS, /checks the account/],
    ] as const) {
      const asking = await bench([...accounts]);
      const { envelope } = await asking.call('docker-push', { image: LOCAL });
      expect(envelope.error).toMatchObject({ code: 'denied', hint: expect.stringMatching(hint) as string });
    }
  });
});

test('D1 a push that fails, or ends without a digest, is an error of the Engine’s, quoted and plain', async () => {
  const asking = await bench();
  for (const [answer, said] of [
    [[...PUSHED.slice(0, 4), { error: 'dial tcp: \u001B[31mrefused' }], /dial tcp: .*refused/],
    [PUSHED.slice(0, 4), /without a digest/],
  ] as const) {
    events = [...answer];
    const { envelope } = await asking.call('docker-push', { image: LOCAL });
    expect(envelope.error).toMatchObject({ code: 'upstream', reason: expect.stringMatching(said) as string });
    expect(envelope.error?.reason).not.toContain('\u001B');
  }
});

test('D1 a push that takes longer than it may is stopped on the Engine; nobody knows how it ended', async () => {
  const closed = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  hold = (answer) => {
    answer.once('close', () => closed.resolve());
    begun.resolve();
  };
  const docker = createDocker({ host: `unix://${join(folder, 'engine.sock')}` });
  const request = { repository: 'localhost:5000/team/api', tag: '1.2.0', registry: 'localhost:5000' };
  const late = withinPushLimit(0.2, new AbortController().signal, async (signal) => {
    const pushing = docker.push(request, () => {}, { callId: 'call-1', signal });
    await Promise.race([begun.promise, pushing]);
    return pushing;
  });
  await expect(late).rejects.toMatchObject({ code: 'timeout', unknown: true });
  await closed.promise;
});
