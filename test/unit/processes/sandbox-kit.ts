import { mkdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { onTestFinished } from 'vitest';

import { createProcesses, type Limits } from '../../../src/adapters/processes/client.ts';
import { programFolders } from '../../../src/adapters/processes/executable.ts';
import type { Access, ProcessesPort, ProcessReport } from '../../../src/adapters/processes/port.ts';
import { lookForSandbox, type SandboxSettings } from '../../../src/adapters/processes/sandbox.ts';
import type { ProgramGrammar } from '../../../src/core/programs.ts';
import { newFolder, OWNER, put } from './kit.ts';

export const PATH = '/usr/local/bin:/usr/bin:/bin';

/** Whether this machine can start a sandbox; tests that need one are skipped by name where it cannot. */
export const WORKS = (await lookForSandbox(await programFolders(PATH, '/nowhere'), '/nowhere')).state === 'works';

export interface Place {
  root: string;
  workspace: string;
  /** Never visible inside. */
  state: string;
  processes: ProcessesPort;
  /** A program of that name, a shell script. */
  program: (name: string, script: string) => string;
}

export interface PlaceSettings {
  sandbox?: Partial<SandboxSettings>;
  environment?: Record<string, string>;
  limits?: Partial<Limits>;
}

/** A workspace beside a state directory, and the processes on it, in a sandbox unless said otherwise. */
export function newPlace({ sandbox, environment, limits }: PlaceSettings = {}): Place {
  const root = newFolder();
  const [workspace, state, bin] = ['work', 'state', 'bin'].map((name) => join(root, name)) as [string, string, string];
  mkdirSync(workspace);
  put(state, 'holdpoint.db', 'planted-state');
  put(workspace, 'a.txt', 'one\n');
  const processes = createProcesses({
    workspace,
    environment: { PATH: [bin, PATH].join(delimiter), ...environment },
    sandbox: { mode: 'required', hidden: [state], fixed: [], readable: {}, ...sandbox },
    limits: { graceMs: 300, ...limits },
  });
  onTestFinished(() => processes.close());
  const program = (name: string, script: string) => put(bin, name, `#!/bin/sh\n${script}\n`, 0o755);
  return { root, workspace, state, processes, program };
}

/** Starts a program with what its rule says it needs, and waits for its end. */
export async function launchedWith(
  processes: ProcessesPort,
  grammar: ProgramGrammar,
  argv: readonly string[] = [],
  access: Access = {},
): Promise<ProcessReport> {
  const { executable } = await processes.examine(grammar, access);
  const id = await processes.start({ grammar, executable, argv, cwd: '.', ...access }, OWNER);
  return processes.read(id, OWNER, { waitMs: 20_000, maxBytes: 100_000 });
}
