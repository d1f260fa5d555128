import type { Call, KubernetesApi } from './api.ts';
import { listPath } from './api.ts';
import type { KubeEvent } from './objects.ts';
import { plain, plainEnds, withoutUid } from './quoted.ts';
import { age } from './tables.ts';

export interface EventLine {
  /** Since it was last seen: `45s`. */
  age: string;
  type: string;
  reason: string;
  object: string;
  /** How many other objects of the kind have been told the same. */
  others?: number;
  /** Where events of all namespaces are looked at. */
  namespace?: string;
  count: number;
  message: string;
}

export interface EventQuery {
  context: string;
  /** `*` for all. */
  namespace: string;
  /** Only those about this kind, or this object. */
  about?: { kind: string; name?: string };
  warningsOnly?: boolean;
  /** Of which namespaces events are seen; all where absent. */
  visible?: (namespace: string) => boolean;
  limit: number;
}

export interface Events {
  events: EventLine[];
  /** How many lines `limit` leaves out. */
  more: number;
}

const MAX_READ = 1000;
const MAX_MESSAGE = 280;
/** Where Kubernetes keeps the events of objects that are in no namespace. */
export const CLUSTER_EVENTS = 'default';

/** The newest events first. The API cannot sort; of more than 1,000 events only the first thousand are looked through. */
export async function readEvents(api: KubernetesApi, query: EventQuery, now: Date, call: Call): Promise<Events> {
  const { visible = () => true } = query;
  const events = await eventObjects(api, query, call);
  const lines = eventLines(
    events.filter(({ metadata }) => visible(metadata.namespace ?? '')),
    now,
    { namespaces: query.namespace === '*' },
  );
  return { events: lines.slice(0, query.limit), more: Math.max(0, lines.length - query.limit) };
}

/** Like readEvents, as objects, to be told apart by uid. */
export async function eventObjects(
  api: KubernetesApi,
  query: Omit<EventQuery, 'limit' | 'visible'>,
  call: Call,
): Promise<KubeEvent[]> {
  const fields: string[] = [];
  if (query.about !== undefined) {
    fields.push(`involvedObject.kind=${query.about.kind}`);
    if (query.about.name !== undefined) fields.push(`involvedObject.name=${query.about.name}`);
  }
  if (query.warningsOnly === true) fields.push('type=Warning');
  const list = await api.json(
    {
      context: query.context,
      method: 'GET',
      path: listPath('v1', 'events', query.namespace),
      query: { limit: String(MAX_READ), ...(fields.length === 0 ? {} : { fieldSelector: fields.join(',') }) },
    },
    call,
  );
  const items = (Array.isArray(list.items) ? list.items : []) as unknown as KubeEvent[];
  return items.sort((a, b) => when(b).localeCompare(when(a)));
}

/** One line for each thing said, newest first as the events come: what the pods of a workload are told alike is one line. */
export function eventLines(events: readonly KubeEvent[], now: Date, { namespaces = false } = {}): EventLine[] {
  const lines = new Map<string, EventLine & { names: Set<string> }>();
  for (const event of events) {
    const { kind = '', name = '' } = event.involvedObject ?? {};
    const namespace = event.metadata.namespace ?? '';
    const message = withoutUid(event.message ?? '');
    const said = name === '' ? message : message.replaceAll(name, '');
    const key = JSON.stringify([event.type, event.reason, kind, namespace, said]);
    const count = event.series?.count ?? event.count ?? 1;
    const known = lines.get(key);
    if (known) {
      known.count += count;
      known.names.add(name);
      continue;
    }
    lines.set(key, {
      age: age(when(event), now),
      type: event.type ?? '',
      reason: plain(event.reason ?? '', 100),
      object: `${kind.toLowerCase()}/${name}`,
      ...(namespaces ? { namespace } : {}),
      count,
      message: plainEnds(message, MAX_MESSAGE),
      names: new Set([name]),
    });
  }
  return [...lines.values()].map(({ names, ...line }) =>
    names.size === 1 ? line : { ...line, others: names.size - 1 },
  );
}

function when(event: KubeEvent): string {
  return (
    event.series?.lastObservedTime ??
    event.lastTimestamp ??
    event.eventTime ??
    event.firstTimestamp ??
    event.metadata.creationTimestamp ??
    ''
  );
}
