import { createHash } from 'node:crypto';
import { constants, existsSync } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { stringify } from 'yaml';

import { PERSONAS } from '../../config/locations.ts';
import { VERSION } from '../../config/version.ts';
import type { LoadOptions } from '../../policy/load.ts';
import { maskKnown } from '../../redact/known.ts';
import { loadBase, type Base } from './base-policy.ts';
import { CHECKLIST_FILE } from './checklists.ts';
import type { Cited } from './facts.ts';
import { instructionsOf } from './instructions.ts';
import type { Located } from './locate.ts';
import { MOST_BYTES } from './markdown.ts';
import { policyOf } from './policy.ts';
import { readDocumentText } from './read.ts';
import { reportOf, reportText, type ImportReport } from './report.ts';
import { leftOut, toolName } from './tools.ts';
import { unusable } from './unusable.ts';
import { writeFolder } from './write.ts';

/** Goes up with every change of what is made from the same document. */
const IMPORTER = 2;
/** Where front matter gives no other. */
const USUAL_BUDGET = 1800;

/** What a document is read against: this server's tools and programs, and what a list of tools costs. */
export interface ImportScope extends LoadOptions {
  toolNames: readonly string[];
  /** Tokens that `tools/list` costs with these tools. */
  cost: (tools: readonly string[]) => number;
}

/** A document as a persona: the files of its folder, the report, and apart from both the keys that stood in it. */
export interface ReadPersona {
  name: string;
  files: Record<'persona.yaml' | 'instructions.md' | 'policy.yaml' | 'report.md', string> &
    Partial<Record<typeof CHECKLIST_FILE, string>>;
  report: ImportReport;
  /** To be masked by whoever serves it; in none of the files. */
  secrets: string[];
}

/**
 * Reads a persona document and makes everything of it that an import writes; writes nothing.
 *
 * @throws HoldpointError `invalid_input` with file and line for what cannot be read, `not_found` where there is no such file.
 */
export async function readDocument(located: Located, scope: ImportScope): Promise<ReadPersona> {
  const [bytes, base] = await Promise.all([bytesOf(located.file), loadBase()]);
  return personaOf(bytes, located, base, scope);
}

/** A served document's folder in the state directory, made if there is none for these bytes yet, and the keys in it. */
export async function importInto(
  state: string,
  located: Located,
  scope: () => Promise<ImportScope>,
): Promise<{ folder: string; secrets: string[]; report?: ImportReport }> {
  const [bytes, base] = await Promise.all([bytesOf(located.file), loadBase()]);
  const what = [IMPORTER, VERSION, base.text, located.file, located.agent ?? ''].join('\0');
  const key = createHash('sha256').update(what).update('\0').update(bytes).digest('hex').slice(0, 32);
  const folder = join(state, 'personas', key);
  // Made whole or not at all, so one that is there is whole.
  if (existsSync(join(folder, 'persona.yaml')))
    return { folder, secrets: readDocumentText(textOf(bytes), shownName(located.file), located.agent).secrets };
  const made = personaOf(bytes, located, base, await scope());
  await mkdir(dirname(folder), { recursive: true, mode: 0o700 });
  await writeFolder(folder, made.files, { force: true });
  return { folder, secrets: made.secrets, report: made.report };
}

function personaOf(bytes: Buffer, { file, agent }: Located, base: Base, scope: ImportScope): ReadPersona {
  const shown = shownName(file);
  const { facts, entries, secrets } = readDocumentText(textOf(bytes), shown, agent);
  facts.tools.unshift(...facts.listed, ...leftOut(facts.listed, scope.toolNames));
  const policy = policyOf(facts, base, citedAs(file), scope);
  facts.files = facts.files.filter((fact) => !policy.closed.has(fact));
  const mask = maskKnown(secrets);
  const tokenBudget = facts.tokenBudget ?? USUAL_BUDGET;
  const listed = listedTools(facts.tools, base, scope, tokenBudget);
  const skills = known(facts.skills);
  policy.unused.push(
    ...skills.unknown.map(({ words, line }) => ({ says: `there is no skill ${words} here`, lines: [line] })),
  );
  const report = reportOf(
    facts,
    policy,
    { file: shown, sha256: createHash('sha256').update(bytes).digest('hex') },
    secrets.length,
  );
  const persona = {
    name: facts.name,
    title: facts.title,
    description: facts.description,
    policy: './policy.yaml',
    tokenBudget,
    tools: listed,
    upstreams: facts.servers.map(({ words }) => words),
    handOffs: facts.handOffs,
    ...(skills.names.length > 0 ? { skills: skills.names } : {}),
  };
  const files = {
    'persona.yaml': mask(stringify(persona, { lineWidth: 0 })),
    'instructions.md': mask(instructionsOf(facts, entries, secrets)),
    'policy.yaml': policy.text,
    'report.md': mask(reportText(report)),
    ...(policy.checklist !== undefined && { [CHECKLIST_FILE]: mask(policy.checklist) }),
  };
  if (mask(policy.text) !== policy.text)
    throw unusable(shown, undefined, 'a key stands in a name, a path or a pattern');
  return { name: facts.name, files, report: JSON.parse(mask(JSON.stringify(report))) as ImportReport, secrets };
}

/** The document's own tools first, then the default persona's, as many as the budget has room for. */
function listedTools(
  named: readonly { tool: string; verdict: string }[],
  base: Base,
  scope: ImportScope,
  budget: number,
): string[] {
  const denied = new Set(named.filter(({ verdict }) => verdict === 'deny').map(({ tool }) => toolName(tool)));
  const own = named.filter(({ verdict }) => verdict !== 'deny').map(({ tool }) => toolName(tool));
  const allowed = new Set(own);
  const wanted = [...new Set([...own, ...base.tools])].filter(
    (name) => scope.toolNames.includes(name) && (allowed.has(name) || !denied.has(name)),
  );
  const listed: string[] = [];
  for (const name of wanted) if (scope.cost([...listed, name]) <= budget) listed.push(name);
  return listed.length > 0 ? listed : wanted.slice(0, 1);
}

function known(skills: readonly Cited[]): { names: string[]; unknown: Cited[] } {
  const there = ({ words }: Cited) =>
    /^[a-z0-9-]{1,64}$/.test(words) && existsSync(join(dirname(PERSONAS), 'skills', words, 'SKILL.md'));
  return { names: skills.filter(there).map(({ words }) => words), unknown: skills.filter((skill) => !there(skill)) };
}

/** As reasons name it, which agents read: a name that could be more than a name is not repeated. */
function citedAs(file: string): string {
  return basename(file)
    .replace(/[^\w.@ -]/g, '_')
    .slice(0, 100);
}

/** As messages and the report name it. */
function shownName(file: string): string {
  const below = relative('', file);
  return below.startsWith('..') ? file : below;
}

function textOf(bytes: Buffer): string {
  return bytes.toString('utf8');
}

/** The bytes of a regular file of a persona document's size. A link could be turned elsewhere between reading and guarding it. */
async function bytesOf(file: string): Promise<Buffer> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
    (cause: NodeJS.ErrnoException) => {
      if (cause.code === 'ELOOP') throw unusable(file, undefined, 'it is a link; name the file that it leads to');
      throw unusable(
        file,
        undefined,
        cause.code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${cause.code ?? 'unknown'})`,
      );
    },
  );
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) throw unusable(file, undefined, 'it is no regular file');
    if (stat.size > MOST_BYTES)
      throw unusable(file, undefined, `it has ${stat.size} bytes; a persona document has at most ${MOST_BYTES}`);
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}
