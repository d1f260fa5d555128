import { lstat, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { HoldpointError } from '../core/errors.ts';
import { createdOf, isExport, type HypertoolFiles } from './hypertool.ts';

const FILES = ['persona.yaml', 'mcp.json'] as const;

/** An earlier export to the same folder. */
export interface Earlier {
  created: string | undefined;
}

/**
 * Looks whether a folder may be written: it is not there, is empty of these files, or has them as an export left them.
 *
 * @throws HoldpointError `conflict` where somebody else wrote one of them, or has changed it since.
 */
export async function earlierExport(folder: string): Promise<Earlier | undefined> {
  const [yaml, mcp] = await Promise.all(FILES.map((name) => regular(join(folder, name))));
  if (yaml === undefined && mcp === undefined) return undefined;
  if (yaml !== undefined && mcp !== undefined && isExport(yaml, mcp)) return { created: createdOf(yaml) };
  throw new HoldpointError('conflict', `${folder} has files that no export wrote, or that were changed since.`, {
    hint: 'Nothing was written. Give another folder with --hypertool, or move these away.',
  });
}

/** Writes both files whole beside their places before either takes its own, so that nobody reads half of one. */
export async function writeExport(folder: string, files: HypertoolFiles): Promise<void> {
  await mkdir(folder, { recursive: true });
  const half = (name: string) => join(folder, `.${name}.${process.pid}`);
  try {
    await Promise.all(FILES.map((name) => writeFile(half(name), files[name], { flag: 'wx', mode: 0o644 })));
    await Promise.all(FILES.map((name) => rename(half(name), join(folder, name))));
  } finally {
    await Promise.all(FILES.map((name) => rm(half(name), { force: true })));
  }
}

/** A file's text; undefined where there is none. */
async function regular(file: string): Promise<string | undefined> {
  const found = await lstat(file).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return undefined;
    throw cause;
  });
  if (found === undefined) return undefined;
  if (!found.isFile())
    throw new HoldpointError('conflict', `${file} is no ordinary file.`, {
      hint: 'Nothing was written. Give another folder with --hypertool.',
    });
  return readFile(file, 'utf8');
}
