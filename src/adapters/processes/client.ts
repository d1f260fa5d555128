import { randomBytes } from 'node:crypto';

import { HoldpointError } from '../../core/errors.ts';
import type { Mask, ProcessesPort, Start } from './port.ts';
import { createPreparation, type PreparationSettings } from './prepare.ts';
import { runProcess, type Running } from './running.ts';
import { MARKER } from './tree.ts';
import { createWatch } from './watch.ts';

export interface Limits {
  /** Milliseconds that a process may run. */
  timeMs: number;
  /** Milliseconds between the request to end and force. */
  graceMs: number;
  /** Characters of unread output kept per process. */
  keptCharacters: number;
  /** Bytes of output after which a process is ended. */
  outputBytes: number;
  /** Bytes of memory of a process with all it started, and how many processes these may be. */
  memoryBytes: number;
  processes: number;
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
  memoryBytes: 2_147_483_648,
  processes: 256,
  runningPerOwner: 8,
  endedPerOwner: 32,
};

export interface ProcessesSettings extends PreparationSettings {
  limits?: Partial<Limits>;
  /** Default: none, as in tests. */
  mask?: () => Mask;
}

interface Kept {
  owner: string;
  program: string;
  argv: readonly string[];
  running: Running;
}

/** Programs of this machine; see ProcessesPort. Cheap: nothing is looked at or made before the first use. */
export function createProcesses({ limits: given, mask = unmasked, ...settings }: ProcessesSettings): ProcessesPort {
  const limits = { ...LIMITS, ...given };
  const watch = createWatch(limits);
  const kept = new Map<string, Kept>();
  /** Starts under way count as running, so that many at once do not pass the limit together. */
  const starting = new Map<string, number>();
  const preparation = createPreparation(settings);
  let closed = false;

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

  async function launch({ grammar, executable, argv, cwd, ...access }: Start, owner: string): Promise<string> {
    const prepared = await preparation.prepare(grammar, executable, cwd, access);
    try {
      if (closed)
        throw new HoldpointError('unavailable', 'Holdpoint is stopping.', { hint: 'Try again when it runs again.' });
      const id = `prc_${randomBytes(12).toString('hex')}`;
      const running = runProcess({
        id,
        program: grammar.program,
        command: await prepared.command(argv),
        sandboxed: prepared.sandboxed,
        cwd: prepared.cwd,
        env: { ...prepared.env, [MARKER]: id },
        limits,
        watch,
        mask,
      });
      kept.set(id, { owner, program: grammar.program, argv, running });
      return id;
    } finally {
      await prepared.close();
    }
  }

  return {
    examine: (grammar, access) => preparation.examine(grammar, access),
    async start(start, owner) {
      makeRoom(owner);
      starting.set(owner, (starting.get(owner) ?? 0) + 1);
      try {
        return await launch(start, owner);
      } finally {
        starting.set(owner, (starting.get(owner) ?? 1) - 1);
      }
    },
    async about(id, owner) {
      const { program, argv, running } = owned(id, owner);
      return { program, argv: [...argv], running: running.state() === 'running' };
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
      await preparation.close();
    },
  };
}

function unmasked(): Mask {
  return { push: (piece) => piece, end: () => '', line: (line) => line };
}
