import { z } from 'zod';

import { readDataFile } from '../../config/data-file.ts';

const words = z.array(z.string().min(2).max(60)).min(1).max(100);
const points = z.number().min(0).max(1000);

const schema = z.strictObject({
  version: z.literal(1),
  classes: z.strictObject({
    blockers: z.strictObject({ teams: words }),
    production: z.strictObject({ types: words, environments: words, signs: words }),
    enablers: z.strictObject({ types: words, sprints: words }),
  }),
  keywords: words,
  skills: z.strictObject({ primary: words, secondary: words }),
  stakeholders: words,
  points: z.strictObject({
    keyword: points,
    enablerForDevelopers: points,
    unblocks: points,
    primarySkill: points,
    secondarySkill: points,
    priority: z.strictObject({ critical: points, high: points, medium: points, low: points }),
  }),
});

export type Ranking = z.output<typeof schema>;

/** @throws HoldpointError `invalid_input` with file and line, `not_found`. */
export async function loadRanking(file: string): Promise<Ranking> {
  return readDataFile(file, schema);
}
