import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from '@modelcontextprotocol/client';
import { SkillsClient } from '@modelcontextprotocol/client/ext/skills';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';

import { SKILLS } from '../../src/config/locations.ts';
import { newPlace, ROOT, serverArgs, startHttp, type Place, type RunningHttp } from '../harness.ts';
import { plainHttp, plainStdio, refusal, skillNames, type PlainClient } from './plain-clients.ts';

const INVALID_PARAMS = -32602;
/** The client with the extension knows SEP-2640 and checks every entry, size, digest and front matter itself. */
const KNOWING = (['2.x', '2.x modern'] as const).flatMap((kind) => [
  { kind, over: 'stdio' as const },
  { kind, over: 'http' as const },
]);

let place: Place;
let http: RunningHttp;
beforeAll(async () => {
  place = newPlace();
  http = await startHttp(place);
});
afterAll(async () => {
  await http.stop();
  place.remove();
});

const files = (skill: string) =>
  readdirSync(join(SKILLS, skill), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).length;

describe.each(KNOWING)('the Skills extension: $kind client over $over (B7)', ({ kind, over }) => {
  let client: Client;
  let skills: SkillsClient;
  beforeAll(async () => {
    const plain =
      over === 'http'
        ? await plainHttp(kind, http.url, http.token)
        : await plainStdio(kind, place, serverArgs(place, ['--stdio']));
    client = plain as Client;
    skills = new SkillsClient(client);
  });
  afterAll(() => client.close());

  test('the server declares it, with directories', () => {
    expect(skills.supported).toBe(true);
    expect(skills.directoryRead).toBe(true);
    expect(client.getServerCapabilities()?.extensions).toEqual({
      'io.modelcontextprotocol/skills': { directoryRead: true },
    });
  });

  test('every skill is listed with its front matter and every file of it', async () => {
    const { skills: listed, invalid } = await skills.list();
    expect(invalid).toEqual([]);
    expect(listed.map(({ uri }) => uri)).toEqual((await skillNames()).map((name) => `skill://${name}/SKILL.md`));
    for (const { frontmatter, resources } of listed) expect(resources).toHaveLength(files(frontmatter.name));
    if (kind === '2.x modern') expect((await skills.list()).cacheScope).toBe('private');
  });

  test('every file reads as its entry says: size, digest, front matter', async () => {
    const { skills: listed } = await skills.list();
    for (const skill of listed)
      for (const { uri } of skill.resources as { uri: string }[]) {
        const read = await skills.read(skill, uri);
        expect(read.verified).toBe(true);
        const path = uri.slice('skill://'.length);
        expect(Buffer.from(read.bytes).equals(readFileSync(join(SKILLS, path))), path).toBe(true);
      }
  });

  test('one by its address, and what lies in its folders', async () => {
    const { skill } = await skills.get('skill://docker/SKILL.md');
    expect(skill.frontmatter).toMatchObject({ name: 'docker', metadata: { arguments: 'service path? image?' } });
    const { resources } = await skills.readDirectory('skill://docker');
    expect(resources.map(({ uri, mimeType }) => [uri, mimeType])).toEqual([
      ['skill://docker/SKILL.md', 'text/markdown'],
      ['skill://docker/templates', 'inode/directory'],
    ]);
    expect((await skills.readDirectory('skill://docker/templates')).resources.map(({ name }) => name)).toContain(
      'Dockerfile',
    );
    expect((await skills.read(skill, 'templates/Dockerfile')).mimeType).toBe('text/plain');
  });

  test.for([
    'skill://nope/SKILL.md',
    'skill://docker',
    'skill://docker/templates/Dockerfile',
    'skill:///etc/passwd',
    '',
    'x',
  ])('no skill is at %j, and that is said', async (uri) => {
    const { code, message } = await refusal(skills.get(uri));
    expect(code).toBe(INVALID_PARAMS);
    expect(message).toContain('No skill is served');
  });

  test.for([
    'skill://docker/SKILL.md',
    'skill://',
    'skill:/',
    'skill://docker/',
    'skill://dock',
    'skill://docker/../cost',
    'file:///etc',
  ])('%j is no folder of a skill', async (uri) => {
    expect((await refusal(skills.readDirectory(uri))).code).toBe(INVALID_PARAMS);
  });

  test.for([
    'skill://docker/../../package.json',
    'skill://docker/templates',
    'skill://docker/%2e%2e/cost/SKILL.md',
    'skill://docker/nope.md',
  ])('%j cannot be read', async (uri) => {
    expect((await refusal(client.readResource({ uri }))).message).toMatch(/not found|Not found|Invalid/);
  });

  test('a page that there is not is refused', async () => {
    expect((await refusal(skills.list({ cursor: 'next' }))).code).toBe(INVALID_PARAMS);
  });
});

describe.each([{ over: 'stdio' as const }, { over: 'http' as const }])(
  'a client that knows no extension, over $over (B7)',
  ({ over }) => {
    let client: PlainClient;
    beforeAll(async () => {
      client =
        over === 'http'
          ? await plainHttp('1.x', http.url, http.token)
          : await plainStdio('1.x', place, serverArgs(place, ['--stdio']));
    });
    afterAll(() => client.close());

    test('sees each SKILL.md as a resource with its size, and reads what that names', async () => {
      const { resources } = await client.listResources();
      const listed = resources.filter(({ uri }) => uri.startsWith('skill://'));
      expect(listed.map(({ name }) => name)).toEqual(await skillNames());
      const docker = listed.find(({ name }) => name === 'docker');
      const text = readFileSync(join(SKILLS, 'docker/SKILL.md'), 'utf8');
      expect(docker).toMatchObject({
        mimeType: 'text/markdown',
        size: Buffer.byteLength(text),
        title: 'Docker images and compose',
      });
      const { contents } = (await client.readResource({ uri: 'skill://docker/templates/Dockerfile' })) as {
        contents: { text: string }[];
      };
      expect(contents[0]?.text).toContain('USER 10001');
      const { resourceTemplates } = await client.listResourceTemplates();
      expect(resourceTemplates.map(({ uriTemplate }) => uriTemplate)).toContain('skill://{+path}');
    });

    test('can ask for the list all the same', async () => {
      const shape = z.looseObject({
        skills: z.array(
          z.looseObject({
            uri: z.string(),
            resources: z.array(z.looseObject({ uri: z.string(), digest: z.string() })),
          }),
        ),
      });
      const { skills } = await (
        client as unknown as { request(request: object, schema: typeof shape): Promise<z.output<typeof shape>> }
      ).request({ method: 'skills/list', params: {} }, shape);
      const cost = skills.find(({ uri }) => uri === 'skill://cost/SKILL.md');
      const digest = createHash('sha256')
        .update(readFileSync(join(SKILLS, 'cost/SKILL.md')))
        .digest('hex');
      expect(cost?.resources[0]).toEqual({
        uri: 'skill://cost/SKILL.md',
        digest: `sha256:${digest}`,
        size: expect.any(Number) as unknown,
      });
    });
  },
);

test('what steers the agent is not its to change, whatever the policy says (B7)', async () => {
  const own = newPlace();
  const policy = join(own.workspace, '../all.yaml');
  writeFileSync(
    policy,
    `version: 1
name: all
rules:
  - id: all
    decision: allow
    when: { kind: [file, folder] }
    reason: All files.
    examples: [{ tool: save-file, input: { path: skills/docker/SKILL.md, content: x }, expect: allow }]
`,
  );
  // The clone itself is the workspace, as it is for whoever works on Holdpoint.
  const client = await plainStdio('2.x', { ...own, workspace: ROOT }, [
    ...serverArgs({ ...own, workspace: ROOT }, ['--stdio', '--policy', policy]),
  ]);
  try {
    const save = async (path: string, dryRun: boolean) =>
      (await client.callTool({ name: 'save-file', arguments: { path, content: 'x', dryRun } })).structuredContent;
    expect(await save('skills-of-nobody/SKILL.md', true)).toMatchObject({ status: 'planned' });
    expect(await save('skills/evil/SKILL.md', false)).toMatchObject({ status: 'denied' });
    expect(existsSync(join(SKILLS, 'evil/SKILL.md'))).toBe(false);
  } finally {
    await client.close();
    own.remove();
    rmSync(join(SKILLS, 'evil'), { recursive: true, force: true });
  }
});
