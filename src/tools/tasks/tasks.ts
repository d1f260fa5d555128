import { z } from 'zod';

import {
  planTask,
  rank,
  runTask,
  shownTask,
  storyFaults,
  storyTarget,
  TASK_ACTIONS,
  taskTarget,
} from '../../adapters/tasks/port.ts';
import type { Ranked, TaskData } from '../../adapters/tasks/port.ts';
import { HoldpointError } from '../../core/errors.ts';
import type { Facts } from '../../core/facts.ts';
import type { Plan } from '../../core/plan.ts';
import type { Target } from '../../core/target.ts';
import type { RunContext } from '../../core/tool.ts';
import { defineTool } from '../../core/tool.ts';

const ACTIONS = ['list', 'pick', 'show', 'claim', 'complete', 'comment', 'check-story'] as const;
/** Tasks of one page, of all pages that are ranked, and that pick shows. */
const PAGE = 50;
const RANKED = 500;
const PICKED = 5;

type Filter = { status?: string; type?: string; label?: string; cursor?: string };
type Data =
  | { action: 'list'; filter: Filter }
  | { action: 'pick'; filter: Filter }
  | { action: 'show'; id: string }
  | { action: 'check-story'; id: string | null; text: string | null }
  | TaskData;

const shown = z.strictObject({
  id: z.string(),
  title: z.string(),
  type: z.string(),
  status: z.string(),
  priority: z.string().optional(),
  environment: z.string().optional(),
  sprint: z.string().optional(),
  assignee: z.string().optional(),
  labels: z.array(z.string()).optional(),
  unblocks: z.number().optional(),
  waitsFor: z.array(z.string()).optional(),
  story: z.string().optional(),
  description: z.string().optional(),
  class: z.string().optional(),
  points: z.number().optional(),
  why: z.array(z.string()).optional(),
});

export default defineTool({
  name: 'tasks',
  title: 'Work on tasks',
  description: 'Task queue: pick says what is next and why.',
  keywords: [
    'queue',
    'backlog',
    'todo',
    'issue',
    'ticket',
    'battra',
    'priority',
    'blocker',
    'enabler',
    'sprint',
    'story',
  ],
  effect: 'write',
  needs: ['tasks'],
  input: z.strictObject({
    action: z.enum(ACTIONS),
    id: z.string().optional(),
    text: z.string().optional(),
    filter: z.string().optional(),
    cursor: z.string().optional(),
  }),
  output: z.strictObject({
    tasks: z.array(shown).optional(),
    task: shown.optional(),
    did: z.enum(TASK_ACTIONS).optional(),
    /** Open tasks that pick leaves out. */
    left: z.strictObject({ taken: z.number(), blocked: z.number(), more: z.number() }).optional(),
    cursor: z.string().optional(),
    /** What a story lacks of its format; empty where nothing. */
    lacks: z.array(z.string()).optional(),
    note: z.string().optional(),
  }),

  targets({ action, id }, { facts }) {
    const effect = (TASK_ACTIONS as readonly string[]).includes(action) ? 'write' : 'read';
    return [lookedAt(action, id, effect, facts)];
  },

  async plan({ action, id, text, filter: written, cursor }, context): Promise<Plan<Data>> {
    if (action === 'claim' || action === 'complete' || action === 'comment')
      return planTask({ action, id: demand(id), text }, context);
    const filter = { ...filterOf(written), ...(cursor === undefined ? {} : { cursor }) };
    if (Object.keys(filter).length > 0 && (action === 'show' || action === 'check-story'))
      throw new HoldpointError('invalid_input', `${action} takes no filter.`, { hint: 'Leave out filter and cursor.' });
    if (action === 'pick' && ('status' in filter || 'cursor' in filter))
      throw new HoldpointError('invalid_input', 'pick ranks open tasks from the first on.', {
        hint: 'Leave out status and cursor.',
      });
    if (action === 'check-story' && (id === undefined) === (text === undefined))
      throw new HoldpointError('invalid_input', 'check-story takes either id or text.', { hint: 'Give one of them.' });
    const data: Data =
      action === 'show'
        ? { action, id: demand(id) }
        : action === 'check-story'
          ? { action, id: id ?? null, text: text ?? null }
          : { action, filter };
    const does = action === 'check-story' ? 'check a story' : `${action} tasks`;
    return {
      effect: 'read',
      targets: [lookedAt(action, id, 'read', context.facts)],
      preconditions: [],
      steps: [{ id: action, does, call: data }],
      preview: { summary: id === undefined ? does : `${action} ${id}` },
      data,
    };
  },

  preview: async ({ data: { action } }) => [
    {
      kind: 'undo',
      text:
        action === 'claim'
          ? 'A claim is given back in the queue itself.'
          : `What ${action === 'comment' ? 'was said' : 'was completed'} cannot be taken back from here.`,
    },
  ],

  async run({ data }, context) {
    const { tasks, redact } = context;
    switch (data.action) {
      case 'list': {
        const { tasks: found, cursor } = await tasks.list({ ...data.filter, limit: PAGE }, context);
        return { tasks: found.map((task) => shownTask(task, redact)), ...(cursor === undefined ? {} : { cursor }) };
      }
      case 'pick':
        return pick(data.filter, context);
      case 'show':
        return { task: shownTask((await tasks.get(data.id, context)).task, redact, true) };
      case 'check-story': {
        const story = data.id === null ? (data.text ?? '') : ((await tasks.get(data.id, context)).task.story ?? '');
        return { lacks: storyFaults(story) };
      }
      case 'claim':
      case 'complete':
      case 'comment':
        return { did: data.action, task: shownTask(await runTask(data, context), redact) };
    }
  },

  render({ tasks, task, did, left, cursor, lacks, note }) {
    if (lacks)
      return lacks.length === 0
        ? 'The story has its format.'
        : `The story lacks:\n${lacks.map((each) => `- ${each}`).join('\n')}`;
    const line = (each: z.output<typeof shown>) =>
      [
        `${each.id} ${each.title} ${each.type} ${each.status}${each.class === undefined ? '' : `: ${each.class}, ${each.points} points`}`,
        ...(each.why ?? []).map((why) => `  - ${why}`),
      ].join('\n');
    return [
      ...(did ? [`${did}: done`] : []),
      ...(task ? [line(task), ...[task.story, task.description].filter((each) => each !== undefined)] : []),
      ...(tasks ? (tasks.length === 0 ? ['no tasks'] : tasks.map(line)) : []),
      ...(left ? [`left out: ${left.more} lower, ${left.blocked} that wait for others, ${left.taken} taken`] : []),
      ...(cursor === undefined ? [] : [`more: cursor ${cursor}`]),
      ...(note === undefined ? [] : [note]),
    ].join('\n');
  },
});

async function pick(filter: Filter, context: RunContext<'tasks'>) {
  const { tasks, redact } = context;
  const all: Ranked['task'][] = [];
  let cursor: string | undefined;
  do {
    // oxlint-disable-next-line no-await-in-loop -- each page names the next
    const page = await tasks.list({ ...filter, status: 'open', cursor, limit: PAGE }, context);
    all.push(...page.tasks);
    cursor = page.cursor === cursor ? undefined : page.cursor;
  } while (cursor !== undefined && all.length < RANKED);
  const { ranked, left } = rank(all, await tasks.ranking());
  return {
    tasks: ranked
      .slice(0, PICKED)
      .map(({ task, class: kind, points, why }) => ({ ...shownTask(task, redact), class: kind, points, why })),
    left: { ...left, more: Math.max(0, ranked.length - PICKED) },
    ...(cursor === undefined
      ? {}
      : { note: `Only the first ${all.length} open tasks were ranked; narrow by label or type.` }),
  };
}

function lookedAt(action: string, id: string | undefined, effect: 'read' | 'write', facts: Facts): Target {
  return action === 'check-story' && id === undefined ? storyTarget(facts) : taskTarget(id ?? 'tasks', effect, facts);
}

/** `type:bug label:CI` as what the queue is asked for; a label may have spaces where it comes last. */
function filterOf(written = ''): Filter {
  const filter: Filter = {};
  for (const part of written
    .trim()
    .split(/\s+(?=\w+:)/)
    .filter(Boolean)) {
    const [, name = '', value = ''] = /^(status|type|label):(.+)$/.exec(part) ?? [];
    if (name === '' || name in filter)
      throw new HoldpointError('invalid_input', `The filter ${JSON.stringify(part.slice(0, 60))} is not understood.`, {
        hint: 'Write such as "status:open type:bug label:CI", each once.',
      });
    filter[name as 'status' | 'type' | 'label'] = value.trim();
  }
  return filter;
}

function demand(id: string | undefined): string {
  if (id !== undefined && id !== '') return id;
  throw new HoldpointError('invalid_input', '"id" is missing.', { hint: 'pick and list give the ids.' });
}
