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
}

/**
 * Runs one git command without a shell. It and its whole process group end with the call, the time limit, or too much output.
 *
 * @throws HoldpointError `timeout`, `unavailable`; how the command itself ended is in `code`.
 */
export function runGit(place: Place, command: GitCommand, signal: AbortSignal): Promise<GitOutput> {
  const { args, input, env, limit = LIMIT, maxBytes = MAX_OUTPUT } = command;
  signal.throwIfAborted();
  return new Promise((done, fail) => {
    const child = spawn(place.file, ['--no-pager', ...args], {
      argv0: 'git',
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
      const what = `git ${args[0]}`;
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
