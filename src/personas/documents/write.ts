import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

import { HoldpointError } from '../../core/errors.ts';

/** Beside what is written, a persona may have checklists of its own. */
const CHECKLISTS = 'checklists';

/**
 * Writes a persona's folder, whole or not at all. One that is there is replaced with `force` alone, and only where it holds
 * nothing but such files.
 *
 * @throws HoldpointError `conflict` where something is there already.
 */
export async function writeFolder(
  folder: string,
  files: Readonly<Record<string, string>>,
  { force }: { force: boolean },
): Promise<void> {
  const there = await entriesOf(folder);
  if (there !== undefined && there.length > 0) refuse(folder, there, files, force);
  await mkdir(dirname(folder), { recursive: true });
  const made = await mkdtemp(join(dirname(folder), `.${basename(folder)}-`));
  try {
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(join(made, name)), { recursive: true });
      await writeFile(join(made, name), text, { mode: 0o600 });
    }
    if (there === undefined) return await rename(made, folder).catch((error: unknown) => already(error, folder));
    for (const name of Object.keys(files)) {
      await mkdir(dirname(join(folder, name)), { recursive: true });
      await rename(join(made, name), join(folder, name));
    }
  } finally {
    await rm(made, { recursive: true, force: true });
  }
}

function refuse(
  folder: string,
  there: readonly string[],
  files: Readonly<Record<string, string>>,
  force: boolean,
): void {
  const others = there.filter((name) => name !== CHECKLISTS && !Object.hasOwn(files, name));
  if (others.length > 0)
    throw new HoldpointError('conflict', `${folder} holds other files: ${others.slice(0, 5).join(', ')}.`, {
      hint: 'Name another folder with --out.',
    });
  if (!force)
    throw new HoldpointError('conflict', `There is a persona in ${folder} already.`, {
      hint: 'Name another folder with --out, or replace it with --force.',
    });
}

/** Another process may have made the same folder of the same document meanwhile. */
async function already(error: unknown, folder: string): Promise<void> {
  if (!(await entriesOf(folder))?.includes('persona.yaml')) throw error;
}

async function entriesOf(folder: string): Promise<string[] | undefined> {
  try {
    return await readdir(folder);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new HoldpointError('invalid_input', `${folder} is no folder that can be written to.`, {
      hint: 'Name another folder with --out.',
      cause,
    });
  }
}
