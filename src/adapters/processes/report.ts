import { z } from 'zod';

import type { ProcessReport } from './port.ts';

/** A report as tools give it. */
export const processReport = z.strictObject({
  id: z.string(),
  state: z.enum(['running', 'exited', 'killed', 'timed_out', 'flooded', 'over_limit']),
  limit: z.enum(['memory', 'processes']).optional(),
  sandboxed: z.boolean(),
  exitCode: z.int().optional(),
  /** Standard output and error, as they came, since the last read. */
  output: z.string(),
  /** Characters that read-process has still to give, and those that are lost. */
  unread: z.int().optional(),
  dropped: z.int().optional(),
});

type Shown = { [K in keyof ProcessReport]?: ProcessReport[K] | undefined };

/** A report as short text: how it stands on one line, then what it wrote, as it is. */
export function reportText({ id, state, limit, exitCode, output, unread, dropped }: Shown): string {
  const why = limit === undefined ? '' : `: ${limit}`;
  const how = exitCode === undefined ? `${state}${why}` : `${state}${why} with ${exitCode}`;
  const more = [unread ? `${unread} characters to read` : '', dropped ? `${dropped} lost` : '']
    .filter(Boolean)
    .join(', ');
  const follow = state === 'running' ? `; read-process { id: "${id}" } follows it` : '';
  return `${how}${more ? ` (${more})` : ''}${follow}\n${output ?? ''}`.trimEnd();
}
