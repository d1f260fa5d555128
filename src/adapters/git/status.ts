import type { ChangedFile, Status } from './port.ts';

/**
 * Reads `git status --porcelain=v2 --branch -z --no-renames`. A path that was taken out of the index and is still there is
 * `deleted`, as a commit would have it.
 */
export function readStatus(output: string): Status {
  const status: Status = { changed: [] };
  const changed = new Map<string, ChangedFile>();
  let upstream: Status['upstream'];
  for (const entry of output.split('\0')) {
    if (entry.startsWith('# branch.oid ') && !entry.endsWith('(initial)')) status.commit = entry.slice(13);
    else if (entry.startsWith('# branch.head ') && entry !== '# branch.head (detached)')
      status.branch = entry.slice(14);
    else if (entry.startsWith('# branch.upstream ')) upstream = { name: entry.slice(18), ahead: 0, behind: 0 };
    else if (entry.startsWith('# branch.ab ')) {
      const [, ahead, behind] = /\+(\d+) -(\d+)/.exec(entry) ?? [];
      // Without this line the upstream is configured and not there.
      if (upstream) status.upstream = { ...upstream, ahead: Number(ahead), behind: Number(behind) };
    } else {
      const file = changedFile(entry);
      if (file && !changed.has(file.path)) changed.set(file.path, file);
    }
  }
  return { ...status, changed: [...changed.values()] };
}

function changedFile(entry: string): ChangedFile | undefined {
  const kind = entry[0] ?? '';
  if (kind === '?') return { path: entry.slice(2), state: 'untracked' };
  if (kind !== '1' && kind !== 'u') return undefined;
  // `1 XY sub mH mI mW hH hI path`; an unmerged one has ten fields before its path.
  const fields = entry.split(' ');
  const path = fields.slice(kind === 'u' ? 10 : 8).join(' ');
  if (kind === 'u') return { path, state: 'conflict' };
  const code = fields[1] ?? '';
  return { path, state: code.includes('D') ? 'deleted' : code.includes('A') ? 'added' : 'modified' };
}
