import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { JSONRPCMessage, Transport } from '@modelcontextprotocol/client';

import { plainLine } from '../../core/foreign.ts';

/** Bytes of one message. */
const LINE = 4_194_304;
/** Lines that are no message, and messages that answer nothing, in so many milliseconds. */
const NOISE = 2000;
const UNASKED = 20_000;
const SPAN = 60_000;
/** Characters of the standard error that are kept. */
const SAID = 2000;
/** Milliseconds to end by itself once nothing more comes, and then once it is told to. */
const PATIENCE = 500;
const GRACE = 2000;

export interface ChildCommand {
  file: string;
  args: readonly string[];
  cwd: string;
  env: Record<string, string>;
}

export type ChildTransport = Transport & {
  /** The end of what it wrote to standard error, on one line. */
  said(): string;
};

/**
 * A server as a child process: without a shell, in a group of its own that ends as a whole. Lines on its standard output that
 * are no messages are passed over; one too long, or too many of them, end it.
 */
export function childTransport({ file, args, cwd, env }: ChildCommand): ChildTransport {
  let child: ChildProcess | undefined;
  let closed = false;
  let errors = '';
  let noise = 0;
  let unasked = 0;
  let since = performance.now();

  const end = (): void => {
    if (closed) return;
    closed = true;
    transport.onclose?.();
  };
  /** Nothing more of it is read, and it gets no time to end. */
  const breach = (why: string): void => {
    if (closed) return;
    transport.onerror?.(new Error(why));
    if (child?.pid !== undefined) signalGroup(child.pid, 'SIGKILL');
    end();
  };
  const take = (line: string): void => {
    if (closed) return;
    if (performance.now() - since > SPAN) {
      noise = unasked = 0;
      since = performance.now();
    }
    const message = messageOf(line);
    if (message === undefined) {
      if (line.trim() !== '' && ++noise > NOISE)
        breach(`wrote more than ${NOISE} lines in a minute that are no messages`);
      return;
    }
    if ('method' in message && ++unasked > UNASKED)
      return breach(`sent more than ${UNASKED} messages of its own in a minute`);
    try {
      transport.onmessage?.(message);
    } catch (error) {
      transport.onerror?.(error instanceof Error ? error : new Error(String(error)));
    }
  };

  const transport: ChildTransport = {
    said: () => plainLine(errors),
    async start() {
      const started = spawn(file, args, { cwd, env, detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
      child = started;
      started.on('error', (error) => transport.onerror?.(error));
      started.stdin.on('error', () => {});
      started.stderr.setEncoding('utf8').on('data', (text: string) => (errors = (errors + text).slice(-SAID)));
      let parts: Buffer[] = [];
      let size = 0;
      started.stdout.on('data', (chunk: Buffer) => {
        let rest = chunk;
        for (let at = rest.indexOf(10); at >= 0; at = rest.indexOf(10)) {
          const line = Buffer.concat([...parts, rest.subarray(0, at)]);
          rest = rest.subarray(at + 1);
          parts = [];
          size = 0;
          if (line.length > LINE) return breach(`sent a message of more than ${LINE / 1_048_576} MiB`);
          take(line.toString('utf8'));
        }
        parts.push(rest);
        size += rest.length;
        if (size > LINE) {
          parts = [];
          size = 0;
          breach(`sent a message of more than ${LINE / 1_048_576} MiB`);
        }
      });
      // What it wrote last is read before its end is told.
      const drained = Promise.race([once(started.stdout, 'end'), once(started, 'exit').then(() => sleep(200))]);
      started.once('exit', () => void drained.then(end, end));
      await once(started, 'spawn');
    },
    async send(message) {
      if (closed || !child?.stdin?.writable) throw new Error('the server has ended');
      child.stdin.write(`${JSON.stringify(message)}\n`);
    },
    async close() {
      if (child) await endGroup(child);
      end();
    },
  };
  return transport;
}

function messageOf(line: string): JSONRPCMessage | undefined {
  if (!line.trimStart().startsWith('{')) return undefined;
  try {
    // A name that would reach into every object is no part of any message.
    const unsafe = /__proto__|\\u00[567][0-9a-f]/i.test(line);
    const value: unknown = unsafe
      ? JSON.parse(line, (key, inner: unknown) => (key === '__proto__' ? undefined : inner))
      : JSON.parse(line);
    const isMessage = typeof value === 'object' && value !== null && 'jsonrpc' in value && value.jsonrpc === '2.0';
    return isMessage ? (value as JSONRPCMessage) : undefined;
  } catch {
    return undefined;
  }
}

/** Asks first: standard input closed, then SIGTERM; then the whole group is killed. */
async function endGroup(child: ChildProcess): Promise<void> {
  const { pid } = child;
  if (pid === undefined) return;
  const running = () => child.exitCode === null && child.signalCode === null;
  const gone = running() ? once(child, 'exit') : Promise.resolve();
  child.stdin?.end();
  await Promise.race([gone, sleep(PATIENCE)]);
  signalGroup(pid, 'SIGTERM');
  if (running()) await Promise.race([gone, sleep(GRACE)]);
  signalGroup(pid, 'SIGKILL');
  await gone;
  child.stdout?.destroy();
  child.stderr?.destroy();
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // The group is gone.
  }
}
