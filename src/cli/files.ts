import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';

import { createFiles } from '../adapters/files/client.ts';
import { findKept } from '../adapters/files/restore.ts';
import { createUndoStore, type UndoRecord } from '../adapters/files/undo.ts';
import { openSealKey } from '../approvals/seal.ts';
import type { Config, Flags } from '../config/config.ts';
import { HoldpointError } from '../core/errors.ts';
import { act, jsonOption, print, sharedOptions } from './command.ts';

interface FilesFlags extends Flags {
  json?: boolean;
  force?: boolean;
}

export function register(program: Command): void {
  const files = program.command('files').description('what agents changed and removed, and bringing it back');
  const withWorkspace = (command: Command) =>
    jsonOption(sharedOptions(command)).option('--workspace <dir>', 'only of this workspace (all)');
  withWorkspace(files.command('list'))
    .description('list what can be restored, newest first')
    .argument('[path]', 'only of this file')
    .action((path: string | undefined, flags: FilesFlags) => act(flags, (config) => list(path, config, flags)));
  withWorkspace(files.command('restore'))
    .description('undo a change: bring back the earlier content, or take away a file that the change made')
    .argument('<undo|path>', 'an undo id, or a path for its newest change')
    .option('--force', 'also over newer content; that is kept as well')
    .action((which: string, flags: FilesFlags) => act(flags, (config) => restore(which, config, flags)));
}

function list(path: string | undefined, config: Config, flags: FilesFlags): void {
  const workspace = workspaceOf(flags);
  const kept = undoStore(config)
    .list()
    .filter(
      (record) =>
        (workspace === undefined || record.workspace === workspace) && (path === undefined || record.path === path),
    );
  print(kept, () => [...kept.map(lineOf), whatIsKept(kept, config)].join('\n'), flags.json);
}

function lineOf({ id, at, did, path, size, workspace }: UndoRecord): string {
  return `${id}  ${at.slice(0, 19)}Z  ${did.padEnd(8)}  ${String(size).padStart(8)}  ${join(workspace, path)}`;
}

function whatIsKept(kept: readonly UndoRecord[], { undo }: Config): string {
  const bytes = kept.reduce((sum, { size }) => sum + size, 0);
  const days = Math.round(undo.keepFor / 86_400_000);
  return [
    kept.length === 0 ? 'Nothing is kept.' : `${kept.length} changes kept, ${bytes} bytes.`,
    `At most ${undo.copies} changes, ${undo.megabytes} MiB and ${days} days are kept in all; the oldest go first.`,
  ].join(' ');
}

async function restore(which: string, config: Config, flags: FilesFlags): Promise<void> {
  const kept = findKept(undoStore(config), which, workspaceOf(flags));
  const files = createFiles({
    workspace: kept.workspace,
    undoDir: join(config.state, 'undo'),
    undoKey: openSealKey(config.keys),
    undoLimits: config.undo,
  });
  try {
    const done = await files.restore(kept.id, { force: flags.force ?? false });
    const state = done.size === undefined ? 'is gone again' : `is back (${done.size} bytes)`;
    const text = done.undo
      ? `${done.path} ${state}. To undo this: holdpoint files restore ${done.undo}`
      : `${done.path} is as it was already.`;
    print({ workspace: kept.workspace, ...done }, text, flags.json);
  } finally {
    files.close();
  }
}

function undoStore(config: Config) {
  return createUndoStore({ dir: join(config.state, 'undo'), key: undefined });
}

/** The workspace as records name it; undefined for all. */
function workspaceOf({ workspace }: FilesFlags): string | undefined {
  if (workspace === undefined) return undefined;
  try {
    return realpathSync.native(workspace);
  } catch (cause) {
    throw new HoldpointError('invalid_input', `There is no folder ${workspace}.`, {
      hint: 'Give the workspace with --workspace, or leave it out.',
      cause,
    });
  }
}
