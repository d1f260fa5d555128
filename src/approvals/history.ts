import { canonicalJson, sha256 } from '../audit/canonical.ts';
import { HoldpointError } from '../core/errors.ts';
import type { JsonObject } from '../core/json.ts';
import { principalId, type Principal } from '../core/principal.ts';
import type { Target } from '../core/target.ts';
import { planDigest, sameness } from './digest.ts';
import { dueOf, planPlace, readBody, type Ledger, type Row } from './ledger.ts';
import type { ApprovalRequest, Hold, Note, RequestBody } from './request.ts';
import { unseal } from './seal.ts';
import { OPEN_STATES, type State } from './states.ts';

/** How many earlier requests are looked through. */
const LOOK_BACK = 200;
const LIKE = 20;

/** An earlier request on one of the same targets, as far as people want to know of it. */
export interface Earlier {
  id: string;
  state: State;
  /** When it came to that state, in milliseconds since 1970. */
  at: number;
  reason?: string;
}

/** What the requests that there were tell about a new one. Reads only; rows that were changed by hand do not count. */
export function createHistory(ledger: Ledger) {
  const { store } = ledger;

  const inputOf = (row: Row): JsonObject | undefined => {
    try {
      readBody(row);
      return (unseal(ledger.sealKey, planPlace(row.id), row.sealed) as { input: JsonObject }).input;
    } catch {
      return undefined;
    }
  };

  return {
    /** The open request that the same call made before; undefined where `request` would make a new one, or has to look itself. */
    async openLike(hold: Omit<Hold, 'shown'>): Promise<ApprovalRequest | undefined> {
      const { principal, persona, tool, schemaHash, policyDigest } = hold;
      const sameAs = sameness({
        principal,
        persona,
        tool,
        schemaHash,
        policyDigest,
        planDigest: planDigest(hold.plan),
      });
      const now = await ledger.now();
      const [row] = await store.query<Row>(
        `SELECT * FROM approval_requests WHERE same_as = ? AND state IN (${OPEN_STATES.map(() => '?').join(', ')})`,
        [sameAs, ...OPEN_STATES],
      );
      return row && dueOf(row, now) === undefined ? ledger.view(store, row) : undefined;
    },

    /** The caller's last request with this very input, where that one went stale: a new one follows it. */
    async staleBefore({ principal, tool, input }: Pick<Hold, 'principal' | 'tool' | 'input'>) {
      const rows = await store.query<Row>(
        'SELECT * FROM approval_requests WHERE principal = ? AND tool = ? ORDER BY created_at DESC, moved_at DESC LIMIT ?',
        [principalId(principal), tool, LIKE],
      );
      const wanted = canonicalJson(input);
      const last = rows.find((row) => {
        const stored = inputOf(row);
        return stored !== undefined && canonicalJson(stored) === wanted;
      });
      return last?.state === 'stale' ? ledger.view(store, last) : undefined;
    },

    /**
     * What a stale request of the caller asked for, to plan it anew.
     *
     * @throws HoldpointError `not_found` for another's, `conflict` for one that is not stale.
     */
    async staleCall(id: string, principal: Principal): Promise<{ tool: string; input: JsonObject }> {
      const row = await ledger.load(store, id, principal);
      if (row.state !== 'stale')
        throw new HoldpointError('conflict', `The request ${id} is ${row.state}; only a stale one is planned anew.`, {
          hint: 'See its status. To have something done again make the original call again.',
        });
      const { input } = unseal(ledger.sealKey, planPlace(id), row.sealed) as { input: JsonObject };
      return { tool: readBody(row).tool, input };
    },

    /** Requests of anybody that ended, made with this tool on one of these targets; newest first. */
    async earlier(tool: string, targets: readonly Target[]): Promise<Earlier[]> {
      const ids = new Set(targets.filter(({ effect }) => effect !== 'read').map(({ id }) => id));
      const rows = await store.query<Pick<Row, 'id' | 'state' | 'digest' | 'body' | 'moved_at' | 'note'>>(
        `SELECT id, state, digest, body, moved_at, note FROM approval_requests WHERE tool = ? AND state IN ('done', 'failed', 'unknown', 'denied') ORDER BY moved_at DESC LIMIT ?`,
        [tool, LOOK_BACK],
      );
      return rows.flatMap(({ id, state, digest, body, moved_at: at, note }) => {
        if (sha256(body) !== digest) return [];
        const { plan } = JSON.parse(body) as RequestBody;
        if (!plan.targets.some((target) => target.effect !== 'read' && ids.has(target.id))) return [];
        const { reason } = (note === null ? {} : JSON.parse(note)) as Note;
        return [{ id, state, at, ...(reason === undefined ? {} : { reason }) }];
      });
    },
  };
}
