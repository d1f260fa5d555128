import { mergeGate, weighed } from './merge-gate.ts';
import type { PullSummary, PullView } from './pull-view.ts';

/** Names of checks; the rest is counted. */
const SHOWN = 20;

/** What the tool answers of one pull request. Of checks only those that are not green are named. */
export interface PullReport {
  pull: PullSummary & { sha?: string | undefined; changedFiles?: number | undefined };
  reviews: { by: string; state: string; counts: boolean; why?: string }[];
  checks: { green: number; skipped: number; pending: string[]; red: string[] };
  merge: { ok: boolean; missing: string[] };
}

export function pullReport(view: PullView): PullReport {
  const { reviews, checks, mergeable: _mergeable, mergeState: _state, ...pull } = view;
  const named = (outcome: string) => checks.filter((check) => check.outcome === outcome).map(({ name }) => name);
  const { ok, missing } = mergeGate(view);
  return {
    pull,
    reviews: reviews.map((review) => ({ by: review.by, state: review.state, ...weighed(review, view.sha) })),
    checks: {
      green: named('green').length,
      skipped: named('neutral').length,
      pending: few(named('pending')),
      red: few(named('red')),
    },
    merge: { ok, missing: missing.map(({ what }) => what) },
  };
}

function few(names: readonly string[]): string[] {
  return names.length <= SHOWN ? [...names] : [...names.slice(0, SHOWN), `… and ${names.length - SHOWN} more`];
}

/** `#7 feature/login → main, open: Add a login (ann)`. */
function pullLine({ number, title, author, head, base, state, draft }: PullSummary): string {
  return `#${number} ${head} → ${base}, ${draft && state === 'open' ? 'draft' : state}: ${title} (${author})`;
}

/** What a person sees who decides on a merge, and an agent who looks. */
export function reportText({ pull, reviews, checks, merge }: PullReport): string {
  const { green, skipped, pending, red } = checks;
  const list = (what: string, names: readonly string[]) => (names.length === 0 ? [] : [`${what} ${names.join(', ')}`]);
  const counted = [`${green} green`, ...(skipped > 0 ? [`${skipped} skipped`] : [])];
  return [
    `${pullLine(pull)} ${pull.url}`,
    `head ${pull.sha}, ${pull.changedFiles} files changed`,
    `reviews: ${reviews.map(reviewText).join(', ') || 'none'}`,
    `checks: ${[...counted, ...list('pending:', pending), ...list('red:', red)].join('; ')}`,
    merge.ok ? 'may be merged' : `may not be merged: ${merge.missing.join('; ')}`,
  ].join('\n');
}

function reviewText({ by, state, why }: PullReport['reviews'][number]): string {
  return `${by} ${state.replaceAll('_', ' ')}${why === undefined ? '' : ` (does not count: ${why})`}`;
}

/** What the tool answers: of which action it is, its parts tell. */
interface PullAnswer extends Partial<PullReport> {
  pulls?: PullSummary[];
  more?: boolean;
  created?: boolean;
  merged?: string;
  next?: string;
}

/** The answer of any action as short text. */
export function pullsText(answer: PullAnswer): string {
  const { pulls, more, pull, reviews, checks, merge, created, merged, next } = answer;
  const lines: string[] = [];
  if (pulls) lines.push(...(pulls.length === 0 ? ['no open pull request'] : pulls.map(pullLine)));
  if (more === true) lines.push('There are more: name head or base.');
  if (pull && reviews && checks && merge) lines.push(reportText({ pull, reviews, checks, merge }));
  else if (pull) lines.push(`${created === true ? 'opened' : 'open already:'} ${pullLine(pull)} ${pull.url}`);
  if (merged !== undefined) lines.push(`merged as ${merged}`);
  return [...lines, ...(next === undefined ? [] : [next])].join('\n');
}
