import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { StringDecoder } from 'node:string_decoder';
import { setTimeout as sleep } from 'node:timers/promises';

import { cutAtWord } from '../../core/cut.ts';
import { HoldpointError } from '../../core/errors.ts';
import type { Limits } from './client.ts';
import { createOutput, plain } from './output.ts';
import type { Limit, Mask, ProcessReport, ProcessState, ReadOptions } from './port.ts';
import type { Command } from './sandbox.ts';
import { endTree } from './tree.ts';
import type { Watch } from './watch.ts';

export interface Run {
  id: string;
  /** What people call it. */
  program: string;
  command: Command;
  sandboxed: boolean;
  cwd: string;
  env: Record<string, string>;
  limits: Limits;
  watch: Watch;
  /** A mask for one text that comes in pieces; made anew for each use. */
  mask: () => Mask;
}

/** One process that was started, running or not. */
export interface Running {
  state(): ProcessState;
  read(options: ReadOptions): Promise<ProcessReport>;
  /** Ends it with all it started; resolves when they are gone. */
  end(why: ProcessState): Promise<void>;
}

/** Lines passed on as progress per read, and the length of one. */
const LINES = 40;
const LINE = 200;
/** Characters before a read that its first lines are masked with. */
const RECENT = 8192;
/** Milliseconds for the last output to arrive after the end. */
const DRAIN = 200;

/** Starts it, without a shell, in a session of its own, with nothing to read. @throws HoldpointError `unavailable` */
export function runProcess({ id, program, command, sandboxed, cwd, env, limits, watch, mask }: Run): Running {
  const output = createOutput(limits.keptCharacters);
  const listeners = new Set<(text: string) => void>();
  /** What is read goes through one mask from the first read to the last: a secret may go over two of them. */
  const masked = mask();
  let recent = '';
  let why: ProcessState = 'exited';
  let limit: Limit | undefined;
  let over = false;
  let failed: Error | undefined;
  let bytes = 0;

  const child: ChildProcess = spawn(command.file, command.args, {
    argv0: command.name ?? command.file,
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const leader = child.pid;
  child.on('error', (error) => {
    failed = error;
  });
  for (const stream of [child.stdout, child.stderr]) {
    const decoder = new StringDecoder('utf8');
    const add = (text: string) => {
      output.add(text);
      for (const listener of listeners) listener(text);
      recent = (recent + text).slice(-RECENT);
    };
    stream?.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      add(decoder.write(chunk));
      if (bytes > limits.outputBytes) void end('flooded');
    });
    stream?.on('end', () => add(decoder.end()));
  }

  let ending: Promise<void> | undefined;
  function end(reason: ProcessState): Promise<void> {
    if (over || leader === undefined) return finished;
    ending ??= (async () => {
      why = reason;
      // What grows too fast is not waited for.
      await endTree({ leader, id, sandboxed }, reason === 'over_limit' ? 0 : limits.graceMs);
    })();
    return ending.then(() => finished);
  }

  const unwatch =
    leader === undefined
      ? () => {}
      : watch.add({ leader, id, sandboxed }, (which) => {
          limit ??= which;
          void end('over_limit');
        });

  const timer = setTimeout(() => void end('timed_out'), limits.timeMs);
  timer.unref();
  const finished = (async () => {
    if (leader === undefined) await once(child, 'error').catch(() => {});
    else if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    clearTimeout(timer);
    unwatch();
    if (leader !== undefined) {
      const closed = closing(child);
      await Promise.race([closed, sleep(DRAIN)]);
      // Whatever it left behind goes too, and lets go of the pipes.
      await endTree({ leader, id, sandboxed }, 0);
      await Promise.race([closed, sleep(DRAIN)]);
      child.stdout?.destroy();
      child.stderr?.destroy();
    }
    over = true;
  })();

  return {
    state: () => (over ? why : 'running'),
    end,
    async read({ waitMs, maxBytes, signal, onLine }) {
      const report = onLine && lineReporter(onLine, mask(), recent);
      if (report) listeners.add(report);
      await Promise.race([finished, pause(waitMs, signal)]);
      if (report) listeners.delete(report);
      if (failed && leader === undefined)
        throw new HoldpointError('unavailable', `${program} could not be started.`, {
          hint: 'The operator checks that it is installed and executable for Holdpoint’s user.',
          cause: failed,
        });
      const { output: text, unread, dropped } = output.take(maxBytes, over);
      return {
        id,
        state: over ? why : 'running',
        ...(over && why === 'over_limit' && limit && { limit }),
        sandboxed,
        ...(over && child.exitCode !== null && { exitCode: child.exitCode }),
        output: masked.push(text) + (over && unread === 0 ? masked.end() : ''),
        ...(unread > 0 && { unread }),
        ...(dropped > 0 && { dropped }),
      };
    },
  };
}

async function closing(child: ChildProcess): Promise<void> {
  const streams = [child.stdout, child.stderr].filter((stream) => stream !== null);
  await Promise.all(streams.map(async (stream) => stream.closed || (await once(stream, 'close'))));
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await sleep(ms, undefined, { ref: false, ...(signal && { signal }) }).catch(() => {});
}

function lineReporter(onLine: (line: string) => void, mask: Mask, recent: string): (text: string) => void {
  const begun = recent.lastIndexOf('\n') + 1;
  mask.push(recent.slice(0, begun));
  let rest = recent.slice(begun);
  let told = 0;
  return (text) => {
    if (told >= LINES) return;
    const lines = (rest + text).split('\n');
    rest = (lines.pop() ?? '').slice(-4096);
    for (const line of lines.slice(0, LINES - told)) {
      told++;
      onLine(cutAtWord(mask.line(plain(line)), LINE));
    }
  };
}
