import { parse } from 'yaml';

export type Row = { id: number } & Record<string, unknown>;

interface Table {
  insert(row: Record<string, unknown>): Row;
  update(id: number, row: Record<string, unknown>): Row | undefined;
  get(id: number): Row | undefined;
  all(): Row[];
  findBy(column: string, value: unknown): Row[];
  findOneBy(column: string, value: unknown): Row | undefined;
}

/** The emulator's tables that tests look at or fill. */
export type GitHubStore = Record<
  'repos' | 'refs' | 'branches' | 'workflows' | 'workflowRuns' | 'jobs' | 'users' | 'pullRequests' | 'checkRuns',
  Table
>;

/** What is read of a workflow's file. */
export interface Declared {
  name?: string;
  on?: string | { workflow_dispatch?: { inputs?: Record<string, { required?: boolean; default?: unknown }> } | null };
  jobs?: Record<string, { name?: string; steps?: { name?: string; uses?: string; run?: string }[] }>;
}

/** How runs end, and what their jobs said. */
export interface Outcomes {
  /** By workflow file: the step at which its runs fail. */
  failures: Map<string, { step: string; lines: readonly string[] }>;
  /** By job. */
  logs: Map<number, string>;
}

const SECOND = 1000;

interface NewRun {
  workflow: Row;
  branch: string;
  sha: string;
  event: string;
  /** The workflow's file: its jobs and steps become the run's. */
  text: string;
}

/** A queued run, with the jobs and steps of its workflow's file. */
export function newRun(gh: GitHubStore, { workflow, branch, sha, event, text }: NewRun): Row {
  const runs = gh.workflowRuns.findBy('workflow_id', workflow.id);
  const run = gh.workflowRuns.insert({
    node_id: '',
    repo_id: workflow['repo_id'],
    workflow_id: workflow.id,
    name: workflow['name'],
    head_branch: branch,
    head_sha: sha,
    run_number: runs.length + 1,
    event,
    status: 'queued',
    conclusion: null,
    actor_id: gh.users.findOneBy('login', 'ann')?.id,
    run_attempt: 1,
    run_started_at: new Date().toISOString(),
  });
  const { jobs = {} } = (parse(text) ?? {}) as Declared;
  for (const [id, job] of Object.entries(jobs)) {
    const names = (job.steps ?? []).map((step) => step.name ?? step.uses ?? `Run ${step.run ?? ''}`);
    gh.jobs.insert({
      node_id: '',
      repo_id: workflow['repo_id'],
      run_id: run.id,
      name: job.name ?? id,
      status: 'queued',
      conclusion: null,
      started_at: null,
      completed_at: null,
      runner_id: 1,
      runner_name: 'emulated',
      steps: ['Set up job', ...names].map((name, index) => ({ name, number: index + 1, ...stateOf('queued', null) })),
    });
  }
  return run;
}

/** One stage on: queued, in progress, completed. */
export function advance(gh: GitHubStore, id: number, { failures, logs }: Outcomes): void {
  const run = gh.workflowRuns.get(id);
  if (!run || run['status'] === 'completed') return;
  const jobs = gh.jobs.findBy('run_id', id).filter((job) => job['status'] !== 'completed');
  if (run['status'] === 'queued') {
    gh.workflowRuns.update(id, { status: 'in_progress' });
    for (const job of jobs) setJob(gh, job, 'in_progress', null);
    return;
  }
  const failure = failures.get(String(gh.workflows.get(Number(run['workflow_id']))?.['path']));
  for (const job of jobs) {
    const steps = job['steps'] as { name: string }[];
    const at = steps.findIndex(({ name }) => name === failure?.step);
    setJob(gh, job, 'completed', at === -1 ? 'success' : 'failure', at);
    logs.set(
      job.id,
      logText(
        steps.map(({ name }) => name),
        at,
        failure?.lines ?? [],
      ),
    );
  }
  const failed = gh.jobs.findBy('run_id', id).some((job) => job['conclusion'] === 'failure');
  gh.workflowRuns.update(id, { status: 'completed', conclusion: failed ? 'failure' : 'success' });
}

/** All of a job's steps with it: before `failing` they succeed, after it they are left out. */
export function setJob(gh: GitHubStore, job: Row, status: string, conclusion: string | null, failing = -1): void {
  const steps = (job['steps'] as object[]).map((step, index) => {
    const ended = failing === -1 || index < failing ? 'success' : index === failing ? 'failure' : 'skipped';
    const started = status === 'queued' ? null : timeOf(index, 0);
    const completed = status === 'completed' ? timeOf(index, 9) : null;
    if (status !== 'in_progress')
      return {
        ...step,
        ...stateOf(status, status === 'completed' ? ended : null),
        started_at: started,
        completed_at: completed,
      };
    return {
      ...step,
      ...stateOf(index === 0 ? 'completed' : index === 1 ? 'in_progress' : 'queued', index === 0 ? 'success' : null),
      started_at: started,
    };
  });
  gh.jobs.update(job.id, { status, conclusion, steps, started_at: timeOf(0, 0) });
}

function stateOf(status: string, conclusion: string | null) {
  return { status, conclusion, started_at: null, completed_at: null };
}

/** Steps take ten seconds each. */
function timeOf(step: number, second: number): string {
  return new Date(Date.UTC(2026, 4, 4, 12) + (step * 10 + second) * SECOND).toISOString().replace('.000Z', 'Z');
}

/** A job's log as GitHub writes it: every line with its time, steps in groups, marks before errors. */
function logText(steps: readonly string[], failing: number, lines: readonly string[]): string {
  const stamped = (step: number, second: number, text: string) =>
    `${timeOf(step, second).slice(0, 19)}.1234567Z ${text}`;
  const ran = steps.slice(0, failing === -1 ? undefined : failing + 1);
  return `\uFEFF${ran
    .flatMap((name, step) => [
      stamped(step, 1, `##[group]Run ${name}`),
      stamped(step, 1, 'shell: /usr/bin/bash -e {0}'),
      stamped(step, 1, '##[endgroup]'),
      ...(step === failing ? lines : [`${name} went well`]).map((line) => stamped(step, 2, line)),
      ...(step === failing ? [stamped(step, 3, '##[error]Process completed with exit code 2.')] : []),
    ])
    .join('\r\n')}\r\n`;
}
