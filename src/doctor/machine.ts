import { execFile } from 'node:child_process';
import { realpath } from 'node:fs/promises';
import { promisify } from 'node:util';

import { findExecutable, programFolders } from '../adapters/processes/executable.ts';
import { checkRepository } from '../adapters/processes/git.ts';
import { failed, type Check, type Context, type Finding } from './check.ts';

/** From this version on git takes configuration from the environment, by which the repository's own is neutralised. */
const GIT = [2, 31] as const;

export const node: Check = {
  what: 'node',
  run: () => [{ level: 'ok', what: 'node', detail: `${process.versions.node} on ${process.platform} ${process.arch}` }],
};

export const git: Check = {
  what: 'git',
  async run(context) {
    const path = await found('git', context);
    if (path === undefined)
      return [{ level: 'off', what: 'git', detail: 'not installed', fix: 'Install git outside the workspace.' }];
    const { stdout } = await promisify(execFile)(path, ['--version'], { signal: context.signal, env: {}, cwd: '/' });
    const [, major = '0', minor = '0'] = /(\d+)\.(\d+)/.exec(stdout) ?? [];
    const version = stdout
      .trim()
      .replace(/^git version /, '')
      .slice(0, 40);
    const old = Number(major) < GIT[0] || (Number(major) === GIT[0] && Number(minor) < GIT[1]);
    return [
      old
        ? { level: 'warn', what: 'git', detail: `${version} is too old`, fix: `Install git ${GIT.join('.')} or newer.` }
        : { level: 'ok', what: 'git', detail: version },
      await repository(context),
    ];
  },
};

async function repository({ config, facts }: Context): Promise<Finding> {
  const what = 'git repository';
  try {
    await checkRepository(config.workspace);
    const origin = facts.github.repository;
    return { level: 'ok', what, detail: `${config.workspace}${origin === undefined ? '' : `, ${origin} on GitHub`}` };
  } catch (thrown) {
    const { detail, fix } = failed(what, thrown);
    return { level: 'warn', what, detail, ...(fix === undefined ? {} : { fix }) };
  }
}

/** The programs that launch-process knows. */
export const programs: Check = {
  what: 'programs',
  async run(context) {
    const known = Object.values(context.facts.programs).filter(({ commands }) => commands.length > 0);
    const looked = await Promise.all(
      known.map(async ({ program }) => ({ program, path: await found(program, context) })),
    );
    const names = (there: boolean) =>
      looked.filter(({ path }) => (path !== undefined) === there).map(({ program }) => program);
    const [here, missing] = [names(true), names(false)];
    return [
      {
        level: here.length > 0 ? 'ok' : 'off',
        what: 'programs',
        detail: `found: ${here.join(', ') || 'none'}${missing.length > 0 ? `; not found: ${missing.join(', ')}` : ''}`,
        ...(missing.length > 0
          ? { fix: 'launch-process runs what is in a folder of PATH outside the workspace.' }
          : {}),
      },
    ];
  },
};

async function found(program: string, { config }: Context): Promise<string | undefined> {
  const workspace = await realpath(config.workspace);
  const folders = await programFolders(config.environment['PATH'] ?? '', workspace);
  return findExecutable(program, folders, workspace).then(
    ({ path }) => path,
    () => undefined,
  );
}
