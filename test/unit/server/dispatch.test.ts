import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { HoldpointError } from '../../../src/core/errors.ts';
import { newBench, POLICY, PRINCIPAL, type Bench } from './services.ts';

let bench: Bench;
beforeEach(async () => {
  bench = await newBench();
  bench.approvers.add({ name: 'alice', person: 'ann', at: Date.now() });
});
afterEach(() => bench.close());

const write = { name: 'a', namespace: 'prod', to: '2' };

/** Holds the sample write and lets alice decide; gives its id. */
async function decided(decision: 'approve' | 'deny' = 'approve', args: object = write): Promise<string> {
  const { envelope } = await bench.call('value', args);
  const id = envelope.approval?.id ?? '';
  const { digest } = await bench.services.approvals.find(id);
  await bench.services.approvals.decide(
    bench.approvers.sign({ id, digest, decision, approver: 'alice', at: Date.now(), reason: 'because' }),
  );
  return id;
}

const run = (id: string) => bench.call('approval', { action: 'run', id });

describe('one call', () => {
  test('an allowed read and an allowed write run and give the envelope', async () => {
    expect((await bench.call('value', { name: 'a', namespace: 'prod' })).envelope).toEqual({
      status: 'done',
      result: { value: '1' },
    });
    expect((await bench.call('value', { name: 'a', namespace: 'dev', to: '2' })).envelope).toEqual({
      status: 'done',
      result: { value: '2', was: '1' },
    });
    expect(bench.world.runs).toEqual(['a=2']);
  });

  test('a denied one has looked at nothing and says whom to hand it to', async () => {
    bench.world.values.get = () => {
      throw new Error('looked');
    };
    const { envelope } = await bench.call('value', { name: 'secret', namespace: 'dev' });
    expect(envelope).toEqual({
      status: 'denied',
      error: { code: 'denied', rule: 'secret', reason: 'Not yours.', handOff: 'credential-manager' },
      next: expect.stringMatching(
        /^Give this work to credential-manager: hand-off hnd_\S+ is left for that role/,
      ) as string,
    });
  });

  test('a held one changes nothing and gives the same request when repeated (I1)', async () => {
    const { envelope } = await bench.call('value', write);
    expect(envelope).toMatchObject({
      status: 'approval_required',
      approval: {
        id: expect.stringMatching(/^apr_/) as string,
        digest: expect.stringMatching(/[0-9a-f]{64}/) as string,
        summary: 'set a to 2',
        state: 'pending',
      },
    });
    expect((await bench.call('value', write)).envelope.approval?.id).toBe(envelope.approval?.id);
    expect((await bench.call('value', { ...write, to: '3' })).envelope.approval?.id).not.toBe(envelope.approval?.id);
    expect(bench.world.runs).toEqual([]);
  });

  test('a held one with a secret among its arguments is denied: nobody can judge what is masked (C3)', async () => {
    const secret = ['gh', `p_${'Zq3x'.repeat(9)}`].join('');
    const { envelope } = await bench.call('value', { ...write, to: secret });
    expect(envelope).toMatchObject({
      status: 'denied',
      error: { rule: 'secrets', reason: expect.stringMatching(/^"to"/) },
    });
    expect(await bench.services.approvals.list()).toEqual([]);
    expect((await bench.call('value', { ...write, namespace: 'dev', to: secret })).envelope.status).toBe('done');
  });

  test('a dry run gives plan and decision and stores no request (A7)', async () => {
    const { envelope } = await bench.call('value', { ...write, dryRun: true });
    expect(envelope).toMatchObject({
      status: 'planned',
      result: {
        decision: { verdict: 'require_approval', rules: ['production'], environment: 'production' },
        effect: 'write',
        summary: 'set a to 2',
      },
    });
    expect(await bench.services.approvals.list()).toEqual([]);
    expect((await bench.call('value', { name: 'a', namespace: 'dev', to: '9', dryRun: true })).envelope.status).toBe(
      'planned',
    );
    expect(bench.world.runs).toEqual([]);
  });

  test.each([
    ['unknown tool', 'valeu', {}, 'not_found', /Did you mean value/],
    [
      'unknown key',
      'value',
      { name: 'a', namespace: 'dev', nmae: 'b' },
      'invalid_input',
      /value takes: name, namespace, to, dryRun/,
    ],
    ['wrong type', 'value', { name: 1, namespace: 'dev' }, 'invalid_input', /value takes/],
    ['10 MB text', 'value', { name: 'x'.repeat(10_000_000), namespace: 'dev' }, 'invalid_input', /Send less/],
    ['no arguments', 'value', undefined, 'invalid_input', /value takes/],
    ['use-tool in itself', 'use-tool', { name: 'use-tool' }, 'invalid_input', /Name the tool/],
    ['approval of nobody', 'approval', { action: 'run', id: 'apr_0' }, 'not_found', /./],
    [
      'approval with an argument to approve',
      'approval',
      { action: 'approve', id: 'apr_0' },
      'invalid_input',
      /approval takes/,
    ],
  ])('%s: a clear error, an audit record, and the server goes on', async (_name, tool, args, code, hint) => {
    const { envelope } = await bench.call(tool, args);
    expect(envelope).toMatchObject({ status: 'error', error: { code, hint: expect.stringMatching(hint) as string } });
    expect((await bench.audit()).slice(-2).map(({ kind }) => kind)).toEqual(['received', 'closed']);
    expect((await bench.call('value', { name: 'a', namespace: 'dev' })).envelope.status).toBe('done');
  });

  test('what a tool throws unexpectedly is no more than "internal"', async () => {
    bench.world.during = async () => {
      throw new Error('postgres://u:pw@host');
    };
    const { envelope, text } = await bench.call('value', { name: 'a', namespace: 'dev' });
    expect(envelope.error?.code).toBe('internal');
    expect(text).not.toContain('postgres');
  });

  test('known secrets leave nowhere: result, text, preview, audit (C3)', async () => {
    bench.world.values.set('a', 'x hunter2-known y');
    const read = await bench.call('value', { name: 'a', namespace: 'dev' });
    const dry = await bench.call('value', { ...write, dryRun: true });
    const held = await bench.call('value', { ...write, to: 'hunter2-known' });
    expect(JSON.stringify([read, dry, held, await bench.audit(), await bench.services.approvals.list()])).not.toContain(
      'hunter2-known',
    );
    expect(read.envelope.result).toEqual({ value: 'x [redacted] y' });
  });

  test('a long result is cut to its budget, the whole of it a resource of that principal alone (A7)', async () => {
    bench.world.values.set('a', 'line\n'.repeat(5000));
    const { envelope, text } = await bench.call('value', { name: 'a', namespace: 'dev' });
    expect(Buffer.byteLength(JSON.stringify(envelope.result))).toBeLessThanOrEqual(8192);
    expect(Buffer.byteLength(text)).toBeLessThan(8500);
    const uri = /holdpoint:\/\/results\/[\w-]+/.exec(envelope.next ?? '')?.[0] ?? '';
    expect(bench.services.results.read(PRINCIPAL, uri)).toContain('line\\n'.repeat(5000));
    expect(bench.services.results.read({ ...PRINCIPAL, person: 'bob' }, uri)).toBeUndefined();
  });

  test('use-tool is its inner tool: same policy, same audit, same request', async () => {
    const direct = await bench.call('value', write);
    const wrapped = await bench.call('use-tool', { name: 'value', arguments: write });
    expect(wrapped.envelope.approval?.id).toBe(direct.envelope.approval?.id);
    expect(
      (await bench.call('use-tool', { name: 'value', arguments: { name: 'secret', namespace: 'dev' } })).envelope
        .status,
    ).toBe('denied');
    expect((await bench.audit()).filter(({ kind }) => kind === 'opened').map(({ data }) => data['tool'])).toEqual([
      'value',
      'value',
      'value',
    ]);
  });

  test('find-tools finds by task and says how to call', async () => {
    const { envelope } = await bench.call('find-tools', { query: 'set value' });
    expect(envelope).toMatchObject({
      status: 'done',
      result: { tools: [{ name: 'value', arguments: { required: ['name', 'namespace'] } }] },
    });
  });
});

describe('an approved run', () => {
  test('runs once, with the stored arguments; a second run is refused (I2)', async () => {
    const id = await decided();
    expect((await run(id)).envelope).toMatchObject({ status: 'done', result: { value: '2', was: '1' } });
    expect((await run(id)).envelope).toMatchObject({ status: 'error', error: { code: 'conflict' } });
    expect(bench.world.runs).toEqual(['a=2']);
    expect((await bench.call('approval', { action: 'status', id })).envelope).toMatchObject({
      status: 'done',
      result: { state: 'done', outcome: { result: { value: '2' } } },
    });
  });

  test('twenty runs at once do it once (I2)', async () => {
    const id = await decided();
    const answers = await Promise.all(Array.from({ length: 20 }, () => run(id)));
    expect(answers.filter(({ envelope }) => envelope.status === 'done')).toHaveLength(1);
    expect(bench.world.runs).toEqual(['a=2']);
  });

  test('before approval it is still held; after a denial it is denied, and the same call is refused for a while', async () => {
    const { envelope } = await bench.call('value', write);
    expect((await run(envelope.approval?.id ?? '')).envelope).toMatchObject({
      status: 'approval_required',
      approval: { state: 'pending' },
    });
    const id = await decided('deny');
    expect((await run(id)).envelope).toMatchObject({
      status: 'denied',
      error: { reason: expect.stringContaining('because') as string },
    });
    expect((await bench.call('value', write)).envelope).toMatchObject({ status: 'denied' });
    expect(bench.world.runs).toEqual([]);
  });

  test('only the principal that asked can follow, run or cancel it', async () => {
    const id = await decided();
    for (const action of ['status', 'wait', 'run', 'cancel']) {
      const { envelope } = await bench.call(
        'approval',
        { action, id, waitSeconds: 0 },
        { principal: { ...PRINCIPAL, client: 'another' } },
      );
      expect(envelope).toMatchObject({ status: 'error', error: { code: 'not_found' } });
    }
    expect((await run(id)).envelope.status).toBe('done');
  });

  test('a value that moved makes it stale, with what was and what is; nothing runs (I9)', async () => {
    const id = await decided();
    bench.world.values.set('a', '7');
    expect((await run(id)).envelope).toMatchObject({
      status: 'stale',
      error: { code: 'stale', changes: [{ what: 'the value of a', was: '1', is: '7' }] },
    });
    bench.world.values.set('a', '1');
    expect((await run(id)).envelope.status).toBe('stale');
    expect(bench.world.runs).toEqual([]);
  });

  test('an edited policy makes it stale (I2)', async () => {
    const id = await decided();
    bench.setPolicy(POLICY.replace('A person confirms production.', 'Two people confirm production.'));
    expect((await run(id)).envelope).toMatchObject({
      status: 'stale',
      error: { changes: [{ what: 'the policy sample' }] },
    });
    expect(bench.world.runs).toEqual([]);
  });

  test('a changed definition of the tool makes it stale (I2)', async () => {
    const id = await decided();
    const tool = bench.services.registry.get('value');
    (bench.services.registry as Map<string, unknown>).set('value', {
      ...tool,
      input: tool?.input.extend({ more: tool.input.shape.to }),
    });
    expect((await run(id)).envelope).toMatchObject({
      status: 'stale',
      error: { changes: [{ what: 'the definition of value' }] },
    });
  });

  test('a row set to approved by hand runs nothing (I2)', async () => {
    const { envelope } = await bench.call('value', write);
    const id = envelope.approval?.id ?? '';
    await bench.store.query(`UPDATE approval_requests SET state = 'approved', run_by = ? WHERE id = ?`, [
      Date.now() + 60_000,
      id,
    ]);
    const answer = await run(id);
    expect(answer.envelope.status).not.toBe('done');
    expect(bench.world.runs).toEqual([]);
  });

  test('a run that fails is recorded as failed and does not run again', async () => {
    const id = await decided();
    bench.world.during = async () => {
      throw new HoldpointError('upstream', 'The cluster said no.');
    };
    expect((await run(id)).envelope).toMatchObject({ status: 'error', error: { code: 'upstream' } });
    expect((await run(id)).envelope).toMatchObject({ error: { code: 'conflict' } });
    expect((await bench.services.approvals.find(id)).state).toBe('failed');
  });

  test('a system that does not answer while planning again leaves the approval good', async () => {
    const id = await decided();
    const get = bench.world.values.get.bind(bench.world.values);
    bench.world.values.get = () => {
      throw new HoldpointError('unavailable', 'The cluster does not answer.');
    };
    expect((await run(id)).envelope).toMatchObject({ status: 'error', error: { code: 'unavailable' } });
    bench.world.values.get = get;
    expect((await run(id)).envelope.status).toBe('done');
  });

  test('a run whose outcome cannot be recorded at once is recorded as what it was, when the store takes it', async () => {
    const id = await decided();
    const { approvals } = bench.services;
    const settle = approvals.settle.bind(approvals);
    let refused = 0;
    approvals.settle = async (...args) => {
      if (refused++ < 2) throw new HoldpointError('unavailable', 'The store is busy.');
      return settle(...args);
    };
    expect((await run(id)).envelope).toMatchObject({ status: 'done', result: { value: '2' } });
    expect((await approvals.find(id)).state).toBe('done');
    expect(refused).toBe(3);
  });

  test('where the store never takes it, the answer is the true one and says not to repeat it', async () => {
    const id = await decided();
    const { approvals } = bench.services;
    approvals.settle = async () => {
      throw new HoldpointError('internal', 'broken');
    };
    const { envelope, text } = await run(id);
    expect(envelope).toMatchObject({
      status: 'done',
      result: { value: '2' },
      next: expect.stringContaining('Do not repeat it') as string,
    });
    expect(text).toContain(`approvals resolve ${id}`);
    expect((await approvals.find(id)).state).toBe('acting');
  });

  test('every step of it is in the audit log, which verifies (I8)', async () => {
    const id = await decided();
    await run(id);
    const kinds = (await bench.audit())
      .map(({ kind }) => kind)
      .filter((kind) => kind.startsWith('approval.') || kind === 'opened');
    expect(kinds).toEqual([
      'opened',
      'approval.requested',
      'approval.decided',
      'approval.approved',
      'approval.claimed',
      'opened',
      'approval.acting',
      'approval.step',
      'approval.done',
    ]);
  });
});

describe('a log that cannot be written', () => {
  test('stops everything: nothing runs', async () => {
    await bench.store.close();
    await bench.call('value', { name: 'a', namespace: 'dev', to: '2' });
    expect(bench.world.runs).toEqual([]);
    expect((await bench.call('value', { name: 'a', namespace: 'dev' })).envelope).toMatchObject({
      status: 'error',
      error: { code: 'unavailable' },
    });
  });
});
