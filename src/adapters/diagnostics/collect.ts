import type { FileFacts, FileHandle } from '../files/port.ts';
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
export async function candidates(
  folder: FileHandle,
  context: Context,
): Promise<{ files: FileHandle[]; notes: string[] }> {
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
    files: entries.filter(({ type, path }) => type === 'file' && isCandidate(path)),
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

/** Reads files that the policy allows. */
export async function readFiles(chosen: readonly FileHandle[], context: Context): Promise<Reading> {
  const reading: Reading = { files: [], findings: [], unknown: 0, notes: [] };
  let bytesRead = 0;
  let templates = 0;
  for (const [index, file] of chosen.entries()) {
    context.signal.throwIfAborted();
    if (bytesRead > MAX_BYTES) {
      reading.notes.push(`${chosen.length - index} files not checked: name a folder below.`);
      break;
    }
    if (file.size > MAX_FILE) {
      reading.findings.push(tooLarge(file.path, file.size));
      continue;
    }
    const { bytes } = await context.files.read(file, { maxBytes: MAX_FILE });
    bytesRead += bytes.length;
    const checked = readChecked(file.path, new TextDecoder().decode(bytes));
    if (!checked) reading.unknown++;
    else if (checked.kind === 'template') templates++;
    else reading.files.push(checked);
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
