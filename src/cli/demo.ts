import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { pino } from 'pino';

import { verifyAudit } from '../audit/verify.ts';
import { storeSource } from '../audit/read.ts';
import { loadConfig, type Flags } from '../config/config.ts';
import { environmentOf } from '../config/live.ts';
import { LIVE_SAMPLE, SAMPLE_WORKSPACE } from '../config/locations.ts';
import { openApprovers, type Approvers } from '../approvals/approvers.ts';
import { HoldpointError } from '../core/errors.ts';
import type { Envelope } from '../core/envelope.ts';
import { TOOL_SCOPES } from '../core/scopes.ts';
import { createApp, type App } from '../server/app.ts';
import { act } from './command.ts';

interface DemoFlags extends Flags {
  live?: boolean;
}

export function register(program: Command): void {
  program
    .command('demo')
    .description('tell the story: allowed, denied, held, approved, run once, and the audit log verified')
    .option('--live', 'also on a real Docker Engine and Kubernetes (scripts/live/up)')
    .option('--state <dir>', 'keep its state there, to look at afterwards (a folder that goes with it)')
    .action((flags: DemoFlags) => act({}, () => demo(flags)));
}

/** Everything that the story needs, in a folder that goes with it. */
interface Stage {
  app: App;
  approvers: Approvers;
  call: (title: string, tool: string, args: Record<string, unknown>) => Promise<Envelope>;
}

async function demo({ live = false, state }: DemoFlags): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'holdpoint-demo-'));
  const workspace = join(root, 'workspace');
  cpSync(SAMPLE_WORKSPACE, workspace, { recursive: true });
  if (live) prepareLive();
  const config = loadConfig({ workspace, state: state ?? join(root, 'state') }, environmentOf(live));
  const app = await createApp({ config, log: pino({ level: 'silent' }) });
  try {
    const approvers = openApprovers(config.keys);
    if (!approvers.list().some(({ name }) => name === 'you'))
      approvers.add({ name: 'you', person: config.user, at: Date.now() });
    const stage: Stage = { app, approvers, call: caller(app) };
    await story(stage, workspace);
    if (live) await liveStory(stage);
    await closing(stage, live);
  } finally {
    await app.stop();
    rmSync(root, { recursive: true, force: true });
  }
}

/** The sample's image and deployments, made by the clone's own script; what it says is worth seeing only when it fails. */
function prepareLive(): void {
  const { status, stderr, error } = spawnSync(LIVE_SAMPLE, { encoding: 'utf8' });
  if (status === 0) return;
  throw new HoldpointError('unavailable', 'The live servers could not be prepared.', {
    hint: `In a clone, as root: scripts/live/up, then again. ${error?.message ?? stderr.slice(-500)}`,
  });
}

async function story(stage: Stage, workspace: string): Promise<void> {
  const { call } = stage;
  const file = 'kubernetes/old-deployment.yaml';
  expect(
    await call('A change to an infrastructure file: allowed', 'save-file', {
      path: 'docker/healthcheck.sh',
      content: '#!/bin/sh\nwget -qO- http://localhost:8000/health\n',
    }),
    'done',
  );
  expect(await call('Reading .env: denied', 'view', { path: '.env' }), 'denied');
  const held = expect(
    await call('Deleting a manifest: held, nothing happens yet', 'remove-files', { paths: [file] }),
    'approval_required',
  );
  check('the file is still there', existsSync(join(workspace, file)));
  await approve(stage, held);
  await runOnce(stage, held);
  check('the file is gone (holdpoint files restore brings it back)', !existsSync(join(workspace, file)));
}

async function liveStory(stage: Stage): Promise<void> {
  const { call } = stage;
  const rollout = { action: 'restart', kind: 'deployment', name: 'tta-api' };
  say('\n── On the real Docker Engine and the real cluster');
  expect(
    await call('Building an image: allowed', 'docker-build', {
      context: '.',
      dockerfile: 'docker/Dockerfile',
      tags: ['tta-api:demo'],
      buildArgs: { BASE_IMAGE: 'local/base:1' },
    }),
    'done',
  );
  expect(
    await call('Restarting a workload in staging: runs at once', 'kubectl-rollout', {
      ...rollout,
      namespace: 'tta-staging',
    }),
    'done',
  );
  const held = expect(
    await call('The same in production: held', 'kubectl-rollout', { ...rollout, namespace: 'tta-prod' }),
    'approval_required',
  );
  await approve(stage, held);
  await runOnce(stage, held);
  expect(await call('How it went', 'kubectl-rollout', { ...rollout, action: 'status', namespace: 'tta-prod' }), 'done');
}

async function approve({ app, approvers }: Stage, { approval }: Envelope): Promise<void> {
  const { approvals } = app.services;
  const { id, digest, checklist = [] } = await approvals.examine(await approvals.find(approval?.id ?? ''));
  const open = checklist.filter(({ phase, state }) => phase === 'pre' && state !== 'ok');
  // What Holdpoint could not see in this demo, the person vouches for by name.
  const byHand = open.filter(({ kind }) => kind === 'evidence').map((item) => item.id.replace(/^.*\//, ''));
  const ticks = open.length === 0 ? '' : ` --tick ${['all', ...byHand].join(' ')}`;
  const ticked = open.map((item) => item.id);
  const said = {
    id,
    digest,
    decision: 'approve',
    approver: 'you',
    at: Date.now(),
    reason: 'the demo says so',
  } as const;
  await approvals.decide(approvers.sign({ ...said, ticked }));
  say(
    `\n● A person, outside of the agent's reach\n  $ holdpoint approvals approve ${id} --as you${ticks}\n  signed ${digest.slice(0, 23)}…`,
  );
}

async function runOnce({ call }: Stage, { approval }: Envelope): Promise<void> {
  const run = { action: 'run', id: approval?.id };
  expect(await call('The agent runs what was approved', 'approval', run), 'done');
  expect(await call('And once more: refused, it runs once', 'approval', run), 'error');
}

async function closing({ app }: Stage, live: boolean): Promise<void> {
  const { services, store } = app;
  await services.audit.flush();
  const verified = await verifyAudit(await storeSource(store));
  check(`the audit log verifies: ${verified.records} records`, verified.ok);
  const asking = { callId: 'demo-backends', signal: AbortSignal.timeout(3000) };
  const { docker, kubernetes } = services.ports;
  const context = services.facts.kubernetes.current;
  const cluster = context ? await reached(kubernetes.cluster(context, asking)) : 'not reached (no kubeconfig)';
  say(
    `\nBackends: workspace files: real. Docker Engine: ${await reached(docker.imageId('holdpoint/none', asking))}. Kubernetes: ${cluster}.`,
  );
  if (!live) say('The same on real servers: scripts/live/up, then pnpm demo --live.');
}

function reached(answer: Promise<unknown>): Promise<string> {
  return answer.then(
    () => 'reached',
    (error: Error) => `not reached (${error.message})`,
  );
}

function caller(app: App): Stage['call'] {
  let calls = 0;
  return async (title, tool, args) => {
    const { envelope, text } = await app.dispatch.call({
      id: `demo-${++calls}`,
      tool,
      arguments: args,
      principal: { person: 'you', agent: app.services.persona.name, client: 'demo' },
      scopes: TOOL_SCOPES,
      transport: 'demo',
      signal: new AbortController().signal,
      progress: () => {},
    });
    const shown = text
      .split('\n')
      .slice(0, 6)
      .map((line) => `  ${line.slice(0, 160)}`);
    say(`\n● ${title}\n  → ${tool} ${JSON.stringify(args).slice(0, 120)}\n  ← ${envelope.status}\n${shown.join('\n')}`);
    return envelope;
  };
}

function expect(envelope: Envelope, status: Envelope['status']): Envelope {
  if (envelope.status === status) return envelope;
  throw new HoldpointError(
    'internal',
    `The demo expected ${status} and got ${envelope.status}: ${envelope.error?.reason ?? ''}`,
  );
}

function check(what: string, holds: boolean): void {
  if (!holds) throw new HoldpointError('internal', `The demo found that this does not hold: ${what}.`);
  say(`  ✓ ${what}`);
}

function say(text: string): void {
  console.log(text);
}
