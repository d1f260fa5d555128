import type { Effect } from '../../core/effect.ts';
import { HoldpointError } from '../../core/errors.ts';
import type { Plan } from '../../core/plan.ts';
import type { Target } from '../../core/target.ts';
import { mergeGate } from './merge-gate.ts';
import type { Call } from './octokit.ts';
import type { PullInput } from './pull-input.ts';
import { pullReport, reportText } from './pull-text.ts';
import type { PullSummary } from './pull-view.ts';
import type { GitHubPulls, MergeMethod, NewPull, Repository } from './pulls.ts';

/** What a run does. */
export type PullAct =
  | { action: 'pr-list'; repository: string; head?: string; base?: string }
  | { action: 'pr-view'; repository: string; number: number }
  | { action: 'pr-create'; repository: string; pull: NewPull; open: PullSummary | null }
  | { action: 'pr-merge'; repository: string; number: number; base: string; how: { sha: string; method: MergeMethod } };

/** Opening one, or that it is open already. @throws HoldpointError `not_found` for branches that are not pushed; `denied` for secrets. */
export async function planOpening(
  pulls: GitHubPulls,
  wanted: Extract<PullInput, { action: 'pr-create' }>,
  { name: repository, defaultBranch }: Repository,
  call: Call,
): Promise<Plan<PullAct>> {
  const { title, body, head, base = defaultBranch } = wanted;
  if (head === base)
    throw new HoldpointError('invalid_input', `${head} is the branch that it would be merged into.`, {
      hint: 'Push the changes to a branch of their own and name it as head, or name another base.',
    });
  if (call.redact(`${title}\n${body}`) !== `${title}\n${body}`)
    throw new HoldpointError('denied', 'The title or body holds what looks like a secret.', {
      hint: 'A pull request is read by many: leave the value out.',
    });
  const [sha, into, [open]] = await Promise.all([
    pulls.branch(repository, head, call),
    pulls.branch(repository, base, call),
    pulls.list(repository, { head, base, limit: 1 }, call).then((found) => found.pulls),
  ]);
  if (sha === null || into === null)
    throw new HoldpointError('not_found', `${repository} has no branch ${sha === null ? head : base} on GitHub.`, {
      hint: sha === null ? `Push it first: git push origin ${head}.` : 'Name the branch to merge into as base.',
    });
  const summary = open
    ? `nothing to open: ${head} → ${base} of ${repository} is pull request ${open.number}`
    : `open a pull request in ${repository}: ${head} (${sha.slice(0, 7)}) → ${base}: ${title}`;
  const effect = open ? 'read' : 'write';
  const pull = { title, body, head, base };
  return {
    effect,
    targets: [
      pullTarget(repository, 'pull-request', effect, head),
      ...(open ? [] : await pulls.launches(repository, { event: 'open', head, base, sha }, call)),
    ],
    preconditions: [{ id: `branch:${head}`, says: `the commit of branch ${head}`, value: sha }],
    steps: open
      ? []
      : [{ id: 'create', does: summary, call: { method: 'POST', path: `/repos/${repository}/pulls`, body: pull } }],
    preview: { summary, text: body },
    data: { action: 'pr-create', repository, pull, open: open ?? null },
  };
}

/**
 * Merging one as it is now.
 *
 * @throws HoldpointError `denied` (rule `merge-gate`) with all that is missing; `invalid_input` for another base or a method that
 *   the repository does not allow.
 */
export async function planMerge(
  pulls: GitHubPulls,
  { number, base, method }: Extract<PullInput, { action: 'pr-merge' }>,
  { name: repository, methods }: Repository,
  call: Call,
): Promise<Plan<PullAct>> {
  const view = await pulls.view(repository, number, call);
  const { sha, reviews, checks, changedFiles } = view;
  if (base !== undefined && base !== view.base)
    throw new HoldpointError('invalid_input', `Pull request ${number} goes into ${view.base}, not into ${base}.`, {
      hint: 'Make sure that it is the one you mean, then name its base or leave it out.',
    });
  const { ok, missing } = mergeGate(view);
  if (!ok)
    throw new HoldpointError(
      'denied',
      `Pull request ${number} may not be merged: ${missing.map(({ what }) => what).join('; ')}.`,
      {
        rule: 'merge-gate',
        hint: missing.map(({ next }) => next).join(' '),
      },
    );
  const chosen = method ?? methods[0];
  if (chosen === undefined || !methods.includes(chosen))
    throw new HoldpointError('invalid_input', `${repository} does not allow to merge by ${chosen ?? 'any method'}.`, {
      hint: `Its settings allow: ${methods.join(', ') || 'none'}.`,
    });
  const how = { sha, method: chosen };
  const launches = await pulls.launches(
    repository,
    { event: 'merge', base: view.base, sha, number, changedFiles },
    call,
  );
  const summary = `merge pull request ${number} of ${repository} (${view.head} at ${sha.slice(0, 7)} → ${view.base}) by ${chosen}: ${view.title}`;
  return {
    effect: 'write',
    targets: [pullTarget(repository, 'merge', 'write', view.base), ...launches],
    // Not the commit of the base: that it moves is normal, GitHub merges what is approved into what is there and refuses
    // where the two conflict, and review and checks are held against the head.
    preconditions: [
      { id: 'head', says: `the head commit of pull request ${number}`, value: sha },
      { id: 'base', says: `the branch that pull request ${number} goes into`, value: view.base },
      { id: 'method', says: 'the way of merging', value: chosen },
      {
        id: 'reviews',
        says: `the reviews of pull request ${number}`,
        value: reviews.map(({ by, state, commit }) => `${by} ${state} ${commit}`).toSorted(),
      },
      { id: 'checks', says: `the checks of ${sha}`, value: checks.map(({ name, outcome }) => `${name}: ${outcome}`) },
    ],
    steps: [
      {
        id: 'merge',
        does: summary,
        call: {
          method: 'PUT',
          path: `/repos/${repository}/pulls/${number}/merge`,
          body: { sha, merge_method: chosen },
        },
      },
    ],
    preview: {
      summary,
      text: [reportText(pullReport(view)), ...launches.map(({ id }) => `starts ${id}`)].join('\n'),
    },
    data: { action: 'pr-merge', repository, number, base: view.base, how },
  };
}

/** A repository as a target; without a branch it counts as production. */
export function pullTarget(repository: string, resource: string, effect: Effect, branch?: string): Target {
  return { kind: 'repository', id: repository, resource, effect, at: branch === undefined ? {} : { branch } };
}
