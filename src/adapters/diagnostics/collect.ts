import type { FileFacts } from '../files/port.ts';
import { fileTarget } from '../../core/paths.ts';
import type { RunContext } from '../../core/tool.ts';
import { MAX_FILE, readChecked } from './diagnose.ts';
import type { ReadFile } from './diagnose.ts';
import type { Finding } from './finding.ts';
import { CANDIDATES, isCandidate, isDockerfile } from './recognise.ts';

type Context = Pick<RunContext<'files'>, 'files' | 'permits' | 'signal'>;

/** Files read in one call, and their bytes together. */
const MAX_FILES = 500;
const MAX_BYTES = 8 * 1024 * 1024;

function allowed(context: Context): (facts: FileFacts) => boolean {
  return ({ path, real }) => [path, real].every((one) => context.permits(fileTarget(one, 'read')));
}

/** The files of a folder that may be checked, by their names. */
export async function candidates(folder: string, context: Context): Promise<{ paths: string[]; notes: string[] }> {
  const { entries, hidden, refused, cut } = await context.files.list(folder, {
    recursive: true,
    glob: CANDIDATES,
    permits: allowed(context),
    limit: MAX_FILES,
    signal: context.signal,
  });
  const notes = [
    cut ? `Only ${MAX_FILES} files were looked at: name a folder below.` : '',
    hidden > 0 ? `${hidden} files not allowed by policy.` : '',
    refused.length > 0 ? `${refused.length} that cannot be opened.` : '',
  ];
  return {
    paths: entries.filter(({ type, path }) => type === 'file' && isCandidate(path)).map(({ path }) => path),
    notes,
  };
}

export interface Reading {
  files: ReadFile[];
  /** Of files that were not read. */
  findings: Finding[];
  /** Files that are nothing that is checked. */
  unknown: number;
  notes: string[];
}

/** @param real Of a single file: where it leads, as was decided on. */
export async function readFiles(
  paths: readonly string[],
  real: string | undefined,
  context: Context,
): Promise<Reading> {
  const reading: Reading = { files: [], findings: [], unknown: 0, notes: [] };
  let bytesRead = 0;
  let templates = 0;
  for (const [index, path] of paths.entries()) {
    context.signal.throwIfAborted();
    if (bytesRead > MAX_BYTES) {
      reading.notes.push(`${paths.length - index} files not checked: name a folder below.`);
      break;
    }
    const facts = await context.files.look(path);
    if (real === undefined && !allowed(context)(facts)) continue;
    if (facts.size > MAX_FILE) {
      reading.findings.push(tooLarge(path, facts.size));
      continue;
    }
    const { bytes } = await context.files.read(path, { maxBytes: MAX_FILE, real: real ?? facts.real });
    bytesRead += bytes.length;
    const file = readChecked(path, new TextDecoder().decode(bytes));
    if (!file) reading.unknown++;
    else if (file.kind === 'template') templates++;
    else reading.files.push(file);
  }
  if (templates > 0)
    reading.notes.push(`${templates} templates ({{ }}) not checked: check what helm template makes of them.`);
  return reading;
}

function tooLarge(file: string, size: number): Finding {
  return {
    file,
    line: 1,
    rule: 'too-large',
    severity: 'warning',
    what: `${Math.ceil(size / 1024)} KB, not checked`,
    why: `Files above ${MAX_FILE / 1024} KB are not read; nobody reviews them either.`,
    fix: 'Split it into several files.',
  };
}

/** The Dockerfiles to which a .dockerignore applies, or may: of what the policy hides nothing is told. */
export async function dockerignores(files: readonly ReadFile[], context: Context): Promise<Set<string>> {
  const found = new Set<string>();
  const known = new Map<string, boolean>();
  const applies = async (path: string): Promise<boolean> => {
    const before = known.get(path);
    if (before !== undefined) return before;
    // What cannot be looked at, such as a link out of the workspace, is there.
    const is =
      !context.permits(fileTarget(path, 'read')) ||
      (await context.files.look(path).catch(() => undefined))?.type !== 'missing';
    known.set(path, is);
    return is;
  };
  for (const { path } of files.filter((file) => isDockerfile(file.path))) {
    const folders = path.split('/').slice(0, -1);
    const above = folders.map((_, index) => `${folders.slice(0, folders.length - index).join('/')}/.dockerignore`);
    // Which folder is the context is not known: any above the Dockerfile may be.
    for (const place of [`${path}.dockerignore`, ...above, '.dockerignore'])
      if (await applies(place)) {
        found.add(path);
        break;
      }
  }
  return found;
}
