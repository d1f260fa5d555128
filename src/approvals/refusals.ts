import { HoldpointError } from '../core/errors.ts';
import type { ApprovalRequest } from './request.ts';
import type { State } from './states.ts';

const AGAIN = 'Make the original call again to ask anew.';

/** To the agent, who need not know which people there are; a person sees who is missing. */
export const NOBODY_CAN =
  'The approvers who are registered cannot give what the rules ask for: the person must see "holdpoint approvals show", which says who is missing.';

/** Why a request in its present state cannot be run, and what to do instead. */
export function cannotRun(request: ApprovalRequest): HoldpointError {
  return REFUSALS[request.state](request);
}

const REFUSALS: Readonly<Record<State, (request: ApprovalRequest) => HoldpointError>> = {
  pending: ({ id, approvalsGiven, approvalsNeeded, approveBy, cannotBeMet }) =>
    new HoldpointError(
      'approval_required',
      `The request ${id} waits for approval: ${approvalsGiven} of ${approvalsNeeded} given.${cannotBeMet === undefined ? '' : ` ${NOBODY_CAN}`}`,
      {
        hint: `Ask a person to run \`holdpoint approvals approve ${id} --as NAME\` before ${time(approveBy)}, then run it. Meanwhile use the approval tool's wait.`,
      },
    ),
  approved: ({ id }) =>
    new HoldpointError('denied', `The request ${id} is marked as approved, but its signatures do not prove it.`, {
      hint: 'Its approvers were removed or have new keys, or the store was changed by hand. It never runs. A person can revoke it; then make the call again.',
    }),
  claimed: running,
  acting: running,
  done: (request) =>
    new HoldpointError('conflict', `The request ${request.id} ran already, at ${ranAt(request)}; it runs once.`, {
      hint: `Its result is in the approval tool's status. ${AGAIN}`,
    }),
  failed: (request) =>
    new HoldpointError(
      'conflict',
      `The request ${request.id} ran at ${ranAt(request)} and failed${why(request)}; it runs once.`,
      {
        hint: `See with status what was done before it failed. ${AGAIN}`,
      },
    ),
  unknown: (request) =>
    new HoldpointError(
      'conflict',
      `The request ${request.id} began to run at ${ranAt(request)}, and its end is not known${why(request)}.`,
      {
        hint: `Do not repeat it blindly: look at its targets first. A person records how it ended with \`holdpoint approvals resolve ${request.id}\`.`,
      },
    ),
  stale: ({ id, note }) =>
    new HoldpointError('stale', `What the request ${id} relied on has changed since it was made.`, {
      hint: AGAIN,
      changes: note?.changes ?? [],
    }),
  denied: (request) =>
    new HoldpointError(
      'denied',
      `The request ${request.id} was denied${by(request)} at ${time(request.movedAt)}${why(request)}.`,
      {
        hint: 'This is final. Do not ask for the same again; plan differently, or hand the work over.',
        ...(request.handOff !== null && { handOff: request.handOff }),
      },
    ),
  revoked: (request) =>
    new HoldpointError(
      'denied',
      `The request ${request.id} was revoked${by(request)} at ${time(request.movedAt)}${why(request)}.`,
      {
        hint: 'Ask the person why before you ask anew.',
      },
    ),
  expired: ({ id, movedAt }) =>
    new HoldpointError('conflict', `The request ${id} expired at ${time(movedAt)}.`, { hint: AGAIN }),
  cancelled: ({ id, movedAt }) =>
    new HoldpointError('conflict', `The request ${id} was cancelled at ${time(movedAt)}.`, { hint: AGAIN }),
};

/** Why a person cannot do `what` ("denied", "resolved") to a request in its present state. */
export function cannotBe(what: string, { id, state, movedAt }: ApprovalRequest, hint: string): HoldpointError {
  return new HoldpointError('conflict', `The request ${id} is ${state} since ${time(movedAt)}; it cannot be ${what}.`, {
    hint,
  });
}

/** Somebody else has the claim, or it ended. */
export function lostClaim({ id, state }: ApprovalRequest): HoldpointError {
  return new HoldpointError('conflict', `This run no longer holds the request ${id}: it is ${state}.`, {
    hint: 'Its lease ran out or somebody else took it. Do nothing more for it; see its state with the approval tool.',
  });
}

/** Milliseconds since 1970 as ISO 8601 in UTC. */
export function time(ms: number): string {
  return new Date(ms).toISOString();
}

function running({ id, movedAt }: ApprovalRequest): HoldpointError {
  return new HoldpointError('conflict', `The request ${id} is being run since ${time(movedAt)}.`, {
    hint: 'It runs once. Use wait or status of the approval tool to see how it ends.',
  });
}

function ranAt({ actedAt, movedAt }: ApprovalRequest): string {
  return time(actedAt ?? movedAt);
}

function why({ note }: ApprovalRequest): string {
  return note?.reason ? ` (${note.reason})` : '';
}

function by({ note }: ApprovalRequest): string {
  return note?.by ? ` by ${note.by}` : '';
}
