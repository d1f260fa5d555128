import { z } from 'zod';

import { WORKLOAD_KINDS, changeParts, placeOf, plannedChange, workloadTarget } from '../../adapters/kubernetes/port.ts';
import type { Bound, RolloutState, WorkloadChange, WorkloadRef } from '../../adapters/kubernetes/port.ts';
import type { Plan } from '../../core/plan.ts';
import { defineTool } from '../../core/tool.ts';

const ACTIONS = ['status', 'history', 'restart', 'undo', 'pause', 'resume', 'set-image'] as const;
const READS: readonly string[] = ['status', 'history'];
/** Seconds. Clients give up after 60, so a longer wait would lose the answer. */
const DEFAULT_WAIT = 40;
const MAX_WAIT = 45;

// Patterns and bounds are refinements, for in the advertised schema every agent would pay for them in tokens.
const input = z.strictObject({
  action: z.enum(ACTIONS),
  kind: z.enum(WORKLOAD_KINDS),
  name: z.string().refine((name) => /^[a-z0-9][a-z0-9.-]{0,252}$/.test(name), 'This is no name of a workload.'),
  namespace: z
    .string()
    .refine((namespace) => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(namespace), 'Write one namespace.')
    .optional(),
  context: z.string().optional(),
  images: z.record(z.string(), z.string()).describe('by container').optional(),
  toRevision: z
    .int()
    .refine((revision) => revision > 0, 'Revisions count from 1.')
    .optional(),
  wait: z
    .int()
    .refine((seconds) => seconds >= 0 && seconds <= MAX_WAIT, `Between 0 and ${MAX_WAIT} seconds.`)
    .describe('seconds')
    .optional(),
});

type RolloutData = {
  action: (typeof ACTIONS)[number];
  ref: Pick<WorkloadRef, keyof WorkloadRef>;
  /** Null for what only reads. */
  write: { change: WorkloadChange; bound: Pick<Bound, keyof Bound>; undo: string | null } | null;
};

export default defineTool({
  name: 'kubectl-rollout',
  title: 'Roll out a workload',
  description: 'Roll out a workload, or say why a rollout is stuck. Production needs approval.',
  keywords: ['deploy', 'deployment', 'rollback', 'release', 'redeploy', 'revision', 'k8s', 'statefulset', 'daemonset'],
  effect: 'write',
  needs: ['kubernetes', 'docker', 'monitoring'],
  input,
  output: z.strictObject({
    action: z.enum(ACTIONS),
    workload: z.string(),
    namespace: z.string(),
    context: z.string(),
    /** `rolling`: still on its way when the wait was over. */
    state: z.enum(['ready', 'rolling', 'failing', 'paused']).optional(),
    message: z.string().optional(),
    replicas: z.strictObject({ desired: z.number(), updated: z.number(), available: z.number() }).optional(),
    reasons: z.array(z.string()).optional(),
    revisions: z
      .array(
        z.strictObject({
          revision: z.number(),
          images: z.record(z.string(), z.string()),
          created: z.string(),
          cause: z.string().nullable(),
          current: z.boolean(),
        }),
      )
      .optional(),
    /** How to go back, or how to go on looking. */
    next: z.string().optional(),
  }),

  targets(written, { facts }) {
    const effect = READS.includes(written.action) ? 'read' : 'write';
    return [workloadTarget(written.kind, written.name, placeOf(written, facts), effect)];
  },

  async plan(written, context): Promise<Plan<RolloutData>> {
    const place = placeOf(written, context.facts);
    const { action, kind, name } = written;
    const ref = { context: place.context, namespace: place.namespace, kind, name };
    const wait = written.wait ?? (action === 'status' ? 0 : DEFAULT_WAIT);
    if (action === 'status' || action === 'history') {
      const target = workloadTarget(kind, name, place, 'read');
      const summary = `${action} of ${target.id}`;
      return {
        effect: 'read',
        targets: [target],
        preconditions: [],
        steps: [{ id: action, does: summary, call: { ...ref } }],
        preview: { summary },
        data: { action, ref, write: null },
        manner: { wait },
      };
    }
    const target = workloadTarget(kind, name, place, 'write');
    const wanted = { action, images: written.images, toRevision: written.toRevision };
    const engine = (image: string) => context.docker.imageIdIfReachable(image, context);
    const { change, bound, undo, preconditions, call, text, does } = await plannedChange(
      context.kubernetes,
      ref,
      wanted,
      engine,
      context,
    );
    return {
      effect: 'write',
      targets: [target],
      preconditions,
      steps: [{ id: 'patch', does: `${does} ${target.id}`, call }],
      preview: { summary: `${does} ${target.id}`, text },
      data: { action, ref, write: { change, bound, undo } },
      manner: { wait },
    };
  },

  async preview({ data: { ref, write }, preconditions }, context) {
    return write === null ? [] : changeParts({ ref, ...write, preconditions }, context);
  },

  async run({ data, manner }, context) {
    const { action, ref, write } = data;
    const { wait } = manner as { wait: number };
    const { kubernetes, progress, stepDone } = context;
    const head = { action, workload: `${ref.kind}/${ref.name}`, namespace: ref.namespace, context: ref.context };
    const report = ({ message, updated, desired }: RolloutState) =>
      progress({ message, done: updated, total: desired });

    if (action === 'history') {
      const revisions = await kubernetes.revisions(ref, context);
      return { ...head, revisions: revisions.map(({ hash: _hash, ...revision }) => revision) };
    }
    if (write !== null) {
      await kubernetes.change(ref, write.change, write.bound, context);
      stepDone('patch', { status: 'patched' });
    }
    // Only once a change is made may a look that fails be passed over: with nothing made, there is nothing to say then.
    const seen = write === null ? await kubernetes.rollout(ref, context) : undefined;
    const state =
      seen && (wait === 0 || seen.state !== 'rolling') ? seen : await kubernetes.follow(ref, wait, report, context);
    return { ...head, ...shown(state), ...nextStep(state, write?.undo ?? null) };
  },

  render({ action, workload, namespace, state, message, reasons, revisions, next }) {
    const lines = [
      `${action} ${workload} in ${namespace}: ${[state, message].filter(Boolean).join(', ')}`,
      ...(reasons ?? []),
    ];
    for (const { revision, images, created, cause, current } of revisions ?? [])
      lines.push(
        `${revision}${current ? ' (current)' : ''} ${created} ${Object.values(images).join(', ')}${cause ? ` ${cause}` : ''}`,
      );
    return [...lines, ...(next ? [next] : [])].join('\n');
  },
});

function shown({ state, message, desired, updated, available, reasons }: RolloutState) {
  return { state, message, replicas: { desired, updated, available }, ...(reasons.length === 0 ? {} : { reasons }) };
}

function nextStep({ state }: RolloutState, undo: string | null): { next?: string } {
  const look = 'Look again with the action status.';
  if (state === 'rolling') return { next: undo === null ? look : `${look} To go back: ${undo}.` };
  if (state === 'failing')
    return {
      next: `See the pods with kubectl-get and show logs or events.${undo === null ? '' : ` To go back: ${undo}.`}`,
    };
  return undo === null ? {} : { next: `To go back: ${undo}.` };
}
