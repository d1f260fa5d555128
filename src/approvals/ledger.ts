import { sha256 } from '../audit/canonical.ts';
import type { AuditKind } from '../audit/chain.ts';
import type { Append, AuditLog } from '../audit/log.ts';
import { HoldpointError } from '../core/errors.ts';
import type { JsonObject } from '../core/json.ts';
import { principalId, type Principal } from '../core/principal.ts';
import type { Session, SqlValue, Store } from '../store/store.ts';
import type { Approvers } from './approvers.ts';
import type { GlassEvent } from './break-glass.ts';
import { createTimeline, systemClock, type Clock } from './clock.ts';
import { decisionOf, type DecisionRow } from './decision-row.ts';
import { NO_EVIDENCE, type EvidenceSource } from './evidence.ts';
import { extrasOf } from './extras.ts';
import { withLaterTerms } from './later-terms.ts';
import type { Point, Transition } from './points.ts';
import type { ApprovalRequest, Note, RequestBody, SignedDecision } from './request.ts';
import { unseal } from './seal.ts';
import { dueState, mayMove, STATES, type State } from './states.ts';
import { standingOf, type Standing } from './standing.ts';

/** A row of `approval_requests`. `body` is what the digest covers; the columns beside it serve queries only. */
export interface Row {
  id: string;
  state: State;
  fence: number;
  digest: string;
  body: string;
  sealed: string;
  approve_by: number;
  run_by: number | null;
  moved_at: number;
  owner: string | null;
  lease_until: number | null;
  acted_at: number | null;
  note: string | null;
  outcome: string | null;
}

/** One transition under way: nothing of it has happened until its transaction commits. */
export interface Step {
  session: Session;
  append: Append;
  now: number;
}

export interface Move {
  /** Columns to set beside the state. */
  set?: Partial<Pick<Row, 'fence' | 'run_by' | 'owner' | 'lease_until' | 'acted_at' | 'outcome'>>;
  note?: Note;
  callId?: string | undefined;
  /** More for the audit record. */
  data?: JsonObject;
}

export interface LedgerParts {
  store: Store;
  audit: AuditLog;
  approvers: Approvers;
  sealKey: Buffer;
  clock?: Clock | undefined;
  /** Who looks at what checklists ask for; without one, every item with evidence is unknown. */
  evidence?: EvidenceSource | undefined;
  /** Told at once when the glass was broken, and when what it let through runs; it must not wait. */
  alarm?: ((event: GlassEvent) => void) | undefined;
  /** A seam for crash tests; called with each of `POINTS`. */
  at?: ((point: Point) => void) | undefined;
}

export type Ledger = ReturnType<typeof createLedger>;

/** What all transitions share: one transaction with the audit record, compare-and-swap, time, integrity of rows. */
export function createLedger({
  store,
  audit,
  approvers,
  sealKey,
  clock = systemClock,
  at,
  evidence = NO_EVIDENCE,
  alarm = () => {},
}: LedgerParts) {
  const timeline = createTimeline(clock);

  /** Runs one transition. A refusal is returned, not thrown, so that what time had made due commits all the same. */
  const transition = async <T>(name: Transition, work: (step: Step) => Promise<T | HoldpointError>): Promise<T> => {
    at?.(`${name}:before`);
    const outcome = await audit.transaction(async (session, append) => {
      const now = await timeline.read(session);
      await timeline.keep(session, now);
      return work({ session, append, now });
    });
    at?.(`${name}:after`);
    if (outcome instanceof HoldpointError) throw outcome;
    return outcome;
  };

  const load = async (session: Session, id: string, asker?: Principal): Promise<Row> => {
    const [row] = await session.query<Row>('SELECT * FROM approval_requests WHERE id = ?', [id]);
    // Somebody else's request and none at all look the same.
    if (row && (!asker || principalId(readBody(row).principal) === principalId(asker))) return row;
    throw new HoldpointError('not_found', `There is no approval request "${id.slice(0, 64)}" of yours.`, {
      hint: 'Use the id from the approval_required result. If it is lost, make the call again: the same request comes back.',
    });
  };

  /** The one place where a state changes: a compare-and-swap on state and fence, with its audit record. */
  const move = async (step: Step, row: Row, to: State, { set = {}, note, callId, data }: Move = {}): Promise<Row> => {
    if (!mayMove(row.state, to)) throw new Error(`No transition from ${row.state} to ${to}.`);
    const columns: Record<string, SqlValue> = {
      ...set,
      state: to,
      moved_at: step.now,
      note: note ? JSON.stringify(note) : null,
    };
    const names = Object.keys(columns);
    const [moved] = await step.session.query<Row>(
      `UPDATE approval_requests SET ${names.map((name) => `${name} = ?`).join(', ')} WHERE id = ? AND state = ? AND fence = ? RETURNING *`,
      [...Object.values(columns), row.id, row.state, row.fence],
    );
    if (!moved)
      throw new HoldpointError('conflict', `The request ${row.id} moved meanwhile.`, {
        hint: 'Look at its state and try again.',
      });
    await step.append({
      kind: kindOf(row.state, to),
      ...(callId !== undefined && { callId }),
      data: {
        approval: row.id,
        digest: row.digest,
        at: step.now,
        from: row.state,
        fence: moved.fence,
        ...(note as JsonObject | undefined),
        ...data,
      },
    });
    return moved;
  };

  /** The row after everything that time made due. */
  const fresh = async (step: Step, row: Row): Promise<Row> => {
    const due = dueOf(row, step.now);
    if (due === undefined) return row;
    const lapsed = row.state === 'claimed' || row.state === 'acting';
    return fresh(step, await move(step, row, due, lapsed ? { note: { reason: 'the lease ran out' } } : {}));
  };

  const open = async (step: Step, id: string, asker?: Principal): Promise<Row> =>
    fresh(step, await load(step.session, id, asker));

  const decisionsOf = (session: Session, id: string): Promise<SignedDecision[]> =>
    session
      .query<DecisionRow>('SELECT * FROM approval_decisions WHERE request = ? ORDER BY at, approver', [id])
      .then((rows) => rows.map(decisionOf));

  const standing = async (session: Session, row: Row): Promise<Standing> =>
    standingOf(readBody(row), row.digest, await decisionsOf(session, row.id), approvers.list());

  const view = async (session: Session, row: Row): Promise<ApprovalRequest> => {
    const body = readBody(row);
    const decisions = await decisionsOf(session, row.id);
    const standing = standingOf(body, row.digest, decisions, approvers.list());
    const { given, stillNeeded, cannotBeMet } = standing;
    const extras = await extrasOf(session, body, standing, decisions, () => timeline.read(session));
    const steps = await session.query<{ step: string; fence: number; at: number; outcome: string }>(
      'SELECT step, fence, at, outcome FROM approval_steps WHERE request = ? ORDER BY at, step',
      [row.id],
    );
    return {
      ...body,
      digest: row.digest,
      state: row.state,
      fence: row.fence,
      decisions,
      summary: body.plan.preview.summary,
      approvalsNeeded: body.terms.approvals,
      approvalsGiven: given,
      stillNeeded: row.state === 'pending' ? stillNeeded : [],
      ...(row.state === 'pending' && cannotBeMet !== undefined && { cannotBeMet }),
      ...extras,
      movedAt: row.moved_at,
      ...(row.run_by !== null && { runBy: row.run_by }),
      ...(row.acted_at !== null && { actedAt: row.acted_at }),
      ...(row.owner !== null && { owner: row.owner }),
      ...(row.lease_until !== null && { leaseUntil: row.lease_until }),
      ...(row.note !== null && { note: JSON.parse(row.note) as Note }),
      steps: steps.map(({ step, fence, at: when, outcome }) => ({
        step,
        at: when,
        outcome: unseal(sealKey, stepPlace(row.id, fence, step), outcome),
      })),
      ...(row.outcome !== null && {
        outcome: unseal(sealKey, outcomePlace(row.id, row.fence), row.outcome) as JsonObject,
      }),
    };
  };

  return {
    store,
    approvers,
    sealKey,
    evidence,
    alarm,
    transition,
    load,
    open,
    fresh,
    move,
    standing,
    view,
    now: () => timeline.read(store),
  };
}

/** Where sealed values belong; each opens in its own place only. */
export const planPlace = (id: string): string => `${id}/plan`;
export const stepPlace = (id: string, fence: number, step: string): string => `${id}/${fence}/step/${step}`;
export const outcomePlace = (id: string, fence: number): string => `${id}/${fence}/outcome`;

/** The state that time moves a row to, or undefined while it stays. */
export function dueOf(row: Row, now: number): State | undefined {
  const { state, approve_by: approveBy, run_by: runBy, lease_until: leaseUntil } = row;
  return dueState({ state, approveBy, runBy: runBy ?? undefined, leaseUntil: leaseUntil ?? undefined }, now);
}

/**
 * A row's body, if it is the one that was stored.
 *
 * @throws HoldpointError `denied` where the row was changed by hand.
 */
export function readBody(row: Pick<Row, 'id' | 'state' | 'digest' | 'body' | 'sealed'>): RequestBody {
  const body = sha256(row.body) === row.digest ? (JSON.parse(row.body) as RequestBody) : undefined;
  if (body?.id === row.id && STATES.includes(row.state) && body.sealedDigest === sha256(row.sealed))
    return withLaterTerms(body);
  throw new HoldpointError('denied', `The stored request ${row.id} was changed after it was made; it never runs.`, {
    hint: 'A person should look into the state directory and run `holdpoint audit verify`. Then make the call again.',
  });
}

function kindOf(from: State, to: State): AuditKind {
  if (to === 'approved') return from === 'claimed' ? 'approval.released' : 'approval.approved';
  if (to === 'pending') throw new Error('Nothing goes back to pending.');
  return `approval.${to}`;
}
