import type { ProgramGrammar } from '../../core/programs.ts';

/** The file that will run, by its real path; `identity` changes when the file does. */
export interface Executable {
  path: string;
  identity: string;
}

/** What a launch needs of this machine; what is not said it does not get, where programs run in a sandbox. */
export interface Access {
  /** It acts elsewhere than on this machine. */
  network?: boolean;
  /** It changes files of the workspace. */
  writes?: boolean;
}

export interface Examined {
  executable: Executable;
  /** For people: what it is kept to, such as `no network, workspace read-only`; `none` where it runs without a sandbox. */
  sandbox: string;
  /** Names of the environment variables that the program gets, besides a marker and, for git, configuration made for it. */
  environment: string[];
}

export interface Start extends Access {
  grammar: ProgramGrammar;
  executable: Executable;
  /** The arguments, without the program. */
  argv: readonly string[];
  /** A folder of the workspace, without links on the way; unused where the program runs in an empty folder. */
  cwd: string;
}

/** Masks the secrets of a text that comes in pieces; redaction's `stream`. */
export interface Mask {
  push(piece: string): string;
  end(): string;
  line(line: string): string;
}

export interface ReadOptions {
  /** Milliseconds to wait for the end of the process. */
  waitMs: number;
  /** Bytes of output at most, as JSON. */
  maxBytes: number;
  signal?: AbortSignal;
  /** Called with lines as they come while waiting; not all of them when there are many. */
  onLine?: (line: string) => void;
}

/** `timed_out`: ended for taking too long. `flooded`: ended for writing too much. `over_limit`: see `limit`. */
export type ProcessState = 'running' | 'exited' | 'killed' | 'timed_out' | 'flooded' | 'over_limit';

/** What a process with all it started may have too much of. */
export type Limit = 'memory' | 'processes';

export interface ProcessReport {
  id: string;
  state: ProcessState;
  /** Which limit it went over. */
  limit?: Limit;
  /** Whether it runs in a sandbox. */
  sandboxed: boolean;
  /** Absent while it runs, and where a signal ended it; where it did in a sandbox, 128 and the signal's number. */
  exitCode?: number;
  /** What it wrote (standard output and error, as they came) since the last read; whole lines while it runs. */
  output: string;
  /** Characters that the next read gives, if any. */
  unread?: number;
  /** Characters lost since the last read, because more was written than is kept. */
  dropped?: number;
}

/**
 * Programs of this machine, started without a shell, each in a session of its own with an environment built from nothing.
 * `owner` is a principalId: a process is its owner's alone, and `not_found` to everybody else.
 */
export interface ProcessesPort {
  /** Resolves the program and what it would get; runs nothing. @throws HoldpointError `unavailable`, `denied`, `not_found` */
  examine(grammar: ProgramGrammar, access?: Access): Promise<Examined>;
  /** Returns the process's id. @throws HoldpointError `stale` where the executable is another one, `conflict` at too many */
  start(start: Start, owner: string): Promise<string>;
  /** What a process is, without reading of its output. */
  about(id: string, owner: string): Promise<{ program: string; argv: string[]; running: boolean }>;
  read(id: string, owner: string, options: ReadOptions): Promise<ProcessReport>;
  /** Ends it with everything it started; does nothing to one that has ended. */
  kill(id: string, owner: string): Promise<void>;
  /** Ends all of them. */
  close(): Promise<void>;
}

export { createPreparation } from './prepare.ts';
export type { SandboxSettings } from './sandbox.ts';
export type { Preparation } from './prepare.ts';
export { processReport, reportText } from './report.ts';

declare module '../../core/tool.ts' {
  interface Ports {
    processes: ProcessesPort;
  }
}
