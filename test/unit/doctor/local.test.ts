import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { openApprovers } from '../../../src/approvals/approvers.ts';
import { canonicalJson } from '../../../src/audit/canonical.ts';
import { createAuditLog } from '../../../src/audit/log.ts';
import { CLIENTS } from '../../../src/clients/clients.ts';
import { placesOf } from '../../../src/clients/client.ts';
import { planLock } from '../../../src/clients/plan.ts';
import { writeSettings } from '../../../src/clients/settings-file.ts';
import { runChecks } from '../../../src/doctor/check.ts';
import { examine } from '../../../src/doctor/doctor.ts';
import { openStore } from '../../../src/store/sqlite.ts';
import { about, newPatient, type Patient } from './kit.ts';

let patient: Patient;
beforeEach(() => {
  patient = newPatient();
});
afterEach(() => patient.remove());

/** Every file below a folder with its mode and content. */
function everything(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((name) => {
      const file = join(folder, name);
      const { mode } = statSync(file);
      const content = statSync(file).isFile()
        ? createHash('sha256').update(readFileSync(file)).digest('hex')
        : 'folder';
      return `${name} ${mode.toString(8)} ${content}`;
    });
}

async function makeRecords(): Promise<string> {
  const { state } = patient.config();
  const store = await openStore(state);
  const audit = createAuditLog({ store, redact: (value) => value });
  for (let number = 0; number < 3; number += 1) audit.append({ kind: 'received', data: { number } });
  await audit.flush();
  await audit.close();
  await store.close();
  return join(state, 'holdpoint.db');
}

describe('with nothing there', () => {
  test('nothing is a fault, everything is named, and nothing is made (A5)', async () => {
    const before = everything(patient.home);
    const env = { DOCKER_HOST: '', PATH: '' };
    const findings = await examine(patient.config({}, env));
    expect(findings.filter(({ level }) => level === 'fail')).toEqual([]);
    for (const what of [
      'store',
      'kubernetes',
      'github',
      'grafana',
      'prometheus',
      'alertmanager',
      'tasks',
      'git',
      'programs',
      'clients',
    ])
      expect(about(findings, what).level, what).toBe('off');
    for (const what of ['github', 'prometheus', 'kubernetes', 'clients', 'approvers'])
      expect(about(findings, what).fix, what).toMatch(/\w/);
    expect(about(findings, 'persona').detail).toMatch(/devops: \d+ tools, \d+ of 1800 tokens/);
    expect(everything(patient.home)).toEqual(before);
  });
});

describe('folders', () => {
  test('open folders, and keys where the agent works (A5)', async () => {
    const { state } = patient.config();
    mkdirSync(state);
    chmodSync(state, 0o755);
    const keys = join(patient.workspace, 'keys');
    const findings = await examine(patient.config({ keys }));
    expect(about(findings, 'state')).toMatchObject({ level: 'warn', fix: `chmod 700 ${state}` });
    expect(findings).toContainEqual(
      expect.objectContaining({
        what: 'workspace',
        level: 'fail',
        detail: expect.stringContaining('inside the workspace'),
      }),
    );
    expect(statSync(state).mode & 0o777).toBe(0o755);
  });

  test('no workspace (A5)', async () => {
    const findings = await examine(patient.config({ workspace: join(patient.home, 'none') }));
    expect(about(findings, 'workspace')).toMatchObject({ level: 'fail', fix: expect.stringContaining('--workspace') });
  });
});

describe('records', () => {
  test('a sound log verifies, and looking leaves no trace (A5, I8)', async () => {
    await makeRecords();
    const before = everything(patient.home);
    const findings = await examine(patient.config());
    expect(about(findings, 'audit')).toMatchObject({
      level: 'ok',
      detail: expect.stringMatching(/^\d+ records of 1 writers verify$/),
    });
    expect(everything(patient.home)).toEqual(before);
  });

  test('while a server has it open, too (A5)', async () => {
    await makeRecords();
    const store = await openStore(patient.config().state);
    expect(about(await examine(patient.config()), 'audit').level).toBe('ok');
    await store.close();
  });

  test('a changed record is a fault (A5, I8)', async () => {
    const database = new DatabaseSync(await makeRecords());
    database.exec('UPDATE audit_records SET record = replace(record, \'"number":1\', \'"number":7\')');
    database.close();
    expect(about(await examine(patient.config()), 'audit')).toMatchObject({
      level: 'fail',
      fix: expect.stringContaining('holdpoint audit verify'),
    });
  });

  test('a store that is none is a fault of its own (A5)', async () => {
    const { state } = patient.config();
    mkdirSync(state, { mode: 0o700 });
    writeFileSync(join(state, 'holdpoint.db'), 'not a database, but long enough to be looked at as one');
    expect(about(await examine(patient.config()), 'store')).toMatchObject({
      level: 'fail',
      detail: expect.stringContaining('not a database'),
    });
  });
});

describe('approvers', () => {
  test('with and without a passphrase, and damaged (A5)', async () => {
    const { keys } = patient.config();
    openApprovers(keys).add({ name: 'ann', person: 'ann', passphrase: 'long enough', at: 0 });
    expect(about(await examine(patient.config()), 'approvers')).toEqual({
      level: 'ok',
      what: 'approvers',
      detail: 'ann',
    });
    openApprovers(keys).add({ name: 'bob', person: 'bob', at: 0 });
    expect(about(await examine(patient.config()), 'approvers')).toMatchObject({
      level: 'warn',
      detail: 'ann, bob; no passphrase for bob',
    });
    writeFileSync(join(keys, 'approvers/bob.json'), '{');
    expect(about(await examine(patient.config()), 'approvers')).toMatchObject({
      level: 'fail',
      detail: 'damaged: bob',
    });
  });
});

describe('what rules ask for', () => {
  test('I2 a rule that no registered approver can meet is named (A5)', async () => {
    const policy = join(patient.home, 'mine.yaml');
    writeFileSync(
      policy,
      `version: 1
name: mine
rules:
  - id: files
    decision: allow
    when: { kind: file, path: 'docker/**' }
    reason: Yours.
    examples: [{ tool: save-file, input: { path: docker/Dockerfile, content: x }, expect: allow }]
  - id: two-of-sre
    decision: require_approval
    when: { kind: file, effect: destroy, path: 'docker/**' }
    approval: { approvals: 2, approvers: { groups: sre } }
    reason: Two of them.
    examples: [{ tool: remove-files, input: { paths: [docker/Dockerfile] }, expect: require_approval }]
`,
    );
    const { keys } = patient.config();
    const approvers = openApprovers(keys);
    const says = async () =>
      (await examine(patient.config({ policy }))).filter(({ detail }) =>
        detail.startsWith('nobody can approve what "'),
      );
    expect(await says()).toEqual([]);
    approvers.add({ name: 'ann', person: 'ann', groups: ['sre'], passphrase: 'long enough', at: 0 });
    expect(await says()).toMatchObject([
      { level: 'warn', detail: 'nobody can approve what "two-of-sre" holds: it needs 2 of group sre; registered: ann' },
    ]);
    approvers.add({ name: 'bob', person: 'bob', groups: ['sre'], passphrase: 'long enough', at: 0 });
    expect(await says()).toEqual([]);
  });
});

describe('checkpoints outside', () => {
  test('I8 what can be written, what is there, and a log that they contradict (A5)', async () => {
    await makeRecords();
    const { state } = patient.config();
    const outside = join(patient.home, 'outside.jsonl');
    const settings = join(patient.home, 'settings.yaml');
    writeFileSync(
      settings,
      `audit: { checkpoints: [{ file: ${outside} }, { webhook: "https://hooks.example/t0ken" }] }\n`,
    );
    const look = async () => examine(patient.config({ config: settings }));
    const findings = await look();
    expect(about(findings, 'checkpoints')).toMatchObject({ level: 'warn', detail: expect.stringContaining('yet') });
    expect(JSON.stringify(findings)).toContain('webhook hooks.example (not called here)');
    expect(JSON.stringify(findings)).not.toContain('t0ken');
    const store = await openStore(state);
    const [head] = await store.query<{ writer: string; seq: number; hash: string }>(
      'SELECT writer, seq, hash FROM audit_heads',
    );
    await store.close();
    const lineOf = (hash: string) =>
      `${canonicalJson({ v: 1, at: '2026-01-01T00:00:00.000Z', checkpoint: { ...head, hash } })}\n`;
    writeFileSync(outside, lineOf(head!.hash));
    expect(about(await look(), 'checkpoints')).toMatchObject({ level: 'ok', detail: `file ${outside}: 1` });
    expect(about(await look(), 'audit')).toMatchObject({ level: 'ok' });
    writeFileSync(outside, lineOf(`sha256:${'1'.repeat(64)}`));
    expect(about(await look(), 'audit')).toMatchObject({
      level: 'fail',
      detail: 'the log does not verify: 1 faults in 3 records',
    });
    writeFileSync(settings, `audit: { checkpoints: [{ file: ${join(patient.home, 'no/folder/log')} }] }\n`);
    expect(about(await look(), 'checkpoints')).toMatchObject({ level: 'fail' });
    expect(about(await examine(patient.config()), 'checkpoints')).toMatchObject({ level: 'off' });
  });
});

describe('rules', () => {
  test('a broken policy is a fault with its place; the rest is looked at all the same (A5)', async () => {
    const policy = join(patient.home, 'mine.yaml');
    writeFileSync(policy, 'version: 1\nname: mine\nenvironments: {}\nrules:\n  - id: x\n    decision: perhaps\n');
    const findings = await examine(patient.config({ policy }));
    expect(about(findings, 'policy')).toMatchObject({ level: 'fail', detail: expect.stringContaining('mine.yaml') });
    expect(about(findings, 'policy').fix).toContain(`holdpoint policy test ${policy}`);
    expect(about(findings, 'git').level).toBe('ok');
  });

  test('no such persona (A5)', async () => {
    const findings = await examine(patient.config({ persona: 'nobody' }));
    expect(about(findings, 'persona')).toMatchObject({ level: 'fail', detail: expect.stringContaining('nobody') });
  });

  test('a broken kubeconfig does not hide the rest (A5)', async () => {
    const kubeconfig = join(patient.home, 'kubeconfig');
    writeFileSync(kubeconfig, '[1');
    const findings = await examine(patient.config({}, { KUBECONFIG: kubeconfig }));
    expect(about(findings, 'kubernetes')).toMatchObject({ level: 'fail', detail: expect.stringContaining('YAML') });
    expect(about(findings, 'policy').level).toBe('ok');
  });
});

describe('clients', () => {
  test('a connected client’s lock-down is off, then on (A2)', async () => {
    const client = CLIENTS.find(({ name }) => name === 'claude-code')!;
    writeFileSync(join(patient.workspace, '.mcp.json'), '{ "mcpServers": { "holdpoint": { "command": "x" } } }');
    expect(about(await examine(patient.config()), 'client claude-code')).toMatchObject({
      level: 'warn',
      detail: expect.stringContaining('lock-down off'),
      fix: 'holdpoint init --client claude-code --lock-down',
    });
    const places = placesOf({ HOME: patient.home }, patient.workspace, { home: '' });
    for (const each of client.lockDown.kind === 'none' ? [] : client.lockDown.files('project', places)) {
      const { settings, text } = planLock(each);
      writeSettings(settings, text);
    }
    expect(about(await examine(patient.config()), 'client claude-code')).toMatchObject({
      level: 'ok',
      detail: expect.stringContaining('lock-down on'),
    });
  });

  test('a client’s broken file is named (A2)', async () => {
    mkdirSync(join(patient.home, '.cursor'));
    writeFileSync(join(patient.home, '.cursor/mcp.json'), '{');
    expect(about(await examine(patient.config()), 'client cursor').level).toBe('warn');
  });
});

test('a check that hangs or breaks is a finding, the others stand (A5)', async () => {
  const context = {} as Parameters<typeof runChecks>[1];
  const findings = await runChecks(
    [
      { what: 'slow', run: () => new Promise(() => {}) },
      { what: 'broken', run: () => Promise.reject(new Error('bang')) },
      { what: 'sound', run: () => [{ level: 'ok', what: 'sound', detail: 'yes' }] },
    ],
    context,
    20,
  );
  expect(findings).toEqual([
    expect.objectContaining({ what: 'slow', level: 'fail', detail: expect.stringContaining('no answer') }),
    { what: 'broken', level: 'fail', detail: 'bang' },
    { what: 'sound', level: 'ok', detail: 'yes' },
  ]);
});
