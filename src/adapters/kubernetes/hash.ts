import { createHash } from 'node:crypto';

import canonicalize from 'canonicalize';

/** SHA-256 over the canonical JSON (RFC 8785) of a value: the same for the same content, whatever the order of keys. */
export function hashOf(value: unknown): string {
  return `sha256:${createHash('sha256')
    .update(canonicalize(value) ?? 'null')
    .digest('hex')}`;
}
