import type { Call } from './octokit.ts';
import { isFailed, type Job, type Run } from './run.ts';
import type { GitHubRuns } from './runs.ts';

/** Jobs shown of one run, failed ones first, and how many failed ones' logs. */
const SHOWN_JOBS = 20;
const SHOWN_LOGS = 3;
/** Characters of log, over all jobs. */
const LOG_LENGTH = 2000;

/** A run on one line. */
export interface RunLine {
  run: number;
  workflow: string;
  branch: string;
  event: string;
  status: string;
  conclusion?: string;
  title: string;
  created: string;
}

interface JobLine {
  job: string;
  status: string;
  conclusion?: string;
  failedSteps?: string[];
}

export interface RunView {
  runs?: RunLine[];
  /** Runs that fit and are not shown. */
  more?: number;
  /** Runs that the policy does not let be seen. */
  hidden?: number;
  run?: RunLine & { url: string; sha: string; attempt: number };
  jobs?: JobLine[];
  moreJobs?: number;
  logs?: { job: string; text: string }[];
  next?: string;
}

export function runLine({ id, workflow, branch, event, status, conclusion, title, created }: Run): RunLine {
  return {
    run: id,
    workflow,
    branch,
    event,
    status,
    ...(conclusion === undefined ? {} : { conclusion }),
    title: title === workflow ? '' : title,
    created,
  };
}

/** One run with its jobs, and what to do next. */
export function runView(run: Run, jobs: readonly Job[]): RunView {
  const sorted = jobs.toSorted((a, b) => Number(isFailed(b)) - Number(isFailed(a)));
  return {
    run: { ...runLine(run), url: run.url, sha: run.sha, attempt: run.attempt },
    jobs: sorted.slice(0, SHOWN_JOBS).map(jobLine),
    ...(jobs.length > SHOWN_JOBS ? { moreJobs: jobs.length - SHOWN_JOBS } : {}),
    ...nextOf(run, jobs),
  };
}

/** What the failed jobs of a run say about why, secrets masked. */
export async function logView(
  runs: Pick<GitHubRuns, 'failedLog'>,
  repository: string,
  run: Run,
  jobs: readonly Job[],
  call: Call,
): Promise<RunView> {
  const failed = jobs.filter(isFailed);
  const shown = failed.slice(0, SHOWN_LOGS);
  const logs = await Promise.all(
    shown.map(async (job) => ({
      job: [job.name, ...(jobLine(job).failedSteps ?? [])].join(': '),
      text: await runs.failedLog(repository, job, Math.floor(LOG_LENGTH / shown.length), call),
    })),
  );
  return {
    logs,
    ...(failed.length > shown.length ? { moreJobs: failed.length - shown.length } : {}),
    ...(failed.length === 0 ? { next: `No job of run ${run.id} has failed (${run.conclusion ?? run.status}).` } : {}),
  };
}

/** A view as short text. */
export function runText({ runs, more, hidden, run, jobs, moreJobs, logs, next }: RunView): string {
  return [
    ...(runs ?? []).map(lineText),
    ...(runs?.length === 0 ? ['no runs'] : []),
    ...(more === undefined ? [] : [`… and ${more} more: raise limit, or name workflow or branch`]),
    ...(hidden === undefined ? [] : [`${hidden} of them the policy does not show`]),
    ...(run ? [lineText(run), `attempt ${run.attempt} at ${run.sha.slice(0, 7)} ${run.url}`] : []),
    ...(jobs ?? []).map(
      ({ job, status, conclusion, failedSteps }) =>
        `${job}: ${conclusion ?? status}${failedSteps ? ` at ${failedSteps.join(', ')}` : ''}`,
    ),
    ...(logs ?? []).map(({ job, text }) => `── ${job}\n${text}`),
    ...(moreJobs === undefined ? [] : [`… and ${moreJobs} more jobs, see the run on GitHub`]),
    ...(next === undefined ? [] : [next]),
  ].join('\n');
}

function lineText({ run, workflow, branch, event, status, conclusion, title, created }: RunLine): string {
  return [run, conclusion ?? status, workflow, branch, event, created, title].filter((part) => part !== '').join(' ');
}

function jobLine(job: Job): JobLine {
  const failedSteps = job.steps.filter(isFailed).map(({ name }) => name);
  return {
    job: job.name,
    status: job.status,
    ...(job.conclusion === undefined ? {} : { conclusion: job.conclusion }),
    ...(failedSteps.length === 0 ? {} : { failedSteps }),
  };
}

function nextOf(run: Run, jobs: readonly Job[]): { next?: string } {
  if (jobs.some(isFailed)) return { next: `gh-run with action logs, run ${run.id}, shows why.` };
  if (run.status === 'waiting') return { next: 'It waits for a review of its environment on GitHub.' };
  return {};
}
