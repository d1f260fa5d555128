import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { parse } from 'yaml';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { earlierExport, writeExport } from '../../../src/personas/hypertool-folder.ts';
import { importHypertool } from '../../../src/personas/hypertool-import.ts';
import { hypertoolFiles, isExport } from '../../../src/personas/hypertool.ts';
import { loadPersona, shippedPersonas } from '../../../src/personas/persona.ts';
import { loadRegistry } from '../../../src/server/registry.ts';

const NAME = { type: 'string', minLength: 2, maxLength: 63, pattern: '^(?!.*(--|__))[a-z][a-z0-9-_]*[a-z0-9_]$' };

/** toolprint/hypertool-mcp 0.0.46, src/persona/schemas.ts, as JSON Schema. */
const PERSONA = {
  type: 'object',
  required: ['name', 'description'],
  additionalProperties: false,
  properties: {
    name: NAME,
    description: { type: 'string', minLength: 10, maxLength: 500 },
    version: { type: 'string' },
    toolsets: {
      type: 'array',
      items: {
        type: 'object',
        required: ['name', 'toolIds'],
        properties: {
          name: NAME,
          toolIds: {
            type: 'array',
            minItems: 1,
            uniqueItems: true,
            items: { type: 'string', minLength: 3, pattern: '^[a-z][a-z0-9-_]*(\\.[a-z][a-z0-9-_]*)+$' },
          },
        },
      },
    },
    defaultToolset: { type: 'string' },
    metadata: {
      type: 'object',
      additionalProperties: false,
      properties: {
        author: { type: 'string' },
        tags: { type: 'array', items: { type: 'string', minLength: 1 } },
        created: { type: 'string' },
        lastModified: { type: 'string' },
      },
    },
  },
};

/** The same repository, src/persona/validator.ts: what it asks of an mcp.json with a stdio server. */
const MCP = {
  type: 'object',
  required: ['mcpServers'],
  properties: {
    mcpServers: {
      type: 'object',
      additionalProperties: {
        type: 'object',
        required: ['type', 'command'],
        properties: {
          type: { const: 'stdio' },
          command: { type: 'string' },
          args: { type: 'array', items: { type: 'string' } },
          env: { type: 'object', additionalProperties: { type: 'string' } },
        },
      },
    },
  },
};

const ajv = new Ajv({ allErrors: true, strict: false });
const [validPersona, validMcp] = [ajv.compile(PERSONA), ajv.compile(MCP)];
const OPTIONS = {
  run: { command: 'node', args: ['main.js', 'serve', '--stdio'], env: {} },
  created: '2026-01-02T03:04:05.678Z',
  now: '2026-03-04T05:06:07.890Z',
};

let root = '';
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'holdpoint-hypertool-'));
});
afterAll(() => rm(root, { recursive: true }));

describe('B6 a persona exported for hypertool', () => {
  test.each(shippedPersonas())('%s has the shape that hypertool takes, and comes back as it was', async (name) => {
    const [persona, registry] = await Promise.all([loadPersona(name), loadRegistry()]);
    const listed = [...persona.tools, 'approval', 'find-tools', 'use-tool'];
    const files = hypertoolFiles(persona, { ...OPTIONS, tools: listed });
    const content = parse(files['persona.yaml']) as {
      toolsets: { name: string; toolIds: string[] }[];
      defaultToolset: string;
    };
    expect(validPersona(content), JSON.stringify(validPersona.errors)).toBe(true);
    expect(validMcp(JSON.parse(files['mcp.json'])), JSON.stringify(validMcp.errors)).toBe(true);
    expect(content.toolsets).toEqual([{ name, toolIds: listed.map((tool) => `holdpoint.${tool}`) }]);
    expect(content.defaultToolset).toBe(name);
    const back = await importHypertool(content, {
      folder: join(root, name),
      knows: (tool) => registry.has(tool),
      base: (wanted) => loadPersona(wanted),
    });
    expect(back.unknown).toEqual({ tools: [], keys: [] });
    expect(back.persona).toEqual({ ...persona, folder: join(root, name) });
  });

  test('the schema refuses what hypertool refuses', () => {
    const good = { name: 'ab', description: 'ten letters' };
    expect(validPersona(good)).toBe(true);
    for (const bad of [
      { ...good, policy: 'devops' },
      { ...good, version: 1 },
      { ...good, name: 'a--b' },
      { ...good, toolsets: [{ name: 'ab', toolIds: ['save-file'] }] },
      { ...good, metadata: { source: 'x' } },
    ])
      expect(validPersona(bad), JSON.stringify(bad)).toBe(false);
  });

  test('what hypertool would refuse is not written', async () => {
    const persona = await loadPersona('devops');
    const files = (name: string, tools: string[]) => () => hypertoolFiles({ ...persona, name }, { ...OPTIONS, tools });
    expect(files('dev--ops', ['view'])).toThrow(/would refuse the persona's name dev--ops/);
    expect(files('devops-', ['view'])).toThrow(/would refuse the persona's name/);
    expect(files('devops', ['view', 'Bad Tool'])).toThrow(/would refuse the tools holdpoint\.Bad Tool/);
  });

  test('only what an export wrote and nobody changed is overwritten', async () => {
    const persona = await loadPersona('devops');
    const files = hypertoolFiles(persona, { ...OPTIONS, tools: ['view'] });
    const folder = join(root, 'mine');
    await writeExport(folder, files);
    expect(isExport(files['persona.yaml'], files['mcp.json'])).toBe(true);
    expect(await earlierExport(folder)).toEqual({ created: OPTIONS.created });
    await writeExport(folder, hypertoolFiles(persona, { ...OPTIONS, tools: ['view', 'git'] }));
    expect(await readFile(join(folder, 'persona.yaml'), 'utf8')).toContain('holdpoint.git');

    const changes: [string, (at: string) => Promise<unknown>][] = [
      ['persona.yaml', (at) => writeFile(at, `${files['persona.yaml']}# mine\n`)],
      ['mcp.json', (at) => writeFile(at, '{}')],
      ['mcp.json', (at) => rm(at)],
      ['persona.yaml', (at) => rm(at).then(() => symlink(join(folder, 'persona.yaml'), at))],
    ];
    for (const [number, [name, change]] of changes.entries()) {
      const other = join(root, `changed-${number}`);
      await cp(folder, other, { recursive: true });
      await change(join(other, name));
      await expect(earlierExport(other)).rejects.toMatchObject({ code: 'conflict', hint: /Nothing was written/ });
    }
    expect(await earlierExport(join(root, 'nothing-here'))).toBeUndefined();
  });
});

describe('B6 B1 a hypertool persona’s folder as a persona', () => {
  const folderOf = async (name: string, content: string) => {
    const folder = join(root, name);
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'persona.yaml'), content);
    return folder;
  };
  const toolsets = (ids: string) => `toolsets: [{ name: main, toolIds: [${ids}] }]\ndefaultToolset: main\n`;

  test('the tools known here in their order; policy, budget and instructions are the default’s', async () => {
    const devops = await loadPersona('devops');
    const folder = await folderOf(
      'web-ops',
      `name: web-ops\ndescription: Web operations.\nversion: "2.1"\n${toolsets('holdpoint.git, holdpoint.view, git.status, holdpoint.approval, filesystem.save-file')}metadata: { tags: [web] }\n`,
    );
    expect(await loadPersona(folder)).toEqual({
      ...devops,
      name: 'web-ops',
      title: 'web-ops',
      description: 'Web operations.',
      version: '2.1',
      tags: ['web'],
      tools: ['git', 'view', 'save-file'],
      upstreams: [],
      folder,
    });
  });

  test('a shipped persona’s name brings its policy', async () => {
    const folder = await folderOf(
      'battra-devops',
      `name: battra-devops\ndescription: From elsewhere.\n${toolsets('holdpoint.view')}`,
    );
    expect(await loadPersona(folder)).toMatchObject({
      tools: ['view'],
      handOffs: false,
      policyFile: expect.stringMatching(/policies\/battra-devops\.yaml$/) as string,
    });
  });

  test.each([
    ['no-tools', 'name: no-tools\ntoolsets: []\n', /it has no toolset/],
    [
      'foreign',
      `name: foreign\n${toolsets('git.status, docker.ps')}`,
      /none of its tools is known here: git\.status, docker\.ps/,
    ],
    ['other-name', `name: another\n${toolsets('holdpoint.view')}`, /its name is "another" and its folder's is not/],
    [
      'wrong-set',
      `name: wrong-set\ntoolsets: [{ name: a, toolIds: [holdpoint.view] }]\ndefaultToolset: b\n`,
      /no toolset "b"/,
    ],
    ['Upper', `name: Upper\n${toolsets('holdpoint.view')}`, /other letters/],
  ])('%s is refused', async (name, content, says) => {
    await expect(loadPersona(await folderOf(name, content))).rejects.toMatchObject({
      code: 'invalid_input',
      message: says,
    });
  });
});
