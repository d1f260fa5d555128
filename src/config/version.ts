import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

/** The package's version. */
export const VERSION = (
  JSON.parse(readFileSync(resolve(import.meta.dirname, '../../package.json'), 'utf8')) as { version: string }
).version;
