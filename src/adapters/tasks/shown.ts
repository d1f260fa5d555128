import { quoted } from '../../core/foreign.ts';
import { openOnes, type Task } from './shapes.ts';

/** A task as a result shows it: its texts are the queue's, masked, bounded and between marks. */
interface ShownTask {
  id: string;
  title: string;
  type: string;
  status: string;
  priority?: string;
  environment?: string;
  sprint?: string;
  assignee?: string;
  labels?: string[];
  /** How many open tasks wait for it, and for which it waits. */
  unblocks?: number;
  waitsFor?: string[];
  story?: string;
  description?: string;
}

/** @param whole With story and description. */
export function shownTask(task: Task, redact: (text: string) => string, whole = false): ShownTask {
  const said = (text: string, max: number) => quoted(redact(text), max);
  const some = (name: string, value: string | undefined, max = 60) =>
    value === undefined || value === '' ? {} : { [name]: said(value, max) };
  const [unblocks, waitsFor] = [openOnes(task.blocks).length, openOnes(task.blockedBy).map(({ id }) => id)];
  return {
    id: task.id,
    title: said(task.title, 160),
    type: said(task.type, 40),
    status: task.status,
    ...(task.priority ? { priority: task.priority } : {}),
    ...some('environment', task.environment),
    ...some('sprint', task.sprint),
    ...some('assignee', task.assignee ?? undefined),
    ...(task.labels.length > 0 ? { labels: task.labels.slice(0, 12).map((label) => said(label, 40)) } : {}),
    ...(unblocks > 0 ? { unblocks } : {}),
    ...(waitsFor.length > 0 ? { waitsFor: waitsFor.slice(0, 10) } : {}),
    ...(whole ? { ...some('story', task.story, 600), ...some('description', task.description, 3000) } : {}),
  };
}
