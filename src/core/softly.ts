import { HoldpointError } from './errors.ts';
import { plainLine } from './foreign.ts';

/** Something that was looked for, or why it is not known. */
export type Found<T> = { value: T } | { unknown: string };

/** Milliseconds that one look takes at most. */
const LIMIT = 4000;

/**
 * A look that may fail: what nobody relies on, and a person only likes to know. It ends by itself in time, whatever the work does
 * with its signal.
 */
export async function softly<C extends { signal: AbortSignal }, T>(
  call: C,
  work: (call: C) => Promise<T>,
  limit = LIMIT,
): Promise<Found<T>> {
  const signal = AbortSignal.any([call.signal, AbortSignal.timeout(limit)]);
  const { promise: ended, reject } = Promise.withResolvers<never>();
  const give = () => reject(new HoldpointError('timeout', `it took longer than ${limit / 1000} s`));
  signal.addEventListener('abort', give, { once: true });
  try {
    signal.throwIfAborted();
    return { value: await Promise.race([work({ ...call, signal }), ended]) };
  } catch (error) {
    return { unknown: reasonOf(error) };
  } finally {
    signal.removeEventListener('abort', give);
    ended.catch(() => {});
  }
}

/** A row of facts: what was found as text, or that it is unknown and why. */
export function row<T>(label: string, found: Found<T>, text: (value: T) => string): [string, string] {
  return [label, 'value' in found ? text(found.value) : `unknown: ${found.unknown}`];
}

function reasonOf(error: unknown): string {
  const text = error instanceof HoldpointError ? plainLine(error.message) : 'it could not be found out';
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
