import canonicalize from 'canonicalize';
import { createHash } from 'node:crypto';

import { HoldpointError } from '../core/errors.ts';
import type { Json } from '../core/json.ts';

/**
 * A value as RFC 8785 canonical JSON: one text per value, whatever the order of its keys was.
 *
 * @throws HoldpointError `invalid_input` for what such JSON cannot carry (lone surrogates, NaN).
 */
export function canonicalJson(value: unknown): string {
  try {
    const text = canonicalize(value);
    if (text !== undefined) return text;
  } catch (cause) {
    throw refused(cause);
  }
  throw refused('no value');
}

/** SHA-256 of a text's UTF-8 bytes, as `sha256:` and 64 hex digits. */
export function sha256(text: string): string {
  return `sha256:${createHash('sha256').update(text, 'utf8').digest('hex')}`;
}

/** The same value with every lone surrogate replaced by U+FFFD, so that agents' text can always be written down. */
export function wellFormed(value: Json): Json {
  // JSON.stringify escapes exactly the lone ones. Whole escapes are read, so that the text \\ud800 stays what it is.
  const text = JSON.stringify(value).replace(/\\(?:u(d[89a-f][0-9a-f]{2})|.)/g, (escape, lone) =>
    lone ? '\\ufffd' : escape,
  );
  return JSON.parse(text) as Json;
}

function refused(cause: unknown): HoldpointError {
  return new HoldpointError('invalid_input', 'This cannot be written as canonical JSON (RFC 8785).', {
    hint: 'Leave out lone surrogates and numbers that are not finite.',
    cause,
  });
}
