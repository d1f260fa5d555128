import type { z } from 'zod';

import type { JsonObject } from './json.ts';

/** A call under a name that other servers have for what one of our tools does, with that server's own arguments. */
export interface ToolAlias {
  /** A z.strictObject of the arguments under the other name. */
  input: z.ZodObject;
  /** The tool's own arguments. @throws HoldpointError `invalid_input` for what it has none for. */
  to(input: never): JsonObject;
}

/** Checks an alias's two parts against each other at compile time; the identity at run time. */
export function alias<I extends z.ZodObject>(input: I, to: (input: z.output<I>) => JsonObject): ToolAlias {
  return { input, to };
}
