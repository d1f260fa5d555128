import { HoldpointError } from '../../core/errors.ts';
import type { ProcessesPort, Start } from './port.ts';

/** What a fake program answers. */
export interface FakeRun {
  output: string;
  exitCode?: number;
  /** Runs until it is killed. */
  endless?: boolean;
}

export interface FakeProcesses {
  port: ProcessesPort;
  /** What was started, in turn. */
  started: { program: string; argv: readonly string[]; cwd: string; owner: string }[];
  /** Puts another executable in a program's place, as an update does. */
  replace(program: string): void;
}

/** Programs in memory, for tests of what stands around them: nothing is run. `answer` gives the output for a start. */
export function createFakeProcesses(answer: (start: Start) => FakeRun = () => ({ output: '' })): FakeProcesses {
  const versions = new Map<string, number>();
  const kept: { owner: string; run: FakeRun; ended: 'exited' | 'killed' | undefined; read: boolean; start: Start }[] =
    [];
  const started: FakeProcesses['started'] = [];
  const executableOf = (program: string) => ({
    path: `/usr/bin/${program}`,
    identity: `${program}-${versions.get(program) ?? 1}`,
  });
  const owned = (id: string, owner: string) => {
    const found = kept[Number(id.slice(4))];
    if (found?.owner === owner) return found;
    throw new HoldpointError('not_found', `There is no process ${id} of yours.`);
  };
  return {
    started,
    replace: (program) => void versions.set(program, (versions.get(program) ?? 1) + 1),
    port: {
      examine: async ({ program, set, environment }) => ({
        executable: executableOf(program),
        sandbox: 'none',
        environment: ['PATH', ...environment, ...Object.keys(set)].sort(),
      }),
      async start(start, owner) {
        const { grammar, executable, argv, cwd } = start;
        if (executable.identity !== executableOf(grammar.program).identity)
          throw new HoldpointError('stale', `${grammar.program} is another file than when this was planned.`);
        const run = answer(start);
        started.push({ program: grammar.program, argv, cwd, owner });
        return `prc_${kept.push({ owner, run, ended: run.endless ? undefined : 'exited', read: false, start }) - 1}`;
      },
      async about(id, owner) {
        const { start, ended } = owned(id, owner);
        return { program: start.grammar.program, argv: [...start.argv], running: ended === undefined };
      },
      async read(id, owner, { onLine }) {
        const process = owned(id, owner);
        const output = process.read ? '' : process.run.output;
        process.read = true;
        for (const line of output.split('\n').filter(Boolean)) onLine?.(line);
        const exitCode = process.ended === 'exited' && { exitCode: process.run.exitCode ?? 0 };
        return { id, state: process.ended ?? 'running', sandboxed: false, ...exitCode, output };
      },
      async kill(id, owner) {
        owned(id, owner).ended ??= 'killed';
      },
      async close() {
        for (const process of kept) process.ended ??= 'killed';
      },
    },
  };
}
