import { z } from 'zod';

import type { Json, JsonObject } from '../core/json.ts';

/**
 * A schema as clients get it: JSON Schema without `$schema`, and without the integer bounds that only say what a safe
 * integer is, since every byte of it is paid for in tokens.
 */
export function advertisedSchema(schema: z.ZodObject): JsonObject {
  return trim(z.toJSONSchema(schema, { io: 'input' }) as unknown as Json) as JsonObject;
}

function trim(value: Json): Json {
  if (Array.isArray(value)) return value.map(trim);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(
        ([key, inner]) =>
          key !== '$schema' &&
          key !== 'propertyNames' &&
          !(typeof inner === 'number' && Math.abs(inner) === Number.MAX_SAFE_INTEGER),
      )
      .filter(
        ([key, inner]) =>
          !(
            key === 'additionalProperties' &&
            typeof inner === 'object' &&
            inner !== null &&
            Object.keys(inner).length === 0
          ),
      )
      .map(([key, inner]) => [key, trim(inner)]),
  );
}
