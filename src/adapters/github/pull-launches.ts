import { HoldpointError } from '../../core/errors.ts';
import type { Target } from '../../core/target.ts';
import { launchTargets, traceLaunch, type Launch } from './launch.ts';
import { unresolved } from './launch-targets.ts';
import { ask, type Call, type Octokit } from './octokit.ts';
import { named, type GitHubRepository } from './repository.ts';
import { triggeredBy } from './triggers.ts';
import { readWorkflow, type Workflow } from './workflow.ts';

const FOLDER = '.github/workflows';
const MAX_FILES = 100;
/** Changed files that are looked at; a filter for paths is only judged by all of them. */
const MAX_PATHS = 100;

/** What happens to a pull request. `number` where it is merged: its changed files tell filters for paths. */
export type PullEvent =
  | { event: 'open'; head: string; base: string; sha: string }
  | { event: 'merge'; base: string; sha: string; number: number; changedFiles: number };

/** The events of workflows that it starts, each with the branch it counts for and the types it must name. */
function startedBy(
  happening: PullEvent,
): { event: string; branch: string; types?: readonly [string, 'by default' | 'if named'] }[] {
  const { base } = happening;
  if (happening.event === 'open')
    return [
      { event: 'pull_request', branch: happening.head, types: ['opened', 'by default'] },
      { event: 'pull_request_target', branch: base, types: ['opened', 'by default'] },
    ];
  return [
    { event: 'push', branch: base },
    { event: 'pull_request', branch: base, types: ['closed', 'if named'] },
    { event: 'pull_request_target', branch: base, types: ['closed', 'if named'] },
  ];
}

/** A workflow file as it is on one side of a pull request. */
interface Entry {
  path: string;
  /** Of its content. */
  sha: string;
}

/** What opening and merging pull requests launches. */
export function createPullLaunches(
  octokit: () => Promise<Octokit>,
  { file }: Pick<GitHubRepository, 'file'>,
): (repository: string, happening: PullEvent, call: Call) => Promise<Target[]> {
  async function entries(repository: string, ref: string, call: Call): Promise<Entry[]> {
    try {
      const found = await ask(octokit, call, `listing the workflows of ${repository}`, (client, options) =>
        client.rest.repos.getContent({ ...named(repository), path: FOLDER, ref, ...options }),
      );
      const files = Array.isArray(found) ? found : [];
      return files.flatMap(({ type, path, sha }) => (type === 'file' && /\.ya?ml$/i.test(path) ? [{ path, sha }] : []));
    } catch (error) {
      if (error instanceof HoldpointError && error.code === 'not_found') return [];
      throw error;
    }
  }

  /** Undefined where they are not all known. */
  async function changedPaths(repository: string, happening: PullEvent, call: Call): Promise<string[] | undefined> {
    if (happening.event !== 'merge' || happening.changedFiles > MAX_PATHS) return undefined;
    const files = await ask(octokit, call, `reading the files of pull request ${happening.number}`, (client, options) =>
      client.rest.pulls.listFiles({
        ...named(repository),
        pull_number: happening.number,
        per_page: MAX_PATHS,
        ...options,
      }),
    );
    return files.flatMap(({ filename, previous_filename }) => [
      filename,
      ...(previous_filename ? [previous_filename] : []),
    ]);
  }

  return async (repository, happening, call) => {
    // Both sides: what a merge makes of the files is, one by one, that of either or a mixture.
    const refs = [happening.sha, happening.base];
    const sides = await Promise.all(
      refs.map(async (ref) => {
        const list = await entries(repository, ref, call);
        return { ref, files: new Map(list.map(({ path, sha }) => [path, sha])) };
      }),
    );
    if (sides.some(({ files }) => files.size > MAX_FILES))
      throw new HoldpointError('upstream', `${repository} has more than ${MAX_FILES} workflow files to look at.`, {
        hint: 'What this would start cannot be told: a person does it on GitHub.',
      });
    const paths = sides.some(({ files }) => files.size > 0)
      ? await changedPaths(repository, happening, call)
      : undefined;
    const texts = new Map<string, Promise<string | null>>();
    const found = sides.flatMap(({ ref, files }) => {
      const read = (path: string) => {
        const sha = files.get(path);
        if (sha === undefined) return Promise.resolve(null);
        const text = texts.get(sha) ?? file(repository, path, ref, call);
        texts.set(sha, text);
        return text;
      };
      return [...files.keys()].map(async (path) => {
        const workflow = readable((await read(path)) ?? '');
        if (!workflow) return [unresolved({ path, ref: happening.base, repository }, 'its file')];
        const started = startedBy(happening).filter(
          ({ event, branch, types }) =>
            triggeredBy(workflow, { event, branch, ...(paths ? { paths } : {}) }) && hasType(workflow, event, types),
        );
        const targets = started.map(({ event, branch }) =>
          targetsOf({ path, event, ref: branch, refType: 'branch', repository }, workflow, read),
        );
        return (await Promise.all(targets)).flat();
      });
    });
    const targets = (await Promise.all(found)).flat();
    return [...new Map(targets.map((target) => [JSON.stringify(target), target])).values()];
  };
}

async function targetsOf(launch: Launch, workflow: Workflow, read: (path: string) => Promise<string | null>) {
  try {
    return (await traceLaunch(launch, read)).targets;
  } catch (error) {
    // A broken workflow that this one calls: GitHub will not run it.
    if (error instanceof HoldpointError && error.code === 'invalid_input') return launchTargets(workflow, launch);
    throw error;
  }
}

function readable(text: string): Workflow | undefined {
  try {
    return readWorkflow(text);
  } catch {
    return undefined;
  }
}

function hasType(
  workflow: Workflow,
  event: string,
  types: readonly [string, 'by default' | 'if named'] | undefined,
): boolean {
  if (!types) return true;
  const filters = workflow.on.get(event);
  const named: unknown = filters instanceof Map ? filters.get('types') : undefined;
  if (named === undefined || named === null) return types[1] === 'by default';
  return (Array.isArray(named) ? named : [named]).includes(types[0]);
}
