import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';

import { diagnose, readChecked } from '../../../src/adapters/diagnostics/diagnose.ts';

const FIXTURES = resolve(import.meta.dirname, '../../../fixtures/diagnostics');

/** By sample: each finding as `severity rule file:line`. */
const expected = JSON.parse(readFileSync(join(FIXTURES, 'expected.json'), 'utf8')) as Record<string, string[]>;

function found(sample: string): string[] {
  const folder = join(FIXTURES, sample);
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
  const files = names.filter((name) => statSync(join(folder, name)).isFile());
  const read = files.flatMap((name) => readChecked(name, readFileSync(join(folder, name), 'utf8')) ?? []);
  expect(read.map(({ path }) => path)).toEqual(files);
  return diagnose(read, { ignores: () => false }).map(
    ({ file, line, rule, severity }) => `${severity} ${rule} ${file}:${line}`,
  );
}

describe('the documents’ own samples (C6)', () => {
  const samples = readdirSync(FIXTURES).filter((name) => statSync(join(FIXTURES, name)).isDirectory());

  test('each has its expected findings', () => expect(samples).toEqual(Object.keys(expected).sort()));

  test.for(samples)('%s gives exactly the expected findings', (sample) => {
    expect(found(sample)).toEqual(expected[sample]);
  });

  test('what S0 calls bad is told apart from what it calls good by what it names: stages, caching, resources, probes, gates', () => {
    const rules = (sample: string) => new Set(found(sample).map((each) => each.split(' ')[1] ?? ''));
    const good = rules('s0-good');
    expect([...rules('s0-bad')].filter((rule) => !good.has(rule)).sort()).toEqual([
      'copy-before-install',
      'large-base',
      'latest-image',
      'missing-probe',
      'no-healthcheck',
      'no-quality-gate',
      'no-resources',
      'pip-cache',
    ]);
  });
});
