import { randomBytes } from 'node:crypto';

import { canonicalJson, sha256 } from '../audit/canonical.ts';
import type { AuditLog } from '../audit/log.ts';
import { HoldpointError } from '../core/errors.ts';
import type { JsonObject } from '../core/json.ts';
import { principalId, type Principal } from '../core/principal.ts';
import type { Session, Store } from '../store/store.ts';

/** Work that one role leaves for another, or asks it about. It says something; it permits and runs nothing. */
export interface HandOff {
  id: string;
  state: 'open' | 'taken' | 'done';
  /** The role: the name of the persona whose agents see it. */
  to: string;
  /** Whether that role is to do the work, or to be asked about it. */
  wants: 'delegate' | 'consult';
  /** `refusal`: left by Holdpoint. `agent`: in the agent's own words. */
  by: 'refusal' | 'agent';
  from: Principal;
  /** What was to be done: the tool, and what it was to touch, in words. */
  what: { tool?: string; targets: string[]; note?: string };
  why: { rule?: string; reason?: string };
  /** Arguments of the call as far as they are names and numbers; no content of files. */
  context: JsonObject;
  /** How often it was asked for. */
  times: number;
  /** Who has taken it, and what was said when it was taken or closed. */
  takenBy?: string;
  note?: string;
  /** ISO 8601, UTC. */
  createdAt: string;
  movedAt: string;
}

/** What a new one says; redacted and bounded already. */
type HandOffDraft = Pick<HandOff, 'to' | 'wants' | 'by' | 'from' | 'what' | 'why' | 'context'>;

export interface HandOffs {
  /** Leaves one; where the same is open already, counts it there. Gives its id. */
  leave(draft: HandOffDraft, callId: string): Promise<HandOff>;
  /** Newest first; those of one role, where it is given. */
  list(options: { to?: string; states: readonly HandOff['state'][]; limit: number }): Promise<HandOff[]>;
  /** @throws HoldpointError `not_found` */
  find(id: string): Promise<HandOff>;
  /** @throws HoldpointError `not_found`; `conflict` where it is taken or done by now. */
  take(id: string, who: Principal, note: string | undefined, callId: string): Promise<HandOff>;
  /** @throws HoldpointError `not_found`; `conflict` where it is done by now. */
  close(id: string, who: Principal, note: string | undefined, callId: string): Promise<HandOff>;
}

/**
 * Of one workspace, and of one sender in it, who must not push out what others left. When there are more, the oldest that are
 * done go, then the oldest at all.
 */
const MAX_KEPT = 500;
const MAX_OF_ONE = 100;

const COLUMNS = 'id, state, to_role, body, times, created_at, moved_at, taken_by, note';

interface Row {
  id: string;
  state: HandOff['state'];
  to_role: string;
  body: string;
  times: number;
  created_at: number;
  moved_at: number;
  taken_by: string | null;
  note: string | null;
}

/** The hand-offs of one workspace, in the store that its servers share, each step with its audit record. */
export function createHandOffs({
  store,
  audit,
  workspace,
  now = Date.now,
}: {
  store: Store;
  audit: Pick<AuditLog, 'transaction'>;
  workspace: string;
  /** Milliseconds since 1970. */
  now?: () => number;
}): HandOffs {
  const found = async (session: Pick<Session, 'query'>, id: string): Promise<HandOff> => {
    const [row] = await session.query<Row>(`SELECT ${COLUMNS} FROM hand_offs WHERE workspace = ? AND id = ?`, [
      workspace,
      id,
    ]);
    if (row) return handOffOf(row);
    throw new HoldpointError('not_found', `There is no hand-off ${JSON.stringify(id.slice(0, 80))}.`, {
      hint: 'hand-offs { "action": "list" } gives those for your role; "all": true every one.',
    });
  };

  /** Leaves the new one and so many others of the sender, or of all. */
  async function prune(session: Session, id: string, most: number, sender?: string): Promise<void> {
    const whose = sender === undefined ? [] : [sender];
    await session.query(
      `DELETE FROM hand_offs WHERE workspace = ? AND id IN (
         SELECT id FROM hand_offs WHERE workspace = ? AND id <> ?${sender === undefined ? '' : ' AND sender = ?'}
         ORDER BY CASE WHEN state = 'done' THEN 1 ELSE 0 END, moved_at DESC, id LIMIT ? OFFSET ?)`,
      [workspace, workspace, id, ...whose, MAX_KEPT, most - 1],
    );
  }

  /** Moves one that is in `from`, whoever else moves it at the same time. */
  function move(id: string, from: readonly HandOff['state'][], to: 'taken' | 'done') {
    return (who: Principal, note: string | undefined, callId: string): Promise<HandOff> =>
      audit.transaction(async (session, append) => {
        const before = await found(session, id);
        if (!from.includes(before.state))
          throw new HoldpointError(
            'conflict',
            `${id} is ${before.state} already${before.takenBy === undefined ? '' : `, by ${before.takenBy}`}.`,
            { hint: 'Read it; list gives those that are open.' },
          );
        const by = `${who.agent} (${who.person})`;
        await session.query(
          `UPDATE hand_offs SET state = ?, moved_at = ?, taken_by = ?, note = ? WHERE workspace = ? AND id = ?`,
          [to, now(), to === 'taken' ? by : (before.takenBy ?? by), note ?? before.note ?? null, workspace, id],
        );
        const data = { handOff: id, to: before.to, by, ...(note !== undefined && { note }) };
        await append({ kind: to === 'taken' ? 'hand-off.taken' : 'hand-off.closed', callId, data });
        return found(session, id);
      });
  }

  return {
    leave: (draft, callId) =>
      audit.transaction(async (session, append) => {
        const same = sha256(canonicalJson(sameness(draft)));
        const at = now();
        const [again] = await session.query<Row>(
          `UPDATE hand_offs SET times = times + 1, moved_at = ?
           WHERE workspace = ? AND same_as = ? AND state IN ('open', 'taken') RETURNING ${COLUMNS}`,
          [at, workspace, same],
        );
        if (again) return handOffOf(again);
        const id = `hnd_${randomBytes(9).toString('base64url')}`;
        const { to, ...body } = draft;
        const sender = principalId({ ...draft.from, client: '' });
        await session.query(
          `INSERT INTO hand_offs (workspace, id, same_as, sender, state, to_role, body, times, created_at, moved_at)
           VALUES (?, ?, ?, ?, 'open', ?, ?, 1, ?, ?)`,
          [workspace, id, same, sender, to, JSON.stringify(body), at, at],
        );
        await prune(session, id, MAX_OF_ONE, sender);
        await prune(session, id, MAX_KEPT);
        const { agent, person } = draft.from;
        const data = {
          handOff: id,
          to,
          wants: draft.wants,
          by: draft.by,
          from: `${agent} (${person})`,
          what: draft.what,
          why: draft.why,
        };
        await append({ kind: 'hand-off.opened', callId, data: JSON.parse(JSON.stringify(data)) as JsonObject });
        return found(session, id);
      }),

    async list({ to, states, limit }) {
      const marks = states.map(() => '?').join(', ');
      const rows = await store.query<Row>(
        `SELECT ${COLUMNS} FROM hand_offs WHERE workspace = ? AND state IN (${marks})${to === undefined ? '' : ' AND to_role = ?'}
         ORDER BY created_at DESC, id LIMIT ?`,
        [workspace, ...states, ...(to === undefined ? [] : [to]), limit],
      );
      return rows.map(handOffOf);
    },
    find: (id) => found(store, id),
    take: (id, who, note, callId) => move(id, ['open'], 'taken')(who, note, callId),
    close: (id, who, note, callId) => move(id, ['open', 'taken'], 'done')(who, note, callId),
  };
}

/** What makes two the same: who wants what of whom, and why; not the words around it. */
function sameness({ to, wants, by, from: { person, agent }, what, why }: HandOffDraft): JsonObject {
  return JSON.parse(JSON.stringify({ to, wants, by, person, agent, what, why })) as JsonObject;
}

function handOffOf({ id, state, to_role, body, times, created_at, moved_at, taken_by, note }: Row): HandOff {
  return {
    id,
    state,
    to: to_role,
    ...(JSON.parse(body) as Omit<HandOffDraft, 'to'>),
    times,
    ...(taken_by !== null && { takenBy: taken_by }),
    ...(note !== null && { note }),
    createdAt: new Date(created_at).toISOString(),
    movedAt: new Date(moved_at).toISOString(),
  };
}
