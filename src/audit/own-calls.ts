import { parseObject, type JsonObject } from '../core/json.ts';
import type { Session } from '../store/store.ts';
import type { AuditRecord } from './chain.ts';

/** Where a page ends: the key of the last record looked at. */
export interface Mark {
  time: string;
  writer: string;
  seq: number;
}

/** One call as the log has it; parts of what has not happened yet, or was never decided, are absent. */
export interface LoggedCall {
  id: string;
  time: string;
  received: JsonObject;
  opened?: JsonObject;
  closed?: JsonObject;
}

/** Records read at once, and how many are looked at for one page: a log of others' calls must not be read whole. */
const AT_ONCE = 500;
const AT_MOST = 5000;

interface Row extends Mark {
  call_id: string | null;
  record: string;
}

/**
 * The calls of one principal, newest first.
 *
 * @param who Its `principalId`, as the log has it (redacted).
 * @param page `before`: where the page before this one ended.
 * @returns `next` where there may be more: pass it as `before`. A page may be short, or empty, and have one.
 */
export async function callsOf(
  store: Session,
  who: string,
  { before, limit }: { before?: Mark | undefined; limit: number },
): Promise<{ calls: LoggedCall[]; next?: Mark }> {
  const calls: LoggedCall[] = [];
  let last: Mark = before ?? { time: '9', writer: '', seq: 0 };
  for (let looked = 0; looked < AT_MOST; looked += AT_ONCE) {
    const rows = await store.query<Row>(
      `SELECT time, writer, seq, call_id, record FROM audit_records
       WHERE (time, writer, seq) < (?, ?, ?) ORDER BY time DESC, writer DESC, seq DESC LIMIT ?`,
      [last.time, last.writer, last.seq, AT_ONCE],
    );
    for (const row of rows) {
      last = { time: row.time, writer: row.writer, seq: row.seq };
      const record = parseObject(row.record) as unknown as AuditRecord | undefined;
      if (record?.kind !== 'received' || row.call_id === null || record.data['principal'] !== who) continue;
      calls.push({ id: row.call_id, time: row.time, received: record.data });
      if (calls.length === limit) return { calls: await completed(store, calls), next: last };
    }
    if (rows.length < AT_ONCE) return { calls: await completed(store, calls) };
  }
  return { calls: await completed(store, calls), next: last };
}

/** The same with what was decided on each and how it ended. */
async function completed(store: Session, calls: LoggedCall[]): Promise<LoggedCall[]> {
  if (calls.length === 0) return calls;
  const rows = await store.query<Pick<Row, 'call_id' | 'record'>>(
    `SELECT call_id, record FROM audit_records WHERE call_id IN (${calls.map(() => '?').join(', ')})`,
    calls.map(({ id }) => id),
  );
  const byCall = new Map(calls.map((call) => [call.id, call]));
  for (const { call_id: id, record } of rows) {
    const call = byCall.get(id ?? '');
    const { kind, data } = (parseObject(record) ?? {}) as Partial<AuditRecord>;
    if (call && data && (kind === 'opened' || kind === 'closed')) call[kind] = data;
  }
  return calls;
}
