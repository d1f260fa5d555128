import { z } from 'zod';

import { isJsonObject, type Json, type JsonObject } from '../core/json.ts';

/**
 * A schema as clients get it: JSON Schema without `$schema`, and without the integer bounds that only say what a safe
 * integer is, since every byte of it is paid for in tokens. Arguments marked `unlisted`, which are rarely needed, are left out.
 */
export function advertisedSchema(schema: z.ZodObject): JsonObject {
  return trim(z.toJSONSchema(schema, { io: 'input' }) as unknown as Json, true) as JsonObject;
}

/** As advertisedSchema, with every argument there is. */
export function wholeSchema(schema: z.ZodObject): JsonObject {
  return trim(z.toJSONSchema(schema, { io: 'input' }) as unknown as Json, false) as JsonObject;
}

/** In the meta of an argument's schema: `true` leaves it out of `tools/list`, `'values'` its values; find-tools tells of both. */
const UNLISTED = 'unlisted';

function trim(value: Json, listed: boolean): Json {
  if (Array.isArray(value)) return value.map((each) => trim(each, listed));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(
        ([key, inner]) => key !== '$schema' && key !== 'propertyNames' && key !== UNLISTED && !saysNothing(key, inner),
      )
      .filter(([key, inner]) => !(listed && (isUnlisted(inner) || (key === 'enum' && value[UNLISTED] === 'values'))))
      .map(([key, inner]) => [key, trim(inner, listed)]),
  );
}

function saysNothing(key: string, value: Json): boolean {
  if (typeof value === 'number') return Math.abs(value) === Number.MAX_SAFE_INTEGER;
  return (
    key === 'additionalProperties' && typeof value === 'object' && value !== null && Object.keys(value).length === 0
  );
}

function isUnlisted(value: Json): boolean {
  return isJsonObject(value) && value[UNLISTED] === true;
}
