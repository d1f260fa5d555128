import { spawn } from 'node:child_process';

import { HoldpointError } from '../../core/errors.ts';

/** Milliseconds for one command, where it does not say another limit. */
const LIMIT = 20_000;
const MAX_OUTPUT = 8 * 1024 * 1024;
const MAX_ERROR = 4000;
/** Milliseconds for the last output after the end: what a command left running may hold its pipes for ever. */
const DRAIN = 1000;

export interface GitCommand {
  args: readonly string[];
  /** Standard input. */
  input?: string | Uint8Array;
  /** Variables for this command alone. */
  env?: Readonly<Record<string, string>>;
  /** Milliseconds. */
  limit?: number;
  /** Bytes of output that are kept; more ends the command, and `cut` says so. */
  maxBytes?: number;
  /** Whether it talks to a remote, with the operator's ssh and credentials: it runs outside of the sandbox. */
  reachesOut?: boolean;
}

export interface GitOutput {
  /** null where it was ended. */
  code: number | null;
  stdout: string;
  stderr: string;
  cut: boolean;
}

export interface Place {
  file: string;
  cwd: string;
  env: Readonly<Record<string, string>>;
  /** What to start in place of `file`, in a sandbox where there is one. */
  command?: (argv: readonly string[]) => Promise<{ file: string; args: string[]; name?: string }>;
}

/**
 * Runs one git command without a shell. It and its whole process group end with the call, the time limit, or too much output.
 *
 * @throws HoldpointError `timeout`, `unavailable`; how the command itself ended is in `code`.
 */
export async function runGit(place: Place, command: GitCommand, signal: AbortSignal): Promise<GitOutput> {
  const { input, env, limit = LIMIT, maxBytes = MAX_OUTPUT } = command;
  const argv = ['--no-pager', ...command.args];
  const started =
    place.command && command.reachesOut !== true
      ? await place.command(argv)
      : { file: place.file, args: argv, name: 'git' };
  signal.throwIfAborted();
  return new Promise((done, fail) => {
    const child = spawn(started.file, started.args, {
      ...(started.name === undefined ? {} : { argv0: started.name }),
      cwd: place.cwd,
      env: { ...place.env, ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
    });
    const chunks: Buffer[] = [];
    let bytes = 0;
    let stderr = '';
    let ended: 'cut' | 'time' | 'cancelled' | undefined;
    const end = (why: typeof ended) => {
      ended ??= why;
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      } catch {
        // It has ended meanwhile.
      }
    };
    const cancel = () => end('cancelled');
    const timer = setTimeout(() => end('time'), limit);
    signal.addEventListener('abort', cancel, { once: true });
    child.stdout.on('data', (chunk: Buffer) => {
      chunks.push(chunk.subarray(0, Math.max(0, maxBytes - bytes)));
      bytes += chunk.length;
      if (bytes > maxBytes) end('cut');
    });
    child.stderr.on('data', (chunk: Buffer) => (stderr = (stderr + chunk.toString('utf8')).slice(0, MAX_ERROR)));
    // A command that ends before it has read everything breaks the pipe; its exit says why.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    child.on('error', (cause) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', cancel);
      fail(new HoldpointError('unavailable', 'git could not be started.', { cause }));
    });
    child.on('exit', () => {
      setTimeout(() => {
        child.stdout.destroy();
        child.stderr.destroy();
      }, DRAIN).unref();
    });
    child.on('close', (code) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', cancel);
      const what = `git ${command.args[0]}`;
      if (ended === 'cancelled') return fail(new HoldpointError('timeout', `${what} was cancelled.`));
      if (ended === 'time')
        return fail(
          new HoldpointError('timeout', `${what} took more than ${limit / 1000} s and was ended.`, {
            hint: 'Look with status what is done by now; then ask for less, or try again.',
          }),
        );
      done({ code, stdout: Buffer.concat(chunks).toString('utf8'), stderr, cut: ended === 'cut' });
    });
  });
}
