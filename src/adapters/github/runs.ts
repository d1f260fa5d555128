import { compareCommits, type Comparison } from './comparing.ts';
import { createDispatching, type Dispatched, type DispatchRequest } from './dispatching.ts';
import { createFollowing, type Followed, type Following } from './following.ts';
import { failedLines } from './logs.ts';
import { ask, type Call, type GitHubSettings, type Octokit } from './octokit.ts';
import { createRepository, named, type GitHubRepository, type RepositoryName } from './repository.ts';
import { isFailed, jobOf, runOf, type Job, type Run } from './run.ts';
import type { Progress } from '../../core/tool.ts';

/** Jobs of a run that are looked at. */
const MAX_JOBS = 100;
/** Of a job's log, its end. */
const MAX_LOG = 2 * 1024 * 1024;

interface RunFilter {
  /** A workflow's id. */
  workflow?: number;
  branch?: string;
  limit: number;
}

/** GitHub Actions of a repository. */
export interface GitHubRuns extends GitHubRepository {
  list(repository: RepositoryName, filter: RunFilter, call: Call): Promise<{ runs: Run[]; total: number }>;
  run(repository: RepositoryName, id: number, call: Call): Promise<Run>;
  /** The jobs of a run's latest attempt. */
  jobs(repository: RepositoryName, id: number, call: Call): Promise<Job[]>;
  /** What a failed job's log says around its error: at most `maxLength` characters, secrets masked before it is cut. */
  failedLog(repository: RepositoryName, job: Job, maxLength: number, call: Call): Promise<string>;
  /** Starts a run, once; never sent again. */
  dispatch(repository: RepositoryName, request: DispatchRequest, call: Call): Promise<Dispatched>;
  compare(repository: RepositoryName, commits: { base: string; head: string }, call: Call): Promise<Comparison>;
  cancel(repository: RepositoryName, id: number, call: Call): Promise<void>;
  rerun(repository: RepositoryName, id: number, failedOnly: boolean, call: Call): Promise<void>;
  /**
   * Waits for a run's end, for about 40 seconds: what is known of it then. Never throws: the run goes on whatever becomes of
   * the following, which `problem` tells.
   */
  follow(
    repository: RepositoryName,
    id: number,
    how: Following,
    report: (update: Progress) => void,
    call: Call,
  ): Promise<Followed>;
}

export function createRuns(octokit: () => Promise<Octokit>, second: GitHubSettings['second'] = 1000): GitHubRuns {
  const looks = {
    async run(repository: RepositoryName, id: number, call: Call) {
      const data = await ask(octokit, call, `reading run ${id} of ${repository}`, (client, options) =>
        client.rest.actions.getWorkflowRun({ ...named(repository), run_id: id, ...options }),
      );
      return runOf(data, call);
    },
    async jobs(repository: RepositoryName, id: number, call: Call) {
      const { jobs } = await ask(octokit, call, `reading the jobs of run ${id} of ${repository}`, (client, options) =>
        client.rest.actions.listJobsForWorkflowRun({
          ...named(repository),
          run_id: id,
          filter: 'latest',
          per_page: MAX_JOBS,
          ...options,
        }),
      );
      return jobs.map((job) => jobOf(job, call));
    },
  };
  return {
    ...createRepository(octokit),
    ...createDispatching(octokit, second),
    ...createFollowing(looks, second),
    ...looks,
    async list(repository, { workflow, branch, limit }, call) {
      const page = { ...named(repository), per_page: limit, ...(branch === undefined ? {} : { branch }) };
      const data = await ask(octokit, call, `listing runs of ${repository}`, (client, options) =>
        workflow === undefined
          ? client.rest.actions.listWorkflowRunsForRepo({ ...page, ...options })
          : client.rest.actions.listWorkflowRuns({ ...page, workflow_id: workflow, ...options }),
      );
      return { runs: data.workflow_runs.map((run) => runOf(run, call)), total: data.total_count };
    },
    async failedLog(repository, job, maxLength, call) {
      const data: unknown = await ask(octokit, call, `reading the log of job ${job.id}`, (client, options) =>
        client.rest.actions.downloadJobLogsForWorkflowRun({
          ...named(repository),
          job_id: job.id,
          headers: options.headers,
          request: { ...options.request, keep: 'tail', maxBytes: MAX_LOG },
        }),
      );
      const text = typeof data === 'string' ? data : data instanceof ArrayBuffer ? Buffer.from(data).toString() : '';
      // Cut inside a line, the rest of it could be the rest of a secret.
      const whole = Buffer.byteLength(text) < MAX_LOG ? text : text.slice(text.indexOf('\n') + 1);
      return failedLines(call.redact(whole), job.steps.filter(isFailed), maxLength);
    },
    compare: (repository, commits, call) => compareCommits(octokit, repository, commits, call),
    async cancel(repository, id, call) {
      await ask(octokit, call, `cancelling run ${id} of ${repository}`, (client, options) =>
        client.rest.actions.cancelWorkflowRun({ ...named(repository), run_id: id, ...options }),
      );
    },
    async rerun(repository, id, failedOnly, call) {
      await ask(octokit, call, `running run ${id} of ${repository} again`, (client, options) => {
        const which = { ...named(repository), run_id: id, ...options };
        return failedOnly
          ? client.rest.actions.reRunWorkflowFailedJobs(which)
          : client.rest.actions.reRunWorkflow(which);
      });
    },
  };
}
