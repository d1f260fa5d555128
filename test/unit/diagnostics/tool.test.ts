import { rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

import { RULES } from '../../../src/adapters/diagnostics/diagnose.ts';
import { createRedactor } from '../../../src/redact/redact.ts';
import { newFilesBench } from '../files/bench.ts';

interface Result {
  findings: { file: string; line: number; rule: string; severity: string; what: string; why: string; fix: string }[];
  total: { error: number; warning: number; info: number };
  checked: Record<string, string[]>;
  note?: string;
}

async function newBench() {
  const bench = await newFilesBench();
  return {
    ...bench,
    check: async (args: Record<string, unknown> = {}) => {
      const { envelope, text } = await bench.call('diagnostics', args);
      return { status: envelope.status, error: envelope.error, result: envelope.result as unknown as Result, text };
    },
  };
}

describe('diagnostics (C6)', () => {
  test('the whole workspace: what is wrong, worst first, and which files were checked as what', async () => {
    const { check } = await newBench();
    const { result, text } = await check();
    expect(result.checked).toEqual({
      workflow: ['ci-cd', 'deploy-production', 'deploy-staging'].map((name) => `.github/workflows/${name}.yml`),
      compose: ['docker-compose.yml', 'docker/old-compose.yml'],
      dockerfile: ['docker/Dockerfile'],
      kubernetes: ['configmap', 'deployment', 'ingress', 'old-deployment', 'service'].map(
        (name) => `kubernetes/${name}.yaml`,
      ),
    });
    const old = result.findings.filter(({ file }) => file === 'kubernetes/old-deployment.yaml');
    expect(old.map(({ rule }) => rule)).toEqual([
      'missing-probe',
      'no-resources',
      'privilege-escalation',
      'root-user',
      'latest-image',
    ]);
    expect(result.findings.every(({ severity }) => severity === 'warning')).toBe(true);
    expect(result.total).toMatchObject({ error: 0, warning: result.findings.length });
    expect(result.note).toMatch(/\d+ below severity warning\. .*1 files not allowed by policy\./);
    expect(text).toContain(
      'kubernetes/old-deployment.yaml:19 warning latest-image: deployment tta-api-old, container api: image tta-api:latest is latest.',
    );
    expect(text).toContain('  fix: image: tta-api:<version>');
    expect(text).toContain('; dockerfile docker/Dockerfile; ');
  });

  test('one file, every severity, some of the findings; what is left out is counted', async () => {
    const { check } = await newBench();
    const all = await check({ path: 'kubernetes/old-deployment.yaml', severity: 'info', limit: 200 });
    expect(all.result.checked).toEqual({ kubernetes: ['kubernetes/old-deployment.yaml'] });
    expect(all.result.findings).toHaveLength(Object.values(all.result.total).reduce((sum, each) => sum + each, 0));
    expect(all.result.note).toBeUndefined();
    const some = await check({ path: 'kubernetes/old-deployment.yaml', severity: 'info', limit: 2 });
    expect(some.result.findings).toEqual(all.result.findings.slice(0, 2));
    expect(some.result.total).toEqual(all.result.total);
    expect(some.result.note).toBe(
      `${all.result.findings.length - 2} more findings: check a single file, or raise severity or limit.`,
    );
    const errors = await check({ path: 'kubernetes/old-deployment.yaml', severity: 'error' });
    expect(errors.result).toMatchObject({ findings: [], note: expect.stringContaining('below severity error.') });
    expect(errors.text).toContain('checked: kubernetes kubernetes/old-deployment.yaml');
  });

  test('a secret is found and its value shown nowhere', async () => {
    const { check, at } = await newBench();
    writeFileSync(
      at('docker/compose.yml'),
      'services:\n  db:\n    image: postgres:17\n    environment: { POSTGRES_PASSWORD: planted-value }\n',
    );
    const { result, text } = await check({ path: 'docker', severity: 'error' });
    expect(result.findings).toMatchObject([
      {
        file: 'docker/compose.yml',
        line: 4,
        rule: 'inline-secret',
        what: 'db: POSTGRES_PASSWORD has its value in the file',
      },
    ]);
    expect(JSON.stringify(result) + text).not.toContain('planted');
  });

  test('nothing is read that the policy does not allow, under another name either', async () => {
    const { check, at } = await newBench();
    symlinkSync('../secrets/api-keys.yaml', at('kubernetes/keys.yaml'));
    const folder = await check({ path: 'kubernetes' });
    expect(folder.result.checked['kubernetes']).not.toContain('kubernetes/keys.yaml');
    expect(folder.result.note).toContain('1 files not allowed by policy.');
    for (const path of ['kubernetes/keys.yaml', 'secrets/api-keys.yaml', 'secrets', '.env'])
      expect((await check({ path })).status).toBe('denied');
    expect((await check({ path: '../outside' })).status).toBe('denied');
  });

  test('what is not checked is said: other files, templates, files that are too large or missing', async () => {
    const { check, at } = await newBench();
    writeFileSync(at('kubernetes/values.yaml'), 'replicas: 3\n');
    writeFileSync(at('kubernetes/chart.yaml'), 'apiVersion: v1\nkind: Pod\nmetadata: {{ .Values.metadata }}\n');
    writeFileSync(at('kubernetes/large.yaml'), `a: ${'x'.repeat(600_000)}\n`);
    const folder = await check({ path: 'kubernetes', severity: 'info', limit: 200 });
    expect(folder.result.note).toContain('1 other YAML files not checked.');
    expect(folder.result.note).toContain('1 templates ({{ }}) not checked');
    expect(folder.result.findings).toContainEqual(
      expect.objectContaining({ file: 'kubernetes/large.yaml', rule: 'too-large', severity: 'warning' }),
    );
    const other = await check({ path: 'kubernetes/values.yaml' });
    expect(other.result).toMatchObject({
      checked: {},
      findings: [],
      note: expect.stringContaining('nothing was checked'),
    });
    expect((await check({ path: 'kubernetes/none.yaml' })).error).toMatchObject({ code: 'not_found' });
    expect((await check({ limit: 0 })).error).toMatchObject({ code: 'invalid_input' });
  });

  test('a .dockerignore is looked for above the Dockerfile, as far as the policy allows', async () => {
    const { check, at } = await newBench();
    writeFileSync(at('docker/Dockerfile'), 'FROM scratch\nCOPY . /\n');
    expect((await check({ path: 'docker/Dockerfile' })).result.findings).toEqual([]);
    rmSync(at('.dockerignore'));
    expect((await check({ path: 'docker/Dockerfile' })).result.findings).toMatchObject([{ rule: 'no-dockerignore' }]);
    writeFileSync(at('docker/Dockerfile.dockerignore'), '.git\n');
    expect((await check({ path: 'docker/Dockerfile' })).result.findings).toEqual([]);
  });

  test('the result is bounded, and names out of files cannot mislead (A7)', async () => {
    const { check, at } = await newBench();
    const objects = Array.from(
      { length: 300 },
      (_, index) =>
        `apiVersion: v1\nkind: Secret\nmetadata: { name: "x${index}\\u202e\\e[2J${'y'.repeat(500)}" }\nstringData: { a: planted }\n`,
    );
    writeFileSync(at('kubernetes/many.yaml'), objects.join('---\n'));
    const { result, text } = await check({ limit: 200 });
    expect(result.total.error).toBe(300);
    expect(result.findings.length).toBeGreaterThan(4);
    expect(Buffer.byteLength(JSON.stringify(result))).toBeLessThan(8192);
    expect(Buffer.byteLength(text)).toBeLessThan(8192);
    expect(text).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}]/u);
    expect(result.note).toMatch(/\d+ more findings: check a single file/);
  });

  test('what the rules say is not taken for a secret by the redactor', () => {
    const redactor = createRedactor([]);
    for (const { id, why, fix } of Object.values(RULES).flat())
      expect(redactor.json({ id, why, fix })).toEqual({ id, why, fix });
  });
});
