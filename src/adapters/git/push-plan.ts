import { HoldpointError } from '../../core/errors.ts';
import type { Plan } from '../../core/plan.ts';
import type { Act } from './acts.ts';
import { repositoryTarget } from './names.ts';
import type { Context, PushPlan } from './port.ts';
import { counted } from './text.ts';
import { startedBy } from './workflows.ts';

/**
 * A branch or a tag to where it has the same name on the remote, and what that starts there. What the remote has is never
 * lost, `force` or not: that only says to the policy what is asked for.
 */
export async function planPush(
  wanted: { name?: string; remote: string; force: boolean },
  call: Context,
): Promise<Plan<Act>> {
  const name = wanted.name ?? (await call.git.status(call)).branch;
  if (name === undefined)
    throw new HoldpointError('conflict', 'No branch is checked out.', { hint: 'Name the branch or tag to push.' });
  const isTag =
    (await call.git.local(`refs/heads/${name}`, call)) === null &&
    (await call.git.local(`refs/tags/${name}`, call)) !== null;
  const remote = await call.git.remote(wanted.remote, call);
  const planned = await call.git.planPush(remote, `refs/${isTag ? 'tags' : 'heads'}/${name}`, call);
  const { update, subjects, count } = planned;
  const { ref, commit, was } = update;
  if (was === commit)
    throw new HoldpointError('conflict', `${remote.name} has ${name} as it is here; there is nothing to push.`);
  if (planned.keeps !== 'yes') throw loses(planned, name, isTag);
  const starts = await startedBy(planned);
  const what = `${was === null ? 'new ' : ''}${isTag ? 'tag' : 'branch'} ${name}`;
  const summary = `push ${what} to ${remote.name} (${remote.url}): ${counted(count, 'commit')}`;
  const resource = wanted.force ? 'force-push' : isTag ? 'tag' : 'push';
  return {
    effect: wanted.force ? 'destroy' : 'write',
    targets: [
      repositoryTarget(`${remote.name} (${remote.host})`, resource, wanted.force ? 'destroy' : 'write', name),
      ...starts,
    ],
    preconditions: [
      { id: 'remote', says: `the address of ${remote.name}`, value: remote.url },
      { id: 'commit', says: `the commit of ${name} here`, value: commit },
      { id: 'was', says: `the commit of ${name} on ${remote.name}`, value: was },
    ],
    steps: [
      {
        id: 'push',
        does: `push ${what} to ${remote.name}`,
        call: ['git', 'push', `--force-with-lease=${ref}:${was ?? ''}`, remote.url, `${commit}:${ref}`],
      },
    ],
    preview: {
      summary,
      text: [
        ...subjects,
        ...(count > subjects.length ? [`… and ${count - subjects.length} more`] : []),
        starts.length === 0 ? 'starts no workflow' : `starts: ${[...new Set(starts.map(({ id }) => id))].join(', ')}`,
      ].join('\n'),
    },
    data: { action: 'push', update, count },
  };
}

function loses({ keeps, update: { remote } }: PushPlan, name: string, isTag: boolean): HoldpointError {
  if (isTag)
    return new HoldpointError('denied', `${remote.name} has a tag ${name} that stands for something else.`, {
      rule: 'force-push',
      hint: 'Tags are not moved: give the next version.',
    });
  return new HoldpointError('denied', `${remote.name} has commits of ${name} that are not in it here.`, {
    rule: 'force-push',
    hint:
      keeps === 'unknown'
        ? 'They are not known here: a person runs git fetch and brings them together; or push a branch of another name.'
        : 'Pushing would lose them: a person brings them together; or push a branch of another name.',
  });
}
