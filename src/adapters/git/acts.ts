import type { CommitPlan, RefUpdate } from './port.ts';

/** What the run of a changing action needs. */
export type Act =
  | { action: 'commit'; plan: CommitPlan; message: string }
  | { action: 'switch'; branch: string; from: string | null }
  | { action: 'tag'; name: string; commit: string; message: string | null }
  | { action: 'push'; update: RefUpdate; count: number };
