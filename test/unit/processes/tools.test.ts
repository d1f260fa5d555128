import { linkSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';

import { createProcesses } from '../../../src/adapters/processes/client.ts';
import { createFakeProcesses } from '../../../src/adapters/processes/fake.ts';
import type { JsonObject } from '../../../src/core/json.ts';
import type { Ports } from '../../../src/core/tool.ts';
import launchProcess from '../../../src/tools/processes/launch-process.ts';
import readProcess from '../../../src/tools/processes/read-process.ts';
import { newWorkspace, type TestWorkspace } from '../files/workspace.ts';
import { newBench, PRINCIPAL, type Bench } from '../server/services.ts';
import { FACTS, git, newFolder, put } from './kit.ts';
import { WORKS } from './sandbox-kit.ts';

const POLICY = `
version: 1
name: processes
environments:
  production: { namespaces: [prod] }
  development: { namespaces: [default, dev], hosts: [localhost], dockerHosts: [local] }
rules:
  - id: operate
    decision: allow
    when: { kind: process, environment: [development, production] }
    reason: Programs run.
    examples: [{ tool: launch-process, targets: [{ kind: process, id: x, effect: read, at: { namespace: dev } }], expect: allow }]
  - id: files
    decision: allow
    when: { kind: [file, folder], path: ['**'] }
    reason: Files are read.
    examples: [{ tool: launch-process, targets: [{ kind: file, id: a.txt, effect: read, path: a.txt }], expect: allow }]
  - id: production
    decision: require_approval
    when: { environment: production, effect: [write, destroy] }
    reason: A person confirms production.
    examples: [{ tool: launch-process, targets: [{ kind: process, id: x, effect: write, at: { namespace: prod } }], expect: require_approval }]
  - id: secrets
    decision: deny
    when: { kind: file, path: ['**/.env', '**/secrets/**'] }
    reason: Secrets are not read.
    examples: [{ tool: launch-process, targets: [{ kind: file, id: .env, effect: read, path: .env }], expect: deny }]
`;

const SECRET = 'hunter2-planted';

let bench: Bench;
let workspace: TestWorkspace;
/** What stands in for kubectl: writes its arguments. */
let kubectl: string;

beforeEach(async () => {
  workspace = newWorkspace({
    'a.txt': 'one\n',
    '.env': `${SECRET}\n`,
    'secrets/x': `${SECRET}\n`,
    'kubernetes/chart/Chart.yaml': 'name: x\n',
  });
  const bin = newFolder();
  kubectl = put(bin, 'kubectl', '#!/bin/sh\necho "$@"\ncase "$*" in *slow*) exec sleep 300;; esac\n', 0o755);
  put(bin, 'helm', '#!/bin/sh\necho "$@"\n', 0o755);
  const processes = createProcesses({
    workspace: workspace.dir,
    environment: { PATH: `${bin}:${process.env['PATH']}` },
    limits: { graceMs: 300 },
  });
  onTestFinished(() => processes.close());
  await open({ processes, files: workspace.files });
});
afterEach(() => bench.close());

async function open(ports: Pick<Ports, 'processes' | 'files'>): Promise<void> {
  const registry = new Map([launchProcess, readProcess].map((tool) => [tool.name, tool as never]));
  bench = await newBench({ ports: ports as Ports, facts: FACTS, registry });
  bench.setPolicy(POLICY);
}

const launch = async (line: string, more: object = {}) => {
  const [program = '', ...args] = line.split(' ');
  return (await bench.call('launch-process', { program, args, waitSeconds: 20, ...more })).envelope;
};
const resultOf = (envelope: { result?: JsonObject }) =>
  envelope.result as { id: string; state: string; output: string; exitCode?: number };

/** What a plan is made with, beside a call. */
const planning = () => ({
  ...bench.services.ports,
  facts: FACTS,
  principal: PRINCIPAL,
  callId: 'c',
  signal: new AbortController().signal,
  permits: () => true,
  redact: (text: string) => text,
});

function repository(): void {
  git(workspace.dir, 'init', '-q', '-b', 'main');
  git(workspace.dir, 'add', '-f', '.');
  git(workspace.dir, 'commit', '-qm', 'all');
}

describe('launch-process (C4)', () => {
  test('runs a known program and gives output and exit code', async () => {
    const envelope = await launch('kubectl get pods -n dev');
    expect(envelope).toMatchObject({
      status: 'done',
      result: { state: 'exited', exitCode: 0, output: 'get --namespace=dev --context=kind-dev pods\n' },
    });
  });

  test('what the table does not know is denied, with what to do instead', async () => {
    expect(await launch('kubectl delete pod x')).toMatchObject({
      status: 'denied',
      error: { rule: 'programs', hint: expect.stringContaining('person') as string },
    });
    expect(await launch('holdpoint approvals approve apr_1 --as ann')).toMatchObject({
      status: 'denied',
      error: { rule: 'programs' },
    });
    expect(await launch(`${kubectl} get pods`)).toMatchObject({ status: 'denied' });
  });

  test('a change of production is refused: an approval could not be bound to what it changes (I2)', async () => {
    expect(await launch('kubectl scale deploy/x --replicas=2 -n prod')).toMatchObject({
      status: 'denied',
      error: { rule: 'programs', hint: expect.stringContaining('kubectl-rollout') as string },
    });
  });

  test('what the policy holds runs once when approved, and is stale when the program is another (I1, I2, I9)', async () => {
    bench.setPolicy(`${POLICY}
  - id: looking
    decision: require_approval
    when: { environment: production }
    reason: A person confirms looking, too.
    examples: [{ tool: launch-process, targets: [{ kind: process, id: x, effect: read, at: { namespace: prod } }], expect: require_approval }]
`);
    bench.approvers.add({ name: 'alice', person: 'ann', at: Date.now() });
    const approve = async (id: string) => {
      const { digest } = await bench.services.approvals.find(id);
      await bench.services.approvals.decide(
        bench.approvers.sign({ id, digest, decision: 'approve', approver: 'alice', at: Date.now(), reason: 'yes' }),
      );
    };
    const held = await launch('kubectl get deploy x -n prod');
    expect(held).toMatchObject({
      status: 'approval_required',
      approval: { summary: 'run kubectl get deploy x -n prod' },
    });
    const id = held.approval?.id ?? '';
    // How long an agent waits is no part of what a person decides: the same request, and after a denial the same no.
    const waiting = { program: 'kubectl', args: ['get', 'deploy', 'x', '-n', 'prod'], waitSeconds: 7 };
    expect((await bench.call('launch-process', waiting)).envelope.approval?.id).toBe(id);
    const { parts = [] } = (await bench.services.approvals.find(id)).plan.preview;
    expect(parts.flatMap((part) => (part.kind === 'diff' ? [part.text] : [])).join('')).toMatch(
      new RegExp(`program +${kubectl}\n.*"get"[^]*"--namespace=prod"[^]*environment +.*KUBECTL_KUBERC`),
    );
    await approve(id);
    const ran = (await bench.call('approval', { action: 'run', id })).envelope;
    expect(ran).toMatchObject({
      status: 'done',
      result: { output: 'get --namespace=prod --context=kind-dev deploy x\n' },
    });
    expect((await bench.call('approval', { action: 'run', id })).envelope.status).not.toBe('done');

    const other = (await launch('kubectl get deploy y -n prod')).approval?.id ?? '';
    await approve(other);
    writeFileSync(kubectl, '#!/bin/sh\necho other\n');
    expect((await bench.call('approval', { action: 'run', id: other })).envelope).toMatchObject({ status: 'stale' });
  });

  test('looking at production, and writing elsewhere, runs at once', async () => {
    expect((await launch('kubectl get pods -n prod')).status).toBe('done');
    expect((await launch('kubectl scale deploy/x --replicas=2 -n dev')).status).toBe('done');
  });

  test.each([
    'git add link',
    'git add hard',
    'git diff -- .env',
    'git show HEAD:secrets/x',
    'git add docker/../.env',
    'terraform fmt -check secrets/m.tf',
    'helm lint kubernetes/chart -f link',
    'helm lint kubernetes/chart',
    'git add out',
    'git add secrets',
    'git blame -- .env',
  ])('%s reaches no denied file (C3)', async (line) => {
    repository();
    symlinkSync('.env', workspace.at('link'));
    symlinkSync(join(workspace.outside, 'secret.txt'), workspace.at('out'));
    linkSync(workspace.at('.env'), workspace.at('hard'));
    writeFileSync(workspace.at('kubernetes/chart/.env'), SECRET);
    const envelope = await launch(line);
    expect(envelope.status).not.toBe('done');
    expect(JSON.stringify(envelope)).not.toContain(SECRET);
    expect(git(workspace.dir, 'diff', '--cached', '--name-only')).toBe('');
  });

  test('a folder that a program reads whole holds no links', async () => {
    expect((await launch('helm lint kubernetes/chart')).status).toBe('done');
    mkdirSync(workspace.at('kubernetes/other'));
    for (const [name, to] of [
      ['in', '../../a.txt'],
      ['folder', '../other'],
      ['out', join(workspace.outside, 'secret.txt')],
    ] as const) {
      symlinkSync(to, workspace.at(`kubernetes/chart/${name}`));
      expect((await launch('helm lint kubernetes/chart')).status, name).toBe('denied');
      rmSync(workspace.at(`kubernetes/chart/${name}`));
    }
  });

  test('a folder is no file: a repository inside is not looked into by git add', async () => {
    repository();
    const inner = workspace.at('docker/inner');
    mkdirSync(inner, { recursive: true });
    git(inner, 'init', '-q');
    expect(await launch('git add docker/inner')).toMatchObject({ status: 'error', error: { code: 'invalid_input' } });
  });

  test('a link to the program’s folder is no cwd', async () => {
    repository();
    symlinkSync('kubernetes', workspace.at('k'));
    expect((await launch('git status', { cwd: 'kubernetes' })).status).toBe('done');
    for (const cwd of ['k', 'a.txt', '..', '/tmp', dirname(workspace.outside)])
      expect((await launch('git status', { cwd })).status, cwd).not.toBe('done');
  });

  test('the preview of a held write binds the files it takes in (I9)', async () => {
    repository();
    writeFileSync(workspace.at('a.txt'), 'two\n');
    const input = { program: 'git', args: ['add', 'a.txt'] };
    const context = planning();
    const before = await launchProcess.plan(input, context);
    expect(await launchProcess.plan(input, context)).toEqual(before);
    writeFileSync(workspace.at('a.txt'), 'three\n');
    expect((await launchProcess.plan(input, context)).preconditions).not.toEqual(before.preconditions);
  });
});

describe.skipIf(!WORKS)('launch-process in a sandbox (C4)', () => {
  beforeEach(async () => {
    await bench.close();
    const processes = createProcesses({
      workspace: workspace.dir,
      environment: { PATH: `${dirname(kubectl)}:${process.env['PATH']}` },
      sandbox: { mode: 'required', hidden: [], fixed: [], readable: {} },
      limits: { graceMs: 300 },
    });
    onTestFinished(() => processes.close());
    await open({ processes, files: workspace.files });
    repository();
  });

  test('result, plan and audit log say that it was in one, and what it was kept to', async () => {
    writeFileSync(workspace.at('a.txt'), 'two\n');
    const envelope = await launch('git add a.txt');
    expect(envelope).toMatchObject({ status: 'done', result: { sandboxed: true, exitCode: 0 } });
    expect(git(workspace.dir, 'diff', '--cached', '--name-only')).toBe('a.txt\n');
    expect(JSON.stringify(await bench.audit())).toContain('run git add in a sandbox: no network, workspace writable');
  });

  test.each([
    ['git status', 'no network, workspace read-only'],
    ['git add a.txt', 'no network, workspace writable'],
    ['helm lint kubernetes/chart', 'no network, workspace read-only'],
    ['kubectl get pods -n dev', 'network, workspace read-only'],
    ['kubectl scale deploy/x --replicas=2 -n dev', 'network, workspace read-only'],
  ])('%s: %s', async (line, kept) => {
    const [program = '', ...args] = line.split(' ');
    const { preconditions, preview } = await launchProcess.plan({ program, args }, planning());
    expect(preconditions).toContainEqual({ id: 'sandbox', says: 'the sandbox', value: kept });
    expect(preview.text).toContain(`sandbox      ${kept}`);
  });
});

describe('read-process (C4)', () => {
  test('gives what is new of a process that still runs, and ends it', async () => {
    const { id, state, output } = resultOf(await launch('kubectl get pods slow', { waitSeconds: 1 }));
    expect([state, output]).toEqual(['running', expect.stringContaining('slow')]);
    const read = async (more: object = {}) => resultOf((await bench.call('read-process', { id, ...more })).envelope);
    expect(await read()).toEqual({ id, state: 'running', sandboxed: false, output: '' });
    expect((await read({ kill: true })).state).toBe('killed');
    expect((await read()).state).toBe('killed');
  });

  test('another principal’s process is not found', async () => {
    const { id } = resultOf(await launch('kubectl get pods slow', { waitSeconds: 0 }));
    for (const kill of [false, true]) {
      const { envelope } = await bench.call(
        'read-process',
        { id, kill },
        { principal: { ...PRINCIPAL, person: 'eve' } },
      );
      expect(envelope).toMatchObject({ status: 'error', error: { code: 'not_found' } });
    }
    expect(resultOf((await bench.call('read-process', { id })).envelope).state).toBe('running');
  });

  test('lines are progress while a call waits, and are redacted', async () => {
    await bench.close();
    const fake = createFakeProcesses(() => ({ output: 'token hunter2-known\nlast\n' }));
    await open({ processes: fake.port, files: workspace.files });
    const messages: string[] = [];
    const { envelope } = await bench.call(
      'launch-process',
      { program: 'kubectl', args: ['get', 'pods'] },
      { progress: ({ message }) => messages.push(message) },
    );
    expect(messages).toHaveLength(2);
    expect(JSON.stringify([messages, envelope])).not.toContain('hunter2-known');
    expect(fake.started).toMatchObject([{ program: 'kubectl', owner: 'ann/devops/tests' }]);
  });
});
