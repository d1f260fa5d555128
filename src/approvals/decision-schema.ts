import { z } from 'zod';

/** What an approver signs, as a file or a record has it: `UnsignedDecision`. */
export const unsignedDecision = z.strictObject({
  id: z.string(),
  digest: z.string(),
  decision: z.enum(['approve', 'deny']),
  approver: z.string(),
  at: z.int(),
  reason: z.string(),
  ticked: z.array(z.string()),
  breakGlass: z.literal(true).exactOptional(),
  key: z.string(),
});

export const signedDecision = unsignedDecision.extend({ signature: z.string() });
