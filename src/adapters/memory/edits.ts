import { randomUUID } from 'node:crypto';

import type { Session, Store } from '../../store/store.ts';

/** One change of a file of the workspace that a tool made, as it was recorded by itself. */
export interface EditRecord {
  /** The real path, from the workspace. */
  path: string;
  did: 'created' | 'changed' | 'removed';
  /** Bytes there are afterwards. */
  bytes: number;
  tool: string;
  agent: string;
  person: string;
  /** The call that did it, as the audit log has it. */
  call: string;
  /** Id for `holdpoint files restore`. */
  undo: string;
  /** ISO 8601, UTC. */
  at: string;
}

export interface Edits {
  /** @throws HoldpointError `unavailable` where the store cannot be written. */
  record(edit: Omit<EditRecord, 'at'>): Promise<void>;
  /**
   * Makes a change while no other server of this store makes one so, and records it in the same transaction. `make` must not
   * use the store. Where only the recording fails, `unrecorded` is told and the change stays.
   *
   * @throws what `make` throws.
   */
  alone<T>(
    make: () => Promise<T>,
    said: (made: T) => Omit<EditRecord, 'at'>,
    unrecorded: (err: unknown) => void,
  ): Promise<T>;
  /** Newest first. */
  list(limit: number): Promise<EditRecord[]>;
}

/** What is kept of one workspace. */
const MAX_EDITS = 2000;
const MAX_AGE = 90 * 86_400_000;

/** The edits of one workspace, in the store that its servers share. `now`: milliseconds since 1970. */
export function createEdits({
  store,
  workspace,
  now = Date.now,
}: {
  store: Store;
  workspace: string;
  now?: () => number;
}): Edits {
  async function insert(session: Session, edit: Omit<EditRecord, 'at'>): Promise<void> {
    const { path, did, bytes, tool, agent, person, call, undo } = edit;
    const at = now();
    await session.query(
      `INSERT INTO memory_edits (workspace, id, at, path, did, bytes, tool, agent, person, call_id, undo)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      [workspace, randomUUID(), at, path, did, bytes, tool, agent, person, call, undo],
    );
    await session.query('DELETE FROM memory_edits WHERE workspace = ? AND at < ?', [workspace, at - MAX_AGE]);
    await session.query(
      `DELETE FROM memory_edits WHERE workspace = ? AND id IN
         (SELECT id FROM memory_edits WHERE workspace = ? ORDER BY at DESC, id DESC LIMIT ? OFFSET ?)`,
      [workspace, workspace, MAX_EDITS, MAX_EDITS],
    );
  }

  return {
    record: (edit) => store.transaction((session) => insert(session, edit)),
    async alone(make, said, unrecorded) {
      let outcome: { made: Awaited<ReturnType<typeof make>> } | { error: unknown } | undefined;
      try {
        await store.transaction(async (session) => {
          try {
            outcome = { made: await make() };
          } catch (error) {
            outcome = { error };
            return;
          }
          await insert(session, said(outcome.made));
        });
      } catch (err) {
        unrecorded(err);
      }
      // A store that is not to be had does not keep anybody from writing a file.
      outcome ??= { made: await make() };
      if ('error' in outcome) throw outcome.error;
      return outcome.made;
    },
    async list(limit) {
      const rows = await store.query<Omit<EditRecord, 'at' | 'call'> & { at: number; call_id: string }>(
        `SELECT at, path, did, bytes, tool, agent, person, call_id, undo FROM memory_edits
         WHERE workspace = ? AND at >= ? ORDER BY at DESC, id DESC LIMIT ?`,
        [workspace, now() - MAX_AGE, Math.min(limit, MAX_EDITS)],
      );
      return rows.map(({ at, call_id: call, ...rest }) => ({ ...rest, call, at: new Date(at).toISOString() }));
    },
  };
}
