import { readdirSync } from 'node:fs';

import { PERSONAS } from '../config/locations.ts';

/** The names of the personas that come with Holdpoint, the default first. */
export function shippedPersonas(): string[] {
  const names = readdirSync(PERSONAS, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
  return names.sort((a, b) => Number(b === 'devops') - Number(a === 'devops') || (a < b ? -1 : 1));
}
