import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { holdpoint, newPlace, type Place } from '../../harness.ts';

let place: Place;
beforeEach(() => {
  place = newPlace();
});
afterEach(() => place.remove());

describe('holdpoint doctor', () => {
  test('prints a line for each thing with what to do, and ends with 0 where nothing is broken (A5)', async () => {
    const { code, stdout } = await holdpoint(place, 'doctor', '--workspace', place.workspace);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ok {4}node +\d+\./m);
    expect(stdout).toMatch(/^warn {2}approvers +nobody can approve what waits\n +→ holdpoint approver add NAME$/m);
    expect(stdout).toMatch(/^off {3}prometheus +not configured\n +→ Set PROMETHEUS_URL\.$/m);
  });

  test('gives JSON, and 1 where something is broken (A5)', async () => {
    const policy = join(place.env['HOME'] ?? '', 'broken.yaml');
    writeFileSync(policy, 'version: 1\n');
    const { code, stdout } = await holdpoint(
      place,
      'doctor',
      '--json',
      '--policy',
      policy,
      '--workspace',
      place.workspace,
    );
    expect(code).toBe(1);
    const { ok, findings } = JSON.parse(stdout) as { ok: boolean; findings: { what: string; level: string }[] };
    expect(ok).toBe(false);
    expect(findings.filter(({ level }) => level === 'fail').map(({ what }) => what)).toEqual(['policy']);
  });
});
