import { readFileSync } from 'node:fs';

import { PACKAGE } from './locations.ts';

/** The package's version. */
export const VERSION = (JSON.parse(readFileSync(PACKAGE, 'utf8')) as { version: string }).version;
