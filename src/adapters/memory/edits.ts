import { randomUUID } from 'node:crypto';

import type { Store } from '../../store/store.ts';

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
  return {
    async record({ path, did, bytes, tool, agent, person, call, undo }) {
      const at = now();
      await store.transaction(async (session) => {
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
      });
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
