import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { createLimits, type Entry } from '../../../src/server/limits.ts';
import { newBench, PRINCIPAL } from './services.ts';

const isIn = (entry: Entry): entry is { leave(): void } => !('refused' in entry);
const refusedOf = (entry: Entry) => ('refused' in entry ? entry.refused : undefined);

describe('limits of a principal', () => {
  test('a minute’s calls at once, then none until Retry-After, and then one', () => {
    let now = 0;
    const limits = createLimits({ callsPerMinute: 30, concurrentCalls: 100 }, () => now);
    for (let at = 0; at < 30; at++) expect(isIn(limits.enter('ann'))).toBe(true);
    const refused = refusedOf(limits.enter('ann'));
    expect(refused).toMatchObject({ retryAfter: 2, first: true });
    expect(isIn(limits.enter('bob'))).toBe(true);
    now += 1999;
    expect(refusedOf(limits.enter('ann'))).toMatchObject({ retryAfter: 1, first: false });
    now += 1;
    expect(isIn(limits.enter('ann'))).toBe(true);
    expect(isIn(limits.enter('ann'))).toBe(false);
  });

  test('running calls are counted until they leave, once each', () => {
    const limits = createLimits({ callsPerMinute: 100, concurrentCalls: 2 }, () => 0);
    const first = limits.enter('ann');
    expect(isIn(limits.enter('ann'))).toBe(true);
    expect(refusedOf(limits.enter('ann'))?.reason).toContain('2 calls of yours are running');
    if (isIn(first)) {
      first.leave();
      first.leave();
    }
    expect(isIn(limits.enter('ann'))).toBe(true);
    expect(isIn(limits.enter('ann'))).toBe(false);
  });

  test('never more than the limit and what was refilled; whoever waits for Retry-After is let in, no second sooner', () => {
    const step = fc.record({ wait: fc.nat(5000), calls: fc.nat(20) });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), fc.array(step, { maxLength: 60 }), (perMinute, steps) => {
        let now = 0;
        const limits = createLimits({ callsPerMinute: perMinute, concurrentCalls: 1_000_000 }, () => now);
        let taken = 0;
        for (const { wait, calls } of steps) {
          now += wait;
          for (let at = 0; at < calls; at++) if (isIn(limits.enter('ann'))) taken++;
          expect(taken).toBeLessThanOrEqual(perMinute + (now * perMinute) / 60_000 + 1e-6);
        }
        const refused = refusedOf(limits.enter('ann'));
        if (!refused) return;
        now += (refused.retryAfter - 1) * 1000;
        if (refused.retryAfter > 1) expect(isIn(limits.enter('ann'))).toBe(false);
        now += 1000;
        expect(isIn(limits.enter('ann'))).toBe(true);
      }),
    );
  });

  test('many principals do not pile up', () => {
    let now = 0;
    const limits = createLimits({ callsPerMinute: 1, concurrentCalls: 1 }, () => now);
    for (let at = 0; at < 5000; at++) {
      now += 60_000;
      const entry = limits.enter(`principal-${at}`);
      if (isIn(entry)) entry.leave();
    }
    expect(refusedOf(limits.enter('principal-4999'))?.retryAfter).toBe(60);
    now += 60_000;
    expect(isIn(limits.enter('principal-0'))).toBe(true);
  });
});

describe('dispatch holds callers to limits and scopes', () => {
  const set = { name: 'a', namespace: 'dev', to: '2' };

  test('too many running calls get rate_limited, and nothing runs for them', async () => {
    const bench = await newBench({ limits: createLimits({ callsPerMinute: 100, concurrentCalls: 1 }, () => 0) });
    const inside = Promise.withResolvers<void>();
    const go = Promise.withResolvers<void>();
    bench.world.during = async () => {
      inside.resolve();
      await go.promise;
    };
    const first = bench.call('value', set);
    await inside.promise;
    const second = await bench.call('value', set);
    expect(second.envelope).toMatchObject({ status: 'error', error: { code: 'rate_limited' } });
    const other = bench.call('value', { name: 'a', namespace: 'dev' }, { principal: { ...PRINCIPAL, person: 'bob' } });
    go.resolve();
    expect((await first).envelope.status).toBe('done');
    expect((await other).envelope.status).toBe('done');
    expect((await bench.call('value', set)).envelope.status).toBe('done');
    expect(bench.world.runs).toHaveLength(2);
    expect((await bench.audit()).filter(({ data }) => data['refused'] === 'rate_limited')).toHaveLength(1);
    await bench.close();
  });

  test('an approved request waits for a token that may write; one that may only look spoils nothing (A3)', async () => {
    const bench = await newBench();
    const { envelope } = await bench.call('value', { name: 'a', namespace: 'prod', to: '2' });
    const id = envelope.approval?.id;
    for (const action of ['run', 'cancel'])
      expect((await bench.call('approval', { action, id }, { scopes: ['tools:read'] })).envelope).toMatchObject({
        status: 'denied',
        error: { rule: 'insufficient_scope' },
      });
    const status = await bench.call('approval', { action: 'status', id }, { scopes: ['tools:read'] });
    expect(status.envelope.approval?.state).toBe('pending');
    expect((await bench.call('approval', { action: 'cancel', id })).envelope.result).toMatchObject({
      state: 'cancelled',
    });
    await bench.close();
  });

  test.each([[[]], [['approvals:decide']]] as const)('scopes %j let nothing be called (A3)', async (scopes) => {
    const bench = await newBench();
    for (const [tool, input] of [
      ['value', { name: 'a', namespace: 'dev' }],
      ['find-tools', { query: 'value' }],
      ['use-tool', { name: 'value', arguments: { name: 'a', namespace: 'dev' } }],
      ['approval', { action: 'status', id: 'apr_0' }],
      ['no-such-tool', {}],
    ] as const)
      expect((await bench.call(tool, input, { scopes })).envelope.error?.rule, tool).toBe('insufficient_scope');
    const writer = await bench.call('value', { name: 'a', namespace: 'dev' }, { scopes: ['tools:write'] });
    expect(writer.envelope.status).toBe('done');
    await bench.close();
  });

  test('a write that only the plan shows is denied as well (A3)', async () => {
    const bench = await newBench();
    const tool = bench.services.registry.get('value');
    if (!tool) throw new Error('the bench has no tool');
    const targets: typeof tool.targets = () => [
      { kind: 'workload', id: 'value/a', effect: 'read', at: { namespace: 'dev' } },
    ];
    bench.services.registry = new Map([['value', { ...tool, targets }]]);
    const denied = await bench.call('value', set, { scopes: ['tools:read'] });
    expect(denied.envelope.error?.rule).toBe('insufficient_scope');
    expect(bench.world.runs).toEqual([]);
    const read = await bench.call('value', { name: 'a', namespace: 'dev' }, { scopes: ['tools:read'] });
    expect(read.envelope.status).toBe('done');
    expect((await bench.call('value', set)).envelope.status).toBe('done');
    await bench.close();
  });
});
