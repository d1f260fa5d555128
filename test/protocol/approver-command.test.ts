import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { holdpoint, newPlace, overStdio, type Agent, type Place } from '../harness.ts';

let place: Place;
let agent: Agent;
beforeEach(async () => {
  place = newPlace();
  agent = await overStdio('2.x', place);
});
afterEach(async () => {
  await agent.close();
  place.remove();
});

const inHome = (...names: string[]) => join(place.env['HOME']!, ...names);

function keygen(file: string): string {
  execFileSync('mkdir', ['-p', inHome('.ssh')]);
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'ann@laptop', '-f', file]);
  return `${file}.pub`;
}

async function heldCall(): Promise<string> {
  const { envelope } = await agent.call('remove-files', { paths: ['docker/Dockerfile'] });
  return envelope.approval!.id;
}

describe('I6 approving with an SSH key at the command line', () => {
  test('enrolled by its public half, signed by ssh-keygen, run', async () => {
    const file = inHome('.ssh', 'id_ed25519');
    expect(
      await holdpoint(place, 'approver', 'add', 'ann', '--person', 'ann', '--group', 'sre', '--ssh', keygen(file)),
    ).toMatchObject({ code: 0 });
    const [, fingerprint] = execFileSync('ssh-keygen', ['-l', '-f', file], { encoding: 'utf8' }).split(' ');
    const { stdout } = await holdpoint(place, 'approver', 'list');
    expect(stdout).toMatch(/^ann +ann +\d{4}-\d\d-\d\d {2}group sre$/m);
    expect(stdout).toContain(`ssh      ${fingerprint}  ssh-ed25519`);
    const id = await heldCall();
    const without = await holdpoint(place, 'approvals', 'approve', id, '--as', 'ann');
    expect(without).toMatchObject({ code: 1, stderr: expect.stringContaining('has no key here to sign with') });
    const approved = await holdpoint(place, 'approvals', 'approve', id, '--as', 'ann', '--ssh');
    expect(approved).toMatchObject({ code: 0, stdout: expect.stringContaining(`${id} is approved`) });
    expect((await agent.call('approval', { action: 'run', id })).envelope.status).toBe('done');

    // Proved elsewhere: what is there is the export and the public keys.
    const [log, keys] = [inHome('export.jsonl'), inHome('approvers.json')];
    writeFileSync(log, (await holdpoint(place, 'audit', 'export')).stdout);
    writeFileSync(keys, (await holdpoint(place, 'approver', 'export')).stdout);
    const elsewhere = { ...place, state: inHome('nothing'), env: { ...place.env, HOME: inHome('nobody') } };
    const verify = (...args: string[]) => holdpoint(elsewhere, 'audit', 'verify', '--offline', log, ...args);
    const proof = await verify('--approvers', keys);
    expect(proof).toMatchObject({ code: 0, stderr: '' });
    expect(proof.stdout).toContain(`${id}  ran 2`);
    expect(proof.stdout).toMatch(/ {2}approved \S+ by ann \(ann; ssh SHA256:/);
    expect(proof.stdout).toContain('cannot prove that it is all there is');
    expect(existsSync(elsewhere.state)).toBe(false);
    expect((await verify()).stdout).toContain('the word of the export itself');
    await holdpoint(place, 'approver', 'key', 'add', 'ann', '--ssh', keygen(inHome('second')));
    await holdpoint(place, 'approver', 'key', 'remove', 'ann', fingerprint!);
    writeFileSync(keys, (await holdpoint(place, 'approver', 'export')).stdout);
    expect(await verify('--approvers', keys)).toMatchObject({
      code: 1,
      stdout: expect.stringContaining(`unproved: ${id}: by ${keys} it needs 1 of any approver`),
    });
  });

  test('signed on another machine: the statement goes there, the signature comes back, and nothing else fits', async () => {
    const file = inHome('elsewhere');
    await holdpoint(place, 'approver', 'add', 'ann', '--ssh', keygen(file));
    const id = await heldCall();
    const { stdout } = await holdpoint(place, 'approvals', 'statement', id, '--as', 'ann', '--reason', 'agreed');
    const statement = inHome('statement');
    writeFileSync(statement, stdout);
    execFileSync('ssh-keygen', ['-Y', 'sign', '-n', 'holdpoint', '-f', file, statement], { stdio: 'pipe' });
    const approve = (...more: string[]) =>
      holdpoint(place, 'approvals', 'approve', id, '--as', 'ann', '--signature', `${statement}.sig`, ...more);
    writeFileSync(inHome('changed'), readFileSync(statement, 'utf8').replace('agreed', 'forged'));
    expect(await approve('--statement', inHome('changed'))).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('is over something else'),
    });
    writeFileSync(inHome('padded'), `${stdout}\n`);
    expect(await approve('--statement', inHome('padded'))).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('no statement as it was written'),
    });
    const deny = await holdpoint(
      place,
      'approvals',
      'deny',
      id,
      '--as',
      'ann',
      '--reason',
      'x',
      '--signature',
      `${statement}.sig`,
    );
    expect(deny).toMatchObject({ code: 2, stderr: expect.stringContaining('about another decision: approve') });
    expect(await approve()).toMatchObject({ code: 0, stdout: expect.stringContaining('is approved') });
  });

  test('a key that only the agent has', async () => {
    const file = inHome('agents');
    await holdpoint(place, 'approver', 'add', 'ann', '--ssh', keygen(file));
    const socket = inHome('agent.sock');
    const keeper = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' });
    try {
      await expect.poll(() => existsSync(socket)).toBe(true);
      place.env['SSH_AUTH_SOCK'] = socket;
      execFileSync('ssh-add', ['-q', file], { env: place.env, stdio: 'ignore' });
      rmSync(file);
      rmSync(`${file}.pub`);
      const id = await heldCall();
      const approved = await holdpoint(place, 'approvals', 'approve', id, '--as', 'ann', '--ssh');
      expect(approved).toMatchObject({ code: 0, stdout: expect.stringContaining('is approved') });
    } finally {
      keeper.kill();
    }
  });

  test('a key that is not enrolled, and one that ssh-keygen cannot use, decide nothing', async () => {
    const mine = keygen(inHome('mine'));
    await holdpoint(place, 'approver', 'add', 'ann', '--ssh', mine);
    const id = await heldCall();
    const other = keygen(inHome('other'));
    expect(await holdpoint(place, 'approvals', 'approve', id, '--as', 'ann', '--ssh', other)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('has no such SSH key'),
    });
    // Only the public half is there, and no agent.
    writeFileSync(inHome('public.pub'), readFileSync(mine));
    expect(
      await holdpoint(place, 'approvals', 'approve', id, '--as', 'ann', '--ssh', inHome('public.pub')),
    ).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('ssh-keygen did not sign'),
    });
    expect(await holdpoint(place, 'approver', 'add', 'eve', '--ssh', inHome('mine'))).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('This is a private key'),
    });
    expect(await holdpoint(place, 'approver', 'add', 'eve', '--ssh', mine)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('one of "ann" already'),
    });
    const { stdout } = await holdpoint(place, 'approvals', 'list', '--json');
    expect(JSON.parse(stdout)).toMatchObject([{ id, state: 'pending', decisions: [] }]);
  });

  test('keys are added and taken away, groups set and taken away, one person under two names is told', async () => {
    expect(
      (await holdpoint(place, 'approver', 'add', 'ann', '--group', 'sre', '--group', 'ops', '--role', 'lead')).code,
    ).toBe(0);
    const second = await holdpoint(place, 'approver', 'add', 'bob');
    expect(second.stderr).toMatch(/ann, bob are one person \(.+\) and count once/);
    expect(
      (await holdpoint(place, 'approver', 'set', 'bob', '--person', 'bob', '--also', 'b@issuer.example')).stderr,
    ).toBe('');
    expect((await holdpoint(place, 'approver', 'key', 'add', 'ann', '--break-glass')).code).toBe(0);
    expect(await holdpoint(place, 'approver', 'key', 'add', 'ann')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('own key here already'),
    });
    const list = async () => JSON.parse((await holdpoint(place, 'approver', 'list', '--json')).stdout);
    const [ann, bob] = await list();
    expect(ann).toMatchObject({
      groups: ['ops', 'sre'],
      roles: ['lead'],
      keys: [{ kind: 'own' }, { kind: 'own', breakGlass: true }],
    });
    expect(bob).toMatchObject({ person: 'bob', also: ['b@issuer.example'] });
    expect((await holdpoint(place, 'approver', 'set', 'ann', '--group', '')).code).toBe(0);
    expect(
      (await holdpoint(place, 'approver', 'key', 'remove', 'ann', ann.keys[0].fingerprint.slice(0, 20))).code,
    ).toBe(0);
    expect(await list()).toMatchObject([{ groups: [], roles: ['lead'], keys: [{ breakGlass: true }] }, {}]);
    expect(await holdpoint(place, 'approver', 'set', 'ann', '--group', 'a b')).toMatchObject({ code: 2 });
    const exported = await holdpoint(place, 'approver', 'export');
    expect(JSON.parse(exported.stdout).approvers).toHaveLength(2);
    expect(exported.stdout).not.toMatch(/PRIVATE|salt/);
  });
});
