import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Command } from 'commander';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

import { register } from '../../../src/cli/policy.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdpoint-policy-command-'));
});
afterAll(() => rm(folder, { recursive: true }));
afterEach(() => {
  process.exitCode = undefined;
  vi.restoreAllMocks();
});

/** Runs `holdpoint policy …` and gives what it printed and its exit code. */
async function policy(...args: string[]) {
  const [out, err]: string[][] = [[], []];
  vi.spyOn(console, 'log').mockImplementation((text: string) => void out?.push(text));
  vi.spyOn(console, 'error').mockImplementation((text: string) => void err?.push(text));
  const program = new Command('holdpoint').exitOverride();
  register(program);
  await program.parseAsync(['policy', ...args, '--state', join(folder, 'state'), '--keys', join(folder, 'keys')], {
    from: 'user',
  });
  return { out: out?.join('\n') ?? '', err: err?.join('\n') ?? '', code: process.exitCode ?? 0 };
}

describe('I7 holdpoint policy test', () => {
  it.each(['devops', 'tta-devops-engineer'])('%s passes', async (name) => {
    const { out, code } = await policy('test', name);
    expect(out).toMatch(new RegExp(`^${name}: \\d+ rules, (\\d+) of \\1 examples as expected$`));
    expect(code).toBe(0);
  });

  it('takes the persona’s policy where no file is named', async () => {
    const { out } = await policy('test', '--persona', 'tta-devops-engineer', '--json');
    expect(JSON.parse(out)).toMatchObject({ valid: true, name: 'tta-devops-engineer', failed: 0, problems: [] });
  });

  it('exits with 1 for an example that fails and for a file that is no policy', async () => {
    const file = join(folder, 'wrong.yaml');
    const rule =
      "{ id: a, decision: allow, when: { kind: file, path: 'a/**' }, reason: r, examples: [{ tool: view, input: { path: a/x.md }, expect: deny }] }";
    await writeFile(file, `version: 1\nname: wrong\nrules:\n  - ${rule}\n`);
    const failed = await policy('test', file);
    expect(failed.out).toContain(`${file}:4: rule "a": example 1`);
    expect(failed.out).toContain('0 of 1 examples as expected');
    expect(failed.code).toBe(1);
    await writeFile(file, 'version: 1\nname: wrong\nrules: []\n');
    const invalid = await policy('test', file);
    expect(invalid.out).toContain(`${file}:3: rules: write at least one rule`);
    expect(invalid.code).toBe(1);
  });
});

describe('I7 holdpoint policy explain', () => {
  it('says the verdict, the targets and the rules, and exits with 0 for a denial too', async () => {
    const { out, code } = await policy('explain', 'view', '{"path":"docker/.env"}');
    expect(out).toContain('view by devops: deny');
    expect(out).toContain('deny by "secrets"');
    expect(code).toBe(0);
  });

  it('gives JSON, for another policy', async () => {
    const { out } = await policy(
      'explain',
      'save-file',
      '{"path":"src/a.py","content":""}',
      '--policy',
      'tta-devops-engineer',
      '--json',
    );
    expect(JSON.parse(out)).toMatchObject({
      policy: 'tta-devops-engineer',
      decision: { verdict: 'deny', rules: ['application-code'], handOff: 'backend-dev' },
      targets: [{ matched: [{ id: 'application-code', decision: 'deny' }] }],
    });
  });

  it.each([
    [['viw', '{}'], 'did you mean "view"'],
    [['view', 'path'], 'not JSON'],
    [['view', '{"file":"x"}'], 'not the arguments of view'],
  ])('exits with 2 for wrong use: %j', async (args, says) => {
    const { err, code } = await policy('explain', ...args);
    expect(err).toContain(says);
    expect(code).toBe(2);
  });
});
