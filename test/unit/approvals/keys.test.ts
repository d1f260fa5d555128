import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { openApprovers } from '../../../src/approvals/approvers.ts';
import { decisionBytes, planDigest, requestDigest, sameness } from '../../../src/approvals/digest.ts';
import type { RequestBody, UnsignedDecision } from '../../../src/approvals/request.ts';
import { openSealKey, seal, unseal } from '../../../src/approvals/seal.ts';
import type { Json } from '../../../src/core/json.ts';
import type { Plan } from '../../../src/core/plan.ts';
import { AGENT, planOf, TERMS } from './kit.ts';

let keys: string;
beforeEach(() => {
  keys = join(mkdtempSync(join(tmpdir(), 'holdpoint-keys-')), 'keys');
});
afterEach(() => rmSync(join(keys, '..'), { recursive: true, force: true }));

const DECISION = {
  id: 'apr_1',
  digest: 'sha256:1',
  decision: 'approve' as const,
  approver: 'alice',
  at: 1,
  reason: '',
  ticked: [],
  key: 'sha256:1',
} satisfies UnsignedDecision;

describe('approvers', () => {
  test('a key behind a passphrase opens with it alone; folder and file are closed to others', () => {
    const approvers = openApprovers(keys);
    expect(approvers.add({ name: 'alice', person: 'ann', passphrase: 'correct horse', at: 0 })).toMatchObject({
      protected: true,
    });
    for (const [path, mode] of [
      [keys, 0o700],
      [join(keys, 'approvers'), 0o700],
      [join(keys, 'approvers/alice.json'), 0o600],
    ] as const)
      expect(statSync(path).mode & 0o777, path).toBe(mode);
    expect(readFileSync(join(keys, 'approvers/alice.json'), 'utf8')).toContain('ENCRYPTED PRIVATE KEY');
    expect(approvers.sign(DECISION, 'correct horse').signature).toMatch(/^[\w+/]{86}==$/);
    for (const wrong of ['correct hors', '', undefined])
      expect(() => approvers.sign(DECISION, wrong)).toThrow(expect.objectContaining({ code: 'denied' }));
  });

  test('without a passphrase the registry says so', () => {
    const approvers = openApprovers(keys);
    expect(approvers.add({ name: 'bob', person: 'ben', passphrase: '', at: 0 })).toMatchObject({ protected: false });
    expect(approvers.list()).toEqual([
      expect.objectContaining({ name: 'bob', person: 'ben', protected: false, addedAt: '1970-01-01T00:00:00.000Z' }),
    ]);
    expect(JSON.stringify(approvers.list())).not.toContain('PRIVATE');
  });

  test('names are taken once, and are plain', () => {
    const approvers = openApprovers(keys);
    approvers.add({ name: 'alice', person: 'ann', at: 0 });
    expect(() => approvers.add({ name: 'alice', person: 'ann', at: 0 })).toThrow(
      expect.objectContaining({ code: 'conflict' }),
    );
    expect(() => approvers.add({ name: 'Alice', person: 'ann', at: 0 })).toThrow(
      expect.objectContaining({ code: 'conflict' }),
    );
    for (const name of ['', '../alice', 'a b', '.a', 'a\u202e', 'x'.repeat(65)])
      expect(() => approvers.add({ name, person: 'ann', at: 0 }), name).toThrow(
        expect.objectContaining({ code: 'invalid_input' }),
      );
    expect(approvers.remove('alice')).toMatchObject({ name: 'alice' });
    expect(() => approvers.remove('alice')).toThrow(expect.objectContaining({ code: 'not_found' }));
  });

  test('a damaged registry file refuses rather than counts less', () => {
    const approvers = openApprovers(keys);
    approvers.add({ name: 'alice', person: 'ann', at: 0 });
    writeFileSync(join(keys, 'approvers/alice.json'), '{}');
    expect(() => approvers.list()).toThrow(expect.objectContaining({ code: 'unavailable' }));
  });
});

describe('sealing', () => {
  test('one key per keys directory, made once', () => {
    const key = openSealKey(keys);
    expect(openSealKey(keys)).toEqual(key);
    expect(key).toHaveLength(32);
    expect(statSync(join(keys, 'seal.key')).mode & 0o777).toBe(0o600);
    writeFileSync(join(keys, 'seal.key'), 'short');
    expect(() => openSealKey(keys)).toThrow(expect.objectContaining({ code: 'unavailable' }));
  });

  test('any value comes back in its place, with its key and with every byte; nowhere else', () => {
    const [key, other] = [randomBytes(32), randomBytes(32)];
    fc.assert(
      fc.property(fc.jsonValue(), fc.nat(), (raw, at) => {
        const value = JSON.parse(JSON.stringify(raw)) as Json;
        const sealed = seal(key, 'apr_1/plan', value);
        expect(unseal(key, 'apr_1/plan', sealed)).toEqual(value);
        const bytes = Buffer.from(sealed, 'base64');
        bytes[at % bytes.length]! ^= 1;
        for (const attempt of [
          () => unseal(key, 'apr_2/plan', sealed),
          () => unseal(other, 'apr_1/plan', sealed),
          () => unseal(key, 'apr_1/plan', bytes.toString('base64')),
        ])
          expect(attempt).toThrow(expect.objectContaining({ code: 'unavailable' }));
      }),
    );
  });
});

describe('digests', () => {
  const body: RequestBody = {
    v: 1,
    id: 'apr_1',
    principal: AGENT,
    persona: 'devops',
    tool: 't',
    schemaHash: 's',
    plan: planOf('a'),
    planDigest: planDigest(planOf('a')),
    sealedDigest: 'x',
    policyDigest: 'p',
    rules: ['r'],
    reason: 'why',
    environment: null,
    handOff: null,
    terms: TERMS,
    createdAt: 1,
    approveBy: 2,
  };

  test('I2 a plan has one digest in whatever order its keys stand, and another for any other value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (left, right) => {
        const [a, b] = [planOf('a', left as Json), planOf('a', right as Json)];
        const backwards = JSON.parse(JSON.stringify(a), (_, value: Json) =>
          typeof value === 'object' && value !== null && !Array.isArray(value)
            ? Object.fromEntries(Object.entries(value).toReversed())
            : value,
        ) as Plan;
        expect(planDigest(backwards)).toBe(planDigest(a));
        expect(planDigest(a) === planDigest(b)).toBe(JSON.stringify(sorted(a.data)) === JSON.stringify(sorted(b.data)));
      }),
    );
  });

  test('every field of a request is in its digest, and each signed field in the signed bytes', () => {
    const digests = Object.keys(body).map((key) => requestDigest({ ...body, [key]: 'another' }));
    expect(new Set([...digests, requestDigest(body)]).size).toBe(Object.keys(body).length + 1);
    const signed = Object.keys(DECISION).map((key) => decisionBytes({ ...DECISION, [key]: 'another' }).toString());
    expect(new Set([...signed, decisionBytes(DECISION).toString()]).size).toBe(Object.keys(DECISION).length + 1);
    expect(decisionBytes(DECISION).toString()).toMatch(/^holdpoint decision v2\n\{/);
  });

  test('sameness is of caller, tool, plan and policy, not of time or id', () => {
    expect(sameness({ ...body, id: 'apr_2', createdAt: 9, approveBy: 9, sealedDigest: 'y' })).toBe(sameness(body));
    for (const key of ['principal', 'persona', 'tool', 'schemaHash', 'planDigest', 'policyDigest'])
      expect(sameness({ ...body, [key]: 'another' }), key).not.toBe(sameness(body));
  });
});

/** The value as any JSON reader sees it, keys in order. */
/** With the keys of its objects in one order; integer-like keys come first in any case, and in the same order. */
function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]));
}
