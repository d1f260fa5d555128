import { HoldpointError } from '../../core/errors.ts';
import type { Target } from '../../core/target.ts';
import { ask, type Call, type Octokit } from './octokit.ts';
import { createPullLaunches, type PullEvent } from './pull-launches.ts';
import { createPullReading } from './pull-reading.ts';
import { summaryOf } from './pull-view.ts';
import type { Check, PullSummary, PullView } from './pull-view.ts';
import { createRepository, named } from './repository.ts';

export const MERGE_METHODS = ['merge', 'squash', 'rebase'] as const;

export type MergeMethod = (typeof MERGE_METHODS)[number];

export type NewPull = {
  title: string;
  body: string;
  /** Branches of the repository itself, without `refs/heads/`. */
  head: string;
  base: string;
};

export interface Repository {
  /** `owner/name` as GitHub writes it: what a renamed repository is called now. */
  name: string;
  defaultBranch: string;
  /** The ways of merging that its settings allow; all where GitHub does not tell. */
  methods: MergeMethod[];
}

/** Pull requests. `repository` is `owner/name` throughout; errors are githubError's where nothing else is said. */
export interface GitHubPulls {
  repository(repository: string, call: Call): Promise<Repository>;
  /** The commit that a branch is at; null where there is no such branch. */
  branch(repository: string, branch: string, call: Call): Promise<string | null>;
  /** Open ones, latest first, of these branches where they are given. */
  list(
    repository: string,
    filter: { head?: string | undefined; base?: string | undefined; limit: number },
    call: Call,
  ): Promise<{ pulls: PullSummary[]; more: boolean }>;
  /** The checks and statuses of a commit, whichever pull request or branch it is of. */
  checks(repository: string, commit: string, call: Call): Promise<Check[]>;
  /** One with its deciding reviews and the checks of its head commit. */
  view(repository: string, number: number, call: Call): Promise<PullView>;
  /** The unified diff of one; others' text. */
  diff(repository: string, number: number, call: Call): Promise<string>;
  /** Opens one; where one of the same branches is open already, that one, not `created`. */
  create(repository: string, pull: NewPull, call: Call): Promise<{ pull: PullSummary; created: boolean }>;
  /**
   * Merges one whose head is still at `sha`; gives the commit that came of it.
   *
   * @throws HoldpointError `stale` where the head has moved; `conflict` where GitHub's own rules refuse the merge.
   */
  merge(repository: string, number: number, how: { sha: string; method: MergeMethod }, call: Call): Promise<string>;
  /** The targets of all workflows that opening or merging one starts. */
  launches(repository: string, event: PullEvent, call: Call): Promise<Target[]>;
}

/** GitHub gives no more at once. */
const MAX_LISTED = 100;

/** @param second milliseconds that waiting a second takes; tests shorten it. */
export function createPulls(octokit: () => Promise<Octokit>, second = 1000): GitHubPulls {
  const list: GitHubPulls['list'] = async (repository, { head, base, limit }, call) => {
    const { owner } = named(repository);
    const found = await ask(octokit, call, `listing the pull requests of ${repository}`, (client, options) =>
      client.rest.pulls.list({
        ...named(repository),
        state: 'open',
        ...(head === undefined ? {} : { head: `${owner}:${head}` }),
        ...(base === undefined ? {} : { base }),
        per_page: Math.min(limit + 1, MAX_LISTED),
        ...options,
      }),
    );
    return { pulls: found.slice(0, limit).map((pull) => summaryOf(pull, call.redact)), more: found.length > limit };
  };

  return {
    ...createPullReading(octokit, second),
    launches: createPullLaunches(octokit, createRepository(octokit)),
    list,
    async repository(repository, call) {
      const found = await ask(octokit, call, `reading ${repository}`, (client, options) =>
        client.rest.repos.get({ ...named(repository), ...options }),
      );
      const allowed = {
        merge: found.allow_merge_commit,
        squash: found.allow_squash_merge,
        rebase: found.allow_rebase_merge,
      };
      return {
        name: found.full_name,
        defaultBranch: found.default_branch,
        methods: MERGE_METHODS.filter((method) => allowed[method] !== false),
      };
    },
    async branch(repository, branch, call) {
      try {
        const { object } = await ask(octokit, call, `reading branch ${branch} of ${repository}`, (client, options) =>
          client.rest.git.getRef({ ...named(repository), ref: `heads/${branch}`, ...options }),
        );
        return object.sha;
      } catch (error) {
        if (error instanceof HoldpointError && error.code === 'not_found') return null;
        throw error;
      }
    },
    async diff(repository, number, call) {
      const text: unknown = await ask(octokit, call, `reading pull request ${number}`, (client, options) =>
        client.rest.pulls.get({ ...named(repository), pull_number: number, mediaType: { format: 'diff' }, ...options }),
      );
      if (typeof text === 'string') return text;
      throw new HoldpointError('upstream', `GitHub gave no diff of pull request ${number}.`);
    },
    async create(repository, pull, call) {
      try {
        const opened = await ask(octokit, call, `opening a pull request in ${repository}`, (client, options) =>
          client.rest.pulls.create({ ...named(repository), ...pull, ...options }),
        );
        return { pull: summaryOf(opened, call.redact), created: true };
      } catch (error) {
        if (!(error instanceof HoldpointError) || error.code !== 'invalid_input') throw error;
        // Somebody may have opened it in between, which GitHub refuses like any other mistake.
        const [open] = (await list(repository, { head: pull.head, base: pull.base, limit: 1 }, call)).pulls;
        if (open) return { pull: open, created: false };
        throw error;
      }
    },
    async merge(repository, number, { sha, method }, call) {
      try {
        const merged = await ask(octokit, call, `merging pull request ${number} of ${repository}`, (client, options) =>
          client.rest.pulls.merge({ ...named(repository), pull_number: number, sha, merge_method: method, ...options }),
        );
        return merged.sha;
      } catch (error) {
        throw mergeRefusal(error, number, sha);
      }
    },
  };
}

/** GitHub answers 409 where the head is not the commit that was named, and 405 where its rules say no. */
function mergeRefusal(error: unknown, number: number, sha: string): unknown {
  const cause = error instanceof HoldpointError ? error.cause : undefined;
  const status = cause instanceof Error && 'status' in cause ? cause.status : undefined;
  if (!(error instanceof HoldpointError) || (status !== 409 && status !== 405)) return error;
  if (status === 409)
    return new HoldpointError(
      'stale',
      `Pull request ${number} is no longer at ${sha.slice(0, 7)}; nothing was merged.`,
      {
        hint: 'Look at what was pushed; it needs a new review. Then call pr-merge again.',
        changes: [{ what: `the head commit of pull request ${number}`, was: sha, is: 'another' }],
        cause: error,
      },
    );
  return new HoldpointError('conflict', error.message, {
    hint: 'Nothing was merged. pr-view shows what is missing; rules of the branch are on GitHub.',
    cause: error,
  });
}
