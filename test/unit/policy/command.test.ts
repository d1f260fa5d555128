import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Command } from 'commander';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

import { createAuditLog } from '../../../src/audit/log.ts';
import { register } from '../../../src/cli/policy.ts';
import type { JsonObject } from '../../../src/core/json.ts';
import { openStore } from '../../../src/store/sqlite.ts';

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
  const state = args.includes('--state') ? [] : ['--state', join(folder, 'state')];
  await program.parseAsync(['policy', ...args, ...state, '--keys', join(folder, 'keys')], { from: 'user' });
  return { out: out?.join('\n') ?? '', err: err?.join('\n') ?? '', code: process.exitCode ?? 0 };
}

describe('I7 holdpoint policy test', () => {
  it.each(['devops', 'tta-devops-engineer', 'orchestra-devops', 'battra-devops', 'pdlc-devops'])(
    '%s passes',
    async (name) => {
      const { out, code } = await policy('test', name);
      expect(out).toMatch(new RegExp(`^${name}: \\d+ rules, (\\d+) of \\1 examples as expected$`));
      expect(code).toBe(0);
    },
  );

  it('takes the persona’s policy where no file is named', async () => {
    const { out } = await policy('test', '--persona', 'tta-devops-engineer', '--json');
    expect(JSON.parse(out)).toMatchObject({ valid: true, name: 'tta-devops-engineer', failed: 0, problems: [] });
  });

  it('exits with 1 for an example that fails, with 2 for a file that is no policy or not there', async () => {
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
    expect(invalid.code).toBe(2);
    const gone = await policy('test', join(folder, 'gone.yaml'), '--json');
    expect(JSON.parse(gone.out)).toMatchObject({
      valid: false,
      message: expect.stringContaining('cannot be read') as string,
    });
    expect(gone.code).toBe(2);
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

  it('exits with 2 for a policy that is none', async () => {
    const { out, code } = await policy(
      'explain',
      'view',
      '{"path":"x"}',
      '--policy',
      join(folder, 'gone.yaml'),
      '--json',
    );
    expect(JSON.parse(out)).toMatchObject({ valid: false });
    expect(code).toBe(2);
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

const FAULTY = join(import.meta.dirname, '../../../fixtures/policies/faulty');

describe('I7 holdpoint policy lint, the command', () => {
  it('says nothing of a good policy and exits with 0', async () => {
    const { out, code } = await policy('lint', 'devops', '--strict');
    expect(out).toMatch(/^devops: no findings \(\d+ calls decided\)$/);
    expect(code).toBe(0);
  });

  it('gives file, line, column, finding and fix, and exits with 1 for an error', async () => {
    const { out, code } = await policy('lint', join(FAULTY, 'delete-files.yaml'));
    expect(out).toContain(
      'fixtures/policies/faulty/delete-files.yaml:9:5: error delete-unapproved in "files": Something is deleted without approval: remove-files',
    );
    expect(out).toContain('\n    Add a rule that holds it');
    expect(out).toMatch(/delete-files: 1 error, 0 warnings \(\d+ calls decided\)$/);
    expect(code).toBe(1);
  });

  it('exits with 0 for warnings, with 1 where it is strict', async () => {
    const file = join(FAULTY, 'approvals.yaml');
    expect((await policy('lint', file)).code).toBe(0);
    process.exitCode = undefined;
    const { out, code } = await policy('lint', file, '--strict', '--json');
    expect(JSON.parse(out)).toMatchObject({ errors: 0, warnings: 3, findings: [{ rule: 'approval-expiry' }, {}, {}] });
    expect(code).toBe(1);
  });

  it('gives the witness in JSON', async () => {
    const { out } = await policy('lint', join(FAULTY, 'production-by-namespace.yaml'), '--json');
    expect(JSON.parse(out)).toMatchObject({
      name: 'production-by-namespace',
      findings: [{ rule: 'production-unapproved', witness: { tool: 'kubectl-rollout', verdict: 'allow' } }],
    });
  });

  it('exits with 2 for a file that is no policy or not there', async () => {
    const file = join(folder, 'none.yaml');
    await writeFile(file, 'version: 1\nname: none\nrulez: []\n');
    for (const name of [file, join(folder, 'gone.yaml')]) {
      const { out, code } = await policy('lint', name, '--json');
      expect(JSON.parse(out)).toMatchObject({ file: name, valid: false });
      expect(code).toBe(2);
    }
  });
});

describe('I7 holdpoint policy replay, the command', () => {
  /** A state directory whose log has these decisions. */
  async function logged(name: string, ...decisions: JsonObject[]): Promise<string> {
    const state = join(folder, name);
    const store = await openStore(state);
    const audit = createAuditLog({ store });
    for (const [index, data] of decisions.entries())
      audit.append({
        kind: 'opened',
        callId: `call-${index}`,
        data: { principal: 'ann/devops/tests', rules: ['x'], ...data },
      });
    await audit.close();
    await store.close();
    return state;
  }
  const view = (path: string, verdict: string): JsonObject => ({
    tool: 'view',
    verdict,
    targets: [{ kind: 'file', id: path, effect: 'read', path, verdict }],
    targetCount: 1,
  });

  it('exits with 0 where nothing changes', async () => {
    const state = await logged('same', view('docker/Dockerfile', 'allow'), view('docker/.env', 'deny'));
    const { out, code } = await policy('replay', '--against', 'devops', '--state', state);
    expect(out).toMatch(
      /^devops against the log since .*: 2 of 2 decisions replayed; 2 the same, 0 loosened, 0 tightened$/,
    );
    expect(code).toBe(0);
  });

  it('exits with 1 for what is loosened, shows it, and masks what looks like a secret', async () => {
    const token = `ghp_${'a1B2'.repeat(9)}`;
    const state = await logged('loosened', view(`docker/${token}`, 'deny'), {
      approval: 'apr_00000000000000000000000000000000',
    });
    const { out, code } = await policy('replay', '--against', 'devops', '--state', state);
    expect(out).toContain('LOOSENED deny (x) → allow (infrastructure-files): 1');
    expect(out).toContain('ann/devops/tests, call call-0');
    expect(out).toContain('1 of 2 decisions replayed; 0 the same, 1 loosened, 0 tightened');
    expect(out).toContain('1 not replayed: the run of an approved request');
    expect(out).not.toContain(token);
    expect(code).toBe(1);
  });

  it('exits with 1 for what is tightened only where it is asked to', async () => {
    const state = await logged('tightened', view('docker/.env', 'allow'));
    const first = await policy('replay', '--against', 'devops', '--state', state);
    expect(first.out).toContain('tightened allow (x) → deny (secrets): 1');
    expect(first.code).toBe(0);
    const { out, code } = await policy(
      'replay',
      '--against',
      'devops',
      '--state',
      state,
      '--fail-on',
      'any',
      '--json',
      '--examples',
      '0',
    );
    expect(JSON.parse(out)).toMatchObject({ tightened: 1, changes: [{ from: 'allow', to: 'deny', examples: [] }] });
    expect(code).toBe(1);
  });

  it('exits with 2 where nothing could be replayed: a gate that looked at nothing must not pass', async () => {
    const empty = await policy('replay', '--against', 'devops', '--state', await logged('empty'));
    expect(empty.out).toContain('nothing was replayed');
    expect(empty.code).toBe(2);
    const past = await logged('past', view('docker/.env', 'deny'));
    expect((await policy('replay', '--against', 'devops', '--state', past, '--since', '2999-01-01')).code).toBe(2);
    process.exitCode = undefined;
    expect((await policy('replay', '--against', join(folder, 'gone.yaml'), '--state', past)).code).toBe(2);
  });

  it.each(['soon', '30', '-1d'])('refuses --since %s', async (text) => {
    await expect(policy('replay', '--against', 'devops', '--since', text)).rejects.toThrow('Give an age');
  });
});
