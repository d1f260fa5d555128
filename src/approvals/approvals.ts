import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';

import { HoldpointError } from '../core/errors.ts';
import { principalId, type Principal } from '../core/principal.ts';
import { createAsking, type Limits } from './asking.ts';
import { createDeciding } from './deciding.ts';
import { remarksOf } from './decision-row.ts';
import { examined } from './evidence.ts';
import { createHistory } from './history.ts';
import { createLedger, dueOf, readBody, type LedgerParts, type Row } from './ledger.ts';
import type { ApprovalRequest } from './request.ts';
import { createRemarking } from './remarks.ts';
import { createRunning } from './running.ts';
import { STATES, type State } from './states.ts';

/** Milliseconds between looks at a request that somebody waits for. */
const POLL = 250;
const SWEEP_AT_ONCE = 100;
const LIST_AT_MOST = 100;
const MOVING: readonly State[] = ['pending', 'claimed', 'acting'];

export interface ListFilter {
  states?: readonly State[];
  principal?: Principal;
  /** At most 100, the default. */
  limit?: number;
}

export type Approvals = ReturnType<typeof createApprovals>;

/** The approvals of one store. Any number of processes may have their own; the store decides between them. */
export function createApprovals({ limits, ...parts }: LedgerParts & { limits: Limits }) {
  const ledger = createLedger(parts);
  const { store } = ledger;

  /** A request by its whole id; with an asker, only the asker's own. What time made due has happened. */
  const find = async (id: string, asker?: Principal): Promise<ApprovalRequest> => {
    const row = await ledger.load(store, id, asker);
    if (dueOf(row, await ledger.now()) === undefined) return ledger.view(store, row);
    return ledger.transition('sweep', async (step) => ledger.view(step.session, await ledger.open(step, id, asker)));
  };

  /** Does what time made due: expiry, leases that ran out. Returns how many requests moved; each server calls it now and then. */
  const sweep = async (): Promise<number> => {
    let moved = 0;
    for (;;) {
      const now = await ledger.now();
      const due = await store.query<{ id: string }>(
        `SELECT id FROM approval_requests WHERE state = 'pending' AND approve_by < ? OR state = 'approved' AND (run_by IS NULL OR run_by < ?)
         OR state IN ('claimed', 'acting') AND (lease_until IS NULL OR lease_until < ?) LIMIT ?`,
        [now, now, now, SWEEP_AT_ONCE],
      );
      if (due.length === 0) return moved;
      await ledger.transition('sweep', async (step) => {
        for (const { id } of due) await ledger.open(step, id);
      });
      moved += due.length;
      if (due.length < SWEEP_AT_ONCE) return moved;
    }
  };

  const rows = ({ states = [], principal, limit = LIST_AT_MOST }: ListFilter): Promise<Row[]> => {
    const conditions = [
      // All of them are no condition: their order is then that of an index.
      ...(states.length > 0 && states.length < STATES.length ? [`state IN (${states.map(() => '?').join(', ')})`] : []),
      ...(principal ? ['principal = ?'] : []),
    ];
    return store.query<Row>(
      `SELECT * FROM approval_requests ${conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : ''} ORDER BY created_at DESC, id LIMIT ?`,
      [
        ...(states.length < STATES.length ? states : []),
        ...(principal ? [principalId(principal)] : []),
        Math.min(limit, LIST_AT_MOST),
      ],
    );
  };

  return {
    ...createAsking(ledger, limits),
    ...createDeciding(ledger),
    ...createRunning(ledger, limits),
    ...createRemarking(ledger),
    ...createHistory(ledger),
    find,
    sweep,
    /** The request with what its checklists' evidence says at this moment; looking takes a few seconds at most. */
    async examine(request: ApprovalRequest): Promise<ApprovalRequest> {
      if (request.terms.checklists.length === 0) return request;
      const { approvals } = await ledger.standing(store, await ledger.load(store, request.id));
      return examined(ledger.evidence, request, [...approvals, ...(await remarksOf(store, request.id))], store);
    },
    /** Milliseconds since 1970 as this store counts them: never before anything that was done. For dating a decision. */
    now: ledger.now,

    /** Newest first; without rows that were changed by hand, for which see `altered`. */
    async list(filter: ListFilter = {}): Promise<ApprovalRequest[]> {
      await sweep();
      const requests: ApprovalRequest[] = [];
      for (const row of await rows(filter)) if (isWhole(row)) requests.push(await ledger.view(store, row));
      return requests;
    },

    /** Requests whose glass was broken, newest first; with `openOnly` those that nobody has reviewed. Without rows changed by hand. */
    async reviews(openOnly = true): Promise<ApprovalRequest[]> {
      await sweep();
      const broken = await store.query<Row>(
        `SELECT DISTINCT r.* FROM approval_requests r JOIN approval_decisions d ON d.request = r.id WHERE d.break_glass = 1
         ORDER BY r.created_at DESC, r.id`,
      );
      const found: ApprovalRequest[] = [];
      for (const row of broken) if (isWhole(row)) found.push(await ledger.view(store, row));
      return found.filter(({ glass }) => glass !== undefined && !(openOnly && glass.reviewed));
    },

    /** How many requests are in each state, and since when (milliseconds since 1970) the oldest is waiting for people. */
    async counts(): Promise<{ states: Record<State, number>; oldestPending: number | undefined }> {
      await sweep();
      const found = await store.query<{ state: State; count: number; oldest: number }>(
        'SELECT state, count(*) AS count, min(created_at) AS oldest FROM approval_requests GROUP BY state',
      );
      const states = Object.fromEntries(STATES.map((state) => [state, 0])) as Record<State, number>;
      for (const { state, count } of found) states[state] = count;
      return { states, oldestPending: found.find(({ state }) => state === 'pending')?.oldest };
    },

    /** Ids of stored requests that were changed by hand: they never run. */
    async altered(): Promise<string[]> {
      return (await rows({})).filter((row) => !isWhole(row)).map(({ id }) => id);
    },

    /** The one request whose id begins so, for people at the command line. @throws HoldpointError `not_found`, `conflict`. */
    async named(prefix: string): Promise<ApprovalRequest> {
      const text = prefix.startsWith('apr_') ? prefix : `apr_${prefix}`;
      const rows =
        prefix === ''
          ? []
          : await store.query<{ id: string }>('SELECT id FROM approval_requests WHERE substr(id, 1, ?) = ? LIMIT 2', [
              text.length,
              text,
            ]);
      if (rows.length > 1)
        throw new HoldpointError('conflict', `Several requests begin with "${prefix}".`, {
          hint: 'Give more of the id; see `holdpoint approvals list`.',
        });
      if (!rows[0])
        throw new HoldpointError('not_found', `There is no approval request "${prefix}".`, {
          hint: 'See `holdpoint approvals list`; check --state.',
        });
      return find(rows[0].id);
    },

    /**
     * The request once it is decided or has ended, or as it stands after `ms` milliseconds or when `signal` fires. Polls the
     * store, so that it sees what other processes do.
     */
    async wait(id: string, principal: Principal, ms: number, signal?: AbortSignal): Promise<ApprovalRequest> {
      const end = performance.now() + ms;
      for (;;) {
        const request = await find(id, principal);
        const rest = end - performance.now();
        if (!MOVING.includes(request.state) || rest <= 0 || signal?.aborted) return request;
        await sleep(Math.min(POLL, rest), undefined, signal ? { signal } : {}).catch(() => undefined);
      }
    },
  };
}

function isWhole(row: Row): boolean {
  try {
    return readBody(row).id === row.id;
  } catch {
    return false;
  }
}
