import type { IncomingMessage } from 'node:http';
import type { JSONRPCMessage } from '@modelcontextprotocol/server';

import { complaintOf } from './complaint.ts';
import { BEGINS, errorOf, MAX_MESSAGE_BYTES, readMessage } from './message.ts';

/** Bytes of bodies that are being read, of all requests together. */
const MAX_HELD = 4 * MAX_MESSAGE_BYTES;
/** Pieces that are kept one by one: a client may send a body byte by byte, and each piece costs far more than its bytes. */
const MAX_PIECES = 1024;

export type Body = { message: JSONRPCMessage } | { status: number; answer: object; retryAfter?: number };

/** Reads requests' bodies as one message each; what is none goes to the audit log through `malformed`. */
export function createBodies(malformed: (reason: string, begins: string) => void) {
  let held = 0;
  const refuse = (status: number, message: string, begins = ''): Body => {
    malformed(message, begins);
    return { status, answer: errorOf({ code: -32600, message, id: null }) };
  };
  return async (request: IncomingMessage): Promise<Body> => {
    if (!/^application\/json(?:\s*;|$)/i.test(request.headers['content-type'] ?? ''))
      return refuse(415, 'The content type must be application/json.');
    if (!/^(?:identity)?$/i.test(request.headers['content-encoding'] ?? ''))
      return refuse(415, 'The body must not be compressed.');
    const chunks: Buffer[] = [];
    let pieces: Buffer[] = [];
    let bytes = 0;
    try {
      for await (const chunk of request as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        held += chunk.length;
        if (bytes > MAX_MESSAGE_BYTES)
          return refuse(
            413,
            `The body is larger than ${MAX_MESSAGE_BYTES / 1_048_576} MiB.`,
            start([...chunks, ...pieces]),
          );
        if (held > MAX_HELD) return { ...refuse(503, 'Too many large bodies come at once.'), retryAfter: 1 };
        pieces.push(chunk);
        if (pieces.length < MAX_PIECES) continue;
        chunks.push(Buffer.concat(pieces));
        pieces = [];
      }
    } catch {
      return refuse(400, 'The body did not come to its end.', start([...chunks, ...pieces]));
    } finally {
      held -= bytes;
    }
    const read = readMessage(Buffer.concat([...chunks, ...pieces]));
    if ('empty' in read) return refuse(400, 'The body is empty.');
    if ('refusal' in read) {
      malformed(read.refusal.message, read.refusal.begins);
      return { status: 400, answer: errorOf(read.refusal) };
    }
    const complaint = complaintOf(read.message);
    if (complaint) malformed(complaint, read.text.slice(0, BEGINS));
    return { message: read.message };
  };
}

function start([first]: Buffer[]): string {
  return first?.subarray(0, BEGINS).toString() ?? '';
}
