import { HoldpointError } from '../../core/errors.ts';
import type { Facts } from '../../core/facts.ts';
import { quoted } from '../../core/foreign.ts';
import type { Plan } from '../../core/plan.ts';
import type { Target } from '../../core/target.ts';
import type { PlanContext, RunContext } from '../../core/tool.ts';
import { notConfigured } from './queue.ts';
import { openOnes, type Task } from './shapes.ts';

export const TASK_ACTIONS = ['claim', 'complete', 'comment'] as const;

type TaskAction = (typeof TASK_ACTIONS)[number];

/** What a change was planned on; the queue's own mark of it is read anew when it runs. */
type TaskState = { status: string; assignee: string | null; waitsFor: string[] };

export type TaskData = { action: TaskAction; id: string; text: string | null; state: TaskState };

const MAX_TEXT = 4000;

/** A task, or all of them, as the policy sees it. @throws HoldpointError `unavailable` where no queue is configured. */
export function taskTarget(id: string, effect: Target['effect'], { tasks }: Pick<Facts, 'tasks'>): Target {
  if (!tasks) throw notConfigured();
  return { kind: 'task', id, effect, at: { host: tasks.host } };
}

/** A story that comes with the call: nothing of a queue is touched, and none is needed. */
export function storyTarget({ tasks }: Pick<Facts, 'tasks'>): Target {
  return { kind: 'task', id: 'story', effect: 'read', ...(tasks ? { at: { host: tasks.host } } : {}) };
}

/**
 * Plans one change of one task.
 *
 * @throws HoldpointError `conflict` where its state does not allow it, `denied` for a text with a secret, `invalid_input`.
 */
export async function planTask(
  { action, id, text }: { action: TaskAction; id: string; text: string | undefined },
  context: PlanContext<'tasks'>,
): Promise<Plan<TaskData>> {
  const said = text?.trim() ?? '';
  if (action === 'comment' && said === '')
    throw new HoldpointError('invalid_input', '"text" is missing.', { hint: 'Write what to say.' });
  if (said.length > MAX_TEXT)
    throw new HoldpointError('invalid_input', `The text has ${said.length} characters; at most ${MAX_TEXT} are sent.`);
  if (context.redact(said) !== said)
    throw new HoldpointError('denied', 'The text holds what looks like a secret.', {
      rule: 'secrets',
      hint: 'Name the secret where it is kept and leave its value out.',
    });
  const { task } = await context.tasks.get(id, context);
  refuse(action, task);
  const state = stateOf(task);
  const does = `${action} the task ${id}`;
  return {
    effect: 'write',
    targets: [taskTarget(id, 'write', context.facts)],
    preconditions: [{ id: `task:${id}`, says: `the state of the task ${id}`, value: state }],
    steps: [
      { id: action, does, call: { post: `/tasks/${id}/${action === 'comment' ? 'comments' : action}`, text: said } },
    ],
    preview: { summary: `${does}: ${quoted(context.redact(task.title), 120)}`, ...(said === '' ? {} : { text: said }) },
    data: { action, id, text: said === '' ? null : said, state },
  };
}

function refuse(action: TaskAction, { id, status, assignee, blockedBy }: Task): void {
  const conflict = (says: string) =>
    new HoldpointError('conflict', `The task ${id} ${says}.`, { hint: 'The action pick gives what can be taken.' });
  const waits = openOnes(blockedBy);
  if (action === 'claim' && (status !== 'open' || assignee !== null)) throw conflict(`is ${status}, not free`);
  if (action === 'claim' && waits.length > 0)
    throw conflict(
      `waits for ${waits
        .slice(0, 5)
        .map((each) => each.id)
        .join(', ')}`,
    );
  if (action === 'complete' && status !== 'claimed') throw conflict(`is ${status}; only a claimed one is completed`);
}

function stateOf({ status, assignee, blockedBy }: Task): TaskState {
  return { status, assignee, waitsFor: openOnes(blockedBy).map(({ id }) => id) };
}

/** Does it, on the state that it was planned on. @throws HoldpointError `stale` where that moved. */
export async function runTask({ action, id, text, state }: TaskData, context: RunContext<'tasks'>): Promise<Task> {
  const { tasks, stepDone } = context;
  const { task, etag } = await tasks.get(id, context);
  const is = stateOf(task);
  if (JSON.stringify(is) !== JSON.stringify(state))
    throw new HoldpointError('stale', `The task ${id} moved meanwhile; nothing was changed.`, {
      hint: 'Look at it with the action show and decide anew.',
      changes: [{ what: `the task ${id}`, was: JSON.stringify(state), is: JSON.stringify(is) }],
    });
  if (action === 'comment') {
    await tasks.comment(id, text ?? '', context);
    stepDone(action, 'sent');
    return task;
  }
  const after =
    action === 'claim'
      ? await tasks.claim(id, etag, context)
      : await tasks.complete(id, etag, text ?? undefined, context);
  stepDone(action, after.status);
  return after;
}
