import { HoldpointError } from '../core/errors.ts';
import { parseObject } from '../core/json.ts';
import type { Store } from '../store/store.ts';
import { approvalOf, type AuditKind, type AuditRecord, type Head } from './chain.ts';
import type { AuditSource, FoundRecord } from './verify.ts';

const PAGE = 1000;
const MAX_STRAYS = 100;

interface Row {
  writer: string;
  seq: number;
  time: string;
  kind: string;
  call_id: string | null;
  approval: string | null;
  record: string;
  hash: string;
}

export interface TailFilter {
  /** Only the records of this call or approval request. */
  about?: string;
}

/**
 * The last `count` records of all writers, oldest first by the clocks of their machines.
 *
 * @throws HoldpointError `unavailable` where one of them is damaged.
 */
export async function tailAudit(store: Store, count: number, { about }: TailFilter = {}): Promise<AuditRecord[]> {
  const columns = 'record, time, writer, seq';
  // Each half has an index of its own; with OR, SQLite reads the whole log in the order of time.
  const from =
    about === undefined
      ? 'audit_records'
      : `(SELECT ${columns} FROM audit_records WHERE call_id = ? UNION SELECT ${columns} FROM audit_records WHERE approval = ?) AS found`;
  const rows = await store.query<Pick<Row, 'record'>>(
    `SELECT record FROM ${from} ORDER BY time DESC, writer DESC, seq DESC LIMIT ?`,
    about === undefined ? [count] : [about, about, count],
  );
  return rows.toReversed().map(({ record }) => {
    const value = parseObject(record);
    if (value) return value as unknown as AuditRecord;
    throw new HoldpointError('unavailable', 'A record of the audit log is damaged.', {
      hint: '`holdpoint audit verify` says which; `holdpoint audit export` writes out what is there.',
    });
  });
}

/** Every record of one kind from `since` on (milliseconds since 1970), oldest first; undefined in place of a damaged one. */
export async function* recordsSince(
  store: Store,
  kind: AuditKind,
  since: number,
): AsyncIterable<AuditRecord | undefined> {
  let last: Pick<Row, 'time' | 'writer' | 'seq'> = { time: new Date(since).toISOString(), writer: '', seq: 0 };
  for (;;) {
    const rows = await store.query<Pick<Row, 'time' | 'writer' | 'seq' | 'record'>>(
      `SELECT time, writer, seq, record FROM audit_records
       WHERE kind = ? AND (time, writer, seq) > (?, ?, ?) ORDER BY time, writer, seq LIMIT ?`,
      [kind, last.time, last.writer, last.seq, PAGE],
    );
    for (const row of rows) yield parseObject(row.record) as unknown as AuditRecord | undefined;
    last = rows.at(-1) ?? last;
    if (rows.length < PAGE) return;
  }
}

/** The store's log for verifying, as it is at this moment; writers may go on meanwhile. */
export async function storeSource(store: Store): Promise<AuditSource> {
  const heads = await store.query<Head>('SELECT writer, seq, hash FROM audit_heads ORDER BY writer');
  const strays = await store.query<{ writer: string; seq: number }>(
    `SELECT r.writer, r.seq FROM audit_records r LEFT JOIN audit_heads h ON h.writer = r.writer
     WHERE h.writer IS NULL OR r.seq > h.seq ORDER BY r.writer, r.seq LIMIT ${MAX_STRAYS}`,
  );
  return { heads, strays, faults: [], records: () => recordsOf(store, heads) };
}

async function* recordsOf(store: Store, heads: readonly Head[]): AsyncIterable<FoundRecord> {
  for (const { writer, seq: end } of heads) {
    let after = Number.MIN_SAFE_INTEGER;
    for (;;) {
      const rows = await store.query<Row>(
        'SELECT * FROM audit_records WHERE writer = ? AND seq > ? AND seq <= ? ORDER BY seq LIMIT ?',
        [writer, after, end, PAGE],
      );
      for (const row of rows) {
        after = row.seq;
        yield { writer, seq: row.seq, text: row.record, hash: row.hash, agrees: columnsAgree(row) };
      }
      if (rows.length < PAGE) break;
    }
  }
}

function columnsAgree(row: Row): boolean {
  try {
    const record = JSON.parse(row.record) as AuditRecord;
    return (
      record.time === row.time &&
      record.kind === row.kind &&
      record.callId === row.call_id &&
      approvalOf(record) === row.approval
    );
  } catch {
    return false;
  }
}
