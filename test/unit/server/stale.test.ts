import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import type { PreviewPart } from '../../../src/core/plan.ts';
import type { AnyTool } from '../../../src/core/tool.ts';
import { newBench, POLICY, PRINCIPAL, type Bench } from './services.ts';

/** A Tuesday, on this machine's clock. */
let now = 0;
let bench: Bench;
beforeEach(async () => {
  now = new Date(2026, 10, 17, 12).getTime();
  bench = await newBench({ now: () => now });
  bench.approvers.add({ name: 'alice', person: 'ann', at: Date.now() });
});
afterEach(() => bench.close());

const write = { name: 'a', namespace: 'prod', to: '2' };
const hold = async (args: object = write) => (await bench.call('value', args)).envelope.approval?.id ?? '';
const act = async (action: string, id: string) => bench.call('approval', { action, id });
const request = (id: string) => bench.services.approvals.find(id);

async function approve(id: string): Promise<void> {
  const { digest } = await request(id);
  await bench.services.approvals.decide(
    bench.approvers.sign({ id, digest, decision: 'approve', approver: 'alice', at: Date.now(), reason: 'fine' }),
  );
}

/** An approved request whose value has become `to`, after its run was refused. */
async function staleOne(to = '7'): Promise<string> {
  const id = await hold();
  await approve(id);
  bench.world.values.set('a', to);
  expect((await act('run', id)).envelope.status).toBe('stale');
  return id;
}

/** Gives the tool a preview; counts how often it was asked. */
function withPreview(preview: () => Promise<PreviewPart[]>): { asked: () => number } {
  let count = 0;
  const counted = () => {
    count += 1;
    return preview();
  };
  const tool = bench.services.registry.get('value');
  (bench.services.registry as Map<string, AnyTool>).set('value', { ...(tool as AnyTool), preview: counted });
  return { asked: () => count };
}

describe('I9: a stale request', () => {
  test('answers with then and now side by side, in the data and in the text, each time it is run', async () => {
    const id = await staleOne();
    for (let again = 0; again < 2; again += 1) {
      const { envelope, text } = await act('run', id);
      expect(envelope).toMatchObject({
        status: 'stale',
        error: { code: 'stale', changes: [{ what: 'the value of a', was: '1', is: '7' }] },
        approval: { id, state: 'stale' },
        next: expect.stringContaining(`{ action: "replan", id: "${id}" }`),
      });
      expect(text).toContain('- the value of a\n    then: 1\n    now:  7\n');
    }
    expect(await request(id)).toMatchObject({ state: 'stale', note: { changes: [{ was: '1', is: '7' }] } });
    expect(bench.world.runs).toEqual([]);
  });

  test('one call plans it anew: a request of its own that refers to the old and shows what differs', async () => {
    const old = await staleOne();
    const { envelope } = await act('replan', old);
    expect(envelope.status).toBe('approval_required');
    const id = envelope.approval?.id ?? '';
    expect(id).not.toBe(old);
    const made = await request(id);
    expect(made).toMatchObject({ follows: old, state: 'pending', approvalsGiven: 0 });
    expect(made.plan.preview.parts?.[0]).toEqual({
      kind: 'facts',
      title: `What differs from ${old}, which was approved and went stale`,
      rows: [['the value of a', 'then 1\nnow 7']],
    });
    // Again it is the same one, by either way.
    expect((await act('replan', old)).envelope.approval?.id).toBe(id);
    expect(await hold()).toBe(id);
    expect((await bench.call('approval', { action: 'status', id })).envelope.result).toMatchObject({ follows: old });
  });

  test('the old approval never carries over; the new one runs once it is approved by itself', async () => {
    const old = await staleOne();
    const id = (await act('replan', old)).envelope.approval?.id ?? '';
    expect((await act('run', id)).envelope.status).toBe('approval_required');
    const [given] = (await request(old)).decisions;
    if (!given) throw new Error('it was approved');
    await expect(bench.services.approvals.decide({ ...given, id })).rejects.toMatchObject({ code: 'denied' });
    const { digest } = await request(id);
    await expect(bench.services.approvals.decide({ ...given, id, digest })).rejects.toMatchObject({ code: 'denied' });
    await bench.store.query(
      `INSERT INTO approval_decisions (request, approver, decision, at, reason, signature, digest)
       SELECT ?, approver, decision, at, reason, signature, ? FROM approval_decisions WHERE request = ?`,
      [id, digest, old],
    );
    await bench.store.query(`UPDATE approval_requests SET state = 'approved', run_by = ? WHERE id = ?`, [
      Date.now() + 60_000,
      id,
    ]);
    expect((await act('run', id)).envelope.status).toBe('denied');
    expect(bench.world.runs).toEqual([]);

    await bench.store.query(`UPDATE approval_requests SET state = 'pending', run_by = NULL WHERE id = ?`, [id]);
    await bench.store.query('DELETE FROM approval_decisions WHERE request = ?', [id]);
    await approve(id);
    expect((await act('run', id)).envelope).toMatchObject({ status: 'done', result: { was: '7' } });
    expect(bench.world.runs).toEqual(['a=2']);
  });

  test('the call itself, made again, follows it as well; with another input, or once that was done, it does not', async () => {
    const old = await staleOne();
    const other = await hold({ ...write, to: '3' });
    expect((await request(other)).follows).toBeUndefined();
    const id = await hold();
    expect((await request(id)).follows).toBe(old);
    await approve(id);
    expect((await act('run', id)).envelope.status).toBe('done');
    expect((await request(await hold())).follows).toBeUndefined();
  });

  test('only its own caller plans it anew, only where it is stale, and only with the right to write', async () => {
    const old = await staleOne();
    const principal = { ...PRINCIPAL, client: 'another' };
    expect((await bench.call('approval', { action: 'replan', id: old }, { principal })).envelope).toMatchObject({
      error: { code: 'not_found' },
    });
    const looking = await bench.call('approval', { action: 'replan', id: old }, { scopes: ['tools:read'] });
    expect(looking.envelope.status).toBe('denied');
    const pending = await hold();
    expect((await act('replan', pending)).envelope).toMatchObject({ error: { code: 'conflict' } });
    expect((await act('replan', 'apr_0')).envelope).toMatchObject({ error: { code: 'not_found' } });
  });

  test('planned anew it goes the whole way: another policy denies it, and it is in the log as its own tool', async () => {
    const old = await staleOne();
    bench.setPolicy(
      POLICY.replace('decision: require_approval', 'decision: deny').replaceAll(
        'expect: require_approval',
        'expect: deny',
      ),
    );
    expect((await act('replan', old)).envelope).toMatchObject({ status: 'denied', error: { rule: 'production' } });
    const opened = (await bench.audit()).filter(({ kind }) => kind === 'opened').at(-1);
    expect(opened?.data).toMatchObject({ tool: 'value', verdict: 'deny' });
  });
});

describe('I4: what people see is gathered once the call is held', () => {
  const parts: PreviewPart[] = [
    { kind: 'facts', title: 'What it can break', rows: [['pods', '3']] },
    { kind: 'risks', items: ['one replica'] },
    { kind: 'undo', text: 'set it back, hunter2-known' },
  ];

  test('not for a call that runs at once, nor again for one that waits already', async () => {
    const { asked } = withPreview(async () => parts);
    await bench.call('value', { ...write, namespace: 'dev' });
    await bench.call('value', { name: 'a', namespace: 'prod' });
    await bench.call('value', { ...write, dryRun: true });
    expect(asked()).toBe(0);
    const id = await hold();
    await hold();
    await approve(id);
    expect((await act('run', id)).envelope.status).toBe('done');
    expect(asked()).toBe(1);
  });

  test('is in the signed body, masked, beside what every request has; what the plan binds is untouched by it', async () => {
    withPreview(async () => parts);
    const id = await hold();
    const { plan, digest } = await request(id);
    expect(plan.preview.parts?.map(({ kind }) => kind)).toEqual(['risks', 'facts', 'undo']);
    expect(plan.preview.parts?.[0]).toMatchObject({
      items: ['one replica', expect.stringContaining('the first time here')],
    });
    expect(plan.preview.text).toBeUndefined();
    expect(JSON.stringify(plan)).not.toContain('hunter2-known');
    const [row] = await bench.store.query<{ body: string }>('SELECT body FROM approval_requests WHERE id = ?', [id]);
    expect(row?.body).toContain('What it can break');
    expect(digest).toMatch(/^sha256:/);
    // Other words for people are the same plan still.
    withPreview(async () => []);
    expect(await hold()).toBe(id);
    await approve(id);
    expect((await act('run', id)).envelope.status).toBe('done');
  });

  test('where it fails the request is made all the same, and says so; the plan’s own text is there then', async () => {
    withPreview(() => Promise.reject(new Error('secret inside')));
    const { plan } = await request(await hold());
    expect(plan.preview.text).toBe('-1\n+2');
    expect(plan.preview.parts).toContainEqual({
      kind: 'facts',
      title: 'More about this',
      rows: [['not looked up', 'it could not be found out']],
    });
  });

  test('what is too long is cut, and says so', async () => {
    withPreview(async () => [
      { kind: 'diff', title: 'd', text: 'line\n'.repeat(10_000) },
      {
        kind: 'facts',
        title: 'f',
        rows: Array.from({ length: 100 }, (_, at): [string, string] => [`${at}`, 'v'.repeat(2000)]),
      },
    ]);
    const { parts: shown = [] } = (await request(await hold())).plan.preview;
    const [diff, facts] = [shown.find(({ kind }) => kind === 'diff'), shown.find(({ kind }) => kind === 'facts')];
    expect(diff).toMatchObject({ text: expect.stringMatching(/line\n… 30\d\d\d more characters are not shown$/) });
    expect(facts).toMatchObject({ rows: expect.arrayContaining([['…', '40 more are not shown']]) });
    expect(JSON.stringify(shown).length).toBeLessThan(100_000);
  });

  test('the hour is a risk in the evening and on Sunday', async () => {
    const asked = async (to: string, ...at: [number, number, number, number]) => {
      now = new Date(...at).getTime();
      const { parts: shown = [] } = (await request(await hold({ ...write, to }))).plan.preview;
      return shown.some(
        (part) => part.kind === 'risks' && part.items.some((item) => item.startsWith('asked for outside')),
      );
    };
    expect(await asked('3', 2026, 10, 17, 16)).toBe(false);
    expect(await asked('4', 2026, 10, 17, 17)).toBe(true);
    expect(await asked('5', 2026, 10, 22, 12)).toBe(true);
  });

  test('a run that failed before, a no that a person said, and letters that look alike are risks', async () => {
    const failed = await hold();
    await approve(failed);
    bench.world.during = () => Promise.reject(new Error('boom'));
    await act('run', failed);
    bench.world.during = async () => {};
    const denied = await hold({ ...write, to: '3' });
    const { digest } = await request(denied);
    const signed = {
      id: denied,
      digest,
      decision: 'deny',
      approver: 'alice',
      at: Date.now(),
      reason: 'too late\u202e',
    } as const;
    await bench.services.approvals.decide(bench.approvers.sign(signed));
    const risksOf = async (args: object) => {
      const { parts: shown = [] } = (await request(await hold(args))).plan.preview;
      return shown.flatMap((part) => (part.kind === 'risks' ? part.items : [])).join('\n');
    };
    const risks = await risksOf({ ...write, to: '4' });
    expect(risks).toContain(`follows a run that failed on the same target (${failed}`);
    expect(risks).toContain(`a person said no to value on the same target at`);
    expect(risks).toContain('«too late\\u{202e}»');
    expect(risks).not.toContain('first time');
    expect(await risksOf({ ...write, name: '\u0430bc' })).toContain('mixes Latin and Cyrillic letters (U+0430)');
  });
});
