import { randomBytes } from 'node:crypto';

import { HoldpointError } from '../core/errors.ts';
import type { Json, JsonObject } from '../core/json.ts';
import { createQueue } from '../store/queue.ts';
import type { Session, Store } from '../store/store.ts';
import { canonicalJson, sha256, wellFormed } from './canonical.ts';
import {
  approvalOf,
  GENESIS,
  isApprovalId,
  sealRecord,
  type AuditDraft,
  type AuditKind,
  type AuditRecord,
  type Head,
} from './chain.ts';
import { callsOf } from './own-calls.ts';

/** Buffered records are written after this many milliseconds at the latest, together. */
const GROUP = 10;
/** While nothing can be written: milliseconds between attempts, and how many records wait in memory. */
const RETRY = 1000;
const MAX_WAITING = 10_000;
const CHECKPOINT_EVERY = 1000;
/** Characters of one record's data; a larger one is written as its hash. */
const MAX_DATA = 262_144;

/** Adds a record to an open transaction and returns the chain's new head. */
export type Append = (draft: AuditDraft) => Promise<Head>;

/** The append-only log of one process: one chain, whose writer is this process. */
export interface AuditLog {
  /** The chain's name in the store; new with every process start. */
  readonly writer: string;
  /** Why nothing may run now: the log cannot be written. Undefined again once everything appended is on disk. */
  broken(): HoldpointError | undefined;
  /** Takes a record; it is on disk a few milliseconds later, in one commit with its neighbours. */
  append(draft: AuditDraft): void;
  /** @throws HoldpointError `unavailable` when what was appended so far could not be written; the log is `broken` then. */
  flush(): Promise<void>;
  /**
   * One store transaction whose audit records commit with it or not at all. Records appended earlier are written before
   * them. What `work` throws rolls it back.
   */
  transaction<T>(work: (session: Session, append: Append) => Promise<T>): Promise<T>;
  /** What one principal did, up to what was appended last. @throws HoldpointError `unavailable` as `flush` does. */
  callsOf(...page: Page): ReturnType<typeof callsOf>;
  /** Writes a record that hashes the heads of all writers; done by itself every thousand records. */
  checkpoint(): Promise<void>;
  /** Flushes and stops; later appends are refused. */
  close(): Promise<void>;
}

type Page = Parameters<typeof callsOf> extends [unknown, ...infer Rest] ? Rest : never;

export interface AuditLogOptions {
  store: Store;
  /** A second net over every record's data; callers redact first. */
  redact?: (data: Json) => Json;
  /** Milliseconds since 1970. */
  now?: () => number;
  /** Records of this writer between two checkpoints. */
  checkpointEvery?: number;
  /** Told of each checkpoint record once it is on disk; must not throw. */
  onCheckpoint?: (head: Head) => void;
}

type Entry = Omit<AuditRecord, 'writer' | 'seq' | 'prevHash'>;

export function createAuditLog({
  store,
  redact = (data) => data,
  now = Date.now,
  checkpointEvery = CHECKPOINT_EVERY,
  onCheckpoint = () => {},
}: AuditLogOptions): AuditLog {
  const writer = `${new Date(now()).toISOString().replaceAll(/[-:]|\.\d+/g, '')}-${randomBytes(6).toString('hex')}`;
  const inTurn = createQueue();
  const waiting: Entry[] = [];
  let head: Head = { writer, seq: 0, hash: GENESIS };
  let sinceCheckpoint = 0;
  let broken: HoldpointError | undefined;
  let closed = false;
  let commit: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;

  const entryOf = ({ kind, callId, data }: AuditDraft): Entry => ({
    time: new Date(now()).toISOString(),
    kind,
    callId: callId === undefined ? null : callId.toWellFormed(),
    data: kind === 'checkpoint' ? data : ownData(kind, data),
  });

  /** A copy, since what a caller changes later is not what it appended; a record must never fail over what an agent sent. */
  const ownData = (kind: AuditKind, data: JsonObject): JsonObject => {
    try {
      const copy = wellFormed(redact(data)) as JsonObject;
      // Ids are random: a known secret that happens to be part of one must not make the record point nowhere.
      if (isApprovalId(data['approval'])) copy['approval'] = data['approval'];
      // So are signatures and public keys, and one that was masked would prove nothing any more.
      if (kind === 'approval.decided')
        for (const key of ['signature', 'key', 'as']) if (data[key] !== undefined) copy[key] = data[key];
      const text = canonicalJson(copy);
      return text.length <= MAX_DATA ? copy : { omitted: `too large: ${text.length} characters`, sha256: sha256(text) };
    } catch {
      return { omitted: 'not writable as JSON' };
    }
  };

  const insert = async (session: Session, at: Head, entry: Entry): Promise<Head> => {
    const record: AuditRecord = { ...entry, writer, seq: at.seq + 1, prevHash: at.hash };
    const { text, hash } = sealRecord(record);
    await session.query(
      'INSERT INTO audit_records (writer, seq, time, kind, call_id, approval, record, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
      [writer, record.seq, record.time, record.kind, record.callId, approvalOf(record), text, hash],
    );
    return { writer, seq: record.seq, hash };
  };

  /** Only inside `inTurn`: `head` and `waiting` must not move under an open transaction. */
  const write = async <T>(
    work: (session: Session, append: Append, saveHead: () => Promise<void>) => Promise<T>,
  ): Promise<T> => {
    const batch = waiting.slice();
    let at = head;
    const result = await store.transaction(async (session) => {
      const saveHead = async () => {
        await session.query(
          `INSERT INTO audit_heads (writer, seq, hash, sealed) VALUES (?, ?, ?, 0)
           ON CONFLICT (writer) DO UPDATE SET seq = excluded.seq, hash = excluded.hash`,
          [writer, at.seq, at.hash],
        );
      };
      for (const entry of batch) at = await insert(session, at, entry);
      const value = await work(session, async (draft) => (at = await insert(session, at, entryOf(draft))), saveHead);
      if (at !== head) await saveHead();
      return value;
    });
    sinceCheckpoint += at.seq - head.seq;
    head = at;
    waiting.splice(0, batch.length);
    return result;
  };

  const commitSoon = (delay: number) => {
    timer ??= setTimeout(() => {
      timer = undefined;
      // A failure is kept in `broken`, and the next attempt is planned.
      flush().catch(() => undefined);
    }, delay);
  };

  const flush = (): Promise<void> => {
    commit ??= inTurn(async () => {
      commit = undefined;
      if (waiting.length === 0) return;
      try {
        await write(async () => undefined);
        if (sinceCheckpoint >= checkpointEvery) await writeCheckpoint();
        broken = undefined;
      } catch (cause) {
        broken = new HoldpointError('unavailable', 'The audit log cannot be written, so nothing runs.', {
          hint: 'A person must look at the state directory: free space, permissions, other processes that hold the store.',
          cause,
        });
        if (!closed) commitSoon(RETRY);
        throw broken;
      }
    });
    return commit;
  };

  const writeCheckpoint = async () => {
    const written = await write(async (session, append, saveHead) => {
      await saveHead();
      const heads = await session.query<Head>(
        'SELECT writer, seq, hash FROM audit_heads WHERE seq > sealed ORDER BY writer',
      );
      const [last] = await session.query<{ value: string }>(`SELECT value FROM facts WHERE name = 'audit.checkpoint'`);
      const own = await append({
        kind: 'checkpoint',
        data: { heads: heads.map((each) => ({ ...each })), previous: last?.value ?? null },
      });
      await session.query('UPDATE audit_heads SET sealed = seq WHERE seq > sealed');
      await session.query(
        `INSERT INTO facts (name, value) VALUES ('audit.checkpoint', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
        [own.hash],
      );
      return own;
    });
    sinceCheckpoint = 0;
    onCheckpoint(written);
  };

  const refuseClosed = () => {
    if (closed)
      throw new HoldpointError('unavailable', 'The audit log is closed.', {
        hint: 'Holdpoint is stopping; start it again.',
      });
  };

  return {
    writer,
    broken: () => broken,
    append(draft) {
      refuseClosed();
      if (waiting.length >= MAX_WAITING)
        throw (
          broken ??
          new HoldpointError('unavailable', 'Too many audit records wait to be written.', {
            hint: 'Try again in a few seconds.',
          })
        );
      waiting.push(entryOf(draft));
      commitSoon(GROUP);
    },
    flush,
    async callsOf(...page) {
      await flush();
      return callsOf(store, ...page);
    },
    transaction(work) {
      refuseClosed();
      return inTurn(() => write(work));
    },
    checkpoint() {
      refuseClosed();
      return inTurn(writeCheckpoint);
    },
    async close() {
      closed = true;
      try {
        await flush();
      } finally {
        clearTimeout(timer);
      }
    },
  };
}
