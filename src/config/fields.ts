import { z } from 'zod';

import { parseDuration } from './duration.ts';

/** A number and a unit, as milliseconds. */
export const duration = z.string().transform((text, context) => {
  const ms = parseDuration(text);
  if (ms !== undefined) return ms;
  context.addIssue({
    code: 'custom',
    message: `"${text}" is no duration; write a number and a unit, such as 30s, 10m, 24h or 7d`,
  });
  return z.NEVER;
});

/** A value that is masked wherever it would come out; `Config.secrets` collects these by this mark. */
export const secret = z.string().min(1).meta({ secret: true });
