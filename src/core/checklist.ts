/** When an item of a checklist is looked at: `pre` holds the run back; the others are shown after it, and stay open until ticked. */
export const PHASES = ['pre', 'during', 'post'] as const;

export type Phase = (typeof PHASES)[number];

/** What Holdpoint looks at to tick an item by itself. Where, it learns from the plan; `repository` is `owner/name`. */
export type EvidenceWanted =
  /** All checks of the commit that the call deploys have passed. */
  | { kind: 'checks'; repository?: string }
  /** A workflow (or one job of it) has succeeded within so many milliseconds. */
  | { kind: 'job'; workflow: string; job?: string; branch?: string; within: number; repository?: string }
  /** The workloads that the call touches are rolled out and ready. */
  | { kind: 'pods' }
  /** `configured`: there are alert rules, and all can be evaluated. `quiet`: no alert is firing. Label matchers narrow both. */
  | { kind: 'alerts'; are: 'configured' | 'quiet'; matching: string[] }
  /** The rule names a change window, which holds the run to it. */
  | { kind: 'window' };

/** One item of a checklist, as requests carry it: what people sign covers its text. */
export interface ChecklistItem {
  /** `checklist/item`. */
  id: string;
  phase: Phase;
  says: string;
  /** Absent: a person ticks it. */
  evidence?: EvidenceWanted;
  /** Whether a person may tick it where the evidence cannot be had. Evidence that speaks against it, nobody can tick away. */
  personMayTick: boolean;
}
