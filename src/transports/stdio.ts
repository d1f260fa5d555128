import type { Readable, Writable } from 'node:stream';
import { serveStdio, type StdioServerHandle } from '@modelcontextprotocol/server/stdio';
import type { JSONRPCMessage, McpServerFactory, Transport } from '@modelcontextprotocol/server';

import { complaintOf } from './complaint.ts';

/** Characters of a refused message that the log may look at. */
const BEGINS = 4096;

/** One message at most; a longer line is answered with an error and skipped, and the connection goes on. */
const MAX_MESSAGE_BYTES = 33_554_432;

export interface StdioOptions {
  factory: McpServerFactory;
  stdin: Readable;
  stdout: Writable;
  /** Called for a line that is no message, with the reason; for the audit log. */
  malformed: (reason: string, begins: string) => void;
  onerror: (error: Error) => void;
  onclose: () => void;
}

/** Serves MCP, one JSON-RPC message a line. */
export function startStdio(options: StdioOptions): StdioServerHandle {
  return serveStdio(options.factory, { transport: lineTransport(options), onerror: options.onerror });
}

/** A transport that answers what it cannot read with a JSON-RPC error, where the SDK's own would say nothing or close. */
function lineTransport({ stdin, stdout, malformed, onclose }: StdioOptions): Transport {
  let pending: Buffer[] = [];
  let bytes = 0;
  let skipping = false;
  let closed = false;
  const refuse = (code: number, message: string, begins: string) => {
    malformed(message, begins);
    stdout.write(`${JSON.stringify({ jsonrpc: '2.0', id: null, error: { code, message } })}\n`);
  };
  const transport: Transport = {
    async start() {
      stdin.on('data', (chunk: Buffer) => take(chunk));
      stdin.on('end', () => void transport.close());
      stdin.on('error', (error) => transport.onerror?.(error));
      stdout.on('error', () => void transport.close());
    },
    async send(message) {
      if (closed) return;
      const line = `${JSON.stringify(message)}\n`;
      if (!stdout.write(line)) await new Promise<void>((resolve) => stdout.once('drain', resolve));
    },
    async close() {
      if (closed) return;
      closed = true;
      stdin.pause();
      transport.onclose?.();
      onclose();
    },
  };
  function take(chunk: Buffer): void {
    let rest = chunk;
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      const line = skipping ? undefined : Buffer.concat([...pending, rest.subarray(0, end)]);
      pending = [];
      bytes = 0;
      rest = rest.subarray(end + 1);
      skipping = false;
      if (line) receive(line);
    }
    if (skipping) return;
    pending.push(rest);
    bytes += rest.length;
    if (bytes <= MAX_MESSAGE_BYTES) return;
    const begins = Buffer.concat(pending).subarray(0, BEGINS).toString();
    pending = [];
    bytes = 0;
    skipping = true;
    refuse(-32600, `The message is larger than ${MAX_MESSAGE_BYTES / 1_048_576} MiB; it was skipped.`, begins);
  }
  function receive(line: Buffer): void {
    const text = line.toString('utf8').trim();
    if (text === '') return;
    let message: unknown;
    try {
      message = JSON.parse(text);
    } catch {
      refuse(-32700, 'Parse error: the line is no JSON. Send one JSON-RPC 2.0 message a line.', text.slice(0, BEGINS));
      return;
    }
    if (!isMessage(message)) {
      refuse(-32600, 'Invalid request: the line is no JSON-RPC 2.0 message.', text.slice(0, BEGINS));
      return;
    }
    const complaint = complaintOf(message);
    if (complaint) malformed(complaint, text.slice(0, BEGINS));
    transport.onmessage?.(message);
  }
  return transport;
}

function isMessage(value: unknown): value is JSONRPCMessage {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const { jsonrpc, method, id } = value as Record<string, unknown>;
  return (
    jsonrpc === '2.0' && (typeof method === 'string' || (id !== undefined && ('result' in value || 'error' in value)))
  );
}
