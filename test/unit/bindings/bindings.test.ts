import { describe, expect, test } from 'vitest';

import { loadRegistry } from '../../../src/server/registry.ts';
import { LOCAL_CASES } from './local-cases.ts';
import { REMOTE_CASES } from './remote-cases.ts';
import { approved, HOLD } from './world.ts';

const CASES = [...LOCAL_CASES, ...REMOTE_CASES];

test('I9 every tool that changes something, or starts programs, is in the table', async () => {
  const changing = [...(await loadRegistry()).values()]
    .filter(({ effect }) => effect !== 'read')
    .map(({ name }) => name);
  expect([...new Set(CASES.map(({ tool }) => tool))].toSorted()).toEqual(changing.toSorted());
});

describe.each(CASES)('I9 $tool: $what', ({ tool, relies, moves, still, make }) => {
  test.each(moves)('is stale once this moved: %s', async (name) => {
    const held = await make();
    expect(Object.keys(held.moves)).toEqual([...moves]);
    const id = await approved(held.bench, tool, held.args);
    await held.moves[name]?.();
    const { envelope } = await held.bench.call('approval', { action: 'run', id });
    expect(envelope).toMatchObject({ status: 'stale', approval: { id, state: 'stale' } });
    expect(envelope.error?.changes?.length).toBeGreaterThan(0);
    for (const { what, was, is } of envelope.error?.changes ?? []) {
      expect(what).not.toBe('');
      expect(was).not.toBe(is);
    }
    const after = await held.bench.services.approvals.find(id);
    expect(after.steps).toEqual([]);
  });

  test(`relies on what it must, and runs although other things moved: ${still.join(', ')}`, async () => {
    const held = await make();
    expect(Object.keys(held.still)).toEqual([...still]);
    const id = await approved(held.bench, tool, held.args);
    const { plan } = await held.bench.services.approvals.find(id);
    expect(plan.preconditions.map(({ id: bound }) => bound)).toEqual(relies.map((id) => expect.stringMatching(id)));
    expect(plan.preview.parts?.some(({ kind }) => kind === 'undo')).toBe(true);
    for (const name of still) await held.still[name]?.();
    const { envelope } = await held.bench.call('approval', { action: 'run', id });
    expect(envelope).toMatchObject({ status: 'done' });
  });

  test('is stale once the policy moved', async () => {
    const policy = await make();
    const first = await approved(policy.bench, tool, policy.args);
    policy.bench.setPolicy(HOLD.replace('A person confirms changes.', 'Somebody confirms changes.'));
    expect((await policy.bench.call('approval', { action: 'run', id: first })).envelope).toMatchObject({
      status: 'stale',
      error: { changes: [{ what: 'the policy hold' }] },
    });
  });
});
