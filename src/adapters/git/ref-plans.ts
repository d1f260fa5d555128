import { HoldpointError } from '../../core/errors.ts';
import { fileTarget, workspacePath } from '../../core/paths.ts';
import type { Plan } from '../../core/plan.ts';
import type { Act } from './acts.ts';
import { repositoryTarget } from './names.ts';
import type { Context } from './port.ts';
import { counted, plainLine } from './text.ts';

const WORKSPACE = 'workspace';
const SHOWN = 40;

/**
 * Switches to a branch; makes it (at `from`, or where one is) where there is none of the name. Files that the switch changes
 * and the policy does not let this tool write make it wait for a person: an old commit may hold an old policy.
 */
export async function planBranch({ name, from }: { name: string; from?: string }, call: Context): Promise<Plan<Act>> {
  const { branch, commit: head } = await call.git.status(call);
  if (branch === name)
    throw new HoldpointError('conflict', `${name} is checked out already.`, { hint: 'There is nothing to do.' });
  const there = await call.git.local(`refs/heads/${name}`, call);
  if (there !== null && from !== undefined)
    throw new HoldpointError('conflict', `The branch ${name} is there already.`, {
      hint: 'Leave ref out to switch to it, or give another name.',
    });
  const commit = there ?? (await call.git.commit(from ?? 'HEAD^{commit}', call));
  const changed =
    head === undefined || head === commit ? [] : await call.git.changedPaths(`${head}..${commit}`, [], call);
  const others = changed.filter((path) => !mayWrite(path, call));
  const short = commit.slice(0, 10);
  const does = there === null ? `make the branch ${name} at ${short} and switch to it` : `switch to the branch ${name}`;
  return {
    effect: 'write',
    targets: [
      repositoryTarget(WORKSPACE, 'branch', 'write', name),
      // With no branch that tells an environment it counts as production.
      ...(others.length > 0 ? [repositoryTarget(WORKSPACE, 'working-tree', 'write')] : []),
    ],
    preconditions: [
      { id: 'head', says: 'the commit that is checked out', value: head ?? null },
      { id: `branch:${name}`, says: `the branch ${name}`, value: there },
      { id: 'commit', says: 'the commit to switch to', value: commit },
    ],
    steps: [{ id: 'branch', does, call: ['git', 'switch', ...(there === null ? ['--create', name, commit] : [name])] }],
    preview: {
      summary: `${does}${changed.length > 0 ? `, which changes ${counted(changed.length, 'file')}` : ''}`,
      ...(others.length > 0
        ? {
            text: [
              `${counted(others.length, 'file')} among them may not be written by an agent:`,
              ...others.slice(0, SHOWN).map((path) => plainLine(path, 200)),
              ...(others.length > SHOWN ? [`… and ${others.length - SHOWN} more`] : []),
            ].join('\n'),
          }
        : {}),
    },
    data: { action: 'switch', branch: name, from: there === null ? commit : null },
  };
}

function mayWrite(path: string, call: Context): boolean {
  try {
    return call.permits(fileTarget(workspacePath(path), 'write'));
  } catch {
    return false;
  }
}

/** Tags a commit. Tags are not moved. */
export async function planTag(
  { name, at, message }: { name: string; at: string; message: string | null },
  call: Context,
): Promise<Plan<Act>> {
  if (message !== null && call.redact(message) !== message)
    throw new HoldpointError('denied', 'The message holds what looks like a secret.', {
      hint: 'It stays in the history: leave the value out.',
    });
  if ((await call.git.local(`refs/tags/${name}`, call)) !== null)
    throw new HoldpointError('conflict', `The tag ${name} is there already.`, {
      hint: 'Tags are not moved: give the next version.',
    });
  const commit = await call.git.commit(at, call);
  const [subject = ''] = await call.git.log({ range: commit, limit: 1, paths: [] }, call);
  const author = message === null ? [] : [`by ${await call.git.author(call)}`, '', message];
  return {
    effect: 'write',
    targets: [repositoryTarget(WORKSPACE, 'tag', 'write', name)],
    preconditions: [{ id: 'commit', says: 'the commit to tag', value: commit }],
    steps: [{ id: 'tag', does: `tag ${commit.slice(0, 10)} as ${name}`, call: ['git', 'tag', name, commit] }],
    preview: { summary: `tag ${name}: ${subject}`, ...(author.length > 0 ? { text: author.join('\n') } : {}) },
    data: { action: 'tag', name, commit, message },
  };
}
