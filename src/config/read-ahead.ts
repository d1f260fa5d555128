import { createHash } from 'node:crypto';

/** Under which a text is kept among what the build has worked out: the SHA-256 of exactly these bytes. */
export function keyOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** What the build has worked out of a text; undefined for any other text, which is then read as it is. */
export function readAhead<T>(known: Readonly<Record<string, T>> | undefined, text: string): T | undefined {
  return known?.[keyOf(text)];
}
