import { HoldpointError } from '../../core/errors.ts';
import type { PlanContext } from '../../core/tool.ts';
import { refusal, unanswered } from './errors.ts';
import type { System } from './systems.ts';

const TIMEOUT = 15_000;
const MAX_BYTES = 8 * 1024 * 1024;

/** Whose call a request belongs to, when to give up, and how what comes back is masked. */
export type Call = Pick<PlanContext, 'callId' | 'signal' | 'redact' | 'traceparent'>;

export interface Endpoint {
  system: System;
  /** Without a slash at the end. */
  url: string;
  token?: string;
}

export interface Request {
  method?: 'GET' | 'POST' | 'DELETE';
  /** From the endpoint's address; names in it are encoded by the caller. */
  path: string;
  query?: [name: string, value: string][];
  /** Sent as JSON. */
  body?: unknown;
}

export interface Reply {
  status: number;
  /** The body as JSON; the text itself where it is none. */
  value: unknown;
}

/**
 * One request: 15 s, 8 MB, no redirects followed. Any status is a reply.
 *
 * @throws HoldpointError `unavailable`, `timeout`, or `upstream` for an answer that is too large.
 */
export async function send(endpoint: Endpoint, request: Request, call: Call): Promise<Reply> {
  const timer = AbortSignal.timeout(TIMEOUT);
  const search = request.query?.length ? `?${new URLSearchParams(request.query).toString()}` : '';
  try {
    const response = await fetch(endpoint.url + request.path + search, {
      method: request.method ?? 'GET',
      headers: {
        accept: 'application/json',
        'user-agent': 'holdpoint',
        'x-request-id': call.callId,
        ...(call.traceparent === undefined ? {} : { traceparent: call.traceparent }),
        ...(endpoint.token === undefined ? {} : { authorization: `Bearer ${endpoint.token}` }),
        ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
      // The token is for this address and no other.
      redirect: 'manual',
      signal: AbortSignal.any([call.signal, timer]),
    });
    return { status: response.status, value: parsed(await bounded(response, endpoint.system)) };
  } catch (cause) {
    if (cause instanceof HoldpointError) throw cause;
    if (call.signal.aborted) throw new HoldpointError('timeout', 'The call was cancelled.', { cause });
    throw unanswered(endpoint, cause, timer.aborted ? TIMEOUT : undefined);
  }
}

/** The JSON of a good answer. @throws HoldpointError as `send`, and what the status means. */
export async function ask(endpoint: Endpoint, request: Request, call: Call): Promise<unknown> {
  const { status, value } = await send(endpoint, request, call);
  if (status < 200 || status > 299) throw refusal(endpoint.system, status, value, call.redact);
  return value;
}

async function bounded(response: Response, system: System): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    // Leaving the loop cancels the stream, and with it the connection.
    if (size > MAX_BYTES)
      throw new HoldpointError('upstream', `The answer of ${system} is larger than ${MAX_BYTES / 1024 / 1024} MB.`, {
        hint: 'Ask for less: a shorter range, a larger step, sum by (…) or topk(10, …).',
      });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
