import type { RunContext } from '../../core/tool.ts';
import type { Task } from './shapes.ts';
import type { Ranking } from './weights.ts';

export type Call = Pick<RunContext, 'callId' | 'signal' | 'redact' | 'traceparent'>;

interface TaskFilter {
  status?: string | undefined;
  type?: string | undefined;
  label?: string | undefined;
  cursor?: string | undefined;
  limit?: number | undefined;
}

/** One page; `cursor` for the next, where there is one. */
interface TaskPage {
  tasks: Task[];
  cursor?: string;
}

/** A task as it is now, and the mark of this very state of it. */
interface TaskNow {
  task: Task;
  etag: string | undefined;
}

/**
 * The team's task queue (docs/tasks-openapi.yaml). Whoever the key is of is who claims. Reads are tried three times, changes once.
 * Throws HoldpointError: `unavailable` (none configured, not reached, key refused), `not_found`, `conflict` and `stale` (somebody
 * was quicker), `rate_limited`, `timeout`, `upstream` (an answer of another shape, or a redirect).
 */
export interface TasksPort {
  /** What ranks tasks. @throws HoldpointError `invalid_input` with file and line. */
  ranking(): Promise<Ranking>;
  list(filter: TaskFilter, call: Call): Promise<TaskPage>;
  get(id: string, call: Call): Promise<TaskNow>;
  claim(id: string, etag: string | undefined, call: Call): Promise<Task>;
  complete(id: string, etag: string | undefined, note: string | undefined, call: Call): Promise<Task>;
  comment(id: string, text: string, call: Call): Promise<void>;
}

export { planTask, runTask, storyTarget, TASK_ACTIONS, taskTarget } from './acts.ts';
export type { TaskData } from './acts.ts';
export { rank } from './ranking.ts';
export type { Ranked } from './ranking.ts';
export { storyFaults } from './story.ts';
export { shownTask } from './shown.ts';

declare module '../../core/tool.ts' {
  interface Ports {
    tasks: TasksPort;
  }
}
