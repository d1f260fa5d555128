import type { GitHubPulls } from './pulls.ts';
import type { GitHubRuns } from './runs.ts';

/**
 * One GitHub. Throws HoldpointError as githubError makes it: `unavailable` where it cannot be reached, refuses the token or
 * limits the rate, `not_found`, `invalid_input` for what it rejects, `conflict`, `upstream` otherwise.
 */
export interface GitHubPort {
  runs: GitHubRuns;
  pulls: GitHubPulls;
}

export { dispatchBody } from './dispatching.ts';
export { launchParts, mergeParts, openingParts, runParts } from './held.ts';
export { checkInputs } from './inputs.ts';
export { launchTargets, localCalls, traceLaunch } from './launch.ts';
export type { Launch } from './launch.ts';
export { workflowTarget } from './launch-targets.ts';
export { chosenRepository, findWorkflow, refName, REPOSITORY } from './names.ts';
export { pullInput } from './pull-input.ts';
export { planMerge, planOpening, pullTarget } from './pull-plans.ts';
export type { PullAct } from './pull-plans.ts';
export { pullReport, pullsText } from './pull-text.ts';
export { MERGE_METHODS } from './pulls.ts';
export { traceRerun } from './rerun.ts';
export { failedJobs, runName, runPath } from './run.ts';
export type { Run } from './run.ts';
export { triggeredBy } from './triggers.ts';
export { logView, runLine, runText, runView } from './views.ts';
export { readWorkflow, workflowStem } from './workflow.ts';

declare module '../../core/tool.ts' {
  interface Ports {
    github: GitHubPort;
  }
}
