import type { RestEndpointMethodTypes } from '@octokit/rest';

import { clean } from './text.ts';

const MAX_TITLE = 200;
const MAX_NAME = 100;

export type PullSummary = {
  number: number;
  title: string;
  author: string;
  /** The branch; `owner:branch` where it is another repository's. */
  head: string;
  base: string;
  state: 'open' | 'closed' | 'merged';
  draft: boolean;
  url: string;
};

/** The last review of one person that says yes or no, or was dismissed. */
export interface Review {
  by: string;
  state: 'approved' | 'changes_requested' | 'dismissed';
  /** The commit that was reviewed. */
  commit: string;
  byAuthor: boolean;
  /** False for bots and apps, whose approval is nobody's. */
  person: boolean;
  /** Whether the reviewer may write to the repository; null where GitHub does not tell. */
  writes: boolean | null;
}

/** One check run or commit status. `neutral` is neutral or skipped. */
export interface Check {
  name: string;
  outcome: 'green' | 'neutral' | 'pending' | 'red';
}

export interface PullView extends PullSummary {
  /** The head commit: what reviews and checks are held against. */
  sha: string;
  /** Null: GitHub has not worked it out yet. */
  mergeable: boolean | null;
  /** GitHub's own word: `clean`, `blocked`, `behind`, `dirty` … */
  mergeState: string;
  changedFiles: number;
  reviews: Review[];
  checks: Check[];
}

type Answer<M extends keyof RestEndpointMethodTypes['pulls']> = RestEndpointMethodTypes['pulls'][M]['response']['data'];
type Pull = Answer<'list'>[number] | Answer<'get'>;
/** What is read of a review. */
export type RawReview = Pick<Answer<'listReviews'>[number], 'id' | 'user' | 'state' | 'commit_id' | 'submitted_at'>;
/** What is read of a check run. */
export type RawRun = Pick<
  RestEndpointMethodTypes['checks']['listForRef']['response']['data']['check_runs'][number],
  'id' | 'name' | 'status' | 'conclusion' | 'app' | 'check_suite'
>;
/** What is read of a commit status. */
export interface RawStatus {
  context: string;
  state: string;
}

type Redact = (text: string) => string;

export function summaryOf(pull: Pull, redact: Redact): PullSummary {
  const { full_name: home } = pull.base.repo;
  const own = pull.head.repo?.full_name === home;
  return {
    number: pull.number,
    title: clean(redact(pull.title), MAX_TITLE),
    author: clean(pull.user?.login ?? 'ghost', MAX_NAME),
    head: clean(own ? pull.head.ref : pull.head.label, MAX_TITLE),
    base: pull.base.ref,
    state: pull.merged_at !== null ? 'merged' : pull.state === 'open' ? 'open' : 'closed',
    draft: pull.draft ?? false,
    url: clean(pull.html_url, MAX_TITLE),
  };
}

const DECIDING: Readonly<Record<string, Review['state']>> = {
  APPROVED: 'approved',
  CHANGES_REQUESTED: 'changes_requested',
  DISMISSED: 'dismissed',
};

/** Each reviewer's last review that decides something; comments change nothing. Whether they may write is asked later. */
export function decidingReviews(reviews: readonly RawReview[], author: number | undefined): Omit<Review, 'writes'>[] {
  const latest = new Map<number | string, RawReview>();
  const inTurn = reviews.toSorted((a, b) => (a.submitted_at ?? '').localeCompare(b.submitted_at ?? '') || a.id - b.id);
  for (const review of inTurn)
    if (Object.hasOwn(DECIDING, review.state)) latest.set(review.user?.id ?? `nobody ${review.id}`, review);
  return [...latest.values()].map(({ user, state, commit_id }) => ({
    by: clean(user?.login ?? 'ghost', MAX_NAME),
    state: DECIDING[state] ?? 'dismissed',
    commit: commit_id ?? '',
    byAuthor: user !== null && user.id === author,
    person: user?.type === 'User',
  }));
}

/**
 * The checks of one commit: the latest run of each app and name, with the statuses, which GitHub gives one for each context.
 * A failed run counts until it is itself run again: one of the same name in another suite does not hide it.
 */
export function checksOf(runs: readonly RawRun[], statuses: readonly RawStatus[], redact: Redact): Check[] {
  const groups = Map.groupBy(runs, ({ app, name }) => JSON.stringify([app?.slug ?? null, name]));
  const standing = [...groups.values()].flatMap((group) => {
    const newestFirst = group.toSorted((a, b) => b.id - a.id);
    const suites = Map.groupBy(newestFirst, ({ check_suite }) => check_suite?.id ?? null);
    const ofSuites = [...suites.values()].flatMap(([first]) => first ?? []);
    return ofSuites.find(hasFailed) ?? ofSuites[0] ?? [];
  });
  return [
    ...standing.map((run) => ({ name: clean(redact(run.name), MAX_NAME), outcome: outcomeOf(run) })),
    ...statuses.map(({ context, state }) => ({
      name: clean(redact(context), MAX_NAME),
      outcome: state === 'success' ? ('green' as const) : state === 'pending' ? ('pending' as const) : ('red' as const),
    })),
  ].toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.outcome.localeCompare(b.outcome)));
}

/** Red by itself, other than what was cancelled or grew old because a newer one took its place. */
function hasFailed(run: RawRun): boolean {
  return outcomeOf(run) === 'red' && run.conclusion !== 'cancelled' && `${run.conclusion}` !== 'stale';
}

function outcomeOf({ status, conclusion }: RawRun): Check['outcome'] {
  if (status !== 'completed') return 'pending';
  if (conclusion === 'success') return 'green';
  return conclusion === 'neutral' || conclusion === 'skipped' ? 'neutral' : 'red';
}
