import type { Call, KubernetesApi } from './api.ts';
import { listPath } from './api.ts';
import type { KubeEvent } from './objects.ts';
import { plain } from './quoted.ts';

export interface EventLine {
  /** ISO 8601, UTC. */
  last: string;
  type: string;
  reason: string;
  object: string;
  namespace: string;
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
  limit: number;
}

const MAX_READ = 1000;
/** Where Kubernetes keeps the events of objects that are in no namespace. */
export const CLUSTER_EVENTS = 'default';

/** The newest events first. The API cannot sort; of more than 1,000 events only the first thousand are looked through. */
export async function readEvents(api: KubernetesApi, query: EventQuery, call: Call): Promise<EventLine[]> {
  const events = await eventObjects(api, query, call);
  return events.slice(0, query.limit).map(eventLine);
}

/** Like readEvents, as objects, to be told apart by uid. */
export async function eventObjects(
  api: KubernetesApi,
  query: Omit<EventQuery, 'limit'>,
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

export function eventLine(event: KubeEvent): EventLine {
  const about = event.involvedObject ?? {};
  return {
    last: when(event),
    type: event.type ?? '',
    reason: plain(event.reason ?? '', 100),
    namespace: event.metadata.namespace ?? '',
    object: `${(about.kind ?? '').toLowerCase()}/${about.name ?? ''}`,
    count: event.series?.count ?? event.count ?? 1,
    message: plain(event.message ?? '', 300),
  };
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
