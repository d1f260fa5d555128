import { setTimeout as sleep } from 'node:timers/promises';

import { HoldpointError } from '../../core/errors.ts';
import { ask, type Call, type Octokit } from './octokit.ts';
import { named, type RepositoryName } from './repository.ts';

/** Seconds between looks for a run that was just started, and how often. */
const PAUSE = 1;
const LOOKS = 8;

export interface DispatchRequest {
  workflow: number;
  /** Branch or tag. */
  ref: string;
  /** The commit it is expected to run at; only for finding the run. */
  sha: string;
  inputs: Readonly<Record<string, string>>;
}

export interface Dispatched {
  /** The run's id; undefined where it could not be found, or not be told from others. */
  run?: number;
  /** Whether GitHub itself named the run; otherwise it is the one new run that fits. */
  certain: boolean;
}

/** The body of a dispatch, exactly as it is sent. */
export function dispatchBody({ ref, inputs }: Pick<DispatchRequest, 'ref' | 'inputs'>): {
  ref: string;
  inputs?: Record<string, string>;
  return_run_details: true;
} {
  return { ref, ...(Object.keys(inputs).length === 0 ? {} : { inputs: { ...inputs } }), return_run_details: true };
}

/** Starting runs, and finding the run that was started on servers that do not name it. */
export function createDispatching(octokit: () => Promise<Octokit>, second: number) {
  async function candidates(repository: RepositoryName, { workflow, ref, sha }: DispatchRequest, call: Call) {
    const { workflow_runs } = await ask(octokit, call, `listing runs of ${repository}`, (client, options) =>
      client.rest.actions.listWorkflowRuns({
        ...named(repository),
        workflow_id: workflow,
        event: 'workflow_dispatch',
        branch: ref,
        per_page: 30,
        ...options,
      }),
    );
    return workflow_runs.filter((run) => run.head_sha === sha).map(({ id }) => id);
  }

  async function send(
    repository: RepositoryName,
    request: DispatchRequest,
    withDetails: boolean,
    call: Call,
  ): Promise<unknown> {
    const { return_run_details: _details, ...older } = dispatchBody(request);
    return ask(octokit, call, `starting a run of ${repository}`, (client, options) =>
      client.request('POST /repos/{owner}/{repo}/actions/workflows/{workflow_id}/dispatches', {
        ...named(repository),
        workflow_id: request.workflow,
        ...(withDetails ? dispatchBody(request) : older),
        ...options,
      }),
    );
  }

  async function find(repository: RepositoryName, request: DispatchRequest, before: ReadonlySet<number>, call: Call) {
    let seen: number | undefined;
    for (let look = 0; look < LOOKS && !call.signal.aborted; look++) {
      // oxlint-disable no-await-in-loop -- one look after the other
      await sleep(PAUSE * second);
      const fresh = (await candidates(repository, request, call)).filter((id) => !before.has(id));
      // oxlint-enable no-await-in-loop
      // Of several, nothing tells which is ours; and of one, another may come to be seen a moment later.
      if (fresh.length > 1) return undefined;
      if (fresh.length === 1 && fresh[0] === seen) return seen;
      seen = fresh[0];
    }
    return undefined;
  }

  return {
    async dispatch(repository: RepositoryName, request: DispatchRequest, call: Call): Promise<Dispatched> {
      const before = new Set(await candidates(repository, request, call));
      const answer = await send(repository, request, true, call).catch((error: unknown) => {
        if (!refusesDetails(error)) throw error;
        return send(repository, request, false, call);
      });
      const run =
        typeof answer === 'object' && answer !== null && 'workflow_run_id' in answer
          ? answer.workflow_run_id
          : undefined;
      if (typeof run === 'number') return { run, certain: true };
      // From here on it runs: that it cannot be found is no failure of the call.
      const found = await find(repository, request, before, call).catch(() => undefined);
      return found === undefined ? { certain: false } : { run: found, certain: false };
    },
  };
}

/** An older GitHub Enterprise Server refuses the field as unknown, and has started nothing. */
function refusesDetails(error: unknown): boolean {
  return (
    error instanceof HoldpointError && error.code === 'invalid_input' && error.message.includes('return_run_details')
  );
}
