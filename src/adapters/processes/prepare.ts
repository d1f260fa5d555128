import { constants } from 'node:fs';
import { mkdir, mkdtemp, open, realpath, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { HoldpointError } from '../../core/errors.ts';
import type { ProgramGrammar } from '../../core/programs.ts';
import { environmentOf, type Places } from './environment.ts';
import { findExecutable, identityOf, isInside, programFolders } from './executable.ts';
import { checkRepository, overrides, sharedRepository } from './git.ts';
import type { Access, Examined, Executable } from './port.ts';
import { createSandbox, type Command, type SandboxSettings } from './sandbox.ts';
import { visibleTo } from './visible.ts';

export interface PreparationSettings {
  /** The workspace's folder. */
  workspace: string;
  /** The operator's environment: PATH and TMPDIR are used, and programs get what their grammar names. */
  environment: Readonly<Record<string, string>>;
  /** Without it programs see what Holdpoint's user sees. */
  sandbox?: SandboxSettings;
}

/** What a program is started with. `cwd` is held open until `close`. */
interface Prepared {
  env: Record<string, string>;
  cwd: string;
  sandboxed: boolean;
  /** What to start for these arguments, in `cwd` with `env`. */
  command(argv: readonly string[]): Promise<Command>;
  close(): Promise<void>;
}

/** What every start of a program of this machine goes through, whoever starts it. */
export interface Preparation {
  /** Resolves the program and what it would get; runs nothing. @throws HoldpointError `unavailable`, `denied`, `not_found` */
  examine(grammar: ProgramGrammar, access?: Access): Promise<Examined>;
  /**
   * An environment from nothing and a folder held open; for git, its repository's configuration overruled.
   *
   * @throws HoldpointError `stale` where the executable is another one, `denied` for a folder or repository that is not its own
   */
  prepare(grammar: ProgramGrammar, executable: Executable, cwd: string, access?: Access): Promise<Prepared>;
  /** Removes the private folders. */
  close(): Promise<void>;
}

/** Cheap: nothing is looked at or made before the first use. */
export function createPreparation({ workspace, environment, sandbox }: PreparationSettings): Preparation {
  const { hidden = [], fixed = [], readable = {} } = sandbox ?? {};
  const sandboxes = createSandbox(sandbox ?? { mode: 'off' });
  let folder: Promise<string> | undefined;

  async function placesFor(program: string): Promise<Places> {
    const real = await realpath(workspace);
    folder ??= privateFolder(environment['TMPDIR'] ?? '/tmp', real);
    const own = join(await folder, program);
    for (const name of ['home', 'tmp', 'empty']) await mkdir(join(own, name), { recursive: true, mode: 0o700 });
    return { workspace: real, private: own, programFolders: await programFolders(environment['PATH'] ?? '', real) };
  }

  return {
    async examine(grammar, access = {}) {
      const places = await placesFor(grammar.program);
      const executable = await findExecutable(grammar.program, places.programFolders, places.workspace);
      const names = Object.keys(await environmentOf(grammar, environment, places));
      if (grammar.gitConfig) await checkRepository(places.workspace);
      const box = await sandboxes.find(places.programFolders, places.workspace);
      if (access.sees && !box) throw unwalled(grammar.program);
      return { executable, sandbox: box ? keptTo(access) : 'none', environment: names.sort() };
    },
    async prepare(grammar, executable, cwd, access = {}) {
      const { network = false, writes = false, sees } = access;
      const places = await placesFor(grammar.program);
      if ((await identityOf(executable.path)) !== executable.identity) throw moved(grammar.program, executable.path);
      const env = await environmentOf(grammar, environment, places);
      const inside = grammar.folder === 'workspace' ? join(places.workspace, cwd) : join(places.private, 'empty');
      const at = await openFolder(inside);
      try {
        if (grammar.gitConfig) await checkRepository(places.workspace);
        const box = await sandboxes.find(places.programFolders, places.workspace);
        if (sees && !box) throw unwalled(grammar.program);
        const view = {
          workspace: places.workspace,
          sees: sees?.map((path) => join(places.workspace, path)),
          private: places.private,
          cwd: inside,
          network,
          writes,
          readable: [...(await visibleTo(grammar, executable, env, network)), ...(readable[grammar.program] ?? [])],
          shared: grammar.gitConfig ? await sharedRepository(places.workspace) : [],
          hidden,
          // Only git writes what git runs later.
          fixed: [...fixed, ...(grammar.gitConfig ? [] : [join(places.workspace, '.git')])],
        };
        const command = async (argv: readonly string[]) =>
          box
            ? box.command(view, grammar.program, executable, argv)
            : { file: executable.path, args: [...argv], name: grammar.program };
        if (grammar.gitConfig) Object.assign(env, await overrides(grammar.gitConfig, command, env, at.path));
        return { env, cwd: at.path, sandboxed: box !== undefined, command, close: () => at.close() };
      } catch (error) {
        await at.close();
        throw error;
      }
    },
    async close() {
      if (folder) await rm(await folder, { recursive: true, force: true });
    },
  };
}

function keptTo({ network, writes, sees }: Access): string {
  const workspace = sees
    ? `of the workspace only ${sees.join(', ')}`
    : `workspace ${writes ? 'writable' : 'read-only'}`;
  return `${network ? 'network' : 'no network'}, ${workspace}`;
}

function unwalled(program: string): HoldpointError {
  return new HoldpointError('unavailable', `${program} runs what lies around it, and is run in a sandbox alone.`, {
    hint: 'The operator installs bubblewrap, and leaves processes.sandbox on; holdpoint doctor says how.',
  });
}

async function privateFolder(temporary: string, workspace: string): Promise<string> {
  const made = await realpath(await mkdtemp(join(temporary, 'holdpoint-run-')));
  if (!isInside(workspace, made)) return made;
  await rm(made, { recursive: true });
  throw new HoldpointError('unavailable', 'The folder for temporary files lies inside the workspace.', {
    hint: 'The operator sets TMPDIR to a folder outside the workspace.',
  });
}

/** A folder held open, and the path to run in: on Linux through the descriptor, so that no link can take its place. */
async function openFolder(path: string): Promise<{ path: string; close(): Promise<void> }> {
  const refused = (cause?: unknown) =>
    new HoldpointError('denied', 'The folder to run in is not there, or is reached through a link.', {
      rule: 'paths',
      hint: 'Give as cwd a folder of the workspace itself.',
      cause,
    });
  const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = constants;
  const handle = await open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW).catch((cause: unknown) => {
    throw refused(cause);
  });
  const through = process.platform === 'linux' ? `/proc/self/fd/${handle.fd}` : path;
  if ((await realpath(through)) === path) return { path: through, close: () => handle.close() };
  await handle.close();
  throw refused();
}

function moved(program: string, path: string): HoldpointError {
  return new HoldpointError('stale', `${program} is another file than when this was planned.`, {
    hint: 'Ask again: it is planned with the program that is there now.',
    changes: [{ what: `the program ${path}`, was: 'as planned', is: 'changed' }],
  });
}
