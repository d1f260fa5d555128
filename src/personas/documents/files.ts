import { coversPath } from '../../policy/lint/samples.ts';
import { listedFiles, type Listed } from './file-lists.ts';
import type { Cited, FileFact, Note } from './facts.ts';
import { madeKinds } from './kinds.ts';
import type { Entry } from './markdown.ts';
import { namedPaths } from './named-paths.ts';
import { literalStart, patternOf } from './patterns.ts';
import { unusable } from './unusable.ts';

interface Files {
  files: FileFact[];
  grants: ReadonlySet<'code' | 'tests'>;
  ambiguous: Note[];
  unused: Note[];
}

/**
 * What a document says of files. Patterns are narrower than the folders around them, and hold; what is denied in one place
 * and allowed in another is denied. Only where there are no patterns do the files that the text names count, and kinds of files.
 *
 * @throws HoldpointError `invalid_input` for a pattern that closes something and cannot be read.
 */
export function readFiles(entries: readonly Entry[], restricted: readonly Cited[], file: string): Files {
  const found: Files = { files: [], grants: new Set(), ambiguous: [], unused: [] };
  const add = ({ written, access, from, line, words }: Omit<Listed, 'from'> & Pick<FileFact, 'from'>) => {
    const made = patternOf(written, access);
    if ('pattern' in made) found.files.push({ pattern: made.pattern, access, from, line, words });
    else if (access === 'deny' && !made.refused.startsWith('it is no path'))
      throw unusable(
        file,
        line,
        `${JSON.stringify(written.slice(0, 80))} closes something and cannot be read: ${made.refused}`,
      );
    else
      found.unused.push({
        says: `${JSON.stringify(written.slice(0, 80))} ${access === 'deny' ? 'closes' : 'opens'} nothing: ${made.refused}`,
        lines: [line],
      });
  };
  for (const { words, line } of restricted)
    add({ written: words, access: 'deny', from: 'restricted path', line, words });
  const listed = listedFiles(entries);
  for (const each of listed) add(each);
  const named = namedPaths(entries);
  if (listed.some(({ from }) => from === 'glob')) closed(named.files, found);
  else {
    for (const each of named.files) add({ ...each, written: each.pattern });
    const made = madeKinds(entries);
    for (const each of made.files)
      add({ ...each, written: usual(each.pattern, named.files), access: 'write', from: 'kind' });
    found.grants = made.grants;
    found.ambiguous.push(...named.ambiguous);
  }
  settle(found);
  return found;
}

/** Files that the text names beside a list of patterns that leaves them out. */
function closed(named: readonly FileFact[], found: Files): void {
  const open = found.files.filter(({ access }) => access !== 'deny').map(({ pattern }) => pattern);
  for (const { pattern, line } of named)
    if (!coversPath(open, false, pattern, false))
      found.unused.push({
        says: `${pattern} is named, but no pattern of the document opens it; it stays closed`,
        lines: [line],
      });
}

function settle(found: Files): void {
  const denied = found.files.filter(({ access }) => access === 'deny');
  const globs = found.files.filter(({ from, access }) => from === 'glob' && access !== 'deny');
  found.files = once(found.files).filter((fact, _, all) => {
    if (fact.access === 'deny') return true;
    if (
      fact.from === 'kind' &&
      all.some((other) => other !== fact && other.access === 'write' && wider(other, fact, all))
    )
      return false;
    const denial = denied.find(({ pattern }) => coversPath([pattern], true, fact.pattern, false));
    if (denial !== undefined) {
      found.ambiguous.push({
        says: `${fact.pattern} is denied in one place and ${fact.access === 'read' ? 'readable' : 'writable'} in another; it is denied`,
        lines: [denial.line, fact.line],
      });
      return false;
    }
    if (fact.from !== 'folder' && fact.from !== 'tree') return true;
    const start = literalStart(fact.pattern);
    const narrower = globs.filter(({ pattern }) => {
      const other = literalStart(pattern);
      return other.startsWith(start) || (other !== '' && start.startsWith(other));
    });
    if (narrower.length === 0) return true;
    const covered = globs.some(
      ({ pattern, access }) => access === fact.access && coversPath([pattern], false, fact.pattern, false),
    );
    if (!covered)
      found.ambiguous.push({
        says: `${fact.pattern} is wider than the patterns given for it (${narrower.map(({ pattern }) => pattern).join(', ')}); the patterns hold`,
        lines: [fact.line, ...narrower.map(({ line }) => line)],
      });
    return false;
  });
}

/** Whether one covers all of the other; of two that cover each other, the first does. */
function wider(other: FileFact, fact: FileFact, all: readonly FileFact[]): boolean {
  if (!coversPath([other.pattern], false, fact.pattern, false)) return false;
  return all.indexOf(other) < all.indexOf(fact) || !coversPath([fact.pattern], false, other.pattern, false);
}

/** `{kubernetes,k8s}/…` is one folder or the other: where the text names one of them, that one. */
function usual(pattern: string, named: readonly FileFact[]): string {
  const [whole = '', names = ''] = /^\{([\w,]+)\}(?=\/)/.exec(pattern) ?? [];
  const used = names
    .split(',')
    .find((name) => named.some((fact) => fact.access === 'write' && fact.pattern.startsWith(`${name}/`)));
  return used === undefined ? pattern : `${used}${pattern.slice(whole.length)}`;
}

/** Each pattern once, as a pattern before a folder; where the same one may be read here and written there, written. */
function once(files: readonly FileFact[]): FileFact[] {
  const first = new Map<string, FileFact>();
  for (const fact of files.toSorted((a, b) => Number(b.from === 'glob') - Number(a.from === 'glob'))) {
    const key = `${fact.access === 'deny'} ${fact.pattern}`;
    const earlier = first.get(key);
    if (earlier === undefined || (earlier.access === 'read' && fact.access === 'write' && earlier.from === fact.from))
      first.set(key, fact);
  }
  return [...first.values()];
}
