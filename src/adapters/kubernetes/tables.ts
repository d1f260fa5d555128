import type { JsonObject } from '../../core/json.ts';
import type { Call, KubernetesApi } from './api.ts';
import { listPath } from './api.ts';
import type { ResourceType } from './discovery.ts';
import type { KubeObject, Pod, WorkloadObject } from './objects.ts';
import { podStatus, podTroubles, readyContainers } from './pods.ts';
import { plain } from './quoted.ts';
import { isWorkloadKind, rolloutState } from './workloads.ts';
import type { WorkloadKind } from './workloads.ts';

export interface Table {
  columns: string[];
  rows: string[][];
  /** Namespaces of the rows; empty strings for what is in none. */
  namespaces: string[];
  /** Give it back to read on. */
  continue?: string;
  /** How many more there are, where the server says. */
  remaining?: number;
}

export interface ListQuery {
  context: string;
  /** `*` for all; ignored for kinds outside namespaces. */
  namespace: string;
  selector?: string;
  limit: number;
  continue?: string;
}

const MAX_CELL = 160;

/**
 * A list in kubectl's columns. Pods and workloads are read whole and get a `problem` column; of every other kind, Secrets
 * and custom resources among them, the server makes the table and only that is transferred.
 */
export async function readTable(
  api: KubernetesApi,
  type: ResourceType,
  query: ListQuery,
  now: Date,
  call: Call,
): Promise<Table> {
  const own = ownColumns(type);
  const answer = await api.json(
    {
      context: query.context,
      method: 'GET',
      path: listPath(type.groupVersion, type.plural, type.namespaced ? query.namespace : undefined),
      query: {
        limit: String(query.limit),
        ...(query.selector === undefined ? {} : { labelSelector: query.selector }),
        ...(query.continue === undefined ? {} : { continue: query.continue }),
      },
      ...(own === undefined ? { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json' } : {}),
    },
    call,
  );
  const table = answer.kind === 'Table' ? serverTable(answer) : objectTable(answer, own ?? [], now);
  const { metadata } = answer as { metadata?: { continue?: string; remainingItemCount?: number } };
  if (metadata?.continue !== undefined && metadata.continue !== '') table.continue = metadata.continue;
  if (metadata?.remainingItemCount !== undefined) table.remaining = metadata.remainingItemCount;
  return type.namespaced && query.namespace === '*' ? withNamespaces(table) : table;
}

type Column = [title: string, cell: (object: KubeObject) => string];

function ownColumns(type: ResourceType): Column[] | undefined {
  const kind = type.kind.toLowerCase();
  if (type.groupVersion === 'v1' && kind === 'pod') {
    const pod = (cell: (pod: Pod) => string) => (object: KubeObject) => cell(object as Pod);
    return [
      ['ready', pod((p) => `${readyContainers(p).ready}/${readyContainers(p).total}`)],
      ['status', pod(podStatus)],
      ['restarts', pod((p) => String(readyContainers(p).restarts))],
      ['image', pod((p) => p.spec.containers.map((container) => container.image).join(', '))],
      ['problem', pod((p) => podTroubles(p)[0]?.text ?? '')],
    ];
  }
  if (type.groupVersion === 'apps/v1' && isWorkloadKind(kind)) {
    const workload = (cell: (object: WorkloadObject) => string) => (object: KubeObject) =>
      cell(object as WorkloadObject);
    return [
      ['ready', workload((w) => `${rolloutState(kind, w).available}/${rolloutState(kind, w).desired}`)],
      ['updated', workload((w) => String(rolloutState(kind, w).updated))],
      ['image', workload((w) => w.spec.template.spec.containers.map((container) => container.image).join(', '))],
      ['problem', workload((w) => workloadProblem(kind, w))],
    ];
  }
  return undefined;
}

function workloadProblem(kind: WorkloadKind, object: WorkloadObject): string {
  const { state, message, reasons } = rolloutState(kind, object);
  return state === 'ready' ? '' : [message, ...reasons].join('; ');
}

function objectTable(answer: JsonObject, columns: Column[], now: Date): Table {
  const objects = (Array.isArray(answer.items) ? answer.items : []) as unknown as KubeObject[];
  return {
    columns: ['name', ...columns.map(([title]) => title), 'age'],
    rows: objects.map((object) => [
      object.metadata.name,
      ...columns.map(([, cell]) => plain(cell(object), MAX_CELL)),
      age(object.metadata.creationTimestamp, now),
    ]),
    namespaces: objects.map((object) => object.metadata.namespace ?? ''),
  };
}

interface ServerTable {
  columnDefinitions?: { name: string; priority?: number }[];
  rows?: { cells?: unknown[]; object?: { metadata?: { namespace?: string } } }[];
}

function serverTable(answer: JsonObject): Table {
  const { columnDefinitions = [], rows = [] } = answer as unknown as ServerTable;
  const shown = columnDefinitions
    .map((column, index) => ({ column, index }))
    .filter(({ column }) => (column.priority ?? 0) === 0);
  return {
    columns: shown.map(({ column }) => column.name.toLowerCase()),
    rows: rows.map((row) => shown.map(({ index }) => plain(cellText(row.cells?.[index]), MAX_CELL))),
    namespaces: rows.map((row) => row.object?.metadata?.namespace ?? ''),
  };
}

function cellText(cell: unknown): string {
  if (cell === null || cell === undefined) return '';
  return typeof cell === 'string' ? cell : JSON.stringify(cell);
}

function withNamespaces(table: Table): Table {
  return {
    ...table,
    columns: ['namespace', ...table.columns],
    rows: table.rows.map((row, index) => [table.namespaces[index] ?? '', ...row]),
  };
}

/** Time since then as kubectl shows it: `45s`, `12m`, `5h`, `3d`. */
export function age(since: string | undefined, now: Date): string {
  const seconds =
    since === undefined ? Number.NaN : Math.max(0, Math.floor((now.getTime() - Date.parse(since)) / 1000));
  if (Number.isNaN(seconds)) return '';
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}
