import { traceLaunch, type Launch, type Trace } from './launch.ts';
import { unresolved } from './launch-targets.ts';
import type { Call } from './octokit.ts';
import type { GitHubRepository } from './repository.ts';
import type { Run } from './run.ts';

/** Events whose workflow file is the one at the run's own commit. */
const AT_ITS_COMMIT = ['workflow_dispatch', 'push', 'create', 'schedule', 'repository_dispatch', 'release'];

/**
 * A re-run as the launch that it is, of the workflow as it was. What its inputs were GitHub does not say. A pull request runs
 * the merge of its branch with the base: both versions count. Of other events it is not known which version runs.
 */
export async function traceRerun(
  { file }: Pick<GitHubRepository, 'file'>,
  run: Run,
  repository: string,
  call: Call,
): Promise<Trace> {
  const launch: Launch = {
    path: run.path,
    event: run.event,
    ref: run.branch,
    inputs: run.event === 'workflow_dispatch' ? 'unknown' : {},
    repository,
  };
  const trace = await traceLaunch(launch, (path) => file(repository, path, run.sha, call));
  if (AT_ITS_COMMIT.includes(run.event)) return trace;
  if (run.event !== 'pull_request' || run.base === undefined)
    return { ...trace, targets: [...trace.targets, unresolved(launch, `which version of it ${run.event} runs`)] };
  const { base } = run;
  const there = await traceLaunch(launch, (path) => file(repository, path, base, call));
  return { ...trace, targets: [...trace.targets, ...(there.workflow ? there.targets : [])] };
}
