import type { Effect } from './effect.ts';
import type { Json } from './json.ts';
import type { Target } from './target.ts';

/**
 * One fact that a plan relies on: bytes of a file, an object's UID, the digest behind a tag. Dispatch plans again right
 * before the run and compares by `id`; a value that differs makes the call `stale`. Bind what the plan relies on and
 * nothing else: no time, no bare resourceVersion, nothing that moves by itself.
 */
export interface Precondition {
  /** Unique in the plan and stable: `file:docker/Dockerfile`, `deployment:tta-prod/api`. */
  id: string;
  /** What it is, for the person who reads that it moved: `the content of docker/Dockerfile`. */
  says: string;
  value: Json;
}

/** One act of the run, as it will be done: an argv or an API request, verbatim. */
interface Step {
  id: string;
  /** In a few words: `restart deployment/api in tta-prod`. */
  does: string;
  call: Json;
}

/**
 * One piece of what approvers see before they decide. Titles, labels, risks and undo texts are Holdpoint's words, with what others
 * wrote in them `quoted`; a diff and a value may be others' altogether. Surfaces make all of it plain (core/foreign.ts).
 */
export type PreviewPart =
  | { kind: 'diff'; title: string; text: string }
  | { kind: 'facts'; title: string; rows: [string, string][] }
  | { kind: 'risks'; items: string[] }
  | { kind: 'undo'; text: string };

interface Preview {
  /** One line that a person can decide on. */
  summary: string;
  /** What changes: a unified diff, a list of files with sizes, from → to. */
  text?: string;
  /** Of what is shown to people alone: gathered once it is known that the call waits for them, and no part of what is planned. */
  parts?: PreviewPart[];
}

/** The exact action, resolved. It is JSON through and through, and planning the same input again gives the same plan. */
export interface Plan<D extends Json = Json> {
  effect: Effect;
  targets: Target[];
  preconditions: Precondition[];
  steps: Step[];
  preview: Preview;
  /** What `run` needs beyond the steps. Secrets never: only references to them. */
  data: D;
  /** How `run` reports, such as how long it waits: nothing of what it does. Plans that differ in it alone are the same. */
  manner?: Json;
}
