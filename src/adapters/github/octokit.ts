import { randomUUID } from 'node:crypto';

import type { Octokit } from '@octokit/rest';

import { HoldpointError } from '../../core/errors.ts';
import type { PlanContext } from '../../core/tool.ts';
import { githubError } from './errors.ts';

/** Milliseconds for one request and its answer; waits between attempts come on top. */
const TIMEOUT = 20_000;
const MAX_BYTES = 8 * 1024 * 1024;
/** Attempts after the first, of reads only: after one second, then after four. */
const RETRIES = 2;
/** The longest wait, in seconds, that GitHub's limits may ask of a call. */
const MAX_WAIT = 20;
const FINAL = [400, 401, 403, 404, 409, 410, 422, 429, 451];

export type { Octokit };

/** Whose call a request belongs to, when to give up, and what must not come out. */
export type Call = Pick<PlanContext, 'callId' | 'signal' | 'redact' | 'traceparent'>;

export interface GitHubSettings {
  /** The REST API's base, such as `https://api.github.com` or `https://github.example.com/api/v3`. */
  url: string;
  token?: string;
  /** Instead of the platform's own, in tests. */
  fetch?: typeof fetch;
  /** Milliseconds that waiting "a second" takes; tests shorten it. */
  second?: number;
}

/** What every request is sent with: `octokit.rest.repos.get({ owner, repo, ...options })`. */
export interface CallOptions {
  headers: { 'x-request-id': string; 'x-github-api-version': string; traceparent?: string };
  request: { signal: AbortSignal };
}

/** The vendor's client, loaded and made at first use. Reads are tried again, within limits; nothing else ever is. */
export function connect(settings: GitHubSettings): () => Promise<Octokit> {
  let made: Promise<Octokit> | undefined;
  return () => {
    made ??= make(settings).catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    return made;
  };
}

/**
 * One request for one call: sends it with the call's id, trace and signal, and gives its data.
 *
 * @param doing what the request is for, as in `while …`: `reading workflow ci.yml of acme/shop`.
 * @throws HoldpointError as githubError makes it.
 */
export async function ask<T>(
  octokit: () => Promise<Octokit>,
  call: Call,
  doing: string,
  send: (octokit: Octokit, options: CallOptions) => Promise<{ data: T }>,
): Promise<T> {
  try {
    call.signal.throwIfAborted();
    const client = await octokit();
    const { data } = await send(client, {
      headers: {
        'x-request-id': call.callId,
        'x-github-api-version': '2022-11-28',
        ...(call.traceparent === undefined ? {} : { traceparent: call.traceparent }),
      },
      request: { signal: call.signal },
    });
    return data;
  } catch (error) {
    throw githubError(error, doing, call);
  }
}

async function make({ url, token, fetch = globalThis.fetch, second = 1000 }: GitHubSettings): Promise<Octokit> {
  const [{ Octokit: Rest }, { retry }, { throttling }] = await Promise.all([
    import('@octokit/rest'),
    import('@octokit/plugin-retry'),
    import('@octokit/plugin-throttling'),
  ]);
  const silent = { debug: ignore, info: ignore, warn: ignore, error: ignore };
  const wait = (retryAfter: number, { method }: { method: string }, _octokit: unknown, waited: number) =>
    isRead(method) && retryAfter <= MAX_WAIT && waited === 0;
  // The first plugin's hook is the innermost: the others only see what it lets through.
  const octokit = new (Rest.plugin(bounds(fetch), retry, throttling))({
    baseUrl: url,
    userAgent: 'holdpoint',
    log: silent,
    request: { log: silent },
    ...(token === undefined ? {} : { auth: token }),
    retry: { retries: RETRIES, doNotRetry: FINAL, retryAfterBaseValue: second },
    // An id of its own: the plugin's queues are global, and one process may talk to more than one GitHub.
    throttle: { id: randomUUID(), retryAfterBaseValue: second, onRateLimit: wait, onSecondaryRateLimit: wait },
  });
  octokit.hook.wrap('request', (request, options) => {
    if (!isRead(options.method)) options.request = { ...options.request, retries: 0 };
    return untilAborted(Promise.resolve(request(options)), options.request.signal);
  });
  return octokit;
}

const ignore = () => {};

function isRead(method: string): boolean {
  return method === 'GET' || method === 'HEAD';
}

/** What `options.request` of a request may ask for besides: `keep: 'tail'` for the last `maxBytes` of a long answer. */
interface Bounds {
  keep?: 'tail';
  maxBytes?: number;
}

/** A plugin that holds each attempt to its time and size, and writes to the address they were sent to. */
function bounds(send: typeof fetch) {
  return (octokit: Pick<Octokit, 'hook'>) => {
    octokit.hook.wrap('request', async (request, options) => {
      const { keep, maxBytes = MAX_BYTES } = options.request as Bounds;
      const bounded: typeof fetch = async (address, init) => {
        const timer = AbortSignal.timeout(TIMEOUT);
        const signal = init?.signal ? AbortSignal.any([init.signal, timer]) : timer;
        try {
          const answer = await send(address, {
            ...init,
            signal,
            redirect: isRead(options.method) ? 'follow' : 'manual',
          });
          if (answer.status >= 300 && answer.status < 400)
            throw new HoldpointError('conflict', 'GitHub answered a change with a redirect, which is not followed.', {
              hint: 'The repository was probably renamed or moved: name it as it is called now.',
            });
          return await readWhole(answer, maxBytes, keep);
        } catch (cause) {
          if (timer.aborted && !(init?.signal?.aborted ?? false))
            throw new HoldpointError('timeout', `GitHub did not answer within ${TIMEOUT / 1000} s.`, {
              hint: isRead(options.method)
                ? 'Try again; see https://www.githubstatus.com.'
                : 'Whether the change was made is not known: look before repeating it.',
              cause,
            });
          throw cause;
        }
      };
      try {
        // In place: a hook's changes reach the request in no other way.
        options.request.fetch = bounded;
        return await request(options);
      } catch (error) {
        // The client wraps what fetch threw as if it were an answer, and would try again.
        throw error instanceof Error && error.cause instanceof HoldpointError ? error.cause : error;
      }
    });
    return {};
  };
}

/** The answer with its body read: whole, or of a longer one the last bytes where `keep` says so. */
async function readWhole(answer: Response, maxBytes: number, keep: 'tail' | undefined): Promise<Response> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of answer.body ?? []) {
    chunks.push(chunk);
    size += chunk.byteLength;
    if (size <= maxBytes) continue;
    if (keep !== 'tail')
      throw new HoldpointError('upstream', `GitHub’s answer is longer than ${maxBytes / 1024 / 1024} MB.`, {
        hint: 'Ask for less.',
      });
    while (size - (chunks[0]?.byteLength ?? size) >= maxBytes) size -= chunks.shift()?.byteLength ?? 0;
  }
  const { status, statusText, headers } = answer;
  return new Response(size === 0 ? null : Buffer.concat(chunks), { status, statusText, headers });
}

/** The work's outcome, or the abort's, whichever is first: waits between attempts do not look at the signal. */
async function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work;
  const { promise, reject } = Promise.withResolvers<never>();
  const give = () => reject(signal.reason as Error);
  signal.addEventListener('abort', give, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', give);
  }
}
