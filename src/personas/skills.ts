import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';

import { SKILLS } from '../config/locations.ts';
import type { JsonObject } from '../core/json.ts';
import type { Persona } from './persona.ts';

/** One file of a skill, as clients get it. */
interface SkillFile {
  /** From the skill's folder: `SKILL.md`, `templates/Dockerfile`. */
  path: string;
  text: string;
  /** Bytes of the text. */
  size: number;
  /** `sha256:` and the hash of exactly these bytes in hex. */
  digest: string;
  mimeType: string;
}

/** A name that a skill's prompt can be given a value for. */
interface SkillArgument {
  name: string;
  required: boolean;
}

/** A folder of instructions (agentskills.io): what a role knows of one kind of work. */
export interface Skill {
  name: string;
  title: string;
  description: string;
  arguments: SkillArgument[];
  /** Everything that its front matter says. */
  frontmatter: JsonObject;
  /** `SKILL.md` first, then the others by their paths. */
  files: [SkillFile, ...SkillFile[]];
}

export interface Skills {
  /** In the persona's order; by name where it names none. */
  skills: Skill[];
  /** What was left out, and why. */
  problems: string[];
}

/** Of one skill and of one file: what clients of the Skills extension take in any case is far more. */
const MAX_FILES = 64;
const MAX_BYTES = 262_144;

const NAME = /^[a-z0-9]+(?:-[a-z0-9]+)*$/;
const FILE = /^[A-Za-z0-9._-]*[A-Za-z0-9]$/;

const frontMatter = z.looseObject({
  name: z.string().max(64).regex(NAME),
  description: z.string().min(10).max(1024),
  metadata: z.record(z.string(), z.string()).optional(),
});

const TYPES: Readonly<Record<string, string>> = {
  '.md': 'text/markdown',
  '.yml': 'application/yaml',
  '.yaml': 'application/yaml',
  '.json': 'application/json',
};

/**
 * Reads the persona's skills: those shipped and those in its folder's `skills`, which win where two have one name. One that is
 * broken is left out and said, so that it takes the others from nobody.
 *
 * @param mask Hides secrets in what is the persona's own; sizes and digests are those of what is left. What is shipped has none.
 */
export async function loadSkills(
  { folder, skills: wanted }: Pick<Persona, 'folder' | 'skills'>,
  mask: (text: string) => string = (text) => text,
): Promise<Skills> {
  const places = new Map<string, string>();
  for (const parent of [SKILLS, join(folder, 'skills')])
    for (const name of await foldersIn(parent)) places.set(name, join(parent, name));
  const problems: string[] = [];
  const found = (wanted ?? [...places.keys()].sort()).map(async (name): Promise<Skill[]> => {
    const place = places.get(name);
    try {
      if (place === undefined)
        throw new Error(`there is none of that name; there are ${[...places.keys()].join(', ')}`);
      return [await readSkill(place, name, place === join(SKILLS, name) ? (text) => text : mask)];
    } catch (error) {
      problems.push(`The skill ${name}: ${error instanceof Error ? error.message : String(error)}.`);
      return [];
    }
  });
  return { skills: (await Promise.all(found)).flat(), problems };
}

async function foldersIn(parent: string): Promise<string[]> {
  const entries = await readdir(parent, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

async function readSkill(folder: string, name: string, mask: (text: string) => string): Promise<Skill> {
  const paths = await filesBelow(folder);
  if (!paths.includes('SKILL.md')) throw new Error('it has no SKILL.md');
  const ordered = ['SKILL.md', ...paths.filter((path) => path !== 'SKILL.md').sort()];
  const [main, ...others] = await Promise.all(ordered.map((path) => readSkillFile(folder, path, mask)));
  if (!main) throw new Error('it has no SKILL.md');
  const [, yaml = '', body = ''] = /^---\r?\n([\s\S]*?)\r?\n---\r?\n([\s\S]*)$/.exec(main.text) ?? [];
  const parsed = frontMatter.safeParse(parse(yaml));
  if (!parsed.success)
    throw new Error(
      `its front matter is wrong: ${parsed.error.issues.map(({ path, message }) => `${path.join('.')} ${message}`).join('; ')}`,
    );
  if (parsed.data.name !== name)
    throw new Error(`it calls itself "${parsed.data.name}"; folder and name must be equal`);
  return {
    name,
    title: /^# (.+?)\r?$/m.exec(body)?.[1] ?? name,
    description: parsed.data.description,
    arguments: argumentsOf(parsed.data.metadata?.['arguments'] ?? ''),
    frontmatter: parsed.data as JsonObject,
    files: [main, ...others],
  };
}

/** `service namespace?`: the names of what a prompt can be given, those with a question mark may be left out. */
function argumentsOf(written: string): SkillArgument[] {
  const names = written.split(/[\s,]+/).filter(Boolean);
  return names.map((name) => ({ name: name.replace(/\?$/, ''), required: !name.endsWith('?') }));
}

/** Links and other special files are no part of a skill: they could be anything tomorrow. */
async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  if (entries.length > MAX_FILES) throw new Error(`it has more than ${MAX_FILES} files`);
  return entries.flatMap((entry) => {
    if (entry.isDirectory()) return [];
    const path = join(entry.parentPath, entry.name)
      .slice(folder.length + 1)
      .replaceAll('\\', '/');
    if (!entry.isFile()) throw new Error(`${path} is no plain file`);
    if (!path.split('/').every((part) => FILE.test(part))) throw new Error(`the name ${path} cannot be an address`);
    return [path];
  });
}

async function readSkillFile(folder: string, path: string, mask: (text: string) => string): Promise<SkillFile> {
  const bytes = await readFile(join(folder, path));
  if (bytes.length > MAX_BYTES) throw new Error(`${path} is larger than ${MAX_BYTES / 1024} KB`);
  const text = mask(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  const digest = `sha256:${createHash('sha256').update(text).digest('hex')}`;
  return { path, text, size: Buffer.byteLength(text), digest, mimeType: TYPES[extname(path)] ?? 'text/plain' };
}
