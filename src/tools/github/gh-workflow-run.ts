import { z } from 'zod';

import {
  checkInputs,
  chosenRepository,
  dispatchBody,
  failedJobs,
  findWorkflow,
  launchParts,
  launchTargets,
  refName,
  REPOSITORY,
  traceLaunch,
} from '../../adapters/github/port.ts';
import { HoldpointError } from '../../core/errors.ts';
import { defineTool } from '../../core/tool.ts';

/** GitHub takes no more. */
const MAX_INPUTS = 25;
const MAX_VALUE = 4000;

const input = z.strictObject({
  workflow: z
    .string()
    .refine((name) => name.trim() !== '' && name.length <= 300, 'Name a workflow.')
    .describe('file or name'),
  ref: z
    .string()
    .refine((ref) => /^[^\s~^:?*[\\]{1,250}$/.test(ref), 'This is no branch or tag.')
    .optional(),
  inputs: z
    .record(z.string(), z.string())
    .refine((inputs) => Object.keys(inputs).length <= MAX_INPUTS, `At most ${MAX_INPUTS} inputs.`)
    .refine((inputs) => Object.values(inputs).every((value) => value.length <= MAX_VALUE), 'An input is too long.')
    .optional(),
  repository: z
    .string()
    .refine((name) => REPOSITORY.test(name), 'Write owner/name.')
    .optional(),
  follow: z.boolean().optional(),
});

export default defineTool({
  name: 'gh-workflow-run',
  title: 'Run a GitHub workflow',
  description: 'Start a workflow and follow it. Production needs approval.',
  keywords: ['github', 'actions', 'dispatch', 'deploy', 'ci', 'pipeline', 'trigger'],
  effect: 'write',
  needs: ['github'],
  input,
  output: z.strictObject({
    /** Absent where the run that was started could not be told from others. */
    run: z.number().optional(),
    url: z.string().optional(),
    /** `best-match` where GitHub did not name the run: it is the only new one of this workflow, ref and commit. */
    found: z.enum(['certain', 'best-match', 'no']),
    ref: z.string(),
    /** The commit it runs at. */
    sha: z.string(),
    status: z.string(),
    conclusion: z.string().optional(),
    failed: z.array(z.strictObject({ job: z.string(), steps: z.array(z.string()) })).optional(),
    warnings: z.array(z.string()).optional(),
    next: z.string().optional(),
  }),

  targets({ workflow, ref, inputs, repository }, { facts }) {
    // Without a ref the default branch is meant, which only the plan finds out; the workflow's name must tell until then.
    return launchTargets(undefined, {
      path: workflow,
      event: 'workflow_dispatch',
      ...(ref === undefined ? {} : { ref: refName(ref) }),
      inputs: inputs ?? {},
      repository: chosenRepository(repository, facts),
    });
  },

  async plan(written, call) {
    const { runs } = call.github;
    const repository = chosenRepository(written.repository, call.facts);
    const name = written.ref === undefined ? await runs.defaultBranch(repository, call) : refName(written.ref);
    const [ref, workflows] = await Promise.all([runs.ref(repository, name, call), runs.workflows(repository, call)]);
    const workflow = findWorkflow(workflows, written.workflow, repository);
    if (workflow.state !== 'active')
      throw new HoldpointError('conflict', `${workflow.path} is not active (${workflow.state.replaceAll('_', ' ')}).`, {
        hint: 'A person enables it on GitHub’s Actions page.',
      });
    const launch = {
      path: workflow.path,
      event: 'workflow_dispatch',
      ref: ref.name,
      refType: ref.type,
      inputs: written.inputs ?? {},
      repository,
    };
    const trace = await traceLaunch(launch, (path) => runs.file(repository, path, ref.sha, call));
    const declared = trace.workflow?.dispatch;
    if (!declared) {
      const others = await runs.dispatchable(repository, workflows, ref.sha, call);
      throw new HoldpointError(
        trace.workflow ? 'invalid_input' : 'not_found',
        trace.workflow
          ? `${workflow.path} has no workflow_dispatch at ${ref.name}, so it cannot be started by hand.`
          : `${workflow.path} is not there at ${ref.name}.`,
        { hint: `At ${ref.name} these can be started: ${others.join(', ') || 'none'}.` },
      );
    }
    const inputs = checkInputs(declared, launch.inputs);
    const file = workflow.path.split('/').at(-1) ?? workflow.path;
    const summary = `run ${file} of ${repository} at ${ref.name} (${ref.sha.slice(0, 7)})${given(inputs)}`;
    return {
      effect: 'write',
      targets: trace.targets,
      preconditions: [
        { id: `ref:${ref.name}`, says: `the commit of ${ref.type} ${ref.name}`, value: ref.sha },
        { id: `workflow:${workflow.id}`, says: `the workflow ${workflow.path}`, value: workflow.state },
        ...trace.files.map(({ path, digest }) => ({
          id: `file:${path}`,
          says: `the content of ${path}`,
          value: digest,
        })),
      ],
      steps: [
        {
          id: 'dispatch',
          does: summary,
          call: {
            method: 'POST',
            path: `/repos/${repository}/actions/workflows/${workflow.id}/dispatches`,
            body: dispatchBody({ ref: ref.name, inputs }),
          },
        },
      ],
      preview: {
        summary,
        text: [
          `commit ${ref.sha}`,
          ...[...declared].map(([key, { default: preset }]) =>
            Object.hasOwn(inputs, key) ? `input ${key}=${inputs[key]}` : `input ${key}=${preset ?? ''} (default)`,
          ),
          ...trace.targets.map(({ id }) => `touches ${id}`),
        ].join('\n'),
      },
      data: { repository, workflow: workflow.id, ref: ref.name, sha: ref.sha, inputs },
      manner: { follow: written.follow ?? true },
    };
  },

  preview: ({ data, targets }, call) => launchParts({ ...data, targets }, call),

  async run({ data, manner }, call) {
    const { runs } = call.github;
    const { repository, sha } = data;
    const { follow } = manner as { follow: boolean };
    const started = await runs.dispatch(repository, data, call);
    call.stepDone('dispatch', { run: started.run ?? null });
    if (started.run === undefined)
      return {
        found: 'no' as const,
        ref: data.ref,
        sha,
        status: 'started',
        next: `It was started; which run it is could not be told. gh-run with action list and branch ${data.ref} shows the runs.`,
      };
    const { run, jobs, ended, problem } = await runs.follow(
      repository,
      started.run,
      { once: !follow },
      call.progress,
      call,
    );
    const failed = failedJobs(jobs);
    const warnings = [
      ...(run && run.sha !== sha ? [`${data.ref} moved in between: it runs at ${run.sha}, not at ${sha}.`] : []),
      ...(problem === undefined ? [] : [`Following it stopped: ${problem}`]),
    ];
    return {
      run: started.run,
      ...(run ? { url: run.url } : {}),
      found: started.certain ? ('certain' as const) : ('best-match' as const),
      ref: data.ref,
      sha: run?.sha ?? sha,
      status: run?.status ?? 'started',
      ...(run?.conclusion === undefined ? {} : { conclusion: run.conclusion }),
      ...(failed.length === 0 ? {} : { failed }),
      ...(warnings.length === 0 ? {} : { warnings }),
      ...nextOf(started.run, ended, run?.status, failed.length > 0),
    };
  },

  render({ run, url, found, ref, sha, status, conclusion, failed, warnings, next }) {
    const head = `run ${run ?? '(which one is not known)'}${found === 'best-match' ? ' (best match)' : ''} at ${ref} (${sha.slice(0, 7)}): ${conclusion ?? status}`;
    return [
      url === undefined ? head : `${head} ${url}`,
      ...(failed ?? []).map(({ job, steps }) => `failed: ${job}${steps.length === 0 ? '' : `: ${steps.join(', ')}`}`),
      ...(warnings ?? []),
      ...(next === undefined ? [] : [next]),
    ].join('\n');
  },
});

function given(inputs: Readonly<Record<string, string>>): string {
  const all = Object.entries(inputs).map(([name, value]) => `${name}=${JSON.stringify(value.slice(0, 60))}`);
  return all.length === 0 ? '' : ` with ${all.slice(0, 5).join(', ')}${all.length > 5 ? ', …' : ''}`;
}

function nextOf(run: number, ended: boolean, status: string | undefined, failed: boolean): { next?: string } {
  if (!ended && status === 'waiting')
    return { next: `It waits for a review of its environment on GitHub; then gh-run with action view, run ${run}.` };
  if (!ended) return { next: `It is still running: gh-run with action view, run ${run}.` };
  return failed ? { next: `gh-run with action logs, run ${run}, shows why.` } : {};
}
