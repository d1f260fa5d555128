import { constants } from 'node:fs';
import { access, realpath, stat } from 'node:fs/promises';
import { delimiter, isAbsolute, join, relative } from 'node:path';

import { HoldpointError } from '../../core/errors.ts';
import type { Executable } from './port.ts';

/** Whether `path` is `folder` or lies in it; both real. */
export function isInside(folder: string, path: string): boolean {
  const rest = relative(folder, path);
  return rest === '' || (rest !== '..' && !rest.startsWith('../') && !isAbsolute(rest));
}

/** The folders of PATH in which programs are looked for: absolute, there, and by their real paths outside the workspace. */
export async function programFolders(path: string, workspace: string): Promise<string[]> {
  const folders: string[] = [];
  for (const folder of new Set(path.split(delimiter).filter(isAbsolute))) {
    const real = await realpath(folder).catch(() => undefined);
    if (real !== undefined && !isInside(workspace, real)) folders.push(real);
  }
  return folders;
}

/** The first executable file of that name; one whose real path lies in the workspace is passed over. */
export async function findExecutable(
  program: string,
  folders: readonly string[],
  workspace: string,
): Promise<Executable> {
  for (const folder of folders) {
    const path = await realpath(join(folder, program)).catch(() => undefined);
    if (path === undefined || isInside(workspace, path)) continue;
    const identity = await identityOf(path);
    if (identity !== undefined) return { path, identity };
  }
  throw new HoldpointError('unavailable', `${program} is not installed where Holdpoint runs.`, {
    hint: `The operator installs ${program} in a folder of PATH that is outside the workspace, and starts Holdpoint again.`,
  });
}

/** What tells one executable file from another; undefined where there is none. */
export async function identityOf(path: string): Promise<string | undefined> {
  const found = await stat(path, { bigint: true }).catch(() => undefined);
  if (!found?.isFile()) return undefined;
  const executable = await access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
  return executable ? `${found.dev}:${found.ino}:${found.size}:${found.mtimeNs}` : undefined;
}
