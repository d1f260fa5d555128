import { z } from 'zod';

import {
  ARTIFACTS,
  planArtifact,
  planMove,
  runArtifact,
  runMove,
  STATE_FILE,
  statusOf,
  statusText,
} from '../../adapters/workflow/port.ts';
import { writeParts } from '../../adapters/files/port.ts';
import type { ArtifactData, MoveData } from '../../adapters/workflow/port.ts';
import { HoldpointError } from '../../core/errors.ts';
import { fileTarget } from '../../core/paths.ts';
import type { Plan } from '../../core/plan.ts';
import type { Target } from '../../core/target.ts';
import { defineTool } from '../../core/tool.ts';

const ACTIONS = ['status', 'start', 'complete', 'route', 'abandon', 'artifact'] as const;

type Data =
  | { action: 'status'; node: string | null }
  | ({ action: 'artifact' } & ArtifactData)
  | ({ action: MoveData['move']['did'] } & MoveData);

const list = z.array(z.string());

export default defineTool({
  name: 'workflow',
  title: 'Follow the workflow',
  description: 'Release workflow: status, moving nodes, artifacts from templates.',
  keywords: [
    'pdlc',
    'node',
    'state',
    'release',
    'staging',
    'production',
    'approval',
    'artifact',
    'INFRA',
    'R12',
    'pipeline',
  ],
  effect: 'write',
  needs: ['files', 'git', 'workflow', 'records'],
  input: z.strictObject({
    action: z.enum(ACTIONS),
    node: z.string().optional(),
    id: z.string().optional(),
    reason: z.string().optional(),
  }),
  output: z.strictObject({
    workflow: z.string().optional(),
    nodes: list.optional(),
    active: z.array(z.strictObject({ node: z.string(), lacks: list })).optional(),
    canStart: list.optional(),
    waiting: z.array(z.strictObject({ node: z.string(), for: list })).optional(),
    changed: list.optional(),
    detail: z
      .strictObject({
        node: z.string(),
        group: z.string(),
        state: z.string(),
        steps: list,
        inputs: list,
        outputs: list,
        next: list,
      })
      .optional(),
    node: z.string().optional(),
    state: z.string().optional(),
    /** Nodes that are ready now. */
    ready: list.optional(),
    path: z.string().optional(),
    /** What is still to be written into the artifact. */
    lacks: list.optional(),
    /** Id for `holdpoint files restore`. */
    undo: z.string().optional(),
  }),

  targets({ action, id }) {
    if (action === 'status') return [fileTarget(STATE_FILE, 'read')];
    if (action !== 'artifact') return [fileTarget(STATE_FILE, 'write')];
    return artifactTargets(id ?? '');
  },

  async plan({ action, node, id, reason }, context): Promise<Plan<Data>> {
    if (action === 'status') {
      const summary = 'look where the workflow stands';
      return {
        effect: 'read',
        targets: [fileTarget(STATE_FILE, 'read')],
        preconditions: [],
        steps: [{ id: 'status', does: summary, call: { read: STATE_FILE } }],
        preview: { summary },
        data: { action, node: node ?? null },
      };
    }
    if (action === 'artifact') {
      const plan = await planArtifact(demand(id, 'id', 'R08'), context);
      return { ...plan, data: { action, ...plan.data } };
    }
    const plan = await planMove({ did: action, node: demand(node, 'node', 'Build_Release'), reason }, context);
    return { ...plan, data: { action, ...plan.data } };
  },

  preview: async ({ data, preview: { text = '' } }, context) => {
    if (data.action === 'artifact')
      return writeParts(
        { path: data.path, content: data.text, diff: text, exists: !('missing' in data.identity) },
        context,
      );
    return [{ kind: 'undo', text: `"holdpoint files restore" brings ${STATE_FILE} back as it was before.` }];
  },

  async run({ data }, context) {
    if (data.action === 'status') return { ...(await statusOf(data.node ?? undefined, context)) };
    if (data.action === 'artifact') return runArtifact(data, context);
    const { state, next } = await runMove(data, context);
    return { node: data.move.node, state, ready: next };
  },

  render(result) {
    if (result.nodes && result.workflow !== undefined)
      return statusText({ active: [], canStart: [], waiting: [], changed: [], ...result } as Parameters<
        typeof statusText
      >[0]);
    if (result.path !== undefined)
      return [
        `wrote ${result.path} (undo: ${result.undo ?? ''})`,
        ...(result.lacks ?? []).map((each) => `- ${each}`),
      ].join('\n');
    return `${result.node} is ${result.state}${result.ready?.length ? `; ready: ${result.ready.join(', ')}` : ''}`;
  },
});

/** The file where its whole name is given; for a shorter one, which only the workflow's file can resolve, the plan says it. */
function artifactTargets(id: string): Target[] {
  const whole = /^[A-Z]+\d+(?:-[a-z0-9]+)+\.md$/.test(id);
  return [whole ? fileTarget(`${ARTIFACTS}/${id}`, 'write') : fileTarget(STATE_FILE, 'read')];
}

function demand(value: string | undefined, name: string, such: string): string {
  if (value !== undefined && value !== '') return value;
  throw new HoldpointError('invalid_input', `"${name}" is missing.`, { hint: `Write ${name}, such as "${such}".` });
}
