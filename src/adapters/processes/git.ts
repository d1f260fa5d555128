import { execFile } from 'node:child_process';
import { lstat, readFile, realpath } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

import { HoldpointError } from '../../core/errors.ts';
import type { GitConfig } from '../../core/programs.ts';
import { isInside } from './executable.ts';
import type { Command } from './sandbox.ts';

const MAX_CONFIG = 4_194_304;

/**
 * Checks that the workspace's repository is its own: `.git` is a folder, or the file of a worktree that its repository knows
 * under this very path. A file that merely points somewhere would open any repository of this machine.
 *
 * @throws HoldpointError `not_found` where the workspace is no repository, `denied` where it is not its own.
 */
export async function checkRepository(workspace: string): Promise<void> {
  const git = join(workspace, '.git');
  const found = await lstat(git).catch(() => undefined);
  if (!found)
    throw new HoldpointError('not_found', 'The workspace is no git repository of its own.', {
      hint: 'There is no history to look at; read files with view. A person can run git init, or serve the folder that has .git.',
    });
  if (found.isDirectory() && !(await exists(join(git, 'commondir')))) return;
  if (found.isFile() && (await ownWorktree(workspace))) return;
  throw new HoldpointError('denied', 'The .git of the workspace leads to another repository.', {
    rule: 'programs',
    hint: 'Only the workspace’s own repository, or a worktree made by git worktree add, is used. A person looks at .git.',
  });
}

/** The folder outside the workspace that a worktree shares with its repository; none for a repository of its own. */
export async function sharedRepository(workspace: string): Promise<string[]> {
  const shared = (await lstat(join(workspace, '.git'))).isFile() ? await ownWorktree(workspace) : undefined;
  return shared === undefined ? [] : [shared];
}

/**
 * Of a worktree that its repository knows, that repository's folder. All that leads there must lie outside the workspace:
 * what the agent can write could lead anywhere.
 */
async function ownWorktree(workspace: string): Promise<string | undefined> {
  const git = join(workspace, '.git');
  const written = /^gitdir: (?<to>.+?)\r?\n?$/.exec(await readFile(git, 'utf8'))?.groups?.['to'];
  if (written === undefined) return undefined;
  const folder = await realpath(resolve(workspace, written)).catch(() => undefined);
  if (folder === undefined || isInside(await realpath(workspace), folder)) return undefined;
  const back = await readFile(join(folder, 'gitdir'), 'utf8').catch(() => '');
  const [there, here] = await Promise.all([realpath(back.trim()).catch(() => undefined), realpath(git)]);
  return there === here ? resolve(folder, '../..') : undefined;
}

/**
 * Environment variables by which git takes `config` over the repository's own configuration. Keys with a name in the middle
 * (`filter.NAME.clean`) cannot be known beforehand, so the repository's keys are listed first, which runs nothing.
 *
 * @param git what to start for git with these arguments, in the place where it will run.
 * @throws HoldpointError `denied` where the configuration cannot be read.
 */
export async function overrides(
  config: GitConfig,
  git: (argv: readonly string[]) => Promise<Command>,
  environment: Record<string, string>,
  cwd: string,
): Promise<Record<string, string>> {
  const pairs = Object.entries(config.set);
  for (const key of await configuredKeys(await git(['config', '--list', '--name-only', '-z']), environment, cwd))
    for (const { match, value } of config.override)
      if (new RegExp(`^(?:${match})$`, 'su').test(key)) pairs.push([key, value]);
  const variables: Record<string, string> = { GIT_CONFIG_COUNT: String(pairs.length) };
  for (const [index, [key, value]] of pairs.entries()) {
    variables[`GIT_CONFIG_KEY_${index}`] = key;
    variables[`GIT_CONFIG_VALUE_${index}`] = value;
  }
  return variables;
}

async function configuredKeys({ file, args }: Command, env: Record<string, string>, cwd: string): Promise<Set<string>> {
  try {
    const { stdout } = await promisify(execFile)(file, args, {
      cwd,
      env,
      timeout: 10_000,
      maxBuffer: MAX_CONFIG,
    });
    return new Set(stdout.split('\0').filter(Boolean));
  } catch (cause) {
    throw new HoldpointError('denied', 'The configuration of the workspace’s repository cannot be read.', {
      rule: 'programs',
      hint: 'A person looks at .git/config: git config --list says what is wrong.',
      cause,
    });
  }
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}
