import { HoldpointError } from '../../core/errors.ts';
import { readWorkflow } from './workflow.ts';
import { ask, type Call, type Octokit } from './octokit.ts';

/** `owner/name`. */
export type RepositoryName = string;

interface Ref {
  /** The branch or tag, without `refs/heads/`. */
  name: string;
  type: 'branch' | 'tag';
  /** The commit. */
  sha: string;
}

export interface WorkflowEntry {
  id: number;
  name: string;
  path: string;
  /** `active`, `disabled_manually` … */
  state: string;
}

const PER_PAGE = 100;
const MAX_PAGES = 5;
const MAX_LOOKED_AT = 20;

/** What launching and following runs reads of a repository. */
export interface GitHubRepository {
  defaultBranch(repository: RepositoryName, call: Call): Promise<string>;
  /** @throws HoldpointError `not_found`; `invalid_input` where a branch and a tag have the name. */
  ref(repository: RepositoryName, name: string, call: Call): Promise<Ref>;
  /** Up to 500. */
  workflows(repository: RepositoryName, call: Call): Promise<WorkflowEntry[]>;
  /** The text of a file at a commit or branch; null where it has none there. */
  file(repository: RepositoryName, path: string, at: string, call: Call): Promise<string | null>;
  /** Of these workflows the files of those that can be dispatched at a commit; for hints, so the first 20 are looked at. */
  dispatchable(
    repository: RepositoryName,
    workflows: readonly WorkflowEntry[],
    sha: string,
    call: Call,
  ): Promise<string[]>;
}

export function createRepository(octokit: () => Promise<Octokit>): GitHubRepository {
  async function tip(repository: RepositoryName, ref: string, call: Call): Promise<string | null> {
    return orNull(() =>
      ask(octokit, call, `reading ${ref} of ${repository}`, (client, options) =>
        client.rest.git.getRef({ ...named(repository), ref, ...options }),
      ).then(({ object }) => (object.type === 'commit' ? object.sha : commitOf(repository, ref, call))),
    );
  }
  /** The commit behind an annotated tag. */
  async function commitOf(repository: RepositoryName, ref: string, call: Call): Promise<string> {
    const { sha } = await ask(octokit, call, `reading ${ref} of ${repository}`, (client, options) =>
      client.rest.repos.getCommit({ ...named(repository), ref, per_page: 1, ...options }),
    );
    return sha;
  }
  const file: GitHubRepository['file'] = async (repository, path, at, call) => {
    const content = await orNull(() =>
      ask(octokit, call, `reading ${path} of ${repository}`, (client, options) =>
        client.rest.repos.getContent({ ...named(repository), path, ref: at, ...options }),
      ),
    );
    if (content === null) return null;
    if (Array.isArray(content) || content.type !== 'file' || content.encoding !== 'base64')
      throw new HoldpointError('invalid_input', `${path} of ${repository} is no file that can be read.`, {
        hint: 'Name a file below 1 MB, no folder and no link.',
      });
    return Buffer.from(content.content, 'base64').toString('utf8');
  };
  return {
    file,
    async dispatchable(repository, workflows, sha, call) {
      const files = await Promise.all(
        workflows.slice(0, MAX_LOOKED_AT).map(async ({ path }) => {
          // A file that cannot be read is none to propose.
          const text = await file(repository, path, sha, call).catch(() => null);
          return text !== null && canBeDispatched(text) ? [path.split('/').at(-1) ?? path] : [];
        }),
      );
      return files.flat();
    },
    async defaultBranch(repository, call) {
      const { default_branch } = await ask(octokit, call, `reading ${repository}`, (client, options) =>
        client.rest.repos.get({ ...named(repository), ...options }),
      );
      return default_branch;
    },
    async ref(repository, name, call) {
      const [branch, tag] = await Promise.all([
        tip(repository, `heads/${name}`, call),
        tip(repository, `tags/${name}`, call),
      ]);
      if (branch !== null && tag !== null)
        throw new HoldpointError('invalid_input', `${repository} has a branch and a tag ${JSON.stringify(name)}.`, {
          hint: 'GitHub does not say which it would take: name another ref.',
        });
      const sha = branch ?? tag;
      if (sha === null)
        throw new HoldpointError('not_found', `${repository} has no branch or tag ${JSON.stringify(name)}.`, {
          hint: 'Push the branch first, or name another.',
        });
      return { name, sha, type: branch === null ? 'tag' : 'branch' };
    },
    async workflows(repository, call) {
      const found: WorkflowEntry[] = [];
      for (let page = 1; page <= MAX_PAGES; page++) {
        // oxlint-disable-next-line no-await-in-loop -- each page says whether there is another
        const { workflows } = await ask(octokit, call, `listing the workflows of ${repository}`, (client, options) =>
          client.rest.actions.listRepoWorkflows({ ...named(repository), per_page: PER_PAGE, page, ...options }),
        );
        found.push(...workflows.map(({ id, name, path, state }) => ({ id, name, path, state })));
        if (workflows.length < PER_PAGE) break;
      }
      return found;
    },
  };
}

function canBeDispatched(text: string): boolean {
  try {
    return readWorkflow(text).dispatch !== undefined;
  } catch {
    return false;
  }
}

/** `owner/name` as the two parameters that every request takes. */
export function named(repository: RepositoryName): { owner: string; repo: string } {
  const [owner = '', repo = ''] = repository.split('/');
  return { owner, repo };
}

async function orNull<T>(read: () => Promise<T>): Promise<T | null> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof HoldpointError && error.code === 'not_found') return null;
    throw error;
  }
}
