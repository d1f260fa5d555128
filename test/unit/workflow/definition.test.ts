import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { createWorkflow } from '../../../src/adapters/workflow/client.ts';
import { fillSlots, lacksOf, slotsOf } from '../../../src/adapters/workflow/contents.ts';
import { loadDefinition } from '../../../src/adapters/workflow/definition.ts';
import { said } from '../../../src/adapters/workflow/facts.ts';
import { WORKFLOW } from '../../../src/config/locations.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdpoint-workflow-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const shipped = readFileSync(WORKFLOW, 'utf8');

async function loadChanged(from: string, to: string): Promise<unknown> {
  expect(shipped).toContain(from);
  const file = join(folder, 'workflow.yaml');
  writeFileSync(file, shipped.replace(from, to));
  return loadDefinition(file);
}

describe('a workflow’s file (H2)', () => {
  test.each([
    ['inputs: [INFRA04]', 'inputs: [INFRA99]', /workflow\.yaml:\d+: there is no artifact INFRA99/],
    ['next: [CI_Pipeline_Setup]', 'next: [Nowhere]', /there is no node Nowhere/],
    ['next: [CI_Pipeline_Setup]', 'next: [Environment_Design]', /comes after itself/],
    ['id: CI_Pipeline_Setup', 'id: Environment_Design', /the node Environment_Design is there twice/],
    ['outputs: [R15, R16]', 'outputs: [R15, R13]', /R13 is an output of Deploy_To_Production too/],
    ['needs: R17', 'needs: R18', /R18 is no artifact with a decision/],
    ['file: R04-merge-result.md', 'file: ../R04-merge-result.md', /:\d+: artifacts\.R04\.file: write its id/],
    ['file: R04-merge-result.md', 'file: R05-merge-result.md', /the name must begin with R04-/],
    ['title: Merge result, from: developer', 'title: Merge result', /R04 is either an output of a node or has "from"/],
    [', template: templates/R07-version-tag.md', '', /R07 needs a template/],
    ['folder: true', 'folder: false', /a folder has no \.md/],
    ['version: 1', 'version: 2', /:2: version/],
    ['group: PDLC', 'group: PDLC\n    group: Twice', /:\d+: Map keys must be unique/],
  ])('%s → %s is refused with its line', async (from, to, says) => {
    await expect(loadChanged(from, to)).rejects.toMatchObject({
      code: 'invalid_input',
      message: expect.stringMatching(says) as string,
    });
  });

  test('one that is missing says so, and a template cannot lie elsewhere', async () => {
    await expect(loadDefinition(join(folder, 'none.yaml'))).rejects.toMatchObject({ code: 'not_found' });
    const workflow = createWorkflow(WORKFLOW, (work) => work());
    await expect(workflow.template('../../../package.json')).rejects.toMatchObject({ code: 'not_found' });
    await expect(workflow.template('templates/none.md')).rejects.toMatchObject({ code: 'not_found' });
  });

  test('every template is one that the check of artifacts asks something of, and none does as it comes', async () => {
    const { artifacts } = await loadDefinition(WORKFLOW);
    const templates = [...artifacts.values()].flatMap(({ template }) => template ?? []);
    expect(templates).toHaveLength(21);
    for (const each of templates) {
      const text = readFileSync(join(dirname(WORKFLOW), each), 'utf8');
      expect(lacksOf(text, text), each).toEqual(['it is the template as it came']);
      const open = fillSlots(text, () => undefined);
      expect(lacksOf(`${open}\n`, text).length, each).toBeGreaterThan(0);
      const filled = fillSlots(text, () => '- a fact').replace(/\{\{[^}]*\}\}/g, 'as agreed');
      expect(lacksOf(filled, text), each).toEqual([]);
    }
  });
});

describe('what an artifact lacks (H2)', () => {
  const template = '# T\n\n## One\n\n- Name: {{ name }}\n\n## Two\n\n{{ what }}\n';
  const good = '# T\n\n## One\n\n- Name: x\n\n## Two\n\nyes\n';

  test.each([
    ['nothing', good, []],
    [
      'nothing, with expressions of others in code',
      `${good}\n\`{{ .Values.x }}\`\n\n\`\`\`yaml\na: \${{ x }} {{ y }} TODO\n## Three\n\`\`\`\n`,
      [],
    ],
    ['nothing, in another order and more headings', '# T\n\n## Two\n\nyes\n\n### More\n\n## one\n\n* Name: x\n', []],
    ['all', '', ['it is empty']],
    ['all, with headings alone', '# T\n## One\n## Two\n', ['it is empty']],
    ['all, in a comment', '<!-- yes -->', ['it is empty']],
    ['a field', good.replace('- Name: x', 'no field'), ['"One" lacks "Name: …"']],
    ['a value', good.replace('- Name: x', '- Name:'), ['"One" lacks "Name: …"']],
    ['a heading', good.replace('## Two', '## Too'), ['the heading "Two" is missing']],
    [
      'a heading, in a code fence',
      good.replace('## Two\n\nyes', '```\n## Two\nyes\n```'),
      ['the heading "Two" is missing'],
    ],
    ['a text', good.replace('yes', '<!-- yes -->'), ['"Two" says nothing']],
    ['a decision', good.replace('yes', 'TBD'), ['line 9 has a placeholder that is not filled']],
    [
      'a filling',
      good.replace('yes', '{{ what }}'),
      ['line 9 has a placeholder that is not filled', '"Two" says nothing'],
    ],
  ])('%s', (_what, text, lacks) => expect(lacksOf(text, template)).toEqual(lacks));

  test.each(['<!--', '{{ ', '```a\n', '~~~\n```\n', '<your ', '- \n', '#'.repeat(2), '`', '## ', '{{ a }} '])(
    'a megabyte of %j is looked at in time that grows with its length alone',
    (piece) => {
      const text = `${piece.repeat(Math.floor(1_000_000 / piece.length))}${' '.repeat(40_000)}`;
      expect(lacksOf(text, template).length).toBeGreaterThan(0);
    },
  );

  test('a fact cannot look like a line, a placeholder or a slot of ours', () => {
    const evil = 'x\n## Two\n{{ y }} `{{= decision }}` <!-- » -->';
    const text = said(evil, (each) => each);
    expect(text.split('\n')).toHaveLength(1);
    expect(text).not.toMatch(/\{\{|`|<!--/);
    expect(slotsOf(fillSlots('{{= a }}', () => said(evil, (each) => each)))).toEqual([]);
  });
});
