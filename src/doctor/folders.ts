import { constants, type Stats } from 'node:fs';
import { access, readdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

import { refuseExposed } from '../config/config.ts';
import { failed, type Check, type Finding } from './check.ts';

const OTHERS = 0o077;

/** The workspace, and the folders for state and keys, which must be private and out of the agent's reach. */
export const folders: Check = {
  what: 'folders',
  async run({ config }) {
    const { workspace, state, keys } = config;
    return [
      await checkWorkspace(workspace),
      await checkPrivate('state', state),
      await checkPrivate('keys', keys),
      ...exposed(config),
    ];
  },
};

async function checkWorkspace(workspace: string): Promise<Finding> {
  const what = 'workspace';
  const found = await stat(workspace).catch(() => undefined);
  if (!found?.isDirectory())
    return { level: 'fail', what, detail: `there is no folder ${workspace}`, fix: 'Give another with --workspace.' };
  const names = await readdir(workspace).catch(() => undefined);
  if (names === undefined)
    return { level: 'fail', what, detail: `${workspace} cannot be read`, fix: `Check its rights: ls -ld ${workspace}` };
  if (await may(workspace, constants.W_OK)) return { level: 'ok', what, detail: workspace };
  return {
    level: 'warn',
    what,
    detail: `${workspace} can be read but not written`,
    fix: 'Tools that change files will fail. Make it writable for this user if they shall work.',
  };
}

async function checkPrivate(what: 'state' | 'keys', folder: string): Promise<Finding> {
  const found = await stat(folder).catch(() => undefined);
  if (found === undefined) return checkMakeable(what, folder);
  if (!found.isDirectory())
    return { level: 'fail', what, detail: `${folder} is no folder`, fix: `Give another with --${what}.` };
  if (isForeign(found))
    return { level: 'fail', what, detail: `${folder} belongs to another user`, fix: `Give another with --${what}.` };
  if (!(await may(folder, constants.W_OK | constants.X_OK)))
    return { level: 'fail', what, detail: `${folder} cannot be written`, fix: `chmod 700 ${folder}` };
  if (process.platform !== 'win32' && (found.mode & OTHERS) !== 0)
    return {
      level: 'warn',
      what,
      detail: `${folder} is open to others (mode ${(found.mode & 0o777).toString(8)})`,
      fix: `chmod 700 ${folder}`,
    };
  return { level: 'ok', what, detail: folder };
}

async function checkMakeable(what: 'state' | 'keys', folder: string): Promise<Finding> {
  let parent = dirname(folder);
  while (parent !== dirname(parent) && !(await may(parent, constants.F_OK))) parent = dirname(parent);
  if (await may(parent, constants.W_OK | constants.X_OK))
    return { level: 'ok', what, detail: `${folder}, made at the first start` };
  return {
    level: 'fail',
    what,
    detail: `${folder} cannot be made: ${parent} is not yours to write`,
    fix: `Give another with --${what}.`,
  };
}

function exposed(config: Parameters<typeof refuseExposed>[0]): Finding[] {
  try {
    refuseExposed(config);
    return [];
  } catch (thrown) {
    return [failed('workspace', thrown)];
  }
}

function isForeign({ uid }: Stats): boolean {
  const user = process.getuid?.();
  return user !== undefined && user !== uid;
}

function may(path: string, mode: number): Promise<boolean> {
  return access(path, mode).then(
    () => true,
    () => false,
  );
}
