import type { Principal } from '../../core/principal.ts';
import type { Target } from '../../core/target.ts';
import type { Definition } from './definition.ts';

/** The persona's workflow, and the one place where its state is changed by one server at a time. */
export interface WorkflowPort {
  /** @throws HoldpointError `invalid_input` with file and line, `not_found`. */
  definition(): Promise<Definition>;
  /** A template's text, by its path from the definition's folder. @throws HoldpointError `not_found`. */
  template(path: string): Promise<string>;
  /** Runs `work` while no other server on the same state directory runs any. */
  alone<T>(work: () => Promise<T>): Promise<T>;
}

/** What a change is for, as far as its tool and Holdpoint's own words for the plan tell it. */
export type Purpose = 'deployment' | 'rollback' | 'other';

/** A call of a tool that ran, as the audit log has it. Texts are others' as far as the call's arguments are in them. */
export interface RunRecord {
  callId: string;
  tool: string;
  /** Holdpoint's own line: `set the image of deployment/api in shop-staging`. */
  summary: string;
  environment: string;
  targets: Target[];
  purpose: Purpose;
  /** ISO 8601, UTC. */
  at: string;
  result: 'done' | 'failed' | 'unknown';
  /** Images by digest that the call named. */
  digests: string[];
  /** The approval request that it ran under. */
  approval?: string;
}

/** An approval request that people have approved with signatures that verify. */
export interface DecisionRecord {
  id: string;
  /** Of what was approved: what the signatures cover. */
  digest: string;
  tool: string;
  /** What was approved, from Holdpoint's own words for the plan's steps. */
  does: string[];
  summary: string;
  environment: string;
  targets: Target[];
  purpose: Purpose;
  askedBy: string;
  /** ISO 8601, UTC. */
  askedAt: string;
  /** `alone`: in an emergency, with the break-glass key. */
  approvals: { approver: string; at: string; key: string; reason: string; alone: boolean }[];
}

/** Read-only facts of the ledger: of this workspace and this person, redacted. */
export interface RecordsPort {
  /** Calls of these tools that ran, newest first, at most `limit`. */
  runs(tools: readonly string[], limit: number, who: Principal): Promise<RunRecord[]>;
  /** Approved requests, newest first. */
  decisions(who: Principal): Promise<DecisionRecord[]>;
}

export { planArtifact, runArtifact } from './artifact.ts';
export type { ArtifactData } from './artifact.ts';
export { planMove, runMove } from './moves.ts';
export type { MoveData } from './moves.ts';
export { ARTIFACTS, STATE_FILE } from './state.ts';
export { statusOf, statusText } from './status.ts';

declare module '../../core/tool.ts' {
  interface Ports {
    workflow: WorkflowPort;
    records: RecordsPort;
  }
}
