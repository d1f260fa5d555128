import { randomBytes } from 'node:crypto';

import { canonicalJson, sha256 } from '../audit/canonical.ts';
import { HoldpointError } from '../core/errors.ts';
import type { JsonObject } from '../core/json.ts';
import { principalId, type Principal } from '../core/principal.ts';
import { planDigest, requestDigest, sameness } from './digest.ts';
import { planPlace, type Ledger, type Row, type Step } from './ledger.ts';
import { cannotBe, cannotRun, time } from './refusals.ts';
import type { ApprovalRequest, Hold, RequestBody } from './request.ts';
import { seal } from './seal.ts';
import { OPEN_STATES } from './states.ts';

/** Against asking people too often; times in milliseconds. The settings `approvals` of the configuration. */
export interface Limits {
  /** How long a claim lasts without `renew`. */
  lease: number;
  /** How long a denied plan is refused to the same principal. */
  refuseAfterDenial: number;
  pendingPerPrincipal: number;
  requestsPerMinute: number;
}

/** What the requester's side does to a request before it runs. */
export function createAsking(ledger: Ledger, limits: Limits) {
  return {
    /** Stores a held call, or finds the same one that is still open. */
    async request(hold: Hold): Promise<ApprovalRequest> {
      return ledger.transition('request', async (step) => {
        const id = `apr_${randomBytes(16).toString('hex')}`;
        const { input, plan, principal, decision } = hold;
        const sealed = seal(ledger.sealKey, planPlace(id), { input, plan: plan as unknown as JsonObject });
        const body: RequestBody = {
          v: 1,
          id,
          principal: { person: principal.person, agent: principal.agent, client: principal.client },
          persona: hold.persona,
          tool: hold.tool,
          schemaHash: hold.schemaHash,
          plan: hold.shown,
          planDigest: planDigest(plan),
          sealedDigest: sha256(sealed),
          policyDigest: hold.policyDigest,
          rules: decision.rules,
          reason: decision.reason,
          environment: decision.environment ?? null,
          handOff: decision.handOff ?? null,
          terms: decision.terms,
          createdAt: step.now,
          approveBy: step.now + decision.terms.approveWithin,
          ...(hold.follows !== undefined && { follows: hold.follows }),
        };
        const existing = await findOpen(step, sameness(body));
        if (existing) return ledger.view(step.session, existing);
        return (await tooMuch(step, body)) ?? store(step, body, sealed, hold.callId);
      });
    },

    /** Withdraws a request: `cancelled` while it is pending, `revoked` once it is approved. */
    async cancel(id: string, principal: Principal): Promise<ApprovalRequest> {
      return ledger.transition('cancel', async (step) => {
        const row = await ledger.open(step, id, principal);
        const note = { by: principalId(principal), reason: 'withdrawn by the requester' };
        if (row.state === 'pending')
          return ledger.view(step.session, await ledger.move(step, row, 'cancelled', { note }));
        if (row.state === 'approved')
          return ledger.view(step.session, await ledger.move(step, row, 'revoked', { note }));
        const request = await ledger.view(step.session, row);
        return cannotBe('cancelled', request, cannotRun(request).hint ?? '');
      });
    },
  };

  async function findOpen(step: Step, sameAs: string): Promise<Row | undefined> {
    const [row] = await step.session.query<Row>(
      `SELECT * FROM approval_requests WHERE same_as = ? AND state IN (${OPEN_STATES.map(() => '?').join(', ')})`,
      [sameAs, ...OPEN_STATES],
    );
    const now = row && (await ledger.fresh(step, row));
    return now && (OPEN_STATES as readonly string[]).includes(now.state) ? now : undefined;
  }

  async function tooMuch(
    { session, now }: Step,
    { principal, planDigest: plan }: RequestBody,
  ): Promise<HoldpointError | undefined> {
    // By person and agent: another client's name must not make the limits anew.
    const who = principalId({ ...principal, client: '' });
    const [denied] = await session.query<{ id: string; moved_at: number }>(
      `SELECT id, moved_at FROM approval_requests WHERE substr(principal, 1, ?) = ? AND plan_digest = ? AND state = 'denied' AND moved_at > ? ORDER BY moved_at DESC LIMIT 1`,
      [who.length, who, plan, now - limits.refuseAfterDenial],
    );
    if (denied)
      return new HoldpointError('denied', `Exactly this was denied at ${time(denied.moved_at)} (${denied.id}).`, {
        hint: `Do not ask again before ${time(denied.moved_at + limits.refuseAfterDenial)}: plan differently, or ask the person what would be acceptable.`,
      });
    const [pending] = await session.query<{ n: number }>(
      `SELECT count(*) AS n FROM approval_requests WHERE substr(principal, 1, ?) = ? AND state = 'pending' AND approve_by >= ?`,
      [who.length, who, now],
    );
    if ((pending?.n ?? 0) >= limits.pendingPerPrincipal)
      return new HoldpointError(
        'conflict',
        `${pending?.n} requests of yours wait for people already; more are not taken.`,
        {
          hint: "Wait for these to be decided, or cancel what is no longer needed with the approval tool's cancel.",
        },
      );
    const [recent] = await session.query<{ n: number }>(
      'SELECT count(*) AS n FROM approval_requests WHERE substr(principal, 1, ?) = ? AND created_at > ?',
      [who.length, who, now - 60_000],
    );
    if ((recent?.n ?? 0) >= limits.requestsPerMinute)
      return new HoldpointError(
        'unavailable',
        `You made ${recent?.n} requests for approval within a minute; more are not taken now.`,
        {
          hint: 'Wait a minute. Fewer, larger steps are easier for people to decide on.',
        },
      );
    return undefined;
  }

  async function store(step: Step, body: RequestBody, sealed: string, callId: string): Promise<ApprovalRequest> {
    const digest = requestDigest(body);
    const columns = {
      id: body.id,
      state: 'pending',
      fence: 0,
      digest,
      body: canonicalJson(body),
      sealed,
      principal: principalId(body.principal),
      tool: body.tool,
      plan_digest: body.planDigest,
      same_as: sameness(body),
      created_at: body.createdAt,
      approve_by: body.approveBy,
      moved_at: step.now,
    };
    const names = Object.keys(columns);
    const [row] = await step.session.query<Row>(
      `INSERT INTO approval_requests (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')}) RETURNING *`,
      Object.values(columns),
    );
    await step.append({
      kind: 'approval.requested',
      callId,
      data: {
        approval: body.id,
        digest,
        planDigest: body.planDigest,
        principal: principalId(body.principal),
        tool: body.tool,
        summary: body.plan.preview.summary,
        environment: body.environment,
        rules: body.rules,
        policyDigest: body.policyDigest,
        approvals: body.terms.approvals,
        approveBy: time(body.approveBy),
        ...(body.follows !== undefined && { follows: body.follows }),
      },
    });
    if (!row) throw new Error('INSERT … RETURNING gave no row.');
    return ledger.view(step.session, row);
  }
}
