import { accessSync, constants, mkdirSync, realpathSync, statSync } from 'node:fs';
import { delimiter, isAbsolute, join, relative } from 'node:path';

import { HoldpointError } from '../../core/errors.ts';
import type { Launch } from './servers.ts';
import type { ChildCommand } from './stdio.ts';

export interface Surroundings {
  workspace: string;
  /** The operator's PATH. */
  path: string;
  /** Where servers' own folders are made, one for each. */
  folders: string;
}

/**
 * How a server is started: its program by real path, outside the workspace; an environment built from nothing, with what the
 * operator's file names for it; a folder of its own as home and working directory.
 *
 * @throws HoldpointError `unavailable` where the program is not there; `denied` where it or its folder lies in the workspace.
 */
export function commandOf(key: string, launch: Launch & { kind: 'stdio' }, around: Surroundings): ChildCommand {
  const workspace = realOf(around.workspace) ?? around.workspace;
  const own = join(around.folders, key);
  for (const folder of ['home', 'tmp']) mkdirSync(join(own, folder), { recursive: true, mode: 0o700 });
  const folders = around.path.split(delimiter).flatMap((folder) => {
    const real = isAbsolute(folder) ? realOf(folder) : undefined;
    return real === undefined || isInside(workspace, real) ? [] : [real];
  });
  const cwd = launch.cwd === undefined ? join(own, 'home') : folderOf(key, launch.cwd, workspace);
  return {
    file: programOf(key, launch.command, folders, workspace),
    args: launch.args,
    cwd,
    env: {
      PATH: folders.join(delimiter),
      HOME: join(own, 'home'),
      TMPDIR: join(own, 'tmp'),
      LANG: 'C.UTF-8',
      TERM: 'dumb',
      NO_COLOR: '1',
      ...launch.env,
    },
  };
}

function programOf(key: string, command: string, folders: readonly string[], workspace: string): string {
  const named = isAbsolute(command);
  if (!named && command.includes('/'))
    throw new HoldpointError('denied', `The command of the upstream ${key} is a relative path.`, {
      hint: 'The operator writes a name that is found in PATH, or an absolute path.',
    });
  for (const path of named ? [command] : folders.map((folder) => join(folder, command))) {
    const real = realOf(path);
    if (real === undefined || !isProgram(real)) continue;
    // Its own name is kept: what it does may depend on it. What it leads to is what must not be the agent's.
    if (!isInside(workspace, real)) return path;
    if (named)
      throw new HoldpointError(
        'denied',
        `The command of the upstream ${key} lies in the workspace, where the agent writes.`,
        {
          hint: 'The operator installs it elsewhere.',
        },
      );
  }
  throw new HoldpointError('unavailable', `The command of the upstream ${key} is not installed where Holdpoint runs.`, {
    hint: 'The operator installs it in a folder of PATH outside the workspace, or writes its absolute path.',
  });
}

function folderOf(key: string, cwd: string, workspace: string): string {
  const real = isAbsolute(cwd) ? realOf(cwd) : undefined;
  if (real !== undefined && !isInside(workspace, real)) return real;
  throw new HoldpointError('denied', `The cwd of the upstream ${key} is in the workspace, or no folder.`, {
    hint: 'The operator names an absolute folder outside the workspace: a server takes settings and programs from where it runs. The workspace can be one of its arguments.',
  });
}

function realOf(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function isInside(folder: string, path: string): boolean {
  const rest = relative(folder, path);
  return rest === '' || (rest !== '..' && !rest.startsWith('../') && !isAbsolute(rest));
}
