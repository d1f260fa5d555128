import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';

import type { Note } from '../../../../src/personas/documents/facts.ts';
import type { ReadPersona } from '../../../../src/personas/documents/import.ts';
import { readDocumentText } from '../../../../src/personas/documents/read.ts';
import { lintPolicy } from '../../../../src/policy/lint/lint.ts';
import { SEEDS, type SeedName } from '../../../seeds/seed.ts';
import { decided, imported, save, scopeOf, withFront } from './kit.ts';

const seedText = (name: SeedName) =>
  readFileSync(join(import.meta.dirname, '../../../seeds/documents', SEEDS[name].document));
const NAMES = Object.keys(SEEDS) as SeedName[];

describe.each(NAMES)('%s as a persona (B1)', (name) => {
  test('has its name, and a policy without errors or warnings of its own making', async () => {
    const persona = await imported(seedText(name), SEEDS[name].document);
    expect(persona.name).toBe(SEEDS[name].persona);
    const report = lintPolicy(persona.files['policy.yaml'], 'policy.yaml', await scopeOf(persona));
    expect(report.findings.filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(JSON.stringify(persona.files) + JSON.stringify(persona.report)).not.toContain('battra-devops-key-1');
  });

  test('every cited line has the words that it is cited with', () => {
    const text = seedText(name).toString('utf8');
    const lines = text.split('\n');
    const { facts } = readDocumentText(text, SEEDS[name].document);
    const cited = [...facts.tools, ...facts.roles, ...facts.refuses, ...facts.servers, ...facts.skills, ...facts.data];
    const bare = (words: string) => words.replace(/[*`|]/g, '').replace(/\s+/g, ' ').trim();
    for (const { line, words } of cited) {
      const [first = ''] = words.split(' | ');
      expect(bare(lines[line - 1] ?? ''), `line ${line}`).toContain(bare(first));
    }
    for (const { line, pattern, from } of facts.files.filter((fact) => fact.from !== 'kind'))
      expect(bare(lines[line - 1] ?? ''), `${from} ${pattern}`).toMatch(
        new RegExp(bare(pattern.split('/').at(-1) ?? '').replace(/.*[*}]+\.?/, '')),
      );
  });
});

test('S1: narrower patterns hold over folders, and what is denied in one place stays denied (B1, B3)', async () => {
  const { report } = await imported(seedText('S1'));
  const says = report.ambiguous.map(({ says: words, lines }) => `${lines.join()} ${words}`);
  expect(says).toContainEqual(expect.stringMatching(/^41,52,53 kubernetes.*the patterns hold$/));
  expect(says).toContainEqual(expect.stringMatching(/^69,169 src\/player_experience.*it is denied$/));
  expect(says).toContainEqual(expect.stringMatching(/^67,170 src\/therapeutic_safety.*it is denied$/));
  expect(says).toContainEqual(expect.stringMatching(/^85,91 launch-process is for development only/));
  for (const [line, rule] of [
    [107, 'production-databases'],
    [108, 'secrets'],
    [109, 'secrets'],
    [110, 'patient-data'],
  ] as const)
    expect(says).toContainEqual(expect.stringMatching(new RegExp(`^${line} data denied.*${rule}`)));
  expect(report.unused.map(({ lines }) => lines[0])).toEqual([8, 320]);
});

test('S4 is renamed, its workflow’s outputs alone are written, and its unknown skills are reported (B1)', async () => {
  const { report } = await imported(seedText('S4'));
  expect(report.ambiguous).toContainEqual({ says: expect.stringContaining('pdlc-devops'), lines: [2] });
  expect(report.understood).toContainEqual({
    says: 'docs/workflow/artifacts/R13-prod-deploy.md may be written (path)',
    lines: [387],
  });
});

test('S3: hand-offs are off, the budget is the usual one, its server’s entry is not started (B1)', async () => {
  const { files, report, secrets } = await imported(seedText('S3'));
  expect(files['persona.yaml']).toMatch(/^handOffs: false$/m);
  expect(files['persona.yaml']).toMatch(/^tokenBudget: 1800$/m);
  expect(secrets).toEqual(['battra-devops-key-1']);
  expect(report.understood.map(({ says }) => says).join() + files['instructions.md']).not.toContain('Secrets.toml may');
  expect(files['instructions.md'].split('\n').slice(0, 6).join()).not.toContain('Secrets.toml');
  expect(report.ambiguous).toContainEqual({
    says: expect.stringMatching(/^Secrets\.toml: the rule secrets/),
    lines: [11],
  });
  expect(report.unused).toContainEqual({
    says: expect.stringContaining('"battra-devops" is not started'),
    lines: [104],
  });
});

test('front matter of both chat modes: servers, budget and tools in the document’s order (B1)', async () => {
  for (const name of ['S0', 'S1'] as const) {
    const { files } = await imported(seedText(name));
    expect(files['persona.yaml']).toContain('upstreams:\n  - github\n  - gitmcp\n  - serena\n  - grafana\n');
    expect(files['persona.yaml']).toMatch(/tools:\n {2}- save-file\n {2}- str-replace-editor\n {2}- view\n/);
  }
});

describe('an agent’s entry of Orchestra’s (B1)', () => {
  const agent = (name: string, specialties = ['Kubernetes (EKS)', 'Docker & Docker Compose']) => ({
    name,
    type: 'deployment-engineer',
    model: 'sonnet',
    specialties,
  });

  test('alone in a file: its specialties are kinds of files, everything else is closed', async () => {
    const persona = await imported(
      JSON.stringify({ ...agent('DevOps Engineer'), mood: 'fine' }, null, 2),
      'agent.json',
    );
    expect(persona.name).toBe('orchestra-devops');
    expect(persona.report.unused.map(({ says }) => says)).toEqual(
      expect.arrayContaining(['unknown key "mood"', expect.stringContaining('model has no effect')]),
    );
    expect((await decided(persona, 'save-file', save('k8s/api.yaml'))).verdict).toBe('allow');
    expect((await decided(persona, 'save-file', save('terraform/main.tf'))).verdict).toBe('deny');
    expect((await decided(persona, 'save-file', save('src/a.py'))).verdict).toBe('deny');
  });

  test('of several, one by its name; without a name, or with a wrong one, the names are said', async () => {
    const config = JSON.stringify({ codingAgents: [agent('DevOps Engineer'), agent('QA Engineer')] });
    expect((await imported(config, 'config.json', '#qa-engineer')).name).toBe('orchestra-qa');
    await expect(imported(config, 'config.json')).rejects.toThrow(/several agents.*DevOps Engineer, QA Engineer/);
    await expect(imported(config, 'config.json', '#nobody')).rejects.toThrow(/no agent "nobody".*DevOps Engineer/);
    await expect(imported('{"a": 1}', 'config.json')).rejects.toThrow(/no agent in it/);
    await expect(imported('{"a": ', 'config.json')).rejects.toThrow(/no agent in it/);
  });
});

test('a sub-agent’s tools are its only ones, and its model has no effect (B1)', async () => {
  const reader = await imported(withFront('tools: Read, Grep, mcp__x__y\nmodel: opus\n', '- Write Dockerfiles\n'));
  expect((await decided(reader, 'view', { path: 'docker/Dockerfile' })).verdict).toBe('allow');
  expect((await decided(reader, 'save-file', save('docker/Dockerfile'))).rules).toEqual(['denied-tools']);
  expect((await decided(reader, 'kubectl-get', { kind: 'pods', namespace: 'staging' })).verdict).toBe('deny');
  expect(reader.files['persona.yaml']).toMatch(/tools:\n {2}- view\n {2}- codebase-retrieval\n[a-z]/);
  expect(reader.report.unused.map(({ says }) => says)).toEqual(
    expect.arrayContaining([
      "the tool mcp__x__y is none of Holdpoint's",
      expect.stringContaining('model has no effect'),
    ]),
  );
  const runner = await imported(withFront('tools: [Read, Bash]\n', '- Write Dockerfiles\n'));
  expect((await decided(runner, 'kubectl-get', { kind: 'pods', namespace: 'staging' })).verdict).toBe('allow');
  expect((await decided(runner, 'save-file', save('docker/Dockerfile'))).verdict).toBe('deny');
});

test('tools that a document holds or denies, also those that no common rule keeps', async () => {
  const persona = await imported(
    withFront(
      '',
      '- Write Dockerfiles\n\n## Restricted Tools (Approval Required)\n\n| Tool | Restriction |\n|---|---|\n| `docker-build` | Ask first |\n\n## Denied Tools\n\n| Tool | Reason |\n|---|---|\n| `git` | Not here |\n| `evil_tool` | Not here |\n',
    ),
  );
  expect((await decided(persona, 'docker-build', { context: '.', tags: ['a:1'] })).verdict).toBe('require_approval');
  expect((await decided(persona, 'git', { action: 'status' })).rules).toEqual(['denied-tools']);
  expect(persona.files['policy.yaml']).toContain('evil_tool*');
  expect(persona.files['persona.yaml']).not.toMatch(/^ {2}- git$/m);
});

test('marks decide nothing: mis-encoded, swapped or absent, headings and words do (B1)', async () => {
  const text = seedText('S1').toString('utf8');
  const without = await imported(text.replace(/✅|❌|⚠/gu, ''));
  const swapped = await imported(text.replaceAll('✅', '‚ùå').replaceAll('❌', '✅'));
  const whole = await imported(text);
  for (const other of [without, swapped]) expect(other.files['policy.yaml']).toBe(whole.files['policy.yaml']);
});

test('line ends of Windows and a byte order mark change nothing but the hash', async () => {
  const text = seedText('S1').toString('utf8');
  const windows = await imported(`\uFEFF${text.replaceAll('\n', '\r\n')}`);
  const { sha256: _, file: _file, ...same } = windows.report;
  expect((await imported(text)).report).toMatchObject(same);
  expect(windows.files['policy.yaml']).toBe((await imported(text)).files['policy.yaml']);
});

describe('checklists (B1, I3)', () => {
  const asked = ({ files }: ReadPersona) =>
    parse(files['checklists/document.yaml'] ?? '') as Record<'pre' | 'during' | 'post', { id: string; says: string }[]>;
  const says = (notes: readonly Note[]) => notes.map((note) => note.says).filter((each) => each.includes('checklist'));

  test('S1: what every persona is asked for is asked once, the rest with it', async () => {
    const persona = await imported(seedText('S1'));
    expect(asked(persona)).toMatchObject({ name: 'document' });
    expect(asked(persona).pre.map((item) => item.says)).toEqual([
      'Infrastructure changes reviewed',
      'Security implications assessed',
      'Backup procedures verified',
      'Documentation updated',
      'Team notified',
    ]);
    expect(asked(persona)).not.toHaveProperty('during');
    expect(says(persona.report.ambiguous)).toEqual([expect.stringContaining('which has 17 of these 22 items')]);
  });

  test('S4: each item in its phase; what can be seen is looked at; production is held for both lists', async () => {
    const persona = await imported(seedText('S4'));
    const { pre, during, post } = asked(persona);
    expect([pre, during, post].map((items) => items.length)).toEqual([4, 5, 5]);
    expect(post).toContainEqual({
      id: 'verify-health-checks-passing',
      says: 'Verify health checks passing',
      evidence: { pods: 'ready' },
      personMayTick: true,
    });
    const input = { action: 'restart', kind: 'deployment', name: 'api', namespace: 'tta-prod' };
    const decision = await decided(persona, 'kubectl-rollout', input);
    expect(decision).toMatchObject({
      verdict: 'require_approval',
      terms: { checklists: ['production-deployment', 'document'] },
    });
  });

  const boxes = (count: number) => Array.from({ length: count }, (_, index) => `- [ ] Step ${index}\n`).join('');

  test('lists about other work, and more items than anybody ticks, are not asked for, and the report says so', async () => {
    const story = await imported(withFront('', `## Story format\n\n${boxes(3)}`));
    const endless = await imported(withFront('', `## Before a release\n\n${boxes(51)}`));
    for (const { files } of [story, endless]) {
      expect(files).not.toHaveProperty(['checklists/document.yaml']);
      expect(files['policy.yaml']).not.toContain('- document');
    }
    expect(says(story.report.unused)).toEqual([expect.stringContaining('nothing says that it is about production')]);
    expect(says(endless.report.unused)).toEqual([expect.stringContaining('more than 50')]);
    expect(asked(await imported(withFront('', `## Before a release\n\n${boxes(50)}`))).pre).toHaveLength(50);
  });

  test('an item is one line of plain text with an id of its own', async () => {
    const lines = [
      '- [ ] 2 people looked\u202e',
      '- [ ] 2 people looked',
      '- [ ] 見た',
      `- [ ] ${'x'.repeat(400)}`,
      `- [ ] ${'so '.repeat(200)}`,
    ];
    const persona = await imported(withFront('', `## Before a release\n\n${lines.join('\n')}\n`));
    const { pre } = asked(persona);
    expect(pre.map(({ id }) => id)).toEqual([
      'item-2-people-looked-u-202e',
      'item-2-people-looked',
      'item-',
      'line-13',
      'so-so-so-so-so-so-so-so-so-so-so-so-so-so-so-so-so',
    ]);
    expect(pre[0]?.says).toBe('2 people looked\\u{202e}');
    expect(pre[3]?.says).toBe('… (line 13)');
    expect(pre[4]?.says).toMatch(/^so so .* so … \(line 14\)$/);
    expect(pre[4]?.says.length).toBeLessThanOrEqual(300);
    const input = { action: 'restart', kind: 'deployment', name: 'api', namespace: 'tta-prod' };
    expect(await decided(persona, 'kubectl-rollout', input)).toMatchObject({ verdict: 'require_approval' });
  });
});
