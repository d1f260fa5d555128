import { resolve } from 'node:path';

/** The package's own folders; the same from `src/` and from the published `dist/`. */
const ROOT = resolve(import.meta.dirname, '../..');

export const PERSONAS = resolve(ROOT, 'personas');
export const POLICIES = resolve(ROOT, 'policies');
export const SAMPLE_WORKSPACE = resolve(ROOT, 'fixtures/workspace');
/** In a clone only: prepares the live servers for `demo --live`. */
export const LIVE_SAMPLE = resolve(ROOT, 'scripts/live/sample');
export const TOOLS = resolve(import.meta.dirname, '../tools');
