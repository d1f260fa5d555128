import type { Effect } from './effect.ts';

/** Files and folders have no environment; every other kind is a runtime target and has one. */
export const TARGET_KINDS = [
  'file',
  'folder',
  'process',
  'image',
  'container',
  'workload',
  'workflow',
  'repository',
  'metric',
  'dashboard',
  'host',
  // A task of the team's queue.
  'task',
  // A tool of another MCP server; its `id` is the tool's whole name here.
  'upstream',
] as const;

export type TargetKind = (typeof TARGET_KINDS)[number];

/** What tells a runtime target's environment. Each is matched by the policy's list of the same name in the plural. */
export const SELECTORS = [
  'kubeContext',
  'cluster',
  'namespace',
  'branch',
  'workflow',
  'githubEnvironment',
  'host',
  'dockerHost',
  'upstream',
] as const;

export type Selector = (typeof SELECTORS)[number];

/** One thing that a call touches. */
export interface Target {
  kind: TargetKind;
  /** How people name it: a path, an image reference, `deployment/api in tta-prod`. Shown in previews and reasons. */
  id: string;
  /** What the call does to this target; the call's effect is the worst of its targets'. */
  effect: Effect;
  /** `file` and `folder`: the path from the workspace, POSIX separators, NFC, no `.` or `..`; the workspace itself is `.`. */
  path?: string;
  /** `process`: program and sub-command, such as `kubectl get`. */
  command?: string;
  /** `workload`: the Kubernetes kind in lower-case singular (`deployment`, `secret`), or another system's type name. */
  resource?: string;
  /** What the environment is told by; values exactly as the system names them. */
  at?: Partial<Record<Selector, string>>;
}

export function isRuntime(kind: TargetKind): boolean {
  return kind !== 'file' && kind !== 'folder';
}
