import type { Check, PullView, Review } from './pull-view.ts';

const SHOWN = 5;

/** One thing without which there is no merge, and how to come by it. */
export interface Missing {
  what: string;
  next: string;
}

/** What GitHub says of a pull request that it would merge; `unstable` is judged by the checks themselves. */
const MERGEABLE_STATES = ['clean', 'unstable', 'has_hooks'];

/**
 * Whether a pull request may be merged, whoever asks: it needs an approving review of its head commit by a person other than
 * the author who may write to the repository, nobody's outstanding request for changes, at least one green check and none
 * that is red or pending, and no conflict. Pure. In doubt it may not.
 */
export function mergeGate(pull: PullView): { ok: boolean; missing: Missing[] } {
  const missing = pull.state === 'open' ? [...ofReviews(pull), ...ofChecks(pull), ...ofBranch(pull)] : [notOpen(pull)];
  return { ok: missing.length === 0, missing };
}

/** Whether a review is an approval that counts, and why it does not where it is one. */
export function weighed(
  { by, byAuthor, person, writes, commit, state }: Review,
  sha: string,
): { counts: boolean; why?: string } {
  if (state !== 'approved') return { counts: false };
  const why = byAuthor
    ? `${by} is the author`
    : !person
      ? `${by} is no person`
      : writes === false
        ? `${by} may not write to the repository`
        : writes === null
          ? `whether ${by} may write to the repository GitHub does not tell`
          : commit === sha
            ? undefined
            : `${by} approved the older commit ${short(commit)}`;
  return why === undefined ? { counts: true } : { counts: false, why };
}

function notOpen({ state }: PullView): Missing {
  return state === 'merged'
    ? { what: 'it is merged already', next: 'Nothing is left to do.' }
    : { what: 'it is closed', next: 'A person reopens it, or open a new one.' };
}

function ofReviews({ reviews, sha, author }: PullView): Missing[] {
  const missing: Missing[] = [];
  const judged = reviews.map((review) => weighed(review, sha));
  if (!judged.some(({ counts }) => counts)) {
    const why = judged.flatMap((each) => each.why ?? []);
    missing.push({
      what: `no approving review of its head commit ${short(sha)}${why.length === 0 ? '' : ` (${some(why)})`}`,
      next: `Ask a person other than ${author} who may write to the repository to review it as it is now.`,
    });
  }
  // Whoever may not write can stop nobody; who might, can.
  const against = reviews.filter(({ state, writes }) => state === 'changes_requested' && writes !== false);
  if (against.length > 0) {
    const who = some(against.map(({ by }) => by));
    missing.push({
      what: `changes requested by ${who}`,
      next: `Make the changes, push, and ask ${who} to review again.`,
    });
  }
  return missing;
}

function ofChecks({ checks, sha }: PullView): Missing[] {
  const named = (outcome: Check['outcome']) =>
    checks.filter((check) => check.outcome === outcome).map(({ name }) => name);
  const [red, pending, green] = [named('red'), named('pending'), named('green')];
  const missing: Missing[] = [];
  if (red.length > 0)
    missing.push({ what: `checks not green: ${some(red)}`, next: 'See why with gh-run, mend it, push or rerun.' });
  if (pending.length > 0)
    missing.push({ what: `checks not done: ${some(pending)}`, next: 'Wait until they are done.' });
  if (red.length + pending.length + green.length === 0)
    missing.push({
      what: `no check has succeeded on its head commit ${short(sha)}${checks.length === 0 ? '' : ' (all were skipped)'}`,
      next: 'Have a workflow or another check run on pull requests.',
    });
  return missing;
}

function ofBranch({ draft, mergeable, mergeState, base }: PullView): Missing[] {
  if (draft) return [{ what: 'it is a draft', next: 'A person marks it as ready for review.' }];
  if (mergeable === false || mergeState === 'dirty')
    return [{ what: `it has conflicts with ${base}`, next: `Merge ${base} into its branch, resolve them, push.` }];
  if (mergeable === null || mergeState === 'unknown')
    return [{ what: 'GitHub has not worked out yet whether it can be merged', next: 'Call again in some seconds.' }];
  if (mergeState === 'behind')
    return [
      { what: `it is behind ${base}, which the rules of ${base} forbid`, next: `Merge ${base} into its branch, push.` },
    ];
  if (mergeState === 'blocked')
    return [
      {
        what: `the rules of ${base} on GitHub are not met`,
        next: 'See on GitHub what they ask for: more reviews, code owners, required checks or resolved conversations.',
      },
    ];
  return MERGEABLE_STATES.includes(mergeState)
    ? []
    : [
        {
          what: `GitHub’s word for its state is ${JSON.stringify(mergeState)}`,
          next: 'See on GitHub what that means.',
        },
      ];
}

function some(names: readonly string[]): string {
  const rest = names.length - SHOWN;
  return `${names.slice(0, SHOWN).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}

function short(sha: string): string {
  return sha.slice(0, 7);
}
