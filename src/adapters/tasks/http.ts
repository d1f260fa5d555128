import { setTimeout as sleep } from 'node:timers/promises';
import type { z } from 'zod';

import { HoldpointError } from '../../core/errors.ts';
import { quoted } from '../../core/foreign.ts';
import type { Call } from './port.ts';
import { problem } from './shapes.ts';

export interface Queue {
  /** Without a slash at its end. */
  url: string;
  key: string;
  /** Milliseconds for one try. */
  limit: number;
}

export interface TaskRequest {
  method: 'GET' | 'POST';
  /** From the queue's address; names in it are encoded. */
  path: string;
  query?: Record<string, string | undefined>;
  body?: object;
  etag?: string | undefined;
}

export interface Reply {
  value: unknown;
  etag: string | undefined;
}

const MAX_BYTES = 1_048_576;
const TRIES = 3;
const FIRST_WAIT = 200;
/** Milliseconds that a queue may ask us to wait before the next try. */
const MAX_WAIT = 2000;
const AGAIN: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/**
 * One request to the queue: the key goes to this origin and no other, as no redirect is followed. Reads are tried again, changes
 * never are.
 *
 * @throws HoldpointError as TasksPort says.
 */
export async function ask(queue: Queue, request: TaskRequest, call: Call): Promise<Reply> {
  const tries = request.method === 'GET' ? TRIES : 1;
  for (let tried = 1; ; tried++) {
    // One after the other is the point.
    // oxlint-disable-next-line no-await-in-loop
    const outcome = await attempt(queue, request, call);
    if (!('error' in outcome)) return outcome;
    const wait = outcome.again ?? FIRST_WAIT * 2 ** (tried - 1);
    if (outcome.again === undefined || tried >= tries || wait > MAX_WAIT) throw outcome.error;
    // oxlint-disable-next-line no-await-in-loop
    await sleep(Math.max(wait, FIRST_WAIT * 2 ** (tried - 1)), undefined, { signal: call.signal }).catch(() => {
      throw new HoldpointError('timeout', 'The call was cancelled.');
    });
  }
}

/** `again`: milliseconds after which another try may help; absent where it would not. */
type Outcome = Reply | { error: HoldpointError; again?: number };

async function attempt(
  queue: Queue,
  { method, path, query = {}, body, etag }: TaskRequest,
  call: Call,
): Promise<Outcome> {
  const timer = AbortSignal.timeout(queue.limit);
  const given = Object.entries(query).filter((pair): pair is [string, string] => pair[1] !== undefined);
  const search = given.length > 0 ? `?${new URLSearchParams(given).toString()}` : '';
  const maybe =
    method === 'POST' ? ' It may have been done all the same: look with the action show before repeating it.' : '';
  try {
    const response = await fetch(queue.url + path + search, {
      method,
      headers: {
        accept: 'application/json',
        'user-agent': 'holdpoint',
        authorization: `Bearer ${queue.key}`,
        'x-request-id': call.callId,
        ...(call.traceparent === undefined ? {} : { traceparent: call.traceparent }),
        ...(etag === undefined ? {} : { 'if-match': etag }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      redirect: 'manual',
      signal: AbortSignal.any([call.signal, timer]),
    });
    const value = await bounded(response);
    if (response.ok) return { value, etag: response.headers.get('etag') ?? undefined };
    const after = Number(response.headers.get('retry-after') ?? '0') * 1000;
    return {
      error: refusal(response.status, value, call),
      ...(AGAIN.has(response.status) ? { again: Number.isFinite(after) ? after : 0 } : {}),
    };
  } catch (cause) {
    if (cause instanceof HoldpointError) throw cause;
    if (call.signal.aborted) throw new HoldpointError('timeout', `The call was cancelled.${maybe}`, { cause });
    const host = new URL(queue.url).host;
    const error = timer.aborted
      ? new HoldpointError('timeout', `The task queue did not answer within ${queue.limit / 1000} s.${maybe}`, {
          hint: 'Try again later; the operator checks that the queue is up.',
          cause,
        })
      : new HoldpointError('unavailable', `The task queue at ${host} cannot be reached.${maybe}`, {
          hint: 'The operator checks BATTRA_API_BASE and that the queue is up.',
          cause,
        });
    return { error, ...(timer.aborted ? {} : { again: 0 }) };
  }
}

/** An answer in the shape that the description has. @throws HoldpointError `upstream` where it is another. */
export function shaped<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new HoldpointError('upstream', 'The task queue gave an answer that is not of the described shape.', {
    hint: 'The operator checks that BATTRA_API_BASE is the address of an API as docs/tasks-openapi.yaml has it.',
    cause: parsed.error,
  });
}

/** What a refusal means, in our words; the queue's own are quoted as the data they are. */
function refusal(status: number, value: unknown, { redact }: Call): HoldpointError {
  const parsed = problem.safeParse(value);
  const words = parsed.success ? (parsed.data.detail ?? parsed.data.title ?? '') : '';
  const said = words === '' ? '' : ` It said: ${quoted(redact(words), 200)}`;
  const error = (code: HoldpointError['code'], message: string, hint: string) =>
    new HoldpointError(code, `${message}${said}`, { hint });
  if (status >= 300 && status < 400)
    return error(
      'upstream',
      `The task queue redirects (HTTP ${status}), which is not followed.`,
      'The operator sets BATTRA_API_BASE to the final address.',
    );
  switch (status) {
    case 401:
    case 403:
      return error(
        'unavailable',
        `The task queue refuses the key (HTTP ${status}).`,
        'The operator checks BATTRA_API_KEY.',
      );
    case 404:
      return error('not_found', 'The task queue has no such task.', 'The action list shows the tasks there are.');
    case 409:
      return error(
        'conflict',
        'The task is not in a state for that.',
        'Look at it with the action show; pick gives another.',
      );
    case 412:
      return error(
        'stale',
        'The task moved meanwhile; nothing was changed.',
        'Look at it with the action show and decide anew.',
      );
    case 429:
      return error('rate_limited', 'The task queue takes no more calls now.', 'Try again in a minute.');
    case 400:
    case 422:
      return error('invalid_input', 'The task queue rejects the request.', 'Correct what it names.');
    default:
      return status >= 500
        ? error('unavailable', `The task queue failed (HTTP ${status}).`, 'Try again later.')
        : error('upstream', `The task queue answered with HTTP ${status}.`, 'Try again later.');
  }
}

async function bounded(response: Response): Promise<unknown> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    // Leaving the loop cancels the stream.
    if (size > MAX_BYTES)
      throw new HoldpointError('upstream', 'The answer of the task queue is larger than 1 MB.', {
        hint: 'Ask for fewer tasks: limit.',
      });
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}
