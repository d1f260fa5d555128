import { z } from 'zod';

import { secret } from './fields.ts';

/** The operator's accounts at image registries: each is sent for exactly its host[:port]. */
export const registries = z
  .array(
    z.strictObject({
      host: z
        .string()
        .toLowerCase()
        .regex(
          /^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::\d{1,5})?$/,
          'write the host as images name it, such as registry.example.org or localhost:5000',
        ),
      username: z.string().min(1),
      password: secret,
    }),
  )
  .refine((all) => new Set(all.map(({ host }) => host)).size === all.length, 'name each host once');
