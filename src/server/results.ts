import { randomBytes } from 'node:crypto';

import type { JsonObject } from '../core/json.ts';
import { principalId, type Principal } from '../core/principal.ts';

const MAX_KEPT = 64;
const MAX_BYTES = 16_777_216;

/** Whole results whose short form was cut, for as long as there is room: the resource behind `holdpoint://results/ID`. */
export interface Results {
  /** Keeps a redacted result and gives its resource address. */
  keep(principal: Principal, result: JsonObject): string;
  /** The result as JSON text; undefined where it is gone or another principal's. */
  read(principal: Principal, uri: string): string | undefined;
}

export function createResults(): Results {
  const kept = new Map<string, { owner: string; text: string }>();
  let bytes = 0;
  return {
    keep(principal, result) {
      const uri = `holdpoint://results/${randomBytes(12).toString('base64url')}`;
      const text = JSON.stringify(result, null, 1);
      kept.set(uri, { owner: principalId(principal), text });
      bytes += text.length;
      for (const [oldest, entry] of kept) {
        if (kept.size <= MAX_KEPT && bytes <= MAX_BYTES) break;
        kept.delete(oldest);
        bytes -= entry.text.length;
      }
      return uri;
    },
    read(principal, uri) {
      const entry = kept.get(uri);
      return entry?.owner === principalId(principal) ? entry.text : undefined;
    },
  };
}
