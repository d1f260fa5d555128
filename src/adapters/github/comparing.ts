import { ask, type Call, type Octokit } from './octokit.ts';
import { named, type RepositoryName } from './repository.ts';
import { clean } from './text.ts';

/** What lies between two commits. */
export interface Comparison {
  /** Commits that only the later one has, and how many only the earlier one has. */
  ahead: number;
  behind: number;
  /** Of `ahead`, newest first, bounded: `abc1234 title (author)`; others' words. */
  commits: string[];
  /** Paths that differ, bounded. */
  files: string[];
}

const COMMITS = 20;
const FILES = 30;
const PER_PAGE = 100;

/** The difference between two commits as GitHub tells it. */
export async function compareCommits(
  octokit: () => Promise<Octokit>,
  repository: RepositoryName,
  { base, head }: { base: string; head: string },
  call: Call,
): Promise<Comparison> {
  const found = await ask(octokit, call, `comparing commits of ${repository}`, (client, options) =>
    client.rest.repos.compareCommitsWithBasehead({
      ...named(repository),
      basehead: `${base}...${head}`,
      per_page: PER_PAGE,
      ...options,
    }),
  );
  const { ahead_by, behind_by, commits, files = [] } = found;
  return {
    ahead: ahead_by,
    behind: behind_by,
    commits: commits
      .toReversed()
      .slice(0, COMMITS)
      .map(({ sha, commit }) =>
        clean(
          call.redact(`${sha.slice(0, 7)} ${commit.message.split('\n')[0] ?? ''} (${commit.author?.name ?? '?'})`),
          140,
        ),
      ),
    files: files.slice(0, FILES).map(({ filename }) => clean(filename, 200)),
  };
}
