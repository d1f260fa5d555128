import { execFile } from 'node:child_process';
import { basename } from 'node:path';
import { promisify } from 'node:util';

import { HoldpointError } from '../../core/errors.ts';
import { findExecutable } from './executable.ts';
import type { Executable } from './port.ts';
import { CALLED, foldersOf, systemFolders, walls, type View } from './sandbox-view.ts';

export interface SandboxSettings {
  /** `auto`: in a sandbox where there is one; `required`: not without; `off`: never. */
  mode: 'auto' | 'required' | 'off';
  /** Folders that no program sees: the state, the keys. */
  hidden: readonly string[];
  /** Files and folders of the workspace that no program writes: what binds the agent. */
  fixed: readonly string[];
  /** Absolute paths that a program may read besides, by its name. */
  readable: Readonly<Record<string, readonly string[]>>;
}

/** Whether programs can be run in a sandbox on this machine. */
export type Found =
  | { state: 'works'; path: string }
  | { state: 'absent' }
  | { state: 'fails'; path: string; why: string };

/** What is started in place of the program. */
export interface Command {
  file: string;
  args: string[];
  /** What it is called by, where that is not its path. */
  name?: string;
}

export interface Sandbox {
  /**
   * Looks for bubblewrap in `folders` outside the workspace and really starts it, once per file; a failure is tried again at
   * the next call. undefined where programs run without.
   *
   * @throws HoldpointError `unavailable` where a sandbox is required and there is none.
   */
  find(folders: readonly string[], workspace: string): Promise<Box | undefined>;
}

/** Puts a program into a sandbox. */
interface Box {
  command(view: View, program: string, executable: Executable, argv: readonly string[]): Promise<Command>;
}

/** In this order: without further user namespaces inside (0.8), without a user namespace where bwrap is setuid. */
const USERS = [['--unshare-user', '--disable-userns'], ['--unshare-user'], []];

/** Milliseconds for a sandbox to start and end. */
const PROBE = 5000;

/** Cheap: nothing is looked at before the first use. */
export function createSandbox({ mode }: Pick<SandboxSettings, 'mode'>): Sandbox {
  const works = new Map<string, Box>();
  return {
    async find(folders, workspace) {
      if (mode === 'off') return undefined;
      const bwrap = await findExecutable('bwrap', folders, workspace).catch(() => undefined);
      const known = bwrap && works.get(bwrap.path + bwrap.identity);
      if (known) return known;
      const probed = bwrap && (await probe(bwrap.path));
      if (bwrap && probed?.user) {
        const box = boxOf(bwrap.path, probed.user, await systemFolders());
        works.set(bwrap.path + bwrap.identity, box);
        return box;
      }
      if (mode === 'auto') return undefined;
      throw new HoldpointError(
        'unavailable',
        probed
          ? `Programs run in a sandbox alone here, and it does not start: ${probed.why}`
          : 'Programs run in a sandbox alone here, and bubblewrap is not installed.',
        {
          hint: 'The operator installs bubblewrap (holdpoint doctor says how), or sets processes.sandbox to auto.',
        },
      );
    },
  };
}

/** What `find` of a sandbox would meet, for people to read. */
export async function lookForSandbox(folders: readonly string[], workspace: string): Promise<Found> {
  const bwrap = await findExecutable('bwrap', folders, workspace).catch(() => undefined);
  if (!bwrap) return { state: 'absent' };
  const { user, why } = await probe(bwrap.path);
  return user ? { state: 'works', path: bwrap.path } : { state: 'fails', path: bwrap.path, why };
}

/** Starts a sandbox with everything that one needs; in containers and on hardened systems that may be forbidden. */
async function probe(bwrap: string): Promise<{ user?: readonly string[]; why: string }> {
  let why = '';
  const system = await systemFolders();
  for (const user of USERS) {
    const args = [...walls(user, false), ...system, '--ro-bind', bwrap, bwrap, '--', bwrap, '--version'];
    try {
      await promisify(execFile)(bwrap, args, { env: {}, cwd: '/', timeout: PROBE });
      return { user, why: '' };
    } catch (error) {
      const { stderr } = error as { stderr?: string };
      // The first try is the one that should work; the others only do without something.
      why ||= (stderr?.trim().split('\n')[0] ?? '').slice(0, 200) || 'it gives no reason';
    }
  }
  return { why };
}

function boxOf(bwrap: string, user: readonly string[], system: readonly string[]): Box {
  return {
    async command(view, program, executable, argv) {
      // Some programs are one file with several names, and go by what they are called.
      const renamed = basename(executable.path) !== program;
      const file = renamed ? `${CALLED}/${program}` : executable.path;
      const link = renamed ? ['--symlink', executable.path, file] : [];
      const args = [...walls(user, view.network), ...system, ...link, ...(await foldersOf(view))];
      return { file: bwrap, args: [...args, '--', file, ...argv] };
    },
  };
}
