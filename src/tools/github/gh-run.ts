import { z } from 'zod';

import {
  chosenRepository,
  findWorkflow,
  logView,
  REPOSITORY,
  runLine,
  runName,
  runParts,
  runPath,
  runText,
  runView,
  traceRerun,
  workflowTarget,
} from '../../adapters/github/port.ts';
import type { Run } from '../../adapters/github/port.ts';
import { HoldpointError } from '../../core/errors.ts';
import type { Plan } from '../../core/plan.ts';
import { defineTool, type PlanContext, type RunContext } from '../../core/tool.ts';

const DEFAULT_LIMIT = 10;
const MAX_LIMIT = 50;

const input = z.strictObject({
  action: z.enum(['list', 'view', 'logs', 'cancel', 'rerun']),
  run: z
    .int()
    .refine((run) => run > 0, 'A run has a number above 0.')
    .optional(),
  workflow: z.string().optional(),
  branch: z.string().optional(),
  limit: z
    .int()
    .refine((limit) => limit > 0 && limit <= MAX_LIMIT, `Between 1 and ${MAX_LIMIT}.`)
    .optional(),
  failedOnly: z.boolean().optional(),
  repository: z
    .string()
    .refine((name) => REPOSITORY.test(name), 'Write owner/name.')
    .optional(),
});

type Written = z.output<typeof input>;

/** Which parameters belong to which action alone. */
const BELONGS = { workflow: 'list', branch: 'list', limit: 'list', failedOnly: 'rerun' } as const;

type Act = {
  action: Written['action'];
  repository: string;
  /** `list` only. */
  filter: { workflow?: number; branch?: string; limit: number } | null;
  /** All but `list`: the run as it was when the plan was made. */
  run: { [field in keyof Run]: Run[field] } | null;
  failedOnly: boolean;
};

const state = { status: z.string(), conclusion: z.string().optional() };
const brief = z.strictObject({
  run: z.number(),
  workflow: z.string(),
  branch: z.string(),
  event: z.string(),
  ...state,
  title: z.string(),
  created: z.string(),
});

export default defineTool({
  name: 'gh-run',
  title: 'GitHub workflow runs',
  description: 'List or view runs; logs of failed steps; cancel; rerun.',
  keywords: ['github', 'actions', 'ci', 'workflow', 'failed', 'job', 'pipeline', 'log'],
  effect: 'write',
  needs: ['github'],
  input,
  output: z.strictObject({
    runs: z.array(brief).optional(),
    more: z.number().optional(),
    hidden: z.number().optional(),
    run: brief.extend({ url: z.string(), sha: z.string(), attempt: z.number() }).optional(),
    jobs: z
      .array(z.strictObject({ job: z.string(), ...state, failedSteps: z.array(z.string()).optional() }))
      .optional(),
    moreJobs: z.number().optional(),
    logs: z.array(z.strictObject({ job: z.string(), text: z.string() })).optional(),
    next: z.string().optional(),
  }),

  targets(written, { facts }) {
    const repository = chosenRepository(written.repository, facts);
    const { action, run, workflow, branch } = checked(written);
    if (action === 'list') return [workflowTarget(`runs of ${repository}`, 'read', { workflow, branch })];
    // Only the run itself tells what cancelling or repeating it touches; so far it is looked at, and the plan adds the rest.
    return [workflowTarget(`run ${run} of ${repository}`, 'read', {})];
  },

  async plan(written, call) {
    const repository = chosenRepository(written.repository, call.facts);
    const { action, run: id } = checked(written);
    if (action === 'list') return planList(written, repository, call);
    const run = await call.github.runs.run(repository, id ?? 0, call);
    if (action === 'cancel') return planCancel(run, repository);
    if (action === 'rerun') return planRerun(run, written.failedOnly ?? false, repository, call);
    const does = `${action === 'logs' ? 'logs of ' : ''}run ${run.id} of ${repository}`;
    return {
      effect: 'read',
      targets: [workflowTarget(`run ${run.id} of ${repository}`, 'read', { workflow: run.path, branch: run.branch })],
      preconditions: [],
      steps: [{ id: 'look', does, call: { method: 'GET', path: `${runPath(repository, run)}/jobs` } }],
      preview: { summary: does },
      data: actOn(action, repository, run),
    };
  },

  preview: ({ data, targets }, call) => runParts(data, targets, call),

  async run({ data: { action, repository, filter, run, failedOnly } }, call) {
    const { runs } = call.github;
    if (!run) return listed(repository, filter ?? { limit: DEFAULT_LIMIT }, call);
    if (action === 'view') return runView(run, await runs.jobs(repository, run.id, call));
    if (action === 'logs') return logView(runs, repository, run, await runs.jobs(repository, run.id, call), call);
    if (action === 'cancel') {
      await runs.cancel(repository, run.id, call);
      call.stepDone('cancel', 'accepted');
      const now = await runs.follow(repository, run.id, { once: true }, call.progress, call);
      return {
        ...runView(now.run ?? run, now.jobs),
        next: `GitHub ends its jobs: gh-run with action view, run ${run.id}, shows when.`,
      };
    }
    await runs.rerun(repository, run.id, failedOnly, call);
    call.stepDone('rerun', 'accepted');
    const now = await runs.follow(repository, run.id, { attempt: run.attempt + 1 }, call.progress, call);
    const view = runView(now.run ?? run, now.jobs);
    return now.ended
      ? view
      : { ...view, next: `It runs again: gh-run with action view, run ${run.id}, shows how it goes.` };
  },

  render: runText,
});

type Context = PlanContext<'github'>;

function checked(written: Written): Written {
  const { action, run } = written;
  for (const [name, owner] of Object.entries(BELONGS))
    if (Object.hasOwn(written, name) && owner !== action)
      throw new HoldpointError('invalid_input', `${action} does not take ${name}.`, {
        hint: `Leave it out; ${owner} takes it.`,
      });
  if (action === 'list' && run !== undefined)
    throw new HoldpointError('invalid_input', 'list takes no run.', { hint: 'view shows one run.' });
  if (action !== 'list' && run === undefined)
    throw new HoldpointError('invalid_input', `${action} needs a run.`, { hint: 'Give its number; list shows them.' });
  return written;
}

async function planList(written: Written, repository: string, call: Context): Promise<Plan<Act>> {
  const { branch, limit = DEFAULT_LIMIT } = written;
  const workflow =
    written.workflow === undefined
      ? undefined
      : findWorkflow(await call.github.runs.workflows(repository, call), written.workflow, repository);
  const does = `list runs of ${repository}`;
  const within = workflow === undefined ? '' : `/workflows/${workflow.id}`;
  return {
    effect: 'read',
    targets: [workflowTarget(`runs of ${repository}`, 'read', { workflow: workflow?.path, branch })],
    preconditions: [],
    steps: [{ id: 'list', does, call: { method: 'GET', path: `/repos/${repository}/actions${within}/runs` } }],
    preview: { summary: does },
    data: {
      action: 'list',
      repository,
      filter: { limit, ...(workflow ? { workflow: workflow.id } : {}), ...(branch === undefined ? {} : { branch }) },
      run: null,
      failedOnly: false,
    },
  };
}

function planCancel(run: Run, repository: string): Plan<Act> {
  if (run.status === 'completed') throw settled(run, 'has already ended', 'There is nothing to cancel.');
  const summary = `cancel ${runName(run)} of ${repository}`;
  return {
    effect: 'write',
    targets: [workflowTarget(`${runName(run)} of ${repository}`, 'write', { workflow: run.path, branch: run.branch })],
    preconditions: [attemptOf(run)],
    steps: [{ id: 'cancel', does: summary, call: { method: 'POST', path: `${runPath(repository, run)}/cancel` } }],
    preview: { summary },
    // How far it is moves by itself.
    data: actOn('cancel', repository, { ...run, status: 'not completed' }),
  };
}

/** Classed as the launch that it is. */
async function planRerun(run: Run, failedOnly: boolean, repository: string, call: Context): Promise<Plan<Act>> {
  if (run.status !== 'completed') throw settled(run, 'has not ended', 'Cancel it first, or wait for its end.');
  if (failedOnly && run.conclusion === 'success') throw settled(run, 'had no failed jobs', 'Leave failedOnly out.');
  const trace = await traceRerun(call.github.runs, run, repository, call);
  const summary = `run ${failedOnly ? 'the failed jobs of ' : ''}${runName(run)} of ${repository} again`;
  return {
    effect: 'write',
    targets: trace.targets,
    preconditions: [
      attemptOf(run),
      ...trace.files.map(({ path, digest }) => ({ id: `file:${path}`, says: `the content of ${path}`, value: digest })),
    ],
    steps: [
      {
        id: 'rerun',
        does: summary,
        call: { method: 'POST', path: `${runPath(repository, run)}/rerun${failedOnly ? '-failed-jobs' : ''}` },
      },
    ],
    preview: { summary, text: [`commit ${run.sha}`, ...trace.targets.map(({ id }) => `touches ${id}`)].join('\n') },
    data: { ...actOn('rerun', repository, run), failedOnly },
  };
}

async function listed(repository: string, filter: NonNullable<Act['filter']>, call: RunContext<'github'>) {
  const { runs, total } = await call.github.runs.list(repository, filter, call);
  const seen = runs.filter(({ path, branch }) =>
    call.permits(workflowTarget(`runs of ${repository}`, 'read', { workflow: path, branch })),
  );
  return {
    runs: seen.map(runLine),
    ...(total > runs.length ? { more: total - runs.length } : {}),
    ...(seen.length < runs.length ? { hidden: runs.length - seen.length } : {}),
  };
}

function actOn(action: Act['action'], repository: string, run: Run): Act {
  return { action, repository, filter: null, run: { ...run }, failedOnly: false };
}

function attemptOf({ id, attempt, status }: Run) {
  // Whether it is queued or runs moves by itself; whether it has ended is what cancelling and repeating rely on.
  const value = { attempt, ended: status === 'completed' };
  return { id: `run:${id}`, says: `attempt and end of run ${id}`, value };
}

function settled(run: Run, how: string, hint: string): HoldpointError {
  return new HoldpointError('conflict', `Run ${run.id} ${how} (${run.conclusion ?? run.status}).`, { hint });
}
