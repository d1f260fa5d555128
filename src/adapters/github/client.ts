import { connect } from './octokit.ts';
import type { GitHubSettings } from './octokit.ts';
import type { GitHubPort } from './port.ts';
import { createPulls } from './pulls.ts';
import { createRuns } from './runs.ts';

/** GitHub behind one client; nothing is loaded or asked before the first call. */
export function createGitHub(settings: GitHubSettings): GitHubPort {
  const octokit = connect(settings);
  return { runs: createRuns(octokit, settings.second), pulls: createPulls(octokit, settings.second) };
}
