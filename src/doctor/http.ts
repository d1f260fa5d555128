import { randomUUID } from 'node:crypto';
import { request, type RequestOptions } from 'node:http';

import { HoldpointError } from '../core/errors.ts';

const MAX_BYTES = 65_536;

export interface Answer {
  status: number;
  header: (name: string) => string | undefined;
  /** The body as JSON; undefined for anything else. */
  json: unknown;
  text: string;
}

/**
 * One GET that changes nothing: no redirects, 64 KB of the answer at most.
 *
 * @throws HoldpointError `unavailable` where nothing answers.
 */
export async function get(
  url: string,
  { token, signal }: { token?: string | undefined; signal: AbortSignal },
): Promise<Answer> {
  const headers = {
    'User-Agent': 'holdpoint-doctor',
    'X-Request-Id': randomUUID(),
    Accept: 'application/json',
    ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
  };
  try {
    const response = await fetch(url, { headers, signal, redirect: 'manual' });
    const text = await bounded(response.body);
    return {
      status: response.status,
      header: (name) => response.headers.get(name) ?? undefined,
      text,
      json: parsed(text),
    };
  } catch (cause) {
    if (signal.aborted) throw signal.reason;
    throw new HoldpointError('unavailable', `${new URL(url).origin} cannot be reached (${reasonOf(cause)})`, { cause });
  }
}

/** The same over a Unix socket or to a host by plain HTTP: a Docker Engine. */
export async function getFrom(where: RequestOptions, signal: AbortSignal): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const sent = request({ ...where, method: 'GET', signal, headers: { Host: 'docker' } }, (response) => {
    const chunks: Buffer[] = [];
    let size = 0;
    response.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= MAX_BYTES) chunks.push(chunk);
      else response.destroy();
    });
    response.on('error', reject);
    response.on('close', () => {
      const text = Buffer.concat(chunks).toString('utf8');
      resolve({ status: response.statusCode ?? 0, header: () => undefined, text, json: parsed(text) });
    });
  });
  sent.on('error', (cause) =>
    reject(new HoldpointError('unavailable', `nothing answers (${reasonOf(cause)})`, { cause })),
  );
  sent.end();
  return promise;
}

/** A field of an answer as short text: what a system says of itself is data. */
export function said(json: unknown, ...path: string[]): string | undefined {
  let value: unknown = json;
  for (const key of path)
    value = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined;
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  return String(value)
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
    .slice(0, 80);
}

async function bounded(body: ReadableStream<Uint8Array> | null): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body ?? []) {
    chunks.push(chunk);
    size += chunk.byteLength;
    if (size >= MAX_BYTES) break;
  }
  return Buffer.concat(chunks).subarray(0, MAX_BYTES).toString('utf8');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function reasonOf(error: unknown): string {
  const inner = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (inner instanceof Error && 'code' in inner && typeof inner.code === 'string') return inner.code;
  return inner instanceof Error ? inner.message : 'no connection';
}
