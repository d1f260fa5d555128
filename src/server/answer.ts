import type { ApprovalNotice, Envelope } from '../core/envelope.ts';
import type { Change, HoldpointError } from '../core/errors.ts';
import type { Decision } from '../core/decision.ts';
import type { Json, JsonObject } from '../core/json.ts';
import type { Plan } from '../core/plan.ts';

/** What a call gives back: the envelope, and the same in short text for clients that show only text. */
export interface Answer {
  envelope: Envelope;
  text: string;
}

export function isError(envelope: Envelope): boolean {
  return envelope.status === 'denied' || envelope.status === 'error' || envelope.status === 'stale';
}

export function done(result: JsonObject, text?: string, next?: string): Answer {
  const envelope: Envelope = { status: 'done', result, ...(next ? { next } : {}) };
  return { envelope, text: [text ?? JSON.stringify(result), next].filter(Boolean).join('\n') };
}

/** `next`: what to do about it, where there is more to say than whom to turn to. */
export function denied(decision: Decision, next?: string): Answer {
  const rule = decision.rules[0];
  const { reason, handOff, consult } = decision;
  const whom = { ...(handOff ? { handOff } : {}), ...(consult ? { consult } : {}) };
  const envelope: Envelope = {
    status: 'denied',
    error: { code: 'denied', reason, ...(rule ? { rule } : {}), ...whom },
    ...(next ? { next } : {}),
  };
  const text = `Denied${rule ? ` (rule ${rule})` : ''}. ${reason}${handOff ? ` ${consult ? 'Consult' : 'Hand it to'}: ${handOff}.` : ''}`;
  return { envelope, text: [text, next].filter(Boolean).join('\n') };
}

export function held(approval: ApprovalNotice, next: string): Answer {
  return {
    envelope: { status: 'approval_required', approval, next },
    text: `Held for approval ${approval.id}: ${approval.summary}\nNothing has run. ${next}`,
  };
}

/** An approved call that must not run any more: what it relied on then and now, side by side. */
export function stale(approval: ApprovalNotice, changes: readonly Change[], next: string): Answer {
  const reason = `Something moved since ${approval.id} was made, so nothing was done.`;
  return {
    envelope: { status: 'stale', error: { code: 'stale', reason, changes: [...changes] }, approval, next },
    text: `Stale: ${reason}${changesText(changes)}\n${next}`,
  };
}

function changesText(changes: readonly Change[]): string {
  return changes.map(({ what, was, is }) => `\n- ${what}\n    then: ${was}\n    now:  ${is}`).join('');
}

/** The answer to a dry run: what would be done and what the policy says to it. */
export function planned(plan: Plan, decision: Decision): Answer {
  const result: JsonObject = {
    decision: {
      verdict: decision.verdict,
      rules: decision.rules,
      reason: decision.reason,
      ...(decision.environment ? { environment: decision.environment } : {}),
    },
    effect: plan.effect,
    summary: plan.preview.summary,
    ...(plan.preview.text ? { preview: plan.preview.text } : {}),
    steps: plan.steps.map((step): Json => ({ does: step.does, call: step.call })),
  };
  const text = `Dry run, nothing was done. ${plan.preview.summary}\nPolicy: ${decision.verdict} (${decision.rules.join(', ')}): ${decision.reason}${plan.preview.text ? `\n${plan.preview.text}` : ''}`;
  return { envelope: { status: 'planned', result }, text };
}

export function failed(error: HoldpointError): Answer {
  const status = error.code === 'denied' ? 'denied' : error.code === 'stale' ? 'stale' : 'error';
  const envelope: Envelope = {
    status,
    error: {
      code: error.code,
      reason: error.message,
      ...(error.hint ? { hint: error.hint } : {}),
      ...(error.rule ? { rule: error.rule } : {}),
      ...(error.handOff ? { handOff: error.handOff } : {}),
      ...(error.changes ? { changes: error.changes } : {}),
    },
    ...(error.code === 'stale' ? { next: 'Look at what changed and call the tool again: that makes a new plan.' } : {}),
  };
  const changes = changesText(error.changes ?? []);
  return {
    envelope,
    text: `${status === 'denied' ? 'Denied' : status === 'stale' ? 'Stale' : `Error (${error.code})`}: ${error.message}${error.handOff ? ` Hand it to: ${error.handOff}.` : ''}${changes}${error.hint ? `\n${error.hint}` : ''}`,
  };
}
