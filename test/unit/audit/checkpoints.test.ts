import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import {
  createCheckpointing,
  parseCheckpoints,
  type CheckpointPlace,
  type Checkpointing,
} from '../../../src/audit/checkpoints.ts';
import { sealRecord, type AuditRecord, type Head } from '../../../src/audit/chain.ts';
import type { AuditLog } from '../../../src/audit/log.ts';
import { placeOf, readCheckpoints, type PlaceSetting } from '../../../src/audit/places/places.ts';
import { storeSource } from '../../../src/audit/read.ts';
import { verifyAudit } from '../../../src/audit/verify.ts';
import type { Store } from '../../../src/store/store.ts';
import { auditKit, type AuditKit } from './kit.ts';

const PATH = process.env['PATH'] ?? '';
const HOUR = 3_600_000;

let kit: AuditKit;
beforeEach(async () => {
  kit = await auditKit();
});
afterEach(() => kit.end());

const inRoot = (name: string) => join(kit.root, name);

/** A log whose checkpoints go to the places, until `stop`. */
function logTo(places: CheckpointPlace[], every = HOUR, store: Store = kit.store) {
  const reports: string[] = [];
  const audit: AuditLog = kit.log({ checkpointEvery: 3, onCheckpoint: (head) => outside.written(head) });
  const outside: Checkpointing = createCheckpointing({
    store,
    checkpoint: () => audit.checkpoint(),
    places,
    every,
    limit: 500,
    report: (place, error) => reports.push(`${place}: ${(error as Error).message}`),
  });
  return {
    audit,
    outside,
    reports,
    async stop() {
      await audit.checkpoint();
      await outside.stop();
      await audit.close();
    },
  };
}

function place(setting: PlaceSetting) {
  return placeOf(setting, PATH);
}

async function checkAgainst(...known: Head[][]) {
  return (await verifyAudit(await storeSource(kit.store), known.flat())).problems;
}

function bareRepository(name = 'proof.git'): string {
  execFileSync('git', ['init', '--quiet', '--bare', inRoot(name)]);
  return inRoot(name);
}

describe('I8 checkpoints outside', () => {
  test('every so many records and at the stop, in a file and a git ref, where verify holds the log against them', async () => {
    const settings = [{ file: inRoot('outside.jsonl') }, { git: bareRepository(), ref: 'refs/holdpoint/checkpoints' }];
    const log = logTo(settings.map(place));
    for (let at = 0; at < 7; at += 1) {
      log.audit.append({ kind: 'received', data: { at } });
      await log.audit.flush();
    }
    await log.stop();
    expect(log.reports).toEqual([]);
    const inFile = await readCheckpoints(inRoot('outside.jsonl'), PATH);
    const inGit = await readCheckpoints(`git:${inRoot('proof.git')}`, PATH);
    expect(inGit).toEqual(inFile);
    expect(inFile.length).toBeGreaterThanOrEqual(2);
    expect(await checkAgainst(inFile, inGit)).toEqual([]);
    expect(await readCheckpoints(`git:${inRoot('proof.git')}@refs/holdpoint/checkpoints`, PATH)).toEqual(inGit);
  });

  test('a tail cut off with its head, and a log rewritten as a whole, are found by what is outside alone', async () => {
    const log = logTo([place({ file: inRoot('outside.jsonl') })]);
    log.audit.append({ kind: 'received', data: { n: 1 } });
    log.audit.append({ kind: 'received', data: { n: 2 } });
    await log.stop();
    const known = await readCheckpoints(inRoot('outside.jsonl'), PATH);
    const { writer } = log.audit;

    await kit.store.query('DELETE FROM audit_records WHERE seq > 1');
    const [first] = await kit.store.query<{ hash: string }>('SELECT hash FROM audit_records');
    await kit.store.query('UPDATE audit_heads SET seq = 1, hash = ?', [first!.hash]);
    expect(await checkAgainst()).toEqual([]);
    expect(await checkAgainst(known)).toMatchObject([
      { problem: 'cut', writer, seq: 2, says: expect.stringContaining('record 3') },
    ]);

    // Anew from the start: the same numbers, everything hashed, another content.
    let prevHash = `sha256:${'0'.repeat(64)}`;
    await kit.store.query('DELETE FROM audit_records');
    for (const seq of [1, 2, 3]) {
      const kind: AuditRecord['kind'] = seq === 3 ? 'checkpoint' : 'received';
      const data = seq === 3 ? { heads: [{ writer, seq: 2, hash: prevHash }], previous: null } : { n: 7 };
      const record: AuditRecord = { writer, seq, time: '2026-01-01T00:00:00.000Z', kind, callId: null, data, prevHash };
      const { text, hash } = sealRecord(record);
      prevHash = hash;
      await kit.store.query('INSERT INTO audit_records VALUES (?, ?, ?, ?, NULL, NULL, ?, ?)', [
        writer,
        seq,
        record.time,
        kind,
        text,
        hash,
      ]);
    }
    await kit.store.query('UPDATE audit_heads SET seq = 3, hash = ?', [prevHash]);
    expect(await checkAgainst()).toEqual([]);
    expect(await checkAgainst(known)).toMatchObject([
      { problem: 'changed', writer, seq: 3, says: expect.stringContaining('another hash') },
    ]);
  });

  test('what other processes wrote is covered in time, and an idle log is left alone', async () => {
    const lines: string[] = [];
    let looks = 0;
    const counted: Store = {
      ...kit.store,
      query(...query) {
        looks += 1;
        return kit.store.query(...query);
      },
    };
    const log = logTo([{ name: 'memory', write: async (line) => void lines.push(line) }], 20, counted);
    const command = kit.log();
    command.append({ kind: 'approver.added', data: {} });
    await command.close();
    await expect.poll(() => lines.length).toBe(1);
    const before = looks;
    await expect.poll(() => looks).toBeGreaterThan(before + 5);
    expect(lines).toHaveLength(1);
    const known = parseCheckpoints(lines.join('\n'), 'memory');
    const { heads } = await storeSource(kit.store);
    expect(known[0]).toEqual(heads.find(({ writer }) => writer === log.audit.writer));
    await log.outside.stop();
    await log.audit.close();
    await kit.store.query('DELETE FROM audit_records WHERE writer = ?', [command.writer]);
    await kit.store.query('DELETE FROM audit_heads WHERE writer = ?', [command.writer]);
    expect(await checkAgainst(known)).toMatchObject([{ problem: 'cut', writer: command.writer }]);
  });

  test('places that fail are reported once, keep nobody waiting, and get the latest when they are back', async () => {
    const folder = inRoot('later');
    const never: CheckpointPlace = {
      name: 'hangs',
      write: (_line, signal) =>
        new Promise((_, fail) => signal.addEventListener('abort', () => fail(signal.reason as Error))),
    };
    const log = logTo(
      [place({ file: join(folder, 'outside.jsonl') }), never, place({ git: inRoot('none.git'), ref: 'refs/x/y' })],
      50,
    );
    for (let at = 0; at < 9; at += 1) {
      log.audit.append({ kind: 'received', data: {} });
      await log.audit.flush();
    }
    await expect.poll(() => log.outside.failing().length, { timeout: 10_000 }).toBe(3);
    expect(log.reports).toHaveLength(3);
    mkdirSync(folder);
    await expect
      .poll(() => log.outside.failing(), { timeout: 10_000 })
      .not.toContain(`file ${join(folder, 'outside.jsonl')}`);
    await log.stop();
    expect(log.reports).toHaveLength(3);
    const known = await readCheckpoints(join(folder, 'outside.jsonl'), PATH);
    const { heads } = await storeSource(kit.store);
    expect(known.at(-1)).toEqual(heads[0]);
  });
});

describe('I8 a git ref', () => {
  test('is added to by two processes at once and never rewritten; nothing of the repository runs', async () => {
    const git = bareRepository();
    for (const hook of ['reference-transaction', 'post-commit', 'update']) {
      writeFileSync(join(git, 'hooks', hook), `#!/bin/sh\ntouch ${inRoot('ran')}\nexit 1\n`);
      chmodSync(join(git, 'hooks', hook), 0o755);
    }
    const ref = 'refs/audit/prod';
    const line = (n: number) =>
      `{"at":"2026-01-01T00:00:00.000Z","checkpoint":{"hash":"sha256:${'0'.repeat(64)}","seq":${n},"writer":"w"},"v":1}`;
    const [one, two] = [place({ git, ref }), place({ git, ref })];
    await one.write(line(1), AbortSignal.timeout(10_000));
    await Promise.all([
      one.write(line(2), AbortSignal.timeout(10_000)),
      two.write(line(3), AbortSignal.timeout(10_000)),
    ]);
    const known = await readCheckpoints(`git:${git}@${ref}`, PATH);
    expect(new Set(known.map(({ seq }) => seq))).toEqual(new Set([1, 2, 3]));
    expect(() => readFileSync(inRoot('ran'))).toThrow(/ENOENT/);
    // Somebody else who fetches sees a ref that only goes on.
    execFileSync('git', ['clone', '--quiet', '--mirror', git, inRoot('mirror.git')]);
    expect(await readCheckpoints(`git:${inRoot('mirror.git')}@${ref}`, PATH)).toEqual(known);
  });

  test('what is no checkpoint, or not there, is said', async () => {
    const git = bareRepository();
    await expect(readCheckpoints(`git:${git}`, PATH)).rejects.toMatchObject({
      code: 'not_found',
      message: `There is no refs/holdpoint/checkpoints in ${git}.`,
    });
    await expect(readCheckpoints(inRoot('none'), PATH)).rejects.toMatchObject({ code: 'not_found' });
    writeFileSync(inRoot('empty'), '\n');
    await expect(readCheckpoints(inRoot('empty'), PATH)).rejects.toMatchObject({
      message: expect.stringContaining('no checkpoint in'),
    });
    writeFileSync(inRoot('other'), '{"v":2}\n');
    await expect(readCheckpoints(inRoot('other'), PATH)).rejects.toMatchObject({
      message: expect.stringContaining('Line 1 of'),
    });
  });
});

describe('I8 a webhook', () => {
  let server: Server;
  let bodies: string[];
  let answer: { status: number; headers?: Record<string, string> };
  let url: string;
  beforeEach(async () => {
    bodies = [];
    answer = { status: 204 };
    server = createServer((request: IncomingMessage, response) => {
      request.setEncoding('utf8').on('data', (text: string) => bodies.push(`${request.method} ${request.url} ${text}`));
      request.on('end', () => response.writeHead(answer.status, answer.headers).end());
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?token=t0ps3cret`;
  });
  afterEach(() => void server.close());

  test('gets the line; no redirect is followed, and no error tells the address', async () => {
    const hook = place({ webhook: url });
    const write = () => hook.write('{"v":1}', AbortSignal.timeout(10_000));
    await write();
    expect(bodies).toEqual(['POST /hook?token=t0ps3cret {"v":1}']);
    answer = { status: 307, headers: { location: url } };
    await expect(write()).rejects.toThrow(/answered 307/);
    answer = { status: 500 };
    const failure = await write().catch((error: unknown) => error);
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
    const gone = await write().catch((error: unknown) => error);
    expect(String(gone)).toMatch(/could not be reached \(\w+\)/);
    for (const text of [hook.name, String(failure), String(gone), JSON.stringify(gone)])
      expect(text).not.toContain('t0ps3cret');
    expect(bodies).toHaveLength(3);
  });
});
