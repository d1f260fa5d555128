import type { IncomingMessage, ServerResponse } from 'node:http';
import type { z } from 'zod';

import { HoldpointError, type ErrorCode } from '../core/errors.ts';

/** Bytes of a body; the largest is a passkey's attestation. */
const MAX_BODY = 65_536;

const STATUS: Readonly<Record<ErrorCode, number>> = {
  invalid_input: 400,
  approval_required: 400,
  denied: 403,
  not_found: 404,
  stale: 409,
  conflict: 409,
  rate_limited: 429,
  upstream: 502,
  unavailable: 503,
  timeout: 504,
  internal: 500,
};

/**
 * A change's body, checked.
 *
 * @throws HoldpointError `invalid_input` for anything but JSON of this shape, of 64 KiB at most.
 */
export async function readJson<T extends z.ZodType>(request: IncomingMessage, shape: T): Promise<z.output<T>> {
  if (!/^application\/json(?:\s*;|$)/i.test(request.headers['content-type'] ?? ''))
    throw new HoldpointError('invalid_input', 'The content type must be application/json.');
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY) throw new HoldpointError('invalid_input', 'The body is larger than 64 KiB.');
    chunks.push(chunk);
  }
  let value: unknown;
  try {
    value = JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch (cause) {
    throw new HoldpointError('invalid_input', 'The body is no JSON.', { cause });
  }
  return parse(shape, value);
}

/** @throws HoldpointError `invalid_input`, naming what is wrong. */
export function parse<T extends z.ZodType>(shape: T, value: unknown): z.output<T> {
  const parsed = shape.safeParse(value);
  if (parsed.success) return parsed.data;
  const says = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`).join('; ');
  throw new HoldpointError('invalid_input', `This is not what the console sends (${says.slice(0, 500)}).`, {
    hint: 'Reload the page.',
  });
}

export function sendJson(response: ServerResponse, status: number, value: object): void {
  send(response, status, 'application/json', JSON.stringify(value));
}

export function sendError(response: ServerResponse, { code, message, hint }: HoldpointError): void {
  // What is left of a body that is not wanted is not read.
  if (!response.req.complete) response.setHeader('Connection', 'close');
  sendJson(response, STATUS[code], { code, message, ...(hint !== undefined && { hint }) });
}

export function send(response: ServerResponse, status: number, type: string, body: string | Buffer): void {
  if (response.destroyed) return;
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': String(Buffer.byteLength(body)) });
  response.end(response.req.method === 'HEAD' ? undefined : body);
}
