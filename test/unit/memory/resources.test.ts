import { mkdirSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

import { handOffResources } from '../../../src/server/hand-off-resources.ts';
import { memoryResources } from '../../../src/server/memory-resources.ts';
import { PRINCIPAL } from '../server/services.ts';
import { newMemoryBench } from './bench.ts';

describe('holdpoint://memory (H1)', () => {
  test('lists, completes and reads what the policy lets be read; each read is a call in the audit log', async () => {
    const { bench, call, at } = await newMemoryBench();
    await call('write-memory', { name: 'decisions/registry', content: 'ghcr.io' });
    mkdirSync(at('docs/memory/secrets'), { recursive: true });
    writeFileSync(at('docs/memory/secrets/plan.md'), 'planted');
    writeFileSync(at('docs/memory/README.md'), 'No memory by its name.');
    const source = memoryResources(bench.services, bench.dispatch, 'stdio');
    expect((await source.list(PRINCIPAL)).map(({ uri }) => uri)).toEqual(['holdpoint://memory/decisions/registry']);
    expect(await source.complete?.('name', 'dec', PRINCIPAL)).toEqual(['decisions/registry']);
    expect(await source.complete?.('name', 'sec', PRINCIPAL)).toEqual([]);
    expect(await source.complete?.('id', '', PRINCIPAL)).toEqual([]);
    expect((await source.read('holdpoint://memory/decisions/registry', PRINCIPAL))?.text).toContain('ghcr.io');
    for (const name of ['secrets/plan', 'README', 'nothing', '../memory/decisions/registry', ''])
      expect(await source.read(`holdpoint://memory/${name}`, PRINCIPAL)).toBeUndefined();
    expect(await source.read('holdpoint://results/x', PRINCIPAL)).toBeUndefined();
    const opened = (await bench.audit()).filter(
      ({ kind, data }) => kind === 'opened' && data['tool'] === 'read-memory',
    );
    expect(opened.map(({ data }) => data['verdict'])).toEqual(['allow', 'deny', 'allow']);
  });

  test('secrets are masked and the text is bounded', async () => {
    const { bench, at } = await newMemoryBench();
    const token = ['ghp', 'abcdefghijklmnopqrstuvwxyz0123456789'].join('_');
    mkdirSync(at('docs/memory'), { recursive: true });
    writeFileSync(at('docs/memory/leak.md'), `${token}\n${'line\n'.repeat(10_000)}`);
    const source = memoryResources(bench.services, bench.dispatch, 'stdio');
    const text = (await source.read('holdpoint://memory/leak', PRINCIPAL))?.text ?? '';
    expect(text).not.toContain('abcdefghij');
    expect(text.length).toBeLessThan(8192);
  });
});

describe('holdpoint://hand-offs (B4)', () => {
  test('completes the ids that are open for the role', async () => {
    const { bench } = await newMemoryBench();
    const { handOffs } = bench.services;
    const draft = { wants: 'delegate' as const, by: 'agent' as const, from: PRINCIPAL, why: {}, context: {} };
    const mine = await handOffs.leave({ ...draft, to: 'devops', what: { targets: [], note: 'x' } }, 'call');
    await handOffs.leave({ ...draft, to: 'architect', what: { targets: [], note: 'x' } }, 'call');
    const source = handOffResources(bench.services);
    expect(await source.complete?.('id', 'hnd_', PRINCIPAL)).toEqual([mine.id]);
    expect(await source.complete?.('id', 'x', PRINCIPAL)).toEqual([]);
    for (const uri of ['holdpoint://hand-offs/%E0%A4%A', 'holdpoint://hand-offs/', 'holdpoint://hand-offs-x'])
      expect(await source.read(uri, PRINCIPAL)).toBeUndefined();
  });
});
