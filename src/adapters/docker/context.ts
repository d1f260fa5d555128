import { createHash } from 'node:crypto';

import { HoldpointError } from '../../core/errors.ts';
import { fileTarget } from '../../core/paths.ts';
import type { PlanContext } from '../../core/tool.ts';
import type { FileFacts, FileHandle } from '../files/port.ts';
import type { BuildEntry } from './build.ts';
import type { Dockerfile } from './dockerfile.ts';
import { contextRules, pathPattern } from './dockerignore.ts';

const MAX_FILES = 20_000;
const MAX_BYTES = 512 * 1024 * 1024;
const MAX_TEXT = 1024 * 1024;

type Reader = Pick<PlanContext<'files'>, 'files' | 'permits' | 'signal'>;

interface ContextFile {
  /** From the workspace. */
  path: string;
  /** From the context. */
  name: string;
  facts: FileHandle;
}

/** What goes into a build, told apart by name; no content is read for it but the .dockerignore. */
export interface ContextListing {
  /** From the workspace; `.` is the workspace. */
  context: string;
  /** The Dockerfile, from the context. */
  dockerfile: string;
  files: ContextFile[];
  /** Folders with nothing in them. */
  emptyFolders: string[];
  /** What the policy or the files adapter keeps out, from the context, sorted. */
  leftOut: { name: string; why: string }[];
  bytes: number;
}

/**
 * Lists a build's context: what lies in the folder, without what .dockerignore names (or `<dockerfile>.dockerignore`,
 * which goes before it) and without what the policy keeps from being read.
 *
 * @throws HoldpointError `invalid_input` for too large a context or a Dockerfile outside it.
 */
export async function listContext(context: string, dockerfile: string, reader: Reader): Promise<ContextListing> {
  const inside = (path: string) => (context === '.' ? path : path.slice(context.length + 1));
  if (context !== '.' && !dockerfile.startsWith(`${context}/`)) {
    throw new HoldpointError('invalid_input', `The Dockerfile ${dockerfile} is outside the context ${context}.`, {
      hint: 'Use a context that holds it, such as ".", and keep what is not needed out with .dockerignore.',
    });
  }
  // Linked folders are not gone into, so every other entry lies where its name says.
  const folder = await reader.files.look(context);
  const isLink = (name: string, facts: FileFacts) => facts.type === 'folder' && facts.real !== below(folder.real, name);
  const needed = new Set([dockerfile, `${dockerfile}.dockerignore`, below(context, '.dockerignore')]);
  const ignored = await ignoreRules(context, dockerfile, reader);
  const { entries, refused, cut } = await reader.files.list(folder, {
    recursive: true,
    respectIgnore: false,
    limit: MAX_FILES * 5,
    signal: reader.signal,
  });
  const listed = entries.map((facts) => ({ path: facts.path, name: inside(facts.path), facts }));
  const wanted = listed.filter(
    ({ path, name, facts }) => facts.type === 'file' && (needed.has(path) || !ignored(name)),
  );
  const permitted = ({ facts }: ContextFile) =>
    [facts.path, facts.real].every((path) => reader.permits(fileTarget(path, 'read')));
  const files = wanted.filter(permitted);
  const leftOut = [
    ...wanted
      .filter((file) => !permitted(file))
      .map(({ name }) => ({ name, why: 'the policy does not allow it to be read' })),
    ...refused
      .map(({ path, shown, why }) => ({ name: path === undefined ? shown : inside(path), why }))
      .filter(({ name }) => !ignored(name)),
    ...listed
      .filter(({ name, facts }) => isLink(name, facts) && !ignored(name))
      .map(({ name }) => ({ name, why: 'a link to a folder is not followed' })),
  ].sort((a, b) => (a.name < b.name ? -1 : 1));
  const occupied = new Set(listed.map(({ name }) => name.slice(0, Math.max(0, name.lastIndexOf('/')))));
  const empty = listed.filter(
    ({ name, facts }) => facts.type === 'folder' && !isLink(name, facts) && !occupied.has(name) && !ignored(name),
  );
  const bytes = files.reduce((sum, { facts }) => sum + facts.size, 0);
  if (cut || files.length > MAX_FILES || bytes > MAX_BYTES) throw tooLarge(files, bytes, cut);
  return {
    context,
    dockerfile: inside(dockerfile),
    files,
    emptyFolders: empty.map(({ name }) => name),
    leftOut,
    bytes,
  };
}

function below(folder: string, name: string): string {
  return folder === '.' ? name : `${folder}/${name}`;
}

async function ignoreRules(
  context: string,
  dockerfile: string,
  { files, permits }: Reader,
): Promise<(name: string) => boolean> {
  for (const path of [`${dockerfile}.dockerignore`, below(context, '.dockerignore')]) {
    const found = await files.look(path);
    if (found.type !== 'file') continue;
    if (![path, found.real].every((each) => permits(fileTarget(each, 'read'))))
      throw new HoldpointError('denied', `${path} leads to a file that the policy does not let docker-build read.`, {
        rule: 'paths',
        hint: 'A person takes the link away.',
      });
    const { bytes } = await files.read(found, { maxBytes: MAX_TEXT });
    return contextRules(Buffer.from(bytes).toString('utf8'));
  }
  return () => false;
}

/**
 * The context as entries for the Engine, one file in memory at a time, and its digest: SHA-256 over mode, name and content
 * of every file. `expected`: the digest that it must have; at the end it throws `stale` where the bytes were others.
 */
export async function* contextEntries(
  listing: ContextListing,
  reader: Reader,
  expected?: string,
): AsyncGenerator<BuildEntry, string> {
  const whole = createHash('sha256');
  for (const name of listing.emptyFolders) {
    whole.update(`folder ${JSON.stringify(name)}\n`);
    yield { name, type: 'folder', mode: 0o755, bytes: new Uint8Array() };
  }
  for (const { name, facts } of listing.files) {
    reader.signal.throwIfAborted();
    const { bytes } = await reader.files.read(facts, { maxBytes: facts.size });
    const mode = isProgram(facts, bytes) ? 0o755 : 0o644;
    whole.update(`${mode.toString(8)} ${JSON.stringify(name)} ${createHash('sha256').update(bytes).digest('hex')}\n`);
    yield { name, type: 'file', mode, bytes };
  }
  const digest = `sha256:${whole.digest('hex')}`;
  if (expected !== undefined && digest !== expected) {
    throw new HoldpointError('stale', `Files in the context ${listing.context} changed after the build was planned.`, {
      hint: 'Repeat the original call; it will be planned anew.',
      changes: [{ what: `the files of the context ${listing.context}`, was: expected, is: digest }],
    });
  }
  return digest;
}

/** The context's digest. */
export async function contextDigest(listing: ContextListing, reader: Reader): Promise<string> {
  const entries = contextEntries(listing, reader);
  for (;;) {
    const { done, value } = await entries.next();
    if (done === true) return value;
  }
}

/** Where the file system's own mark is not told, by how a script or a Linux program begins. */
function isProgram(facts: FileFacts, bytes: Uint8Array): boolean {
  if (facts.executable !== undefined) return facts.executable;
  const start = Buffer.from(bytes.subarray(0, 4)).toString('latin1');
  return start.startsWith('#!') || start === '\u007FELF';
}

/**
 * Refuses a Dockerfile that copies what is kept out and nothing else: the Engine would only say that it is not there.
 *
 * @throws HoldpointError `denied` naming line, file and why.
 */
export function refuseMissingCopies({ copies }: Dockerfile, { files, leftOut }: ContextListing): void {
  for (const { line, source } of copies) {
    const matches = sourceTest(source);
    const missing = leftOut.find(({ name }) => matches(name));
    if (missing === undefined || files.some(({ name }) => matches(name))) continue;
    throw new HoldpointError(
      'denied',
      `Line ${line} of the Dockerfile copies ${missing.name}, which is kept out of every build context: ${missing.why}.`,
      {
        rule: 'build-context',
        hint: 'Take the line out; give secrets to the container when it starts (environment, Kubernetes Secret), never to the image.',
      },
    );
  }
}

function sourceTest(source: string): (name: string) => boolean {
  const pattern = pathPattern(source);
  if (pattern === null) return () => false;
  // The context as a whole is never missing.
  if (pattern('.')) return () => false;
  return (name) => name.split('/').some((_part, index, parts) => pattern(parts.slice(0, index + 1).join('/')));
}

function tooLarge(files: readonly ContextFile[], bytes: number, cut: boolean): HoldpointError {
  const sizes = new Map<string, number>();
  for (const { name, facts } of files) {
    const top = name.split('/')[0] ?? name;
    sizes.set(top, (sizes.get(top) ?? 0) + facts.size);
  }
  const largest = [...sizes].sort(([, a], [, b]) => b - a).slice(0, 3);
  const named = largest.map(([name, size]) => `${name} (${Math.ceil(size / 1e6)} MB)`).join(', ');
  return new HoldpointError(
    'invalid_input',
    `The build context is too large: ${cut ? 'more than ' : ''}${files.length} files, ${Math.ceil(bytes / 1e6)} MB.`,
    {
      hint: `At most ${MAX_FILES} files and ${MAX_BYTES / 1024 / 1024} MB. Largest: ${named}. Name what the image does not need in .dockerignore.`,
    },
  );
}
