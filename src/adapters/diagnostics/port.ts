export { candidates, dockerignores, readFiles } from './collect.ts';
export { diagnose } from './diagnose.ts';
export type { ReadFile } from './diagnose.ts';
export { SEVERITIES } from './finding.ts';
export type { Finding, Severity } from './finding.ts';
