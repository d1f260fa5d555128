import { clean } from './text.ts';
import type { Call } from './octokit.ts';
import { workflowStem } from './workflow.ts';

/** One run of a workflow, as far as it matters here; texts are GitHub's, cleaned. */
export interface Run {
  id: number;
  url: string;
  /** The workflow's name, and what the run is called: often the commit's first line. */
  workflow: string;
  title: string;
  /** The workflow's file. */
  path: string;
  event: string;
  branch: string;
  /** Of a pull request of the same repository: the branch it is to be merged into. */
  base?: string;
  sha: string;
  /** `queued`, `waiting`, `in_progress`, `completed` … */
  status: string;
  /** `success`, `failure`, `cancelled` …; absent until it has ended. */
  conclusion?: string;
  attempt: number;
  /** ISO 8601, UTC. */
  created: string;
}

export interface Step {
  name: string;
  status: string;
  conclusion?: string;
  started?: string;
  completed?: string;
}

export interface Job extends Step {
  id: number;
  steps: Step[];
}

interface RawRun {
  id: number;
  html_url: string;
  name?: string | null;
  display_title?: string;
  path: string;
  event: string;
  head_branch: string | null;
  head_sha: string;
  pull_requests?: { base: { ref: string } }[] | null;
  status: string | null;
  conclusion: string | null;
  run_attempt?: number;
  created_at: string;
}

interface RawStep {
  name: string;
  status: string;
  conclusion: string | null;
  started_at?: string | null;
  completed_at?: string | null;
}

/** GitHub's answer about a run, in our shape. */
export function runOf(raw: RawRun, { redact }: Pick<Call, 'redact'>): Run {
  const base = raw.pull_requests?.[0]?.base.ref;
  return {
    id: raw.id,
    url: raw.html_url,
    workflow: clean(redact(raw.name ?? ''), 100),
    title: clean(redact(raw.display_title ?? ''), 100),
    // A required workflow's path ends with the ref that it is taken from.
    path: raw.path.replace(/@.*$/, ''),
    event: raw.event,
    branch: raw.head_branch ?? '',
    ...(base === undefined ? {} : { base }),
    sha: raw.head_sha,
    status: raw.status ?? 'queued',
    ...(raw.conclusion === null ? {} : { conclusion: raw.conclusion }),
    attempt: raw.run_attempt ?? 1,
    created: raw.created_at,
  };
}

/** GitHub's answer about a job, in our shape. */
export function jobOf(raw: RawStep & { id: number; steps?: RawStep[] }, call: Pick<Call, 'redact'>): Job {
  return { id: raw.id, ...stepOf(raw, call), steps: (raw.steps ?? []).map((step) => stepOf(step, call)) };
}

function stepOf(raw: RawStep, { redact }: Pick<Call, 'redact'>): Step {
  return {
    name: clean(redact(raw.name), 100),
    status: raw.status,
    ...(raw.conclusion === null ? {} : { conclusion: raw.conclusion }),
    ...(raw.started_at ? { started: raw.started_at } : {}),
    ...(raw.completed_at ? { completed: raw.completed_at } : {}),
  };
}

export function isFailed({ conclusion }: { conclusion?: string }): boolean {
  return conclusion === 'failure' || conclusion === 'timed_out' || conclusion === 'startup_failure';
}

/** The failed jobs of a run, each with its failed steps' names. */
export function failedJobs(jobs: readonly Job[]): { job: string; steps: string[] }[] {
  return jobs
    .filter(isFailed)
    .map(({ name, steps }) => ({ job: name, steps: steps.filter(isFailed).map((step) => step.name) }));
}

/** A run as people know it: `run 7 (deploy-staging at staging)`. */
export function runName({ id, path, branch }: Run): string {
  return `run ${id} (${workflowStem(path)} at ${branch})`;
}

/** Its address in the API. */
export function runPath(repository: string, { id }: Run): string {
  return `/repos/${repository}/actions/runs/${id}`;
}
