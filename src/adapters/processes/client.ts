import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { mkdir, mkdtemp, open, realpath, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { HoldpointError } from '../../core/errors.ts';
import { environmentOf, type Places } from './environment.ts';
import { findExecutable, identityOf, isInside, programFolders } from './executable.ts';
import { checkRepository, overrides } from './git.ts';
import type { ProcessesPort, Start } from './port.ts';
import { runProcess, type Running } from './running.ts';
import { MARKER } from './tree.ts';

export interface Limits {
  /** Milliseconds that a process may run. */
  timeMs: number;
  /** Milliseconds between the request to end and force. */
  graceMs: number;
  /** Characters of unread output kept per process. */
  keptCharacters: number;
  /** Bytes of output after which a process is ended. */
  outputBytes: number;
  /** Processes of one principal that run at the same time. */
  runningPerOwner: number;
  /** Ended processes kept to be read, of one principal. */
  endedPerOwner: number;
}

const LIMITS: Limits = {
  timeMs: 600_000,
  graceMs: 3000,
  keptCharacters: 262_144,
  outputBytes: 67_108_864,
  runningPerOwner: 8,
  endedPerOwner: 32,
};

export interface ProcessesSettings {
  /** The workspace's folder. */
  workspace: string;
  /** The operator's environment: PATH and TMPDIR are used, and programs get what their grammar names. */
  environment: Readonly<Record<string, string>>;
  limits?: Partial<Limits>;
}

interface Kept {
  owner: string;
  running: Running;
}

/** Programs of this machine; see ProcessesPort. Cheap: nothing is looked at or made before the first use. */
export function createProcesses({ workspace, environment, limits: given }: ProcessesSettings): ProcessesPort {
  const limits = { ...LIMITS, ...given };
  const kept = new Map<string, Kept>();
  /** Starts under way count as running, so that many at once do not pass the limit together. */
  const starting = new Map<string, number>();
  let folder: Promise<string> | undefined;
  let closed = false;

  async function placesFor(program: string): Promise<Places> {
    const real = await realpath(workspace);
    folder ??= privateFolder(environment['TMPDIR'] ?? '/tmp', real);
    const own = join(await folder, program);
    for (const name of ['home', 'tmp', 'empty']) await mkdir(join(own, name), { recursive: true, mode: 0o700 });
    return { workspace: real, private: own, programFolders: await programFolders(environment['PATH'] ?? '', real) };
  }

  function owned(id: string, owner: string): Kept {
    const found = kept.get(id);
    if (found?.owner === owner) return found;
    throw new HoldpointError('not_found', `There is no process ${JSON.stringify(id.slice(0, 60))} of yours.`, {
      hint: 'Use the id that launch-process gave. Processes end with the server; old ones are forgotten.',
    });
  }

  function makeRoom(owner: string): void {
    const own = [...kept].filter(([, each]) => each.owner === owner);
    const running = own.filter(([, { running }]) => running.state() === 'running');
    if (running.length + (starting.get(owner) ?? 0) >= limits.runningPerOwner)
      throw new HoldpointError('conflict', `${running.length} of your processes are running already.`, {
        hint: `End one with read-process and kill: ${running.map(([id]) => id).join(', ')}.`,
      });
    const ended = own.filter((each) => !running.includes(each));
    for (const [id] of ended.slice(0, Math.max(0, ended.length - limits.endedPerOwner + 1))) kept.delete(id);
  }

  async function launch({ grammar, executable, argv, cwd }: Start, owner: string): Promise<string> {
    const places = await placesFor(grammar.program);
    if ((await identityOf(executable.path)) !== executable.identity) throw moved(grammar.program, executable.path);
    const env = await environmentOf(grammar, environment, places);
    const inside = grammar.folder === 'workspace';
    const at = await openFolder(inside ? join(places.workspace, cwd) : join(places.private, 'empty'));
    try {
      if (grammar.gitConfig) {
        await checkRepository(places.workspace);
        Object.assign(env, await overrides(grammar.gitConfig, executable, env, at.path));
      }
      if (closed)
        throw new HoldpointError('unavailable', 'Holdpoint is stopping.', { hint: 'Try again when it runs again.' });
      const id = `prc_${randomBytes(12).toString('hex')}`;
      const running = runProcess({
        id,
        file: executable.path,
        name: grammar.program,
        argv,
        cwd: at.path,
        env: { ...env, [MARKER]: id },
        limits,
      });
      kept.set(id, { owner, running });
      return id;
    } finally {
      await at.close();
    }
  }

  return {
    async examine(grammar) {
      const places = await placesFor(grammar.program);
      const executable = await findExecutable(grammar.program, places.programFolders, places.workspace);
      const names = Object.keys(await environmentOf(grammar, environment, places));
      if (grammar.gitConfig) await checkRepository(places.workspace);
      return { executable, environment: names.sort() };
    },
    async start(start, owner) {
      makeRoom(owner);
      starting.set(owner, (starting.get(owner) ?? 0) + 1);
      try {
        return await launch(start, owner);
      } finally {
        starting.set(owner, (starting.get(owner) ?? 1) - 1);
      }
    },
    async read(id, owner, options) {
      return owned(id, owner).running.read(options);
    },
    async kill(id, owner) {
      await owned(id, owner).running.end('killed');
    },
    async close() {
      closed = true;
      await Promise.all([...kept.values()].map(({ running }) => running.end('killed')));
      if (folder) await rm(await folder, { recursive: true, force: true });
    },
  };
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
