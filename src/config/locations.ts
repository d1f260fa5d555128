import { resolve } from 'node:path';

/** The package's own folder: two up from this file, or one up from the published bundle. */
const ROOT = resolve(import.meta.dirname, import.meta.filename.endsWith('.ts') ? '../..' : '..');

export const PACKAGE = resolve(ROOT, 'package.json');

export const PERSONAS = resolve(ROOT, 'personas');
export const POLICIES = resolve(ROOT, 'policies');
export const SKILLS = resolve(ROOT, 'skills');
/** The workflow of every persona that has none of its own. */
export const WORKFLOW = resolve(PERSONAS, 'pdlc-devops/workflow.yaml');
/** How tasks are ranked. */
export const TASK_RANKING = resolve(PERSONAS, 'battra-devops/tasks.yaml');
export const SAMPLE_WORKSPACE = resolve(ROOT, 'fixtures/workspace');
/** In a clone only: prepares the live servers for `demo --live`. */
export const LIVE_SAMPLE = resolve(ROOT, 'scripts/live/sample');
