import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';

import { createProcesses, type Limits } from '../../../src/adapters/processes/client.ts';
import type { ProcessesPort, ProcessReport } from '../../../src/adapters/processes/port.ts';
import { loadPrograms, readGrammar } from '../../../src/config/programs.ts';
import { classify } from '../../../src/core/classify.ts';
import { asHoldpointError, type HoldpointError } from '../../../src/core/errors.ts';
import type { Facts } from '../../../src/core/facts.ts';
import type { ProgramGrammar } from '../../../src/core/programs.ts';

export const PROGRAMS = await loadPrograms();

export const FACTS: Facts = {
  kubernetes: {
    current: 'kind-dev',
    contexts: { 'kind-dev': { cluster: 'kind', namespace: 'default' }, prod: { cluster: 'prod-eu', namespace: 'web' } },
  },
  docker: { host: 'local' },
  github: {},
  monitoring: {},
  programs: PROGRAMS,
};

/** Classifies a command line split at spaces. */
export function classified(line: string, cwd?: string) {
  const [program = '', ...args] = line.split(' ');
  return classify({ program, args, cwd }, FACTS);
}

/** What a call throws. */
export async function refusal(call: () => unknown): Promise<HoldpointError> {
  try {
    await call();
  } catch (error) {
    return asHoldpointError(error);
  }
  throw new Error('it was not refused');
}

/** Temporary folders of one test, without links in their paths. */
export function newFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'holdpoint-processes-')));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function put(folder: string, path: string, text: string, mode = 0o644): string {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  chmodSync(file, mode);
  return file;
}

/** git as a person runs it, to set a repository up. */
export function git(folder: string, ...args: string[]): string {
  const identity = ['-c', 'user.name=Ann', '-c', 'user.email=ann@example.com', '-c', 'protocol.file.allow=always'];
  const env = { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', GIT_CONFIG_NOSYSTEM: '1' };
  return execFileSync('git', [...identity, ...args], {
    cwd: folder,
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
}

/** A workspace and the processes on it; both gone when the test is over. */
export function newProcesses(
  environment: Record<string, string> = {},
  limits: Partial<Limits> = {},
): { workspace: string; processes: ProcessesPort } {
  const root = newFolder();
  const workspace = join(root, 'work');
  mkdirSync(workspace);
  const given = {
    PATH: process.env['PATH'] ?? '',
    GIT_AUTHOR_NAME: 'Ann',
    GIT_AUTHOR_EMAIL: 'ann@example.com',
    GIT_COMMITTER_NAME: 'Ann',
    GIT_COMMITTER_EMAIL: 'ann@example.com',
    ...environment,
  };
  const processes = createProcesses({ workspace, environment: given, limits: { graceMs: 300, ...limits } });
  onTestFinished(() => processes.close());
  return { workspace, processes };
}

/** A grammar of a made-up program with one command that takes anything. */
export function grammarFor(program: string, more = ''): ProgramGrammar {
  return readGrammar(
    `program: ${program}\nacts: local\nfolder: workspace\ncommands: [{ words: go, usage: go, effect: read }]\n${more}`,
    `${program}.yaml`,
  );
}

export const OWNER = 'ann/devops/tests';

/** Starts a program and reads it, waiting for its end. */
export async function launched(
  processes: ProcessesPort,
  grammar: ProgramGrammar,
  argv: readonly string[],
  cwd = '.',
  waitMs = 20_000,
): Promise<ProcessReport> {
  const { executable } = await processes.examine(grammar);
  const id = await processes.start({ grammar, executable, argv, cwd }, OWNER);
  return processes.read(id, OWNER, { waitMs, maxBytes: 100_000 });
}

/** Runs a command line through the table and the adapter, as launch-process does. */
export async function run(
  processes: ProcessesPort,
  program: string,
  args: readonly string[],
  cwd?: string,
): Promise<ProcessReport> {
  const { argv, cwd: at } = classify({ program, args, cwd }, FACTS);
  const grammar = PROGRAMS[program];
  if (!grammar) throw new Error(program);
  return launched(processes, grammar, argv, at);
}
