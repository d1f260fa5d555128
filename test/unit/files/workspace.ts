import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';

import type { FilesPort } from '../../../src/adapters/files/port.ts';
import { createFiles, type FilesSettings, type WorkspaceFiles } from '../../../src/adapters/files/client.ts';
import { globTarget } from '../../../src/core/paths.ts';
import { asHoldpointError, type HoldpointError } from '../../../src/core/errors.ts';

/** A temporary workspace with a folder beside it that nobody may reach. */
export interface TestWorkspace {
  /** The workspace's path. */
  dir: string;
  /** `secret.txt` with the text OUTSIDE is in it. */
  outside: string;
  undoDir: string;
  files: WorkspaceFiles;
  /** A path on the disk for one in the workspace. */
  at: (path: string) => string;
}

export const OUTSIDE = 'OUTSIDE';
const KEY = new Uint8Array(32).fill(7);

/** Makes a workspace with these files; removed when the test is over. */
export function newWorkspace(
  contents: Record<string, string> = {},
  settings: Partial<FilesSettings> = {},
): TestWorkspace {
  const root = mkdtempSync(join(tmpdir(), 'holdpoint-files-'));
  const dir = join(root, 'work');
  // A sibling whose name begins like the workspace's (CVE-2025-53110).
  const outside = join(root, 'work-outside');
  mkdirSync(outside);
  writeFileSync(join(outside, 'secret.txt'), OUTSIDE);
  mkdirSync(dir);
  for (const [path, text] of Object.entries(contents)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), text);
  }
  const undoDir = join(root, 'undo');
  const files = createFiles({ workspace: dir, undoDir, undoKey: KEY, ...settings });
  onTestFinished(() => {
    files.close();
    rmSync(root, { recursive: true, force: true });
  });
  return { dir, outside, undoDir, files, at: (path) => join(dir, path) };
}

export async function textOf(files: FilesPort, path: string): Promise<string> {
  const { bytes } = await files.read(await files.look(path), { maxBytes: 1_000_000 });
  return Buffer.from(bytes).toString('utf8');
}

/** The file as it is now, good for changing it. */
export async function bound(files: FilesPort, path: string) {
  return files.expect(path, await identityOf(files, path));
}

export async function identityOf(files: FilesPort, path: string) {
  return files.identity(await files.look(path));
}

/** Writes without regard to what is there. */
export async function put(files: FilesPort, path: string, text: string) {
  return files.write(await bound(files, path), Buffer.from(text));
}

export async function remove(files: FilesPort, path: string) {
  return files.remove(await bound(files, path));
}

export async function list(files: FilesPort, path: string, options: Parameters<FilesPort['list']>[1]) {
  return files.list(await files.look(path), options);
}

/** Searches where the glob begins, as the tool does; a glob without wildcards is one file. */
export async function searchIn(files: FilesPort, { glob, ...options }: Parameters<FilesPort['search']>[1]) {
  const target = globTarget(glob ?? '**');
  const place = await files.look(target.path ?? '.');
  return files.search(place, { ...options, ...(glob !== undefined && target.kind === 'folder' && { glob }) });
}

/** What a call throws. */
export async function refusal(call: () => Promise<unknown>): Promise<HoldpointError> {
  try {
    await call();
  } catch (error) {
    return asHoldpointError(error);
  }
  throw new Error('it was not refused');
}
