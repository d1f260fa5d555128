import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { createFakeKubernetes, type FakeKubernetes } from '../../../src/adapters/kubernetes/fake.ts';
import type { KubernetesPort } from '../../../src/adapters/kubernetes/port.ts';
import { openApprovers, type Approvers } from '../../../src/approvals/approvers.ts';
import { loadConfig } from '../../../src/config/config.ts';
import { TOOL_SCOPES } from '../../../src/core/scopes.ts';
import { createAlarm } from '../../../src/server/alarm.ts';
import { createApp, type App } from '../../../src/server/app.ts';

const RESTART = { action: 'restart', kind: 'deployment', name: 'api', namespace: 'shop-prod' };

const CHECKLIST = `version: 1
name: go
pre:
  - { id: looked, says: Somebody looked. }
  - { id: ready, says: The pods are ready., evidence: { pods: ready } }
`;

const policyText = (more = '', approval = 'checklist: go, breakGlass: 15m') => `version: 1
name: shop
${more}
environments: { production: { namespaces: [shop-prod] }, staging: { namespaces: [shop-staging] } }
rules:
  - id: operate
    decision: allow
    when: { kind: workload }
    reason: The runtime is operated.
    examples: [{ tool: kubectl-rollout, input: { action: restart, kind: deployment, name: api, namespace: shop-staging }, expect: allow }]
  - id: production
    decision: require_approval
    when: { environment: production, effect: [write, destroy] }
    approval: { approveWithin: 1h, runWithin: 30m, ${approval} }
    reason: Production changes need a person.
    examples: [{ tool: kubectl-rollout, input: { action: restart, kind: deployment, name: api, namespace: shop-prod }, expect: require_approval }]
`;

let root: string;
let cluster: FakeKubernetes;
let approvers: Approvers;
let app: App;
let logged: Record<string, unknown>[];
let hook: Server;
let posted: unknown[];
let calls = 0;
/** Whether the pods look as if they were not ready. */
let down: boolean;

async function start(): Promise<void> {
  const config = loadConfig(
    {
      workspace: join(root, 'workspace'),
      state: join(root, 'state'),
      policy: join(root, 'policy.yaml'),
      config: join(root, 'holdpoint.yaml'),
    },
    { HOME: root },
  );
  const log = pino(
    { level: 'error' },
    { write: (line) => void logged.push(JSON.parse(line) as Record<string, unknown>) },
  );
  approvers = openApprovers(config.keys);
  const rollout: KubernetesPort['rollout'] = async (ref, caller) => ({
    ...(await cluster.port.rollout(ref, caller)),
    ...(down && { state: 'failing', message: '0 of 2 pods are ready' }),
  });
  app = await createApp({
    config,
    log,
    ports: { kubernetes: { ...cluster.port, rollout } },
    kubernetes: cluster.facts,
  });
}

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'holdpoint-gates-'));
  for (const folder of ['workspace', 'checklists']) mkdirSync(join(root, folder));
  writeFileSync(join(root, 'policy.yaml'), policyText());
  writeFileSync(join(root, 'checklists/go.yaml'), CHECKLIST);
  posted = [];
  down = false;
  logged = [];
  hook = createServer((request, response) => {
    void text(request).then((body) => {
      posted.push(JSON.parse(body));
      response.writeHead(204).end();
    });
  });
  await new Promise<void>((done) => void hook.listen(0, '127.0.0.1', done));
  const { port } = hook.address() as AddressInfo;
  writeFileSync(join(root, 'holdpoint.yaml'), `alerts: { webhook: 'http://127.0.0.1:${port}/token-in-the-path' }\n`);
  cluster = createFakeKubernetes(['prod']);
  cluster.deploy({ name: 'api', namespace: 'shop-prod', image: 'api:1' });
  await start();
  approvers.add({ name: 'bob', person: 'bob', at: 0 });
});
afterEach(async () => {
  await app.stop();
  hook.close();
  rmSync(root, { recursive: true, force: true });
});

const call = async (tool: string, args: object) =>
  (
    await app.dispatch.call({
      id: `call-${++calls}`,
      tool,
      arguments: args,
      principal: { person: 'ann', agent: 'devops', client: 'editor' },
      scopes: TOOL_SCOPES,
      transport: 'stdio',
      signal: new AbortController().signal,
      progress: () => {},
    })
  ).envelope;

const run = (id: string) => call('approval', { action: 'run', id });

async function held(): Promise<string> {
  const envelope = await call('kubectl-rollout', RESTART);
  if (!envelope.approval) throw new Error(JSON.stringify(envelope));
  return envelope.approval.id;
}

async function approve(id: string, ticked: string[], glass = false, approver = 'bob') {
  const { approvals } = app.services;
  const { digest } = await approvals.find(id);
  const said = {
    id,
    digest,
    decision: 'approve' as const,
    approver,
    at: await approvals.now(),
    reason: 'because',
    ticked,
  };
  return approvals.decide(approvers.sign({ ...said, ...(glass && { breakGlass: true as const }) }));
}

describe('I3 through dispatch: checklists', () => {
  test('held, refused while an item is open, approved with it ticked, and run', async () => {
    const id = await held();
    await expect(approve(id, [])).rejects.toMatchObject({ message: '1 of its items are open: go/looked.' });
    const approved = await approve(id, ['go/looked']);
    expect(approved.state).toBe('approved');
    const examined = await app.services.approvals.examine(approved);
    expect(examined.checklist?.[1]).toMatchObject({ state: 'ok', evidence: 'ready: deployment/api in shop-prod' });
    expect(await run(id)).toMatchObject({ status: 'done' });
  });

  test('pods that are no longer ready when it is to run hold it back, and it stays approved', async () => {
    const id = await held();
    await approve(id, ['go/looked']);
    down = true;
    expect(await run(id)).toMatchObject({
      status: 'error',
      error: { code: 'conflict', reason: expect.stringContaining('go/ready (failed') },
    });
    expect((await app.services.approvals.find(id)).state).toBe('approved');
    down = false;
    expect(await run(id)).toMatchObject({ status: 'done' });
  });

  test('a checklist changed after the approval is a changed policy: stale, and nothing runs', async () => {
    const id = await held();
    await approve(id, ['go/looked']);
    writeFileSync(join(root, 'checklists/go.yaml'), CHECKLIST.replace('Somebody looked.', 'Two people looked.'));
    expect(await run(id)).toMatchObject({ status: 'stale' });
    expect((await app.services.approvals.find(id)).note?.changes?.[0]?.what).toBe('the policy shop');
    const patches = cluster.requests.filter(
      ({ method, query }) => method === 'PATCH' && query?.['dryRun'] === undefined,
    );
    expect(patches).toEqual([]);
  });

  test('a checklist that is broken while the server runs refuses every call until it is mended', async () => {
    writeFileSync(join(root, 'checklists/go.yaml'), 'name: go');
    expect(await call('kubectl-rollout', RESTART)).toMatchObject({
      status: 'error',
      error: { code: 'unavailable', hint: expect.stringContaining('checklists/go.yaml:1') },
    });
    writeFileSync(join(root, 'checklists/go.yaml'), CHECKLIST);
    expect(await call('kubectl-rollout', RESTART)).toMatchObject({ status: 'approval_required' });
  });

  test('the agent cannot write a checklist that lies in its workspace', async () => {
    await app.stop();
    for (const name of ['policy.yaml', 'checklists/go.yaml']) {
      mkdirSync(join(root, 'workspace/checklists'), { recursive: true });
      writeFileSync(
        join(root, 'workspace', name),
        name === 'policy.yaml' ? policyText().replace('kind: workload }', 'kind: [workload, file] }') : CHECKLIST,
      );
    }
    const config = loadConfig(
      { workspace: join(root, 'workspace'), state: join(root, 'state2'), policy: join(root, 'workspace/policy.yaml') },
      { HOME: root },
    );
    app = await createApp({
      config,
      log: pino({ level: 'silent' }),
      ports: { kubernetes: cluster.port },
      kubernetes: cluster.facts,
    });
    const saved = await call('save-file', {
      path: 'checklists/go.yaml',
      content: CHECKLIST.replace('looked', 'slept'),
    });
    expect(saved).toMatchObject({ status: 'denied' });
  });
});

describe('I3 through dispatch: windows and freezes', () => {
  /** Tomorrow at this time of day, and for two hours: closed now whenever this runs. */
  const tomorrow = () => {
    const hour = (new Date().getUTCHours() + 6) % 24;
    const two = (value: number) => `${String(value % 24).padStart(2, '0')}:00`;
    return `windows: { later: { timeZone: UTC, from: '${two(hour)}', to: '${two(hour + 2)}' } }`;
  };

  test('outside its window a call is held and approved as ever; the agent is told when it may run, and run refuses till then', async () => {
    writeFileSync(join(root, 'policy.yaml'), policyText(tomorrow(), 'window: later'));
    const envelope = await call('kubectl-rollout', RESTART);
    const id = envelope.approval?.id ?? '';
    expect(envelope.next).toContain('It runs only in its change window (later: opens at');
    const approved = await approve(id, []);
    expect(approved.runBy).toBe((approved.window?.opensAt ?? 0) + 30 * 60_000);
    const waited = await call('approval', { action: 'status', id });
    expect(waited.next).toMatch(
      /^Approved\. It runs only in its change window \(later: opens at .*\)\. Call approval .* then; the approval stays good until/,
    );
    expect(waited.approval?.expiresAt).toBe(new Date(approved.runBy ?? 0).toISOString());
    expect(await run(id)).toMatchObject({ status: 'error', error: { code: 'conflict' } });
    expect((await app.services.approvals.find(id)).state).toBe('approved');
  });

  test('a freeze denies at once, for reads nothing; broken glass is no way around it', async () => {
    const id = await held();
    approvers.add({ name: 'eve', person: 'eve', at: 0, breakGlass: true });
    await approve(id, [], true, 'eve');
    const day = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
    writeFileSync(
      join(root, 'policy.yaml'),
      policyText(
        `freezes: [{ id: move, when: { environment: production, effect: [write, destroy] }, from: ${day(-1)}, to: ${day(1)}, timeZone: UTC, reason: The data centre moves. }]`,
      ),
    );
    expect(await call('kubectl-rollout', RESTART)).toMatchObject({
      status: 'denied',
      error: { rule: 'move', reason: expect.stringMatching(/^Frozen until .* UTC: The data centre moves\.$/) },
    });
    expect(await call('kubectl-rollout', { ...RESTART, action: 'status' })).toMatchObject({ status: 'done' });
    expect(await run(id)).toMatchObject({ status: 'stale' });
  });
});

describe('I3 through dispatch: break-glass', () => {
  test('runs past the checklist; the log says so at the level error, the webhook is told, the review is open', async () => {
    approvers.add({ name: 'eve', person: 'eve', at: 0, breakGlass: true });
    const id = await held();
    await approve(id, [], true, 'eve');
    expect(await run(id)).toMatchObject({ status: 'done' });
    expect(logged.map(({ level, msg, request }) => ({ level, msg, request }))).toEqual([
      { level: 50, msg: 'the glass was broken', request: id },
      { level: 50, msg: 'what broken glass let through runs now', request: id },
    ]);
    await expect
      .poll(() => posted)
      .toEqual([
        expect.objectContaining({
          type: 'holdpoint.break-glass',
          event: 'approved',
          request: id,
          approver: 'eve',
          reason: 'because',
        }),
      ]);
    expect(await app.services.approvals.glassCounts()).toEqual({ broken: 1, open: 1 });
  });
});

describe('I3 the webhook', () => {
  const EVENT = {
    event: 'approved',
    request: 'apr_1',
    summary: 'restart with hunter2',
    environment: 'production',
    principal: 'ann/devops/editor',
    approver: 'eve',
    person: 'eve',
    reason: 'down',
    at: '2026-01-01T00:00:00.000Z',
  } as const;
  const mask = (value: string) => value.replaceAll('hunter2', '***');

  test('secrets are masked; an answer that is no success, a redirect or nobody there is told to the log, without the address', async () => {
    const told: unknown[] = [];
    const sent: [unknown, RequestInit | undefined][] = [];
    const answers = [
      async () => new Response(null, { status: 500 }),
      () => Promise.reject(new TypeError('fetch failed: https://hooks.example/TOKEN')),
    ];
    const alarm = createAlarm(
      'https://hooks.example/TOKEN',
      mask,
      (level, fields, message) => told.push({ level, fields, message }),
      (url, init) => {
        sent.push([url, init]);
        return answers.shift()?.() ?? Promise.resolve(new Response());
      },
    );
    for (let times = 0; times < 3; times++) alarm.sound(EVENT);
    await alarm.told();
    expect(sent).toHaveLength(3);
    expect(sent[0]?.[1]).toMatchObject({ method: 'POST', redirect: 'error', signal: expect.any(AbortSignal) });
    expect(JSON.stringify(sent)).toContain('restart with ***');
    expect(JSON.stringify(told)).not.toMatch(/hunter2|TOKEN/);
    const failed = (reason: string) => ({
      level: 'error',
      message: 'the webhook of alerts was not reached',
      fields: { approval: 'apr_1', reason },
    });
    expect(told.slice(3)).toHaveLength(2);
    expect(told).toEqual(expect.arrayContaining([failed('it answered 500'), failed('it cannot be reached')]));
  });

  test.each(['http://hooks.example/x', 'ftp://hooks.example/x', 'hooks.example', 'http://127.0.0.1.evil.example/'])(
    '%s is no address for it',
    (webhook) => {
      writeFileSync(join(root, 'bad.yaml'), `alerts: { webhook: '${webhook}' }\n`);
      expect(() => loadConfig({ config: join(root, 'bad.yaml') }, { HOME: root })).toThrow(
        'write an address with https://',
      );
    },
  );

  test('its address is masked like a secret', () => {
    const config = loadConfig({ config: join(root, 'holdpoint.yaml') }, { HOME: root });
    expect(config.secrets).toEqual([config.alerts.webhook]);
  });
});
