import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { HoldpointError } from '../../core/errors.ts';
import type { CheckpointPlace } from '../checkpoints.ts';

export const DEFAULT_REF = 'refs/holdpoint/checkpoints';

/** Milliseconds for one git command, where its caller sets no other end. */
const LIMIT = 10_000;
const MAX_OUTPUT = 64 * 1024 * 1024;
/** As often another process may move the ref between reading and writing it. */
const ATTEMPTS = 5;

/** Nothing of the user's or the machine's configuration, no hooks, no questions, and nothing that stands in for an object. */
const ENVIRONMENT = {
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_TERMINAL_PROMPT: '0',
  GIT_NO_REPLACE_OBJECTS: '1',
  GIT_AUTHOR_NAME: 'Holdpoint',
  GIT_AUTHOR_EMAIL: 'holdpoint@localhost',
  GIT_COMMITTER_NAME: 'Holdpoint',
  GIT_COMMITTER_EMAIL: 'holdpoint@localhost',
  LC_ALL: 'C',
} as const;

export interface GitRepository {
  /** A repository's folder, bare or not. */
  path: string;
  ref: string;
  /** Where git is looked for. */
  PATH: string;
}

/** A ref of a local repository: each checkpoint is a commit without files, whose message it is, on top of the one before. */
export function gitPlace(repository: GitRepository): CheckpointPlace {
  const { path, ref } = repository;
  return {
    name: `git ${path} ${ref}`,
    async write(line, signal) {
      const git = (args: string[], input = '') => run(repository, args, input, signal);
      const tree = await git(['hash-object', '-t', 'tree', '-w', '--stdin']);
      for (let attempt = 1; ; attempt += 1) {
        const parent = await git(['rev-parse', '--verify', '--quiet', `${ref}^{commit}`]).catch(() => '');
        const commit = await git(['commit-tree', tree, ...(parent ? ['-p', parent] : [])], `${line}\n`);
        try {
          // An empty old value: the ref must not be there yet.
          await git(['update-ref', ref, commit, parent]);
          return;
        } catch (error) {
          if (attempt === ATTEMPTS) throw error;
        }
      }
    },
  };
}

/** Every checkpoint's line, oldest first. @throws HoldpointError `not_found` where the ref is not there. */
export async function readGitPlace(repository: GitRepository): Promise<string> {
  const { path, ref } = repository;
  try {
    await run(repository, ['rev-parse', '--verify', '--quiet', `${ref}^{commit}`], '');
  } catch (cause) {
    throw new HoldpointError('not_found', `There is no ${ref} in ${path}.`, {
      hint: 'Give the repository, and its ref where that is not the usual one: git:REPOSITORY@REF.',
      cause,
    });
  }
  return run(repository, ['log', '--reverse', '--format=%B', ref], '');
}

function run(
  { path, PATH }: GitRepository,
  args: string[],
  input: string,
  signal = AbortSignal.timeout(LIMIT),
): Promise<string> {
  // The repository may be another user's on purpose; nothing of its own configuration or hooks runs programs here.
  const settings = [
    `safe.directory=${path}`,
    'core.hooksPath=/dev/null',
    'core.fsmonitor=false',
    'log.showSignature=false',
  ];
  const argv = [
    '--no-pager',
    `--git-dir=${existsSync(join(path, '.git')) ? join(path, '.git') : path}`,
    ...settings.flatMap((each) => ['-c', each]),
    ...args,
  ];
  return new Promise((done, fail) => {
    const child = spawn('git', argv, {
      env: { PATH, ...ENVIRONMENT },
      cwd: '/',
      stdio: ['pipe', 'pipe', 'pipe'],
      signal,
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      if (stdout.length > MAX_OUTPUT) child.kill('SIGKILL');
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr = (stderr + text).slice(0, 1000)));
    // What needs no input does not read it.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    child.on('error', (cause) =>
      fail(new HoldpointError('unavailable', 'git could not be started or was ended.', { cause })),
    );
    child.on('close', (code) => {
      if (code === 0) return done(stdout.trimEnd());
      const line = stderr.split('\n')[0] ?? '';
      fail(new HoldpointError('unavailable', `git ${args[0]} did not manage${line ? `: ${line}` : ''}`));
    });
  });
}
