import { z } from 'zod';

const text = (max: number) => z.string().max(max);

export const taskId = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

const reference = z.object({
  id: z.string().regex(taskId),
  team: text(60).optional(),
  status: text(40).optional(),
});

/** A task as the queue gives it (docs/tasks-openapi.yaml); what else it says is left aside. */
export const task = z.object({
  id: z.string().regex(taskId),
  title: text(500),
  status: z.enum(['open', 'claimed', 'done', 'cancelled']),
  type: text(40),
  story: text(2000).optional(),
  description: text(20_000).optional(),
  labels: z.array(text(60)).max(50).default([]),
  priority: z.enum(['critical', 'high', 'medium', 'low']).optional(),
  team: text(60).optional(),
  stakeholders: z.array(text(60)).max(20).default([]),
  environment: text(60).optional(),
  sprint: text(60).optional(),
  blocks: z.array(reference).max(200).default([]),
  blockedBy: z.array(reference).max(200).default([]),
  assignee: text(100).nullable().default(null),
  createdAt: z.iso.datetime({ offset: true }),
});

export const page = z.object({ tasks: z.array(task).max(200), nextCursor: text(500).nullish() });

/** RFC 9457. */
export const problem = z.object({ title: z.string().optional(), detail: z.string().optional() });

export type Task = z.output<typeof task>;

/** Those of a task's references that are not over. */
export function openOnes(references: Task['blocks']): Task['blocks'] {
  return references.filter(({ status }) => status !== 'done' && status !== 'cancelled');
}
