import { HoldpointError } from '../../core/errors.ts';
import { fileTarget, workspacePath } from '../../core/paths.ts';
import type { Plan, Precondition } from '../../core/plan.ts';
import type { Target } from '../../core/target.ts';
import type { FileHandle } from '../files/port.ts';
import type { Act } from './acts.ts';
import { patchOf } from './diffing.ts';
import { repositoryTarget } from './names.ts';
import type { ChangedFile, CommitPlan, Context, FileMode } from './port.ts';
import { counted, plainLine } from './text.ts';

const MAX_FILES = 200;
const MAX_FILE = 32 * 1024 * 1024;
/** Characters of a patch in a preview. */
const PATCH = 4000;

/** Commits the named files, or every changed file that is tracked, as they are now, on the branch that is checked out. */
export async function planCommit(
  { paths, message }: { paths?: readonly string[]; message: string },
  call: Context,
): Promise<Plan<Act>> {
  if (call.redact(message) !== message)
    throw new HoldpointError('denied', 'The message holds what looks like a secret.', {
      hint: 'It stays in the history: leave the value out.',
    });
  const { branch, commit, changed } = await call.git.status(call);
  if (branch === undefined)
    throw new HoldpointError('conflict', 'No branch is checked out.', { hint: 'Use branch with a name first.' });
  if ((await call.git.local('MERGE_HEAD', call)) !== null)
    throw new HoldpointError('conflict', 'A merge is under way.', { hint: 'A person finishes it.' });
  const chosen = chooseFiles(changed, paths);
  const targets: Target[] = [repositoryTarget('workspace', 'commit', 'write', branch)];
  // Before anything is read of any.
  for (const { path } of chosen) targets.push(readable(path, call));
  const files = await boundFiles(chosen, call);
  const author = await call.git.author(call);
  const plan: CommitPlan = { branch, parent: commit ?? null, author, files };
  const listed = chosen.map(({ path, state }) => `${SIGNS[state] ?? 'M'} ${path}`);
  const patch =
    commit === undefined
      ? { text: '', cut: false }
      : await patchOf(
          commit,
          files.filter(({ path }) => /[A-Za-z0-9]/.test(path)).map(({ path }) => path),
          PATCH,
          call,
        );
  const what = `commit ${counted(files.length, 'file')} on ${branch}`;
  return {
    effect: 'write',
    targets,
    preconditions: [
      { id: 'branch', says: 'the branch that is checked out', value: branch },
      { id: 'head', says: `the last commit of ${branch}`, value: commit ?? null },
      ...files.map(({ path, mode, blob }): Precondition => ({
        id: `file:${path}`,
        says: `the content of ${path}`,
        value: { mode, blob },
      })),
    ],
    steps: [{ id: 'commit', does: what, call: { author, message, files: listed } }],
    preview: {
      summary: `${what}: ${plainLine(message.split('\n')[0] ?? '', 100)}`,
      text: [`by ${author}`, '', message, '', ...listed, '', patch.text, patch.cut ? '… and more' : '']
        .join('\n')
        .trimEnd(),
    },
    data: { action: 'commit', plan, message },
  };
}

/** Does it, with exactly the content that was planned. @throws HoldpointError `stale` */
export async function runCommit({ plan, message }: Extract<Act, { action: 'commit' }>, call: Context): Promise<string> {
  const files = plan.files.filter(({ blob }) => blob !== null);
  const present: FileHandle[] = [];
  for (const { path } of files) present.push(await call.files.look(path, { real: path }));
  const stored = await call.git.blobs(contents(present, call), true, call);
  for (const { path, blob } of files)
    if (stored.get(path) !== blob)
      throw new HoldpointError('stale', `${path} changed while it was being committed; nothing was committed.`);
  return call.git.commitFiles(plan, message, call);
}

const SIGNS: Readonly<Partial<Record<ChangedFile['state'], string>>> = { added: 'A', untracked: 'A', deleted: 'D' };

function chooseFiles(changed: readonly ChangedFile[], paths: readonly string[] | undefined): ChangedFile[] {
  const within = (path: string, asked: string) => {
    const name = path.normalize('NFC');
    return asked === '.' || name === asked || name.startsWith(`${asked}/`);
  };
  for (const asked of paths ?? [])
    if (!changed.some(({ path }) => within(path, asked)))
      throw new HoldpointError('invalid_input', `Nothing is changed at ${asked}, or git ignores it.`, {
        hint: 'status lists what is changed.',
      });
  const chosen = changed.filter(({ path, state }) =>
    paths === undefined ? state !== 'untracked' : paths.some((asked) => within(path, asked)),
  );
  const conflict = chosen.find(({ state }) => state === 'conflict');
  if (conflict)
    throw new HoldpointError('conflict', `${conflict.path} has a conflict that is not resolved.`, {
      hint: 'A person resolves it.',
    });
  const few = 'Name fewer with paths.';
  if (chosen.length > MAX_FILES)
    throw new HoldpointError('invalid_input', `These are ${chosen.length} files, more than ${MAX_FILES}.`, {
      hint: few,
    });
  if (chosen.length > 0) return chosen.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  throw new HoldpointError('invalid_input', 'There is nothing to commit.', {
    hint: changed.length > 0 ? 'Files that git does not know yet are named in paths.' : 'No file is changed.',
  });
}

/** What may not be read may not get into a commit either, where others read it. */
function readable(path: string, call: Context): Target {
  workspacePath(path);
  const target = fileTarget(path, 'read');
  if (call.permits(target)) return target;
  throw new HoldpointError('denied', `${path} may not be read, so it is not committed.`, {
    hint: 'Name the files to commit with paths, without it.',
  });
}

async function boundFiles(chosen: readonly ChangedFile[], call: Context): Promise<CommitPlan['files']> {
  const present: FileHandle[] = [];
  for (const { path } of chosen.filter(({ state }) => state !== 'deleted')) {
    const file = await call.files.look(path);
    present.push(file);
    if (file.real === path && file.type === 'file') continue;
    throw new HoldpointError('denied', `${path} is a link, or no file.`, {
      rule: 'paths',
      hint: 'Leave it out of paths; a person commits it.',
    });
  }
  const modes = present.length === 0 ? new Map<string, FileMode>() : await call.git.modes(present, call);
  const blobs = await call.git.blobs(contents(present, call), false, call);
  return chosen.map(({ path }) => ({ path, mode: modes.get(path) ?? '100644', blob: blobs.get(path) ?? null }));
}

/** Files' bytes one by one, through the same door as every other tool's. */
async function* contents(files: readonly FileHandle[], call: Context) {
  for (const file of files) {
    const { bytes, size } = await call.files.read(file, { maxBytes: MAX_FILE });
    if (size > MAX_FILE)
      throw new HoldpointError('invalid_input', `${file.path} is larger than ${MAX_FILE / 1024 / 1024} MB.`, {
        hint: 'Leave it out of paths.',
      });
    yield { path: file.path, bytes };
  }
}
