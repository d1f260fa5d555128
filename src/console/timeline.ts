import { z } from 'zod';

import type { AuditRecord } from '../audit/chain.ts';
import { HoldpointError } from '../core/errors.ts';
import type { SqlValue, Store } from '../store/store.ts';

/** Records of one page, and how many are looked through for it at most: filters look into the records themselves. */
const PAGE = 50;
const LOOK_THROUGH = 5000;
const AT_ONCE = 500;

const text = z.string().max(200).optional();
const time = z.iso.datetime().optional();

/** What the audit page can be narrowed to; all that are given must hold. */
export const timelineFilter = z.strictObject({
  tool: text,
  /** Any part of `person/agent/client`. */
  principal: text,
  verdict: z.enum(['allow', 'require_approval', 'deny']).optional(),
  approval: z
    .string()
    .regex(/^apr_[0-9a-f]{32}$/, 'write a whole id, apr_ and 32 digits')
    .optional(),
  from: time,
  to: time,
  /** Where the page before ended: `TIME WRITER SEQ`. */
  before: z
    .string()
    .regex(/^\S{1,64} \S{1,64} \d{1,15}$/)
    .optional(),
});

export type TimelineFilter = z.output<typeof timelineFilter>;

export interface TimelinePage {
  /** Newest first. */
  records: AuditRecord[];
  /** Give it as `before` for what is older; absent at the end. */
  older?: string;
}

type Row = Pick<AuditRecord, 'time' | 'writer' | 'seq'> & { record: string };

/**
 * One page of the audit log, newest first by the clocks of the writers' machines.
 *
 * @throws HoldpointError `unavailable` where a record on it is damaged.
 */
export async function timeline(store: Store, filter: TimelineFilter): Promise<TimelinePage> {
  const records: AuditRecord[] = [];
  let at = filter.before;
  for (let seen = 0; seen < LOOK_THROUGH; seen += AT_ONCE) {
    const rows = await rowsBefore(store, filter, at);
    for (const row of rows) {
      at = `${row.time} ${row.writer} ${row.seq}`;
      const record = readRecord(row.record);
      if (matches(record, filter)) records.push(record);
      if (records.length === PAGE) return { records, older: at };
    }
    if (rows.length < AT_ONCE) return { records };
  }
  return { records, ...(at !== undefined && { older: at }) };
}

function rowsBefore(store: Store, { approval, from, to }: TimelineFilter, at: string | undefined): Promise<Row[]> {
  const [time = '', writer = '', seq = ''] = at?.split(' ') ?? [];
  const conditions: { sql: string; values: SqlValue[] }[] = [];
  if (at !== undefined)
    conditions.push({ sql: '(time, writer, seq) < (?, ?, ?)', values: [time, writer, Number(seq)] });
  if (approval !== undefined) conditions.push({ sql: 'approval = ?', values: [approval] });
  if (from !== undefined) conditions.push({ sql: 'time >= ?', values: [from] });
  if (to !== undefined) conditions.push({ sql: 'time <= ?', values: [to] });
  return store.query<Row>(
    `SELECT time, writer, seq, record FROM audit_records ${conditions.length > 0 ? `WHERE ${conditions.map(({ sql }) => sql).join(' AND ')}` : ''}
     ORDER BY time DESC, writer DESC, seq DESC LIMIT ${AT_ONCE}`,
    conditions.flatMap(({ values }) => values),
  );
}

function matches({ data }: AuditRecord, { tool, principal, verdict }: TimelineFilter): boolean {
  const has = (name: string, wanted: string | undefined, same: (value: string, wanted: string) => boolean) =>
    wanted === undefined || (typeof data[name] === 'string' && same(data[name], wanted));
  const equal = (value: string, wanted: string) => value === wanted;
  return (
    has('tool', tool, equal) &&
    has('verdict', verdict, equal) &&
    has('principal', principal, (value, wanted) => value.toLowerCase().includes(wanted.toLowerCase()))
  );
}

function readRecord(record: string): AuditRecord {
  try {
    return JSON.parse(record) as AuditRecord;
  } catch (cause) {
    throw new HoldpointError('unavailable', 'A record of the audit log is damaged.', {
      hint: '`holdpoint audit verify` says which.',
      cause,
    });
  }
}
