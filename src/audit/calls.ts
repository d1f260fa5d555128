import type { Store } from '../store/store.ts';
import type { AuditRecord } from './chain.ts';
import { parseObject } from '../core/json.ts';

/** How many of the newest decisions are looked through. */
const LOOK_BACK = 2000;

/** One call as the log has it: what was decided on, and how it ended. */
export interface LoggedCall {
  opened: AuditRecord;
  /** Undefined while it runs, and where the process died. */
  closed: AuditRecord | undefined;
}

/** The processes that have served this workspace: names of their chains. */
export async function writersFor(store: Store, workspace: string): Promise<ReadonlySet<string>> {
  const rows = await store.query<{ writer: string; record: string }>(
    `SELECT writer, record FROM audit_records WHERE kind = 'server.started' ORDER BY time DESC LIMIT ${LOOK_BACK}`,
  );
  const ours = rows.filter(
    ({ record }) => (parseObject(record)?.['data'] as { workspace?: unknown } | undefined)?.workspace === workspace,
  );
  return new Set(ours.map(({ writer }) => writer));
}

/** The process that took an approval request; undefined where the log has none. */
export async function writerOfRequest(store: Store, approval: string): Promise<string | undefined> {
  const [row] = await store.query<{ writer: string }>(
    `SELECT writer FROM audit_records WHERE approval = ? AND kind = 'approval.requested' LIMIT 1`,
    [approval],
  );
  return row?.writer;
}

/** Calls that were let through, newest first; those for which `wanted` answers true, at most `limit`. */
export async function recentCalls(
  store: Store,
  wanted: (opened: AuditRecord) => boolean,
  limit: number,
): Promise<LoggedCall[]> {
  const rows = await store.query<{ record: string }>(
    `SELECT record FROM audit_records WHERE kind = 'opened' ORDER BY time DESC, writer DESC, seq DESC LIMIT ${LOOK_BACK}`,
  );
  const opened = rows
    .flatMap(({ record }) => (parseObject(record) as unknown as AuditRecord | undefined) ?? [])
    .filter(({ data }) => data['verdict'] === 'allow')
    .filter(wanted)
    .slice(0, limit);
  const closed = new Map<string, AuditRecord>();
  for (let at = 0; at < opened.length; at += 100) {
    const ids = opened.slice(at, at + 100).flatMap(({ callId }) => callId ?? []);
    // oxlint-disable-next-line no-await-in-loop -- so many parameters at a time
    const found = await store.query<{ record: string }>(
      `SELECT record FROM audit_records WHERE kind = 'closed' AND call_id IN (${ids.map(() => '?').join(', ')})`,
      ids,
    );
    for (const { record } of found) {
      const value = parseObject(record) as unknown as AuditRecord | undefined;
      if (value?.callId) closed.set(value.callId, value);
    }
  }
  return opened.map((each) => ({ opened: each, closed: closed.get(each.callId ?? '') }));
}
