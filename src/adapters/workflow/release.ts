import { HoldpointError } from '../../core/errors.ts';
import { fileTarget, folderTarget } from '../../core/paths.ts';
import type { FileHandle } from '../files/port.ts';
import type { Context } from './looking.ts';

/** The list of checksums in a release folder, as sha256sum writes it. */
export const SUMS = 'SHA256SUMS';
/** Files of one release, at most. */
const MAX_FILES = 200;

/** The files of a release folder, its list of checksums aside, by name from the folder. */
async function releaseFiles(path: string, { files, permits, signal }: Context): Promise<Map<string, FileHandle>> {
  const folder = await files.look(path);
  if (folder.type === 'missing') return new Map();
  if (!permits(folderTarget(path)))
    throw new HoldpointError('denied', `The policy does not let the names in ${path} be listed.`, {
      hint: 'The workflow needs an allowing rule of kind folder for docs/workflow/**; docs/workflow.md shows one.',
    });
  const listing = await files.list(folder, { recursive: true, respectIgnore: false, limit: MAX_FILES + 1, signal });
  const refused = listing.refused[0];
  if (refused)
    throw new HoldpointError('invalid_input', `${path} has an entry that is no plain file: ${refused.shown}.`, {
      hint: 'Take it out of the folder.',
    });
  const found = listing.entries.filter(({ type }) => type === 'file');
  if (listing.cut || found.length > MAX_FILES)
    throw new HoldpointError('invalid_input', `${path} has more than ${MAX_FILES} files.`, {
      hint: 'Pack them into archives.',
    });
  const unreadable = found.find((file) => ![file.path, file.real].every((each) => permits(fileTarget(each, 'read'))));
  if (unreadable)
    throw new HoldpointError('denied', `The policy does not let ${unreadable.path} be read at once.`, {
      hint: 'Take it out of the folder; a release holds no secrets.',
    });
  const named = found.map((file): [string, FileHandle] => [file.path.slice(path.length + 1), file]);
  return new Map(named.filter(([name]) => name !== SUMS));
}

/** What SHA256SUMS should say of the folder: a line for each file, sorted; empty where there is none. */
export async function sumsOf(path: string, context: Context): Promise<string> {
  const lines: string[] = [];
  for (const [name, file] of await releaseFiles(path, context)) {
    // One after the other: they may be large.
    // oxlint-disable-next-line no-await-in-loop
    const identity = await context.files.identity(file);
    if ('sha256' in identity) lines.push(`${identity.sha256}  ${name}\n`);
  }
  return lines.sort((a, b) => (a.slice(66) < b.slice(66) ? -1 : 1)).join('');
}

/** Why a release folder does not do: no files, no checksums, files without one, sums that do not match. */
export async function releaseFaults(path: string, sums: string | undefined, context: Context): Promise<string[]> {
  const is = new Map(linesOf(await sumsOf(path, context)));
  if (is.size === 0) return ['it has no files'];
  if (sums === undefined) return [`it has no ${SUMS}; the action artifact writes it`];
  const said = linesOf(sums);
  if (said.length !== sums.split('\n').filter((line) => line.trim() !== '').length)
    return [`${SUMS} is not as sha256sum writes it`];
  const listed = new Map(said);
  const faults: string[] = [];
  for (const [name, sum] of is)
    if (!listed.has(name)) faults.push(`${name} is not in ${SUMS}`);
    else if (listed.get(name) !== sum) faults.push(`${name} does not match its checksum`);
  for (const name of listed.keys()) if (!is.has(name)) faults.push(`${name} is in ${SUMS} and not there`);
  return faults;
}

function linesOf(sums: string): [string, string][] {
  return [...sums.matchAll(/^([0-9a-f]{64}) [ *](.+)$/gm)].map(([, sum = '', name = '']) => [name, sum]);
}
