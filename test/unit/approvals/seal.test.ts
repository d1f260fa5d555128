import { randomBytes } from 'node:crypto';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { openSealKey, seal, unseal } from '../../../src/approvals/seal.ts';
import { AGENT, bytesBelow, holdOf, planOf, world, type Server, type World } from './kit.ts';

const REFUSED = expect.objectContaining({ name: 'HoldpointError', code: 'unavailable' });

describe('C3 sealed values', () => {
  const key = randomBytes(32);

  test('the same value sealed twice is never the same text: nobody sees that two requests carry the same', () => {
    const texts = Array.from({ length: 500 }, () => seal(key, 'apr_1/plan', { content: 'x' }));
    expect(new Set(texts.map((text) => text.slice(0, 16))).size, 'every nonce is new').toBe(texts.length);
  });

  test('no part of a sealed text opens, and nothing that is not one: the error says what to do', () => {
    const sealed = Buffer.from(seal(key, 'place', { content: 'x'.repeat(50) }), 'base64');
    for (let length = 0; length < sealed.length; length += 1)
      expect(() => unseal(key, 'place', sealed.subarray(0, length).toString('base64')), `${length} bytes`).toThrow(
        REFUSED,
      );
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.base64String()), (text) => {
        expect(() => unseal(key, 'place', text)).toThrow(REFUSED);
      }),
    );
    expect(() => unseal(key, 'place', '')).toThrow(
      expect.objectContaining({ hint: expect.stringContaining('--keys') }),
    );
  });
});

describe('C3 what lies in the state directory', () => {
  let here: World;
  let server: Server;
  beforeEach(async () => {
    here = world();
    server = await here.server();
  });
  afterEach(() => here.end());

  /** A request that carries `text` everywhere it can, run to its end in one of the ways a run ends. */
  async function carry(text: string, name: string, end: 'done' | 'failed' | 'stale' | 'pending'): Promise<string> {
    const { approvals } = server;
    const hold = holdOf(name, { input: { paths: [name], content: text }, plan: planOf(name, { [text]: [text] }) });
    const request = await approvals.request(hold);
    if (end === 'pending') return request.id;
    await server.decide(request, 'bob');
    const claim = await approvals.claim(request.id, AGENT, 'server-1');
    expect(claim.input).toEqual(hold.input);
    expect(claim.plan).toEqual(hold.plan);
    if (end === 'stale') return (await approvals.stale(claim, [])).id;
    await approvals.acting(claim, { kind: 'opened', data: {} });
    await approvals.stepDone(claim, 'remove', { text });
    return (await approvals.settle(claim, { state: end, outcome: { text } })).id;
  }

  /** The ways in which a text could be lying about. */
  function spellings(text: string): string[] {
    const bytes = Buffer.from(text);
    // In base64 a text looks different by where it begins in a group of three bytes; its inner part is the same.
    const base64 = [0, 1, 2].map((at) =>
      Buffer.concat([Buffer.alloc(at), bytes])
        .toString('base64')
        .slice(4, -4),
    );
    return [bytes.toString('latin1'), JSON.stringify(text).slice(1, -1), bytes.toString('hex'), ...base64];
  }

  test('no content, input, plan data, step outcome or result of any request can be read there, however it ends', async () => {
    let number = 0;
    await fc.assert(
      fc.asyncProperty(
        // Long enough that its inner part in base64 is found in no random bytes.
        fc.string({ minLength: 12, maxLength: 60, unit: 'grapheme' }).map((text) => `private: ${text}`),
        fc.constantFrom('done', 'failed', 'stale', 'pending'),
        async (text, end) => {
          const id = await carry(text, `file ${(number += 1)}`, end);
          const lying = bytesBelow(join(here.root, 'state'));
          for (const spelling of spellings(text)) expect(lying.includes(spelling), spelling).toBe(false);
          // The store is read as it lies: what people see of the same request is found in it.
          expect(lying).toContain(`Remove file ${number}`);
          if (end === 'pending') await server.approvals.cancel(id, AGENT);
        },
      ),
      { numRuns: 30 },
    );
  });

  test('the sealing key and the approvers are not in it', async () => {
    await carry('the stored content', 'a', 'done');
    const lying = bytesBelow(join(here.root, 'state'));
    const key = openSealKey(here.keys);
    for (const spelling of [key.toString('latin1'), key.toString('base64').slice(0, 40), key.toString('hex')])
      expect(lying.includes(spelling)).toBe(false);
    expect(lying).not.toContain('PRIVATE KEY');
  });

  test('a copied state directory opens nothing with other keys, also where the approvers are known there', async () => {
    const ended = await carry('the stored content', 'a', 'done');
    const approved = await server.approved('b');
    const there = world();
    try {
      cpSync(join(here.root, 'state'), join(there.root, 'state'), { recursive: true });
      const strangers = await there.server();
      await expect(strangers.approvals.claim(approved.id, AGENT, 'x')).rejects.toMatchObject({ code: 'denied' });

      rmSync(join(there.keys, 'approvers'), { recursive: true });
      cpSync(join(here.keys, 'approvers'), join(there.keys, 'approvers'), { recursive: true });
      await expect(strangers.approvals.claim(approved.id, AGENT, 'x')).rejects.toEqual(REFUSED);
      await expect(strangers.approvals.find(ended)).rejects.toEqual(REFUSED);
      expect(await strangers.approvals.find(approved.id)).toMatchObject({ state: 'approved', summary: 'Remove b' });

      writeFileSync(join(there.keys, 'seal.key'), readFileSync(join(here.keys, 'seal.key')));
      const own = await there.server();
      expect(await own.approvals.find(ended)).toMatchObject({ outcome: { text: 'the stored content' } });
      expect((await own.approvals.claim(approved.id, AGENT, 'x')).plan).toEqual(planOf('b'));
    } finally {
      await there.end();
    }
  });
});
