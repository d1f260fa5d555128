import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';

import { NOBODY_CAN } from '../approvals/refusals.ts';
import type { ApprovalRequest, Claim } from '../approvals/request.ts';
import type { Decision } from '../core/decision.ts';
import type { ApprovalNotice } from '../core/envelope.ts';
import { asHoldpointError, HoldpointError, type Change, type ErrorCode } from '../core/errors.ts';
import type { Json, JsonObject } from '../core/json.ts';
import type { Plan } from '../core/plan.ts';
import type { Redactor } from '../redact/redact.ts';
import { held, stale, type Answer } from './answer.ts';
import { whatMoved } from './compare.ts';
import { parseInput, schemaHash } from './input.ts';
import { planCall, runPlan, type Passage } from './line.ts';
import type { Call, Services } from './services.ts';
import { redactChanges, shownOf } from './shown.ts';

/** Stores a plan as an approval request, or finds the one that waits already, and says so to the agent. */
export async function hold(passage: Passage, plan: Plan, decision: Decision, services: Services): Promise<Answer> {
  const { tool, input, policy, call } = passage;
  const { approvals } = services;
  const { terms } = decision;
  refuseSecrets(input, plan, services.redactor);
  if (!terms) throw new HoldpointError('internal', 'A held call has no approval terms.');
  await services.audit.flush();
  const asked = {
    principal: call.principal,
    persona: services.persona.name,
    tool: tool.name,
    schemaHash: schemaHash(tool),
    input,
    plan,
    policyDigest: policy.digest,
    decision: { ...decision, terms },
    callId: call.id,
  };
  // What waits already was looked up when it was asked for the first time.
  const open = await approvals.openLike(asked);
  if (open) return held(noticeOf(open, services), nextOf(open, services));
  const before = await approvals.staleBefore(asked);
  const request = await approvals.request({
    ...asked,
    shown: await shownOf(passage, plan, decision, before, services),
    ...(before && { follows: before.id }),
  });
  return held(noticeOf(request, services), nextOf(request, services));
}

/**
 * Runs an approved request: claim → plan again and compare → acting (on disk) → run → settle. The arguments are the stored
 * ones; what moved since the approval makes it `stale`.
 */
export async function runApproved(id: string, call: Call, services: Services): Promise<Answer> {
  const { approvals } = services;
  const claim = await approvals.claim(id, call.principal, services.owner, call.id);
  const { request } = claim;
  const { passage, changes } = await again(claim, call, services);
  if (!passage || changes.length > 0) {
    return wentStale(await approvals.stale(claim, changes), services);
  }
  await approvals.acting(claim, {
    kind: 'opened',
    callId: call.id,
    data: {
      approval: id,
      digest: request.digest,
      tool: request.tool,
      verdict: 'allow',
      effect: request.plan.effect,
      summary: request.summary,
    },
  });
  return act(claim, passage, services);
}

/** The stored call planned once more, under today's policy and tool: what moved, and the passage to run it on where nothing did. */
async function again(claim: Claim, call: Call, services: Services): Promise<{ passage?: Passage; changes: Change[] }> {
  const { request } = claim;
  const tool = services.registry.get(request.tool);
  if (!tool) return { changes: [{ what: 'the tool', was: request.tool, is: 'gone' }] };
  const hash = schemaHash(tool);
  if (hash !== request.schemaHash)
    return { changes: [{ what: `the definition of ${request.tool}`, was: request.schemaHash, is: hash }] };
  try {
    const policy = await services.policies.current();
    if (policy.digest !== request.policyDigest)
      return { changes: [{ what: `the policy ${policy.name}`, was: request.policyDigest, is: policy.digest }] };
    const passage: Passage = { tool, input: parseInput(tool, claim.input).input, policy, call };
    const { decision, plan } = await planCall(passage, services);
    if (decision.verdict === 'deny' || !plan)
      return { changes: [{ what: 'the decision', was: 'require_approval', is: `deny: ${decision.reason}` }] };
    return { passage, changes: redactChanges(whatMoved(claim.plan, plan), services.redactor) };
  } catch (thrown) {
    const error = asHoldpointError(thrown);
    // A system that does not answer says nothing about what moved: the approval stays good.
    if (!MOVED.has(error.code)) {
      await services.approvals.giveBack(claim, error.message);
      throw thrown;
    }
    return { changes: [{ what: 'what the plan relies on', was: request.summary, is: error.message }] };
  }
}

/** Errors of planning again that mean that the world is another one. */
const MOVED: ReadonlySet<ErrorCode> = new Set(['not_found', 'denied', 'conflict', 'stale', 'invalid_input']);

async function act(claim: Claim, passage: Passage, services: Services): Promise<Answer> {
  const { approvals, redactor } = services;
  const lost = (err: unknown) =>
    services.log('error', { approval: claim.request.id, err }, 'an approval could not be written');
  const renewing = setInterval(() => void approvals.renew(claim).catch(lost), services.leaseRenewal);
  const outcomes: Promise<void>[] = [];
  const stepDone = (step: string, outcome: Json) =>
    void outcomes.push(approvals.stepDone(claim, step, redactor.json(outcome)).catch(lost));
  try {
    let end: { answer: Answer } | { error: HoldpointError };
    try {
      services.at('run:before');
      end = { answer: await runPlan(passage, claim.plan, services, stepDone) };
      services.at('run:after');
    } catch (thrown) {
      end = { error: asHoldpointError(thrown) };
    }
    await Promise.all(outcomes);
    const recorded = await settle(claim, end, services);
    if ('answer' in end) return recorded ? end.answer : withNext(end.answer, unrecorded(claim.request.id));
    throw recorded
      ? end.error
      : new HoldpointError(end.error.code, end.error.message, {
          hint: unrecorded(claim.request.id),
          cause: end.error,
        });
  } finally {
    clearInterval(renewing);
  }
}

/** How long to go on trying to record an outcome: a store that is busy or full for a moment must not make it look otherwise. */
const SETTLE_WITHIN = 30_000;

/** Records how the run ended, as it ended; false where the store did not take it in time. */
async function settle(
  claim: Claim,
  end: { answer: Answer } | { error: HoldpointError },
  services: Services,
): Promise<boolean> {
  const settlement =
    'answer' in end
      ? { state: 'done' as const, outcome: { result: end.answer.envelope.result ?? {} } }
      : {
          state: end.error.unknown ? ('unknown' as const) : ('failed' as const),
          outcome: services.redactor.json({ code: end.error.code, reason: end.error.message }),
        };
  const giveUp = performance.now() + SETTLE_WITHIN;
  for (;;) {
    try {
      await services.approvals.settle(claim, settlement);
      return true;
    } catch (err) {
      services.log('error', { approval: claim.request.id, err }, 'the outcome of a run could not be recorded');
      const again = err instanceof HoldpointError && err.code === 'unavailable' && performance.now() < giveUp;
      if (!again) return false;
      await sleep(500);
    }
  }
}

function unrecorded(id: string): string {
  return `It ran, but its outcome could not be recorded. Do not repeat it. A person mends the state directory and then runs "holdpoint approvals resolve ${id}".`;
}

function withNext({ envelope, text }: Answer, next: string): Answer {
  return { envelope: { ...envelope, next }, text: `${text}\n${next}` };
}

/**
 * A held call names secrets and does not hold them: nobody can judge what is masked, and a request waits for hours. What is
 * written into files is theirs: it is encrypted while it waits, and the policy says which files.
 */
function refuseSecrets(input: JsonObject, plan: Plan, redactor: Redactor): void {
  if (plan.targets.every(({ kind }) => kind === 'file' || kind === 'folder')) return;
  const shown = redactor.json(input);
  const [name] = Object.entries(input).find(([key, value]) => !isDeepStrictEqual(value, shown[key])) ?? [];
  if (name === undefined) return;
  throw new HoldpointError('denied', `"${name}" holds what looks like a secret, and this call waits for a person.`, {
    rule: 'secrets',
    hint: 'Name the secret where it is kept (a secret of GitHub, a Kubernetes secretKeyRef, a build secret) and leave its value out.',
  });
}

/** What an agent is told of a request that what it relied on has left: each thing as it was and as it is, and the way to a new one. */
export function wentStale(request: ApprovalRequest, services: Pick<Services, 'reviewUrl'>): Answer {
  const changes = request.note?.changes ?? [];
  return stale(noticeOf(request, services), changes, nextOf(request, services));
}

export function noticeOf(
  { id, digest, state, summary, approveBy, runBy }: ApprovalRequest,
  services: Pick<Services, 'reviewUrl'>,
): ApprovalNotice {
  const reviewUrl = services.reviewUrl(id);
  return {
    id,
    digest,
    summary,
    expiresAt: new Date(state === 'approved' ? (runBy ?? approveBy) : approveBy).toISOString(),
    state,
    ...(reviewUrl !== undefined && { reviewUrl }),
  };
}

/** What the agent does next, by the request's state. */
export function nextOf(request: ApprovalRequest, services: Pick<Services, 'reviewUrl'>): string {
  const page = services.reviewUrl(request.id);
  const { id, state, approvalsGiven, approvalsNeeded, cannotBeMet } = request;
  const counted = approvalsNeeded > 1 ? ` (${approvalsGiven} of ${approvalsNeeded} approvals so far)` : '';
  switch (state) {
    case 'pending':
      return `Tell the person: ${page === undefined ? '' : `${page} or `}"holdpoint approvals approve ${id} --as NAME" decides it${counted}. Then call approval { action: "wait", id: "${id}" }, and when approved, { action: "run" }.${inWindow(request)}${cannotBeMet === undefined ? '' : ` ${NOBODY_CAN}`}`;
    case 'approved':
      return request.window?.open === false && !request.glass
        ? `Approved.${inWindow(request)} Call approval { action: "run", id: "${id}" } then; the approval stays good until ${new Date(request.runBy ?? request.approveBy).toISOString()}.`
        : `Approved. Call approval { action: "run", id: "${id}" } before it expires.`;
    case 'claimed':
    case 'acting':
      return `It is running. Call approval { action: "wait", id: "${id}" } for the outcome.`;
    case 'unknown':
      return `It began and its outcome is not known. A person must check and run "holdpoint approvals resolve ${id}".`;
    case 'denied':
      return 'A person said no. Read the reason and change the plan; the same call is refused for a while.';
    case 'stale':
      return `Nothing ran. Look at what changed; if it is still wanted, call approval { action: "replan", id: "${id}" }: that makes a new request, which people decide anew.`;
    case 'expired':
    case 'revoked':
    case 'cancelled':
      return 'Nothing ran. Call the tool again if it is still wanted: that makes a new request.';
    case 'done':
    case 'failed':
      return 'It ran; a request runs once. Call the tool again if it is to be done again.';
  }
}

/** While it may not run: when it may. It can be approved meanwhile. */
function inWindow({ window }: ApprovalRequest): string {
  return window && !window.open ? ` It runs only in its change window (${window.says}).` : '';
}
