import { setTimeout as sleep } from 'node:timers/promises';

import { HoldpointError } from '../../core/errors.ts';
import { ask, type Call, type Octokit } from './octokit.ts';
import { checksOf, decidingReviews, summaryOf } from './pull-view.ts';
import type { Check, PullView, RawReview, RawRun, RawStatus, Review } from './pull-view.ts';
import { named } from './repository.ts';

const PER_PAGE = 100;
const MAX_PAGES = 10;
/** Reviewers whose permission is asked for; that of any more counts as not known. */
const MAX_ASKED = 20;
/** Looks, a second apart, at a pull request of which GitHub is working out whether it can be merged. */
const LOOKS = 4;

/** Reading one pull request with all that speaks for and against merging it. */
export function createPullReading(octokit: () => Promise<Octokit>, second: number) {
  async function get(repository: string, number: number, call: Call) {
    const look = () =>
      ask(octokit, call, `reading pull request ${number} of ${repository}`, (client, options) =>
        client.rest.pulls.get({ ...named(repository), pull_number: number, ...options }),
      );
    let pull = await look();
    for (let looks = 1; looks < LOOKS && pull.state === 'open' && pull.mergeable === null; looks++) {
      // oxlint-disable no-await-in-loop -- one look after the other
      await sleep(second);
      pull = await look();
      // oxlint-enable no-await-in-loop
    }
    return pull;
  }

  async function reviewsOf(repository: string, number: number, author: number | undefined, call: Call) {
    const raw = await whole<RawReview>(`the reviews of pull request ${number}`, (page) =>
      ask(octokit, call, `reading the reviews of pull request ${number} of ${repository}`, (client, options) =>
        client.rest.pulls.listReviews({ ...named(repository), pull_number: number, ...page, ...options }),
      ),
    );
    return Promise.all(
      decidingReviews(raw, author).map(async (review, index): Promise<Review> => {
        const asked = index < MAX_ASKED && review.state !== 'dismissed';
        return { ...review, writes: asked ? await mayWrite(repository, review.by, call) : null };
      }),
    );
  }

  /** Not `author_association`, which says how somebody belongs to a repository and not what they may do in it. */
  async function mayWrite(repository: string, username: string, call: Call): Promise<boolean | null> {
    try {
      const { permission } = await ask(
        octokit,
        call,
        `reading what ${username} may do in ${repository}`,
        (client, options) =>
          client.rest.repos.getCollaboratorPermissionLevel({ ...named(repository), username, ...options }),
      );
      return permission === 'admin' || permission === 'write';
    } catch (error) {
      // Without the permission to ask it is not known, which counts against an approval.
      if (error instanceof HoldpointError && (error.code === 'not_found' || error.code === 'upstream')) return null;
      throw error;
    }
  }

  async function checks(repository: string, ref: string, call: Call): Promise<Check[]> {
    const doing = `reading the checks of ${ref.slice(0, 7)} of ${repository}`;
    const of = { ...named(repository), ref };
    const [runs, statuses] = await Promise.all([
      whole<RawRun>('the checks', async (page) => {
        const { check_runs } = await ask(octokit, call, doing, (client, options) =>
          client.rest.checks.listForRef({ ...of, filter: 'latest', ...page, ...options }),
        );
        return check_runs;
      }),
      whole<RawStatus>('the statuses', async (page) => {
        const combined = await ask(octokit, call, doing, (client, options) =>
          client.rest.repos.getCombinedStatusForRef({ ...of, ...page, ...options }),
        );
        return combined.statuses;
      }),
    ]);
    return checksOf(runs, statuses, call.redact);
  }

  return {
    checks,
    async view(repository: string, number: number, call: Call): Promise<PullView> {
      const pull = await get(repository, number, call);
      const [reviews, found] = await Promise.all([
        reviewsOf(repository, number, pull.user?.id, call),
        checks(repository, pull.head.sha, call),
      ]);
      return {
        ...summaryOf(pull, call.redact),
        sha: pull.head.sha,
        mergeable: pull.mergeable,
        mergeState: pull.mergeable_state,
        changedFiles: pull.changed_files,
        reviews,
        checks: found,
      };
    },
  };
}

/** All pages of a list; one that is too long is an error, for what is not seen may be what forbids the merge. */
async function whole<T>(what: string, read: (page: { per_page: number; page: number }) => Promise<T[]>): Promise<T[]> {
  const all: T[] = [];
  for (let page = 1; page <= MAX_PAGES; page++) {
    // oxlint-disable-next-line no-await-in-loop -- each page says whether there is another
    const found = await read({ per_page: PER_PAGE, page });
    all.push(...found);
    if (found.length < PER_PAGE) return all;
  }
  throw new HoldpointError('upstream', `There are more than ${MAX_PAGES * PER_PAGE} of ${what}.`, {
    hint: 'A person looks at this pull request on GitHub.',
  });
}
