import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Command } from 'commander';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

import { register } from '../../../src/cli/persona.ts';
import { PERSONAS, POLICIES } from '../../../src/config/locations.ts';
import { shippedPersonas } from '../../../src/personas/persona.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdpoint-persona-command-'));
});
afterAll(() => rm(folder, { recursive: true }));
afterEach(() => {
  process.exitCode = undefined;
  vi.restoreAllMocks();
});

/** Runs `holdpoint persona …` and gives what it printed and its exit code. */
async function persona(...args: string[]) {
  const [out, err]: string[][] = [[], []];
  vi.spyOn(console, 'log').mockImplementation((text: string) => void out?.push(text));
  vi.spyOn(console, 'error').mockImplementation((text: string) => void err?.push(text));
  const program = new Command('holdpoint').exitOverride();
  register(program);
  await program.parseAsync(['persona', ...args, '--state', join(folder, 'state')], { from: 'user' });
  return { out: out?.join('\n') ?? '', err: err?.join('\n') ?? '', code: process.exitCode ?? 0 };
}

/** A copy of the default persona with its policy beside it, one text in it replaced by another. */
async function changed(name: string, file: 'persona.yaml' | 'policy.yaml', from: string, to: string): Promise<string> {
  const copy = join(folder, name);
  await cp(join(PERSONAS, 'devops'), copy, { recursive: true });
  await cp(join(POLICIES, 'devops.yaml'), join(copy, 'policy.yaml'));
  const own = await readFile(join(copy, 'persona.yaml'), 'utf8');
  await writeFile(join(copy, 'persona.yaml'), own.replace('policy: devops', 'policy: ./policy.yaml'));
  const text = await readFile(join(copy, file), 'utf8');
  expect(text).toContain(from);
  await writeFile(join(copy, file), text.replace(from, to));
  return copy;
}

describe('B8 holdpoint persona list', () => {
  it('has the five that ship, the default first, within their budgets in both counts', async () => {
    const rows = JSON.parse((await persona('list', '--json')).out) as {
      name: string;
      tokens: { estimate: number; o200k: number };
      budget: number;
      room: number;
    }[];
    expect(rows.map(({ name }) => name)).toEqual([
      'devops',
      'battra-devops',
      'orchestra-devops',
      'pdlc-devops',
      'tta-devops-engineer',
    ]);
    for (const { tokens, budget, room } of rows) {
      expect(room).toBe(budget - Math.max(tokens.estimate, tokens.o200k));
      expect(room).toBeGreaterThanOrEqual(0);
    }
  });

  it('and others that are given', async () => {
    const copy = await changed('given', 'persona.yaml', 'title: DevOps engineer', 'title: "Mine \\u202e"');
    const { out } = await persona('list', copy);
    expect(out).toMatch(/Mine \\u\{202e\} .*20 tools/);
  });
});

describe('B4 B5 holdpoint persona show', () => {
  it('says tools in order, every rule, upstream servers, skills and whom it hands work to', async () => {
    const { out, code } = await persona('show', 'tta-devops-engineer');
    expect(code).toBe(0);
    expect(out.indexOf('  save-file ')).toBeLessThan(out.indexOf('  view '));
    expect(out).toMatch(/^ {2}require_approval {2}production: Production changes need a person/m);
    expect(out).toContain('Upstream servers: github, gitmcp, serena, grafana');
    expect(out).toMatch(/^Hands work to: architect, backend-dev, .*frontend-dev, .*qa-engineer/m);
    expect((await persona('show', 'battra-devops')).out).toContain('(told, not recorded)');
  });

  it('as JSON', async () => {
    const shown = JSON.parse((await persona('show', 'pdlc-devops', '--json')).out) as Record<string, unknown>;
    expect(shown).toMatchObject({
      name: 'pdlc-devops',
      workflow: 'workflow.yaml',
      upstreams: [],
      handsTo: ['architect', 'developer', 'product-manager', 'qa'],
      policy: { name: 'pdlc-devops', environments: ['production', 'staging', 'development'] },
    });
  });
});

describe('B2 holdpoint persona budget', () => {
  it('has both counts of each tool, the dearest first, and what is left', async () => {
    const { out, code } = await persona('budget', 'devops');
    const lines = out.split('\n');
    expect(lines[0]).toMatch(/^devops +estimate +o200k$/);
    const costs = lines.slice(1, 21).map((line) => Math.max(...(line.match(/\d+/g) ?? []).slice(-2).map(Number)));
    expect(costs).toEqual(costs.toSorted((a, b) => b - a));
    const { tools, total, room } = JSON.parse((await persona('budget', 'devops', '--json')).out) as {
      tools: { estimate: number; o200k: number }[];
      total: { estimate: number; o200k: number };
      room: number;
    };
    for (const key of ['estimate', 'o200k'] as const)
      expect(tools.reduce((sum, tool) => sum + tool[key], 0)).toBe(total[key]);
    expect(lines.at(-1)).toMatch(new RegExp(`^left +${1800 - total.estimate} +${1800 - total.o200k}$`));
    expect(room).toBe(1800 - Math.max(total.estimate, total.o200k));
    expect(code).toBe(0);
  });

  it('over it, names the tools and exits with 1', async () => {
    const copy = await changed('dear', 'persona.yaml', 'tokenBudget: 1800', 'tokenBudget: 1700');
    const { out, err, code } = await persona('budget', copy);
    expect(out).toContain('Over by 41.');
    expect(err).toMatch(/cost 1741 tokens, 41 over the budget of 1700\. Take some off: kubectl-rollout 166, /);
    expect(code).toBe(1);
  });
});

describe('B2 B8 holdpoint persona check', () => {
  it.each(shippedPersonas())('%s: nothing is wrong', async (name) => {
    expect(await persona('check', name)).toMatchObject({
      out: expect.stringMatching(
        new RegExp(`^${name}: nothing is wrong \\(\\d+ rules, \\d+ examples, \\d+ and \\d+ of 1800 tokens\\)$`),
      ) as string,
      code: 0,
    });
  });

  it.each([
    ['unknown tool', 'persona.yaml', '  - view\n', '  - viwe\n', /It lists tools that do not exist: viwe\./],
    ['tool twice', 'persona.yaml', '  - view\n', '  - view\n  - view\n', /It lists tools twice: view\./],
    ['over budget', 'persona.yaml', 'tokenBudget: 1800', 'tokenBudget: 1690', /cost 1741 tokens, 51 over the budget/],
    ['unknown key', 'persona.yaml', 'title:', 'titel: x\ntitle:', /Unrecognized key/],
    ['no policy', 'persona.yaml', './policy.yaml', './elsewhere.yaml', /elsewhere\.yaml cannot be read/],
    ['broken policy', 'policy.yaml', 'decision: allow', 'decision: alow', /did you mean "allow"/],
    ['wrong example', 'policy.yaml', 'expect: allow', 'expect: deny', /expects deny, but gives allow/],
    ['secrets open', 'policy.yaml', "        - '**/.env*'\n", '', /secrets-readable/],
  ] as const)('%s: says so and exits with 1', async (name, file, from, to, says) => {
    const copy = await changed(name.replaceAll(' ', '-'), file, from, to);
    const { out, code } = await persona('check', copy);
    expect(out).toMatch(says);
    expect(out).toMatch(/not usable|no policy/);
    expect(code).toBe(1);
    expect(JSON.parse((await persona('check', copy, '--json')).out)).toMatchObject({ valid: false });
  });

  it('one that is not there', async () => {
    const { out, code } = await persona('check', join(folder, 'nowhere'));
    expect(out).toMatch(/There is no persona "nowhere"/);
    expect(code).toBe(1);
  });

  it('B6 of a hypertool persona, what is unknown here is a warning', async () => {
    const { writeExport } = await import('../../../src/personas/hypertool-folder.ts');
    const at = join(folder, 'web-ops');
    const ids = 'holdpoint.view, holdpoint.git, git.status';
    await writeExport(at, {
      'persona.yaml': `name: web-ops\nicon: x\ntoolsets: [{ name: main, toolIds: [${ids}] }]\n`,
      'mcp.json': '{}',
    });
    const { out, code } = await persona('check', at);
    expect(out).toContain('warning: There is no tool git.status here; it is left out.');
    expect(out).toContain('warning: The key icon means nothing here.');
    expect(code).toBe(0);
  });
});
