import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { HoldpointError } from '../../core/errors.ts';
import { literalPathspec } from '../../core/process-paths.ts';
import { authorOf, identity } from './author.ts';
import type { GitSettings } from './client.ts';
import type { Call, CommitPlan, FileMode, GitPort } from './port.ts';
import type { Repository, Within } from './repository.ts';

type Committing = Pick<GitPort, 'modes' | 'blobs' | 'author' | 'commitFiles' | 'switchTo' | 'tag'>;

/** What changes the repository of this machine. */
export function createCommitting(within: Within, { environment }: Pick<GitSettings, 'environment'>): Committing {
  return {
    modes: (files, call) => within(call, (repository) => modesOf(repository, files)),
    blobs: (files, store, call) =>
      within(call, async ({ output }) => {
        const ids = new Map<string, string>();
        for await (const { path, bytes } of files) {
          // With the path, line ends are stored as .gitattributes wants them; filters, which are programs, are overruled.
          const args = ['hash-object', '-t', 'blob', ...(store ? ['-w'] : []), `--path=${path}`, '--stdin'];
          ids.set(path, (await output({ args, input: bytes }, `to read ${path}`)).trim());
        }
        return ids;
      }),
    author: (call) => within(call, (repository) => authorOf(repository, environment, call)),
    commitFiles: (plan, message, call) => within(call, (repository) => commitFiles(repository, plan, message)),
    switchTo: (branch, from, call) =>
      within(call, async ({ output }) => {
        const how = from === null ? ['--no-guess', branch] : ['--create', branch, '--no-track', from];
        await output({ args: ['switch', '--quiet', '--no-recurse-submodules', ...how] }, `to switch to ${branch}`);
      }),
    tag: ({ name, commit, message }, call) =>
      within(call, async (repository) => {
        const { args, env, input } =
          message === null
            ? { args: [], env: {}, input: '' }
            : await annotation(repository, message, environment, call);
        const command = { args: ['tag', '--no-sign', ...args, '--', name, commit], env, input };
        await repository.output(command, `to make the tag ${name}`);
      }),
  };
}

async function annotation(
  repository: Repository,
  message: string,
  environment: Readonly<Record<string, string>>,
  call: Call,
) {
  const env = identity(await authorOf(repository, environment, call));
  return { args: ['--annotate', '--cleanup=verbatim', '--file=-'], env, input: messageText(message) };
}

/** Ended as git itself ends one; what copies a commit may add the line break, which gives it another id. */
function messageText(message: string): string {
  return `${message.trimEnd()}\n`;
}

/** See GitPort.modes. */
async function modesOf(
  { output, run }: Repository,
  files: Parameters<GitPort['modes']>[0],
): Promise<Map<string, FileMode>> {
  const paths = files.map(({ path }) => path);
  const wanted = new Set(paths);
  const input = `${paths.join('\0')}\0`;
  const filtered = await output({ args: ['check-attr', '-z', '--stdin', 'filter'], input }, 'to read attributes');
  const values = filtered.split('\0');
  for (let at = 0; at + 2 < values.length; at += 3)
    if (values[at + 2] !== 'unspecified' && values[at + 2] !== 'unset')
      throw refused(values[at] ?? '', `goes through the filter ${values[at + 2]}, a program that is not run`);
  const args = ['ls-files', '--stage', '-z', '--', ...paths.map(literalPathspec)];
  const listed = await output({ args }, 'to read the index');
  const modes = new Map<string, FileMode>();
  for (const entry of listed.split('\0')) {
    const [, mode, path] = /^(\d+) \S+ \d\t(.*)$/s.exec(entry) ?? [];
    if (path === undefined || !wanted.has(path)) continue;
    if (mode !== '100644' && mode !== '100755')
      throw refused(path, mode === '120000' ? 'is a link' : 'is a repository of its own');
    modes.set(path, mode);
  }
  const { stdout } = await run({ args: ['config', '--type=bool', '--get', 'core.fileMode'] });
  for (const { path, executable: isExecutable } of files) {
    // Where the disk does not keep modes, those of the index stand.
    const executable = stdout.trim() === 'false' ? undefined : isExecutable;
    modes.set(path, executable === undefined ? (modes.get(path) ?? '100644') : executable ? '100755' : '100644');
  }
  return modes;
}

/**
 * Builds the commit in an index of its own from the parent's tree and exactly these blobs, tells the working tree's index of
 * these files, and moves the branch from the parent to it. Hooks do not run, and nothing else that is staged goes in.
 */
async function commitFiles(
  { env: { TMPDIR = '/tmp' }, output, resolve }: Repository,
  { branch, parent, author, files }: CommitPlan,
  message: string,
): Promise<string> {
  const folder = await mkdtemp(join(TMPDIR, 'index-'));
  try {
    const env = { GIT_INDEX_FILE: join(folder, 'index') };
    const none = '0'.repeat((await output({ args: ['hash-object', '--stdin'] }, 'to hash')).trim().length);
    const entries = files.map(
      ({ path, mode, blob }) => `${blob === null ? `0 ${none}` : `${mode} ${blob}`}\t${path}\0`,
    );
    const update = { args: ['update-index', '-z', '--index-info'], input: entries.join('') };
    if (parent !== null) await output({ args: ['read-tree', parent], env }, 'to read the last commit');
    await output({ ...update, env }, 'to prepare the commit');
    const tree = (await output({ args: ['write-tree'], env }, 'to write the tree')).trim();
    if (parent !== null && (await resolve(`${parent}^{tree}`)) === tree)
      throw new HoldpointError('conflict', 'These files are committed already as they are.', {
        hint: 'status lists what is changed.',
      });
    const args = ['commit-tree', '--no-gpg-sign', ...(parent === null ? [] : ['-p', parent]), '-F', '-', tree];
    const write = { args, input: messageText(message), env: identity(author) };
    const commit = (await output(write, 'to write the commit')).trim();
    // Before the branch moves: should it not move after all, the files are staged and nothing is lost.
    await output(update, 'to stage the files');
    const log = `commit: ${message.split('\n')[0]?.slice(0, 100) ?? ''}`;
    const move = ['update-ref', '-m', log, `refs/heads/${branch}`, commit, parent ?? none];
    await output({ args: move }, `to move ${branch}`);
    return commit;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function refused(path: string, why: string): HoldpointError {
  return new HoldpointError('denied', `${path} ${why}.`, {
    rule: 'programs',
    hint: 'Leave it out of paths; a person commits it.',
  });
}
