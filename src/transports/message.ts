import type { JSONRPCMessage } from '@modelcontextprotocol/server';

import { scan } from './scan.ts';

/** Bytes of one message at most. */
export const MAX_MESSAGE_BYTES = 33_554_432;

/** Characters of a refused message that the log may look at. */
export const BEGINS = 4096;

/** Characters of an id, which every answer repeats. */
const MAX_ID = 256;

export type RequestId = string | number;

/** A JSON-RPC error for what is no message; `id` where it is certain whose it is. */
export interface Refusal {
  code: -32700 | -32600;
  message: string;
  id: RequestId | null;
  /** For the audit log. */
  begins: string;
}

export type Read = { message: JSONRPCMessage; text: string } | { refusal: Refusal } | { empty: true };

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Bytes as one JSON-RPC 2.0 message, the same on every transport. Everything that two readers could take differently is
 * refused: bytes that are no UTF-8, a byte order mark, a key twice, `__proto__`, a batch, an id that a number cannot hold.
 */
export function readMessage(bytes: Buffer): Read {
  const begins = bytes.subarray(0, BEGINS).toString('utf8');
  const refuse = (code: Refusal['code'], message: string, id: RequestId | null = null) => ({
    refusal: { code, message, id, begins },
  });
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    return refuse(-32700, 'Parse error: the bytes are no UTF-8.');
  }
  if (text.startsWith('\uFEFF')) return refuse(-32700, 'Parse error: there is a byte order mark; leave it out.');
  if (/^[ \t\r\n]*$/.test(text)) return { empty: true };
  const found = scan(text);
  if (found?.key === undefined && found) return refuse(-32600, `Invalid request: ${found.message}`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return refuse(-32700, 'Parse error: this is no JSON. Send one JSON-RPC 2.0 message.');
  }
  const id = idOf(value);
  if (found) return refuse(-32600, `Invalid request: ${found.message}`, found.key === 'id' ? null : id);
  const problem = problemOf(value);
  return problem === undefined ? { message: value as JSONRPCMessage, text } : refuse(-32600, problem, id);
}

/** A refusal as the JSON-RPC error that answers it. */
export function errorOf({ code, message, id }: Pick<Refusal, 'code' | 'message' | 'id'>): object {
  return { jsonrpc: '2.0', id, error: { code, message } };
}

function problemOf(value: unknown): string | undefined {
  if (Array.isArray(value))
    return 'Invalid request: batches are not part of this protocol; send the messages one by one.';
  if (typeof value !== 'object' || value === null || (value as { jsonrpc?: unknown }).jsonrpc !== '2.0')
    return 'Invalid request: this is no JSON-RPC 2.0 message.';
  const { method, id } = value as { method?: unknown; id?: unknown };
  if (id !== undefined && idOf(value) === null)
    return `Invalid request: an id is a string of at most ${MAX_ID} characters or a whole number that is exact.`;
  const answer = id !== undefined && ('result' in value || 'error' in value);
  if (typeof method !== 'string' && !answer) return 'Invalid request: there is no method.';
  return undefined;
}

/** The id of a message; null where there is none, or none that can be given back as it came. */
function idOf(value: unknown): RequestId | null {
  if (typeof value !== 'object' || value === null) return null;
  const { id } = value as { id?: unknown };
  if (typeof id === 'string') return id.length <= MAX_ID && id.isWellFormed() ? id : null;
  return typeof id === 'number' && Number.isSafeInteger(id) && !Object.is(id, -0) ? id : null;
}
