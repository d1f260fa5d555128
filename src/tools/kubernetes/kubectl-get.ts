import { z } from 'zod';

import { CLUSTER_EVENTS, placeOf, workloadTarget, lookText } from '../../adapters/kubernetes/port.ts';
import type { Table } from '../../adapters/kubernetes/port.ts';
import { foldAlike } from '../../core/alike.ts';
import { HoldpointError } from '../../core/errors.ts';
import type { Target } from '../../core/target.ts';
import { defineTool } from '../../core/tool.ts';

const NAME = /^[A-Za-z0-9][A-Za-z0-9.:_-]{0,252}$/;
const KIND = /^[A-Za-z][A-Za-z0-9.-]{0,200}$/;
const NAMESPACE = /^(\*|[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)$/;
/** Rows; log lines. */
const DEFAULT_LIMIT = { summary: 50, events: 15, logs: 50 };
const MAX_LIMIT = 500;

const event = z.strictObject({
  age: z.string(),
  type: z.string(),
  reason: z.string(),
  object: z.string(),
  others: z.number().optional(),
  namespace: z.string().optional(),
  count: z.number(),
  message: z.string(),
});

// Patterns are refinements, for in the advertised schema every agent would pay for them in tokens.
const input = z.strictObject({
  kind: z.string().refine((kind) => KIND.test(kind), 'Write the kind as kubectl takes it, such as pods or deploy.'),
  name: z
    .string()
    .refine((name) => NAME.test(name), 'This is no name of a Kubernetes object.')
    .optional(),
  namespace: z
    .string()
    .refine((namespace) => NAMESPACE.test(namespace), 'Write one namespace, or * for all.')
    .optional(),
  context: z.string().optional(),
  selector: z.string().optional(),
  show: z.enum(['events', 'logs']).optional(),
  container: z.string().optional(),
  previous: z.boolean().optional(),
  limit: z
    .int()
    .refine((limit) => limit > 0 && limit <= MAX_LIMIT, `Between 1 and ${MAX_LIMIT}.`)
    .optional(),
  continue: z.string().optional(),
});

export default defineTool({
  name: 'kubectl-get',
  title: 'Look at Kubernetes objects',
  description: 'List a kind (namespace * is all), or see what is wrong with one object, its events, logs.',
  keywords: ['describe', 'pods', 'why', 'crash', 'pending', 'log', 'status', 'k8s', 'configmap', 'crd'],
  effect: 'read',
  needs: ['kubernetes'],
  input,
  output: z.strictObject({
    context: z.string(),
    /** `*` for all; absent for kinds in no namespace. */
    namespace: z.string().optional(),
    kind: z.string(),
    table: z
      .strictObject({
        columns: z.array(z.string()),
        rows: z.array(z.array(z.string())),
        /** Rows left out because the policy does not allow to see their namespaces. */
        leftOut: z.number().optional(),
        remaining: z.number().optional(),
        continue: z.string().optional(),
      })
      .optional(),
    object: z
      .strictObject({
        name: z.string(),
        status: z.string(),
        problems: z.array(z.string()),
        details: z.record(z.string(), z.json()),
        events: z.array(event),
        moreEvents: z.number().optional(),
      })
      .optional(),
    events: z.array(event).optional(),
    moreEvents: z.number().optional(),
    logs: z
      .strictObject({
        pod: z.string(),
        container: z.string(),
        others: z.array(z.string()),
        text: z.string(),
        cut: z.boolean(),
      })
      .optional(),
  }),

  targets(written, { facts }) {
    return [workloadTarget(written.kind, written.name, placeOf(written, facts), 'read')];
  },

  async plan(written, context) {
    const place = placeOf(written, context.facts);
    const type = await context.kubernetes.resource(place.context, written.kind, context);
    const show = written.show ?? 'summary';
    if (show === 'logs' && (written.name === undefined || place.namespace === '*')) {
      throw new HoldpointError('invalid_input', 'Logs are of one pod or workload.', {
        hint: 'Give its name and namespace.',
      });
    }
    if (written.name !== undefined && type.namespaced && place.namespace === '*') {
      throw new HoldpointError('invalid_input', 'One object is in one namespace.', {
        hint: 'Name the namespace, or leave the name out.',
      });
    }
    const asWritten = workloadTarget(written.kind, written.name, place, 'read');
    // What discovery knows and the written kind does not show: its singular, and whether it is in a namespace at all.
    const asServed = workloadTarget(type.kind, written.name, place, 'read');
    const outside = { ...asServed, at: { kubeContext: place.context, cluster: place.cluster ?? '' } };
    const targets: Target[] = [asWritten];
    if (asServed.resource !== asWritten.resource) targets.push(asServed);
    if (!type.namespaced && asServed.at?.namespace === place.namespace && type.kind !== 'Namespace')
      targets.push(outside);
    const summary = `${show === 'summary' ? 'look at' : `${show} of`} ${asServed.id}`;
    return {
      effect: 'read',
      targets,
      preconditions: [],
      steps: [{ id: 'get', does: summary, call: { groupVersion: type.groupVersion, resource: type.plural } }],
      preview: { summary },
      data: {
        place: { ...place },
        type: { ...type },
        name: written.name ?? null,
        show,
        selector: written.selector ?? null,
        container: written.container ?? null,
        previous: written.previous ?? false,
        limit: written.limit ?? DEFAULT_LIMIT[show],
        continue: written.continue ?? null,
      },
    };
  },

  async run({ data }, context) {
    const { place, type, name, limit } = data;
    const { kubernetes } = context;
    const head = {
      context: place.context,
      kind: type.kind,
      ...(type.namespaced ? { namespace: place.namespace } : {}),
    };
    const visible = (namespace: string) =>
      place.namespace !== '*' || context.permits(workloadTarget(type.kind, undefined, { ...place, namespace }, 'read'));

    if (data.show === 'logs' && name !== null) {
      const query = {
        lines: limit,
        previous: data.previous,
        ...(data.container === null ? {} : { container: data.container }),
      };
      const ref = { context: place.context, namespace: place.namespace, type, name };
      const logs = await kubernetes.logs(ref, query, context);
      const lines = foldAlike(context.redact(logs.text).trimEnd().split('\n'));
      return { ...head, logs: { ...logs, text: lines.map(({ line }) => line).join('\n') } };
    }
    if (data.show === 'events') {
      const about = { kind: type.kind, ...(name === null ? {} : { name }) };
      const namespace = type.namespaced ? place.namespace : CLUSTER_EVENTS;
      const query = { context: place.context, namespace, limit, about, visible };
      const { events, more } = await kubernetes.events(query, context);
      return { ...head, events, ...(more === 0 ? {} : { moreEvents: more }) };
    }
    if (name !== null) {
      const described = await kubernetes.describe(
        { context: place.context, namespace: place.namespace, type, name },
        context,
      );
      return { ...head, object: { name, ...described } };
    }
    const table = await kubernetes.list(
      type,
      {
        context: place.context,
        namespace: place.namespace,
        limit,
        ...(data.selector === null ? {} : { selector: data.selector }),
        ...(data.continue === null ? {} : { continue: data.continue }),
      },
      context,
    );
    return { ...head, table: permittedRows(table, visible) };
  },

  render: lookText,
});

function permittedRows({ namespaces, rows, ...rest }: Table, visible: (namespace: string) => boolean) {
  const shown = rows.filter((_row, index) => visible(namespaces[index] ?? ''));
  return { ...rest, rows: shown, ...(shown.length === rows.length ? {} : { leftOut: rows.length - shown.length }) };
}
