import { ProtocolError, ProtocolErrorCode, type Server } from '@modelcontextprotocol/server';
import { z } from 'zod';

import type { JsonObject } from '../core/json.ts';
import type { Skill } from '../personas/skills.ts';
import type { ResourceSource } from './resources.ts';
import type { Safely } from './safely.ts';
import type { Services } from './services.ts';

/** The persona's skills, read when they are first asked for and kept, so that sizes and digests stay true. */
export type Shelf = () => Promise<readonly Skill[]>;

/** The name of the extension (SEP-2640); its methods are registered by `serveSkills`. */
export const SKILLS_EXTENSION = 'io.modelcontextprotocol/skills';

const DIRECTORY = 'inode/directory';
/** Skills change with the persona, which is read once. */
const CACHE = { ttlMs: 300_000, cacheScope: 'private' } as const;

export function createShelf({ persona, redactor, log }: Pick<Services, 'persona' | 'redactor' | 'log'>): Shelf {
  let kept: Promise<readonly Skill[]> | undefined;
  const read = async (): Promise<readonly Skill[]> => {
    const { loadSkills } = await import('../personas/skills.ts');
    const { skills, problems } = await loadSkills(persona, redactor.text);
    for (const problem of problems) log('warn', {}, problem);
    return skills;
  };
  return () =>
    (kept ??= read().catch((error: unknown) => {
      kept = undefined;
      throw error;
    }));
}

export function skillUri(skill: Pick<Skill, 'name'>, path = 'SKILL.md'): string {
  return `skill://${skill.name}/${path}`;
}

/** Every file of the persona's skills; what stands beside a SKILL.md is read when that says so, and is not listed. */
export function skillResources(shelf: Shelf): ResourceSource {
  return {
    list: async () =>
      (await shelf()).map((skill) => {
        const { name, title, description, files } = skill;
        const { mimeType, size } = files[0];
        return { uri: skillUri(skill), name, title, description, mimeType, size };
      }),
    templates: [
      {
        uriTemplate: 'skill://{+path}',
        name: 'skill',
        description: 'A file of a skill: skill://NAME/SKILL.md, and what that names.',
        mimeType: 'text/markdown',
      },
    ],
    async read(uri) {
      if (!uri.startsWith('skill://')) return undefined;
      for (const skill of await shelf())
        for (const { path, text, mimeType } of skill.files)
          if (skillUri(skill, path) === uri) return { text, mimeType };
      return undefined;
    },
    complete: async (_variable, begun) =>
      (await shelf())
        .flatMap(({ name, files }) => files.map(({ path }) => `${name}/${path}`))
        .filter((path) => path.startsWith(begun)),
  };
}

const listParams = z.looseObject({ cursor: z.string().optional() }).optional();
const uriParams = z.looseObject({ uri: z.string(), cursor: z.string().optional() });

/** The methods of the Skills extension. There are few skills: every list is one page. */
export function serveSkills(server: Server, shelf: Shelf, safely: Safely): void {
  const list = async (params: z.output<typeof listParams>) => {
    refuseCursor(params?.cursor);
    return { skills: (await shelf()).map(entryOf), ...CACHE };
  };
  const get = async ({ uri }: z.output<typeof uriParams>) => {
    const skill = (await shelf()).find((each) => skillUri(each) === uri);
    if (!skill)
      throw invalid(`No skill is served at ${JSON.stringify(uri.slice(0, 200))}. skills/list says which are.`);
    return { skill: entryOf(skill), ...CACHE };
  };
  const readDirectory = async ({ uri, cursor }: z.output<typeof uriParams>) => {
    refuseCursor(cursor);
    const children = childrenOf(await shelf(), uri);
    if (children.length === 0) throw invalid(`${JSON.stringify(uri.slice(0, 200))} is not a directory resource.`);
    return { resources: children, ...CACHE };
  };
  server.setRequestHandler('skills/list', { params: listParams }, safely(list));
  server.setRequestHandler('skills/get', { params: uriParams }, safely(get));
  server.setRequestHandler('resources/directory/read', { params: uriParams }, safely(readDirectory));
}

/** A skill as the extension describes it: its front matter and each of its files with size and digest. */
function entryOf(skill: Skill): JsonObject {
  return {
    uri: skillUri(skill),
    frontmatter: skill.frontmatter,
    resources: skill.files.map(({ path, digest, size }) => ({ uri: skillUri(skill, path), digest, size })),
  };
}

/** What lies directly in a folder of a skill, folders included; nothing where there is no such folder. */
function childrenOf(skills: readonly Skill[], folder: string): JsonObject[] {
  const children = new Map<string, JsonObject>();
  for (const skill of skills)
    for (const { path, mimeType, size } of skill.files) {
      const uri = skillUri(skill, path);
      if (!uri.startsWith(`${folder}/`) || folder === 'skill:/') continue;
      const [name = '', ...below] = uri.slice(folder.length + 1).split('/');
      const child = `${folder}/${name}`;
      children.set(child, below.length > 0 ? { uri: child, name, mimeType: DIRECTORY } : { uri, name, mimeType, size });
    }
  return [...children.values()];
}

function refuseCursor(cursor: string | undefined): void {
  if (cursor !== undefined) throw invalid('The list has one page; leave the cursor out.');
}

function invalid(message: string): ProtocolError {
  return new ProtocolError(ProtocolErrorCode.InvalidParams, message);
}
