import { z } from 'zod';

import type { ToolAlias } from '../../core/alias.ts';
import { HoldpointError } from '../../core/errors.ts';
import { likeName } from './names.ts';

/** How Serena's tools name a memory, today and before; one of the two must be there. */
export const serenasName = { memory_name: z.string().optional(), memory_file_name: z.string().optional() };

/**
 * The name here of the memory that a call in Serena's words means: `suggested_commands.md` is `suggested-commands`.
 *
 * @throws HoldpointError `invalid_input` where it names none, or two.
 */
export function serenasMemory({
  memory_name: name,
  memory_file_name: file,
}: {
  memory_name?: string | undefined;
  memory_file_name?: string | undefined;
}): string {
  const given = name ?? file;
  if (given === undefined || (name !== undefined && file !== undefined && name !== file))
    throw new HoldpointError('invalid_input', 'The call names no memory, or two.', {
      hint: 'Give memory_name.',
    });
  return likeName(given);
}

/** Each alias under its own name and, as clients with several servers write it, with `_Serena` at its end. */
export function serenaNames(aliases: Readonly<Record<string, ToolAlias>>): Record<string, ToolAlias> {
  return Object.fromEntries(
    Object.entries(aliases).flatMap(([name, each]) => [
      [name, each],
      [`${name}_Serena`, each],
    ]),
  );
}
