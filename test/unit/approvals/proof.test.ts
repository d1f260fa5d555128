import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { approverRecord, openApprovers, type Approvers } from '../../../src/approvals/approvers.ts';
import { decisionBytes } from '../../../src/approvals/digest.ts';
import { proveRuns, type Registry } from '../../../src/approvals/proof.ts';
import { parsePublicLine } from '../../../src/approvals/ssh-key.ts';
import { canonicalJson, sha256 } from '../../../src/audit/canonical.ts';
import { GENESIS, sealRecord, type AuditRecord } from '../../../src/audit/chain.ts';
import { exportAudit, exportSource } from '../../../src/audit/export.ts';
import { createAuditLog } from '../../../src/audit/log.ts';
import { tailAudit } from '../../../src/audit/read.ts';
import { verifyAudit } from '../../../src/audit/verify.ts';
import type { ApprovalTerms } from '../../../src/core/decision.ts';
import type { JsonObject } from '../../../src/core/json.ts';
import { createRedactor } from '../../../src/redact/redact.ts';
import { AGENT, holdOf, world, type Server, type World } from './kit.ts';
import { softPasskey } from './passkeys.ts';
import { softSshKey } from './ssh-keys.ts';

let here: World;
let server: Server;
beforeEach(async () => {
  here = world();
  server = await here.server();
});
afterEach(() => here.end());

interface Line {
  hash?: string;
  record?: AuditRecord;
  request?: JsonObject;
  heads?: JsonObject[];
  requests?: number;
}

async function ran(name: string, terms: Partial<ApprovalTerms> = {}, by: string[] = ['bob']): Promise<string> {
  const request = await server.approvals.request(holdOf(name, { terms }));
  for (const approver of by) {
    here.pass(1000);
    await server.decide(request, approver, 'approve', 'agreed');
  }
  const claim = await server.approvals.claim(request.id, AGENT, 'owner');
  await server.approvals.acting(claim, { kind: 'opened', data: {} });
  await server.approvals.settle(claim, { state: 'done', outcome: {} });
  return request.id;
}

async function exported(): Promise<Line[]> {
  await server.audit.flush();
  const lines: Line[] = [];
  for await (const line of exportAudit(server.store)) lines.push(JSON.parse(line) as Line);
  return lines;
}

function save(lines: readonly unknown[]): string {
  const file = join(here.root, 'export.jsonl');
  writeFileSync(file, lines.map((line) => `${canonicalJson(line)}\n`).join(''));
  return file;
}

/** What somebody does who can write everything: all hashes, numbers and the heads made anew. */
function rehashed(lines: readonly Line[]): Line[] {
  const ends = new Map<string, { seq: number; hash: string }>();
  const records = lines.flatMap((line): Line[] => {
    if (line.request) return [line];
    if (!line.record) return [];
    const { seq, hash: prevHash } = ends.get(line.record.writer) ?? { seq: 0, hash: GENESIS };
    const record = { ...line.record, seq: seq + 1, prevHash };
    const { hash } = sealRecord(record);
    ends.set(record.writer, { seq: record.seq, hash });
    return [{ hash, record }];
  });
  const heads = [...ends].map(([writer, end]) => ({ writer, ...end }));
  return [...records, { heads, requests: records.filter(({ request }) => request).length }];
}

/** The same lines with what `change` makes of the data of each record of a kind. */
function withData(lines: readonly Line[], kind: string, change: (data: JsonObject) => JsonObject): Line[] {
  return lines.map((line) =>
    line.record?.kind === `approval.${kind}`
      ? { ...line, record: { ...line.record, data: change(line.record.data) } }
      : line,
  );
}

async function check(lines: readonly Line[], registries: Registry[] = []) {
  const file = save(lines);
  const [log, proof] = [await verifyAudit(await exportSource(file)), await proveRuns(file, registries)];
  return { log, ...proof, problems: [...log.problems, ...proof.problems] };
}

const registry = (approvers: Approvers = here.approvers, from = 'approvers.json'): Registry => ({
  from,
  approvers: approvers.list().map(({ protected: _protected, ...each }) => each),
});

const placeOf = (lines: readonly Line[], kind: string, at = 0) => {
  const record = lines.filter((line) => line.record?.kind === `approval.${kind}`)[at]!.record!;
  return { writer: record.writer, seq: record.seq };
};

describe('I6 an export proves offline who approved what', () => {
  test('every run, its approvers and keys; from public keys alone, and without any', async () => {
    const soft = softPasskey();
    here.approvers.addKey('alice', soft.key);
    const one = await ran('a');
    const two = await ran('b', { approvals: 2, reasonRequired: true }, ['bob', 'alice']);
    const denied = await server.approvals.request(holdOf('c'));
    await server.decide(denied, 'bob', 'deny', 'no');
    const byPasskey = await server.approvals.request(holdOf('d', { terms: { signature: 'passkey' } }));
    await server.approvals.decide(
      soft.sign({
        id: byPasskey.id,
        digest: byPasskey.digest,
        decision: 'approve',
        approver: 'alice',
        at: here.time.wall,
        reason: '',
        ticked: [],
      }),
    );
    const claim = await server.approvals.claim(byPasskey.id, AGENT, 'owner');
    await server.approvals.acting(claim, { kind: 'opened', data: {} });
    const lines = await exported();
    for (const registries of [[], [registry()]]) {
      const { problems, runs } = await check(lines, registries);
      expect(problems).toEqual([]);
      expect(runs).toMatchObject([
        {
          approval: one,
          summary: 'Remove a',
          environment: 'production',
          requester: AGENT,
          approvedBy: [{ approver: 'bob', person: 'ben', kind: 'own', reason: 'agreed' }],
        },
        { approval: two, approvedBy: [{ approver: 'bob' }, { approver: 'alice', person: 'ann' }] },
        { approval: byPasskey.id, approvedBy: [{ approver: 'alice', kind: 'passkey', key: soft.key.fingerprint }] },
      ]);
    }
  });

  test('the log masks nothing of what proves: keys and signatures of every kind pass it as they are', async () => {
    const redactor = createRedactor([]);
    await redactor.ready();
    const log = createAuditLog({ store: server.store, redact: redactor.json });
    const [soft, ssh] = [softPasskey(), softSshKey('sk-ecdsa-sha2-nistp256@openssh.com')];
    const { line, fingerprint } = parsePublicLine(ssh.line);
    here.approvers.addKey('bob', soft.key);
    here.approvers.addKey('bob', { kind: 'ssh', fingerprint, publicKey: line, addedAt: '' });
    const said = { id: 'apr_1', digest: 'd', decision: 'approve' as const, approver: 'bob', at: 1, reason: '' };
    const unsigned = { ...said, ticked: [], key: fingerprint };
    const decisions = [
      here.approvers.sign(said),
      soft.sign({ ...said, ticked: [] }),
      { ...unsigned, signature: ssh.sign(decisionBytes(unsigned)) },
    ];
    const as = approverRecord(here.approvers.list().find(({ name }) => name === 'bob')!);
    for (const decision of decisions) log.append({ kind: 'approval.decided', data: { ...decision, as } });
    await log.close();
    const records = await tailAudit(server.store, 10);
    expect(records.filter(({ kind }) => kind === 'approval.decided').map(({ data }) => data)).toEqual(
      decisions.map((decision) => ({ ...decision, as })),
    );
  });

  test('an approver who has left since is proved by what was known then', async () => {
    await ran('a');
    const before = registry(here.approvers, 'march.json');
    here.approvers.remove('bob');
    const lines = await exported();
    expect((await check(lines, [registry()])).problems).toMatchObject([
      { problem: 'unproved', says: expect.stringContaining('bob: this approver is not registered') },
    ]);
    expect((await check(lines, [registry(), before])).problems).toEqual([]);
  });
});

describe('I6 an export that was tampered with: found, and where', () => {
  test('one changed byte, wherever it is', async () => {
    await ran('a');
    const text = (await exported()).map((line) => canonicalJson(line)).join('\n');
    const file = join(here.root, 'bytes.jsonl');
    // Each line at a few places; a change that leaves the value as it was does not exist in canonical JSON.
    for (let at = 0; at < text.length; at += 37) {
      const changed = Buffer.from(text);
      changed[at]! ^= 1;
      if (text[at] === '\n') continue;
      writeFileSync(file, changed);
      const { problems } = await verifyAudit(await exportSource(file));
      const number = text.slice(0, at).split('\n').length;
      expect(problems.length, `byte ${at} in line ${number}`).toBeGreaterThan(0);
    }
  });

  test('one changed byte of a request, the record left as it is: at the record before it', async () => {
    await ran('a');
    const lines = await exported();
    const changed = lines.map((line) =>
      line.request ? { request: { ...line.request, reason: 'A person confirms every deletion!' } } : line,
    );
    const { problems, runs } = await check(changed);
    expect(problems).toMatchObject([
      {
        problem: 'changed',
        ...placeOf(lines, 'requested'),
        says: expect.stringMatching(/^line \d+ is not the request/),
      },
      { problem: 'unproved', ...placeOf(lines, 'requested') },
    ]);
    expect(runs).toEqual([]);
  });

  test('a request changed with its digest, everything hashed anew: the signatures do not fit', async () => {
    const id = await ran('a');
    const lines = await exported();
    const request = { ...lines.find((line) => line.request)!.request!, environment: 'development' };
    const digest = sha256(canonicalJson(request));
    let forged: Line[] = lines.map((line) => (line.request ? { request } : line));
    for (const kind of ['requested', 'decided', 'approved', 'claimed', 'acting', 'done'])
      forged = withData(forged, kind, (data) => ({ ...data, digest }));
    const { log, problems } = await check(rehashed(forged));
    expect(log.ok).toBe(true);
    expect(problems[0]).toMatchObject({
      problem: 'unproved',
      ...placeOf(lines, 'decided'),
      says: `${id}: the decision of bob does not count: its signature is not by this approver's registered key`,
    });
  });

  test('a swapped signature: hashed anew or not, at the decision', async () => {
    await ran('a');
    await ran('b');
    const lines = await exported();
    const [first, second] = lines.flatMap(({ record }) =>
      record?.kind === 'approval.decided' ? [record.data['signature'] as string] : [],
    );
    const swapped = withData(lines, 'decided', (data) => ({
      ...data,
      signature: data['signature'] === first ? second! : first!,
    }));
    const places = [placeOf(lines, 'decided', 0), placeOf(lines, 'decided', 1)];
    expect((await check(swapped)).problems).toEqual(
      expect.arrayContaining(places.map((place) => expect.objectContaining({ ...place, problem: 'changed' }))),
    );
    const { log, problems, runs } = await check(rehashed(swapped));
    expect(log.ok).toBe(true);
    expect(problems).toEqual(
      expect.arrayContaining(places.map((place) => expect.objectContaining({ ...place, problem: 'unproved' }))),
    );
    expect(runs).toEqual([]);
  });

  test('a cut tail: without its heads; with forged heads only a checkpoint elsewhere tells', async () => {
    await ran('a');
    const lines = await exported();
    expect((await check(lines.slice(0, -1))).problems).toContainEqual(
      expect.objectContaining({ problem: 'cut', says: expect.stringContaining('without its line of heads') }),
    );
    const cut = lines.toSpliced(-3, 2);
    expect((await check(cut)).problems).toMatchObject([
      { problem: 'cut', says: expect.stringMatching(/the chain ends after record \d+/) },
    ]);
    expect((await check(rehashed(cut))).problems).toEqual([]);
  });

  test('a reordered pair: in the file, and as a history of another order', async () => {
    const id = await ran('a');
    const lines = await exported();
    const at = lines.findIndex(({ record }) => record?.kind === 'approval.claimed');
    const swapped = lines.toSpliced(at, 2, lines[at + 1]!, lines[at]!);
    expect((await check(swapped)).problems[0]).toMatchObject({ problem: 'out of order', ...placeOf(lines, 'claimed') });
    // A claim told to have been before its approval.
    const early = withData(lines, 'claimed', (data) => ({ ...data, at: Number(data['at']) - 500 }));
    const { log, problems } = await check(rehashed(early));
    expect(log.ok).toBe(true);
    expect(problems).toMatchObject([
      { ...placeOf(lines, 'acting'), says: `${id}: it was claimed before it was approved` },
    ]);
  });

  test('a forged approver: a key of their own, everything hashed anew; the public keys tell', async () => {
    const id = await ran('a');
    const lines = await exported();
    const genuine = registry();
    const others = openApprovers(join(here.root, 'others'));
    others.add({ name: 'bob', person: 'ben', at: 0 });
    const forged = withData(lines, 'decided', (data) => {
      const { id: of, digest, decision, approver, at, reason, ticked } = data as never;
      const [as] = registry(others).approvers as unknown as JsonObject[];
      return {
        ...data,
        ...others.sign({ id: of, digest, decision, approver, at, reason, ticked }),
        as: as!,
      };
    });
    expect((await check(forged)).problems).toContainEqual(
      expect.objectContaining({ ...placeOf(lines, 'decided'), problem: 'changed' }),
    );
    const whole = rehashed(forged);
    expect((await check(whole)).problems).toEqual([]);
    expect((await check(whole, [genuine])).problems).toMatchObject([
      {
        ...placeOf(lines, 'acting'),
        problem: 'unproved',
        says: `${id}: by approvers.json it needs 1 of any approver (bob: its signature is not by this approver's registered key)`,
      },
    ]);
  });

  test.each([
    ['no approval at all', 'decided', /without approval by 1 of any approver/],
    ['no claim', 'claimed', /nothing claimed it/],
    ['no request', 'requested', /not in the export/],
  ])('a run with %s', async (_what, kind, says) => {
    await ran('a');
    const lines = await exported();
    const at = lines.findIndex(({ record }) => record?.kind === `approval.${kind}`);
    const left = lines.toSpliced(at, kind === 'requested' ? 2 : 1);
    const { runs, problems } = await check(rehashed(left));
    expect(runs).toEqual([]);
    expect(problems).toContainEqual(
      expect.objectContaining({ problem: 'unproved', says: expect.stringMatching(says) }),
    );
  });

  test.each([
    ['a second run', 'acting', 'acting', /a second time/],
    ['a denial', 'done', 'denied', /although it was denied/],
    ['a revocation', 'done', 'revoked', /although it was revoked/],
  ])('a run with %s', async (_what, from, to, says) => {
    await ran('a');
    const lines = await exported();
    const at = lines.findIndex(({ record }) => record?.kind === `approval.${from}`);
    const { record } = lines[at]!;
    const more = lines.toSpliced(at, 0, { record: { ...record!, kind: `approval.${to}` as AuditRecord['kind'] } });
    expect((await check(rehashed(more))).problems).toContainEqual(
      expect.objectContaining({ problem: 'unproved', says: expect.stringMatching(says) }),
    );
  });

  test('a request that asks for nobody', async () => {
    const id = await ran('a');
    const lines = (await exported()).filter(({ record }) => record?.kind !== 'approval.decided');
    const { terms, ...rest } = lines.find((line) => line.request)!.request as JsonObject & { terms: JsonObject };
    const request = { ...rest, terms: { ...terms, approvals: 0 } };
    const digest = sha256(canonicalJson(request));
    let forged: Line[] = lines.map((line) => (line.request ? { request } : line));
    for (const kind of ['requested', 'approved', 'claimed', 'acting', 'done'])
      forged = withData(forged, kind, (data) => ({ ...data, digest }));
    expect((await check(rehashed(forged))).problems).toMatchObject([
      { says: `${id}: it ran without approval by anybody` },
    ]);
  });

  test('a request that is none, though its digest fits', async () => {
    const id = await ran('a');
    const request: JsonObject = { id };
    const digest = sha256(canonicalJson(request));
    const lines = (await exported()).map((line) => (line.request ? { request } : line));
    expect(
      (await check(rehashed(withData(lines, 'requested', (data) => ({ ...data, digest }))))).problems,
    ).toMatchObject([{ problem: 'unproved', says: `${id}: what was asked cannot be read` }]);
  });

  test('a run after its time', async () => {
    await ran('a');
    const lines = await exported();
    const late = withData(lines, 'claimed', (data) => ({ ...data, at: Number(data['at']) + 31 * 60_000 }));
    expect((await check(rehashed(late))).problems).toContainEqual(
      expect.objectContaining({ says: expect.stringContaining('after the time to run') }),
    );
  });

  test('approvals that were never enough for the rules, though the log says approved', async () => {
    const id = await ran(
      'a',
      { approvals: 2, approvers: [{ approvals: 1, names: ['alice'], groups: [], roles: [] }] },
      ['bob', 'alice'],
    );
    const lines = await exported();
    const at = lines.findLastIndex(({ record }) => record?.kind === 'approval.decided');
    expect((await check(rehashed(lines.toSpliced(at, 1)))).problems).toMatchObject([
      { problem: 'unproved', says: `${id}: it ran without approval by 1 more of any approver and 1 of alice` },
    ]);
  });
});
