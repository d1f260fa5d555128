import type { Readable, Writable } from 'node:stream';
import { serveStdio, type StdioServerHandle } from '@modelcontextprotocol/server/stdio';
import type { JSONRPCMessage, McpServerFactory, Transport } from '@modelcontextprotocol/server';

import { complaintOf } from './complaint.ts';
import { createLines } from './lines.ts';
import { BEGINS, errorOf, MAX_MESSAGE_BYTES, readMessage, type Refusal, type RequestId } from './message.ts';

/** Milliseconds that running calls get for their answers after the input has ended. */
const LAST_ANSWERS = 10_000;
/** Bytes of answers that nobody reads, beyond which nothing more is taken in. */
const MAX_UNREAD = 16_777_216;

export interface StdioOptions {
  factory: McpServerFactory;
  stdin: Readable;
  stdout: Writable;
  /** Called for a line that is no message, with the reason; for the audit log. */
  malformed: (reason: string, begins: string) => void;
  onerror: (error: Error) => void;
  onclose: () => void;
  /** Milliseconds; 10 s where absent. */
  lastAnswers?: number;
}

/** Serves MCP, one JSON-RPC message a line. */
export function startStdio(options: StdioOptions): StdioServerHandle {
  return serveStdio(options.factory, { transport: lineTransport(options), onerror: options.onerror });
}

/** A transport that answers what it cannot read with a JSON-RPC error, where the SDK's own would say nothing or close. */
function lineTransport({ stdin, stdout, malformed, onclose, lastAnswers = LAST_ANSWERS }: StdioOptions): Transport {
  /** Requests that have no answer yet. */
  const owed = new Set<RequestId>();
  let ended = false;
  let closed = false;
  const refuse = ({ code, message, id, begins }: Refusal) => {
    malformed(message, begins);
    write(errorOf({ code, message, id }));
  };
  const write = (message: object): boolean => {
    const written = stdout.write(`${JSON.stringify(message)}\n`);
    if (stdout.writableLength > MAX_UNREAD && !stdin.isPaused()) {
      stdin.pause();
      stdout.once('drain', () => {
        if (!closed) stdin.resume();
      });
    }
    return written;
  };
  const answered = (id: RequestId) => {
    owed.delete(id);
    if (ended && owed.size === 0) void transport.close();
  };
  const transport: Transport = {
    async start() {
      const lines = createLines(MAX_MESSAGE_BYTES, receive, (begins) =>
        refuse({
          code: -32600,
          message: `The message is larger than ${MAX_MESSAGE_BYTES / 1_048_576} MiB; it was skipped.`,
          id: null,
          begins: begins.subarray(0, BEGINS).toString(),
        }),
      );
      stdin.on('data', (chunk: Buffer) => lines.take(chunk));
      stdin.on('end', () => {
        lines.end();
        ended = true;
        // Whoever closes its end may still read: what it has asked for is answered first.
        if (owed.size === 0) void transport.close();
        else setTimeout(() => void transport.close(), lastAnswers).unref();
      });
      stdin.on('error', (error) => transport.onerror?.(error));
      stdout.on('error', () => void transport.close());
    },
    async send(message) {
      if (closed) return;
      const written = write(message);
      if (!('method' in message) && message.id !== undefined) answered(message.id);
      if (!written) await new Promise<void>((resolve) => stdout.once('drain', resolve));
    },
    async close() {
      if (closed) return;
      closed = true;
      stdin.pause();
      transport.onclose?.();
      onclose();
    },
  };
  function receive(line: Buffer): void {
    const read = readMessage(line);
    if ('empty' in read) return;
    if ('refusal' in read) {
      refuse(read.refusal);
      return;
    }
    const { message, text } = read;
    if ('method' in message && 'id' in message && owed.has(message.id)) {
      // Two answers under one id could be taken for each other.
      const says = 'Invalid request: a request with this id is still being answered; use another id.';
      refuse({ code: -32600, message: says, id: null, begins: text.slice(0, BEGINS) });
      return;
    }
    const complaint = complaintOf(message);
    if (complaint) malformed(complaint, text.slice(0, BEGINS));
    note(message);
    transport.onmessage?.(message);
  }
  function note(message: JSONRPCMessage): void {
    if (!('method' in message)) return;
    if ('id' in message) owed.add(message.id);
    // A request that is taken back gets no answer.
    const cancelled = message.method === 'notifications/cancelled' ? message.params?.['requestId'] : undefined;
    if (typeof cancelled === 'string' || typeof cancelled === 'number') answered(cancelled);
  }
  return transport;
}
