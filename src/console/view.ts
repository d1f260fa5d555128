import type { ApprovalRequest } from '../approvals/request.ts';

/** One line of the console's list. */
export function rowOf({ plan, principal, ...request }: ApprovalRequest) {
  const { id, state, environment, summary, tool, createdAt, movedAt, approveBy, runBy } = request;
  return {
    id,
    state,
    environment,
    summary,
    tool,
    effect: plan.effect,
    person: principal.person,
    agent: principal.agent,
    client: principal.client,
    createdAt,
    movedAt,
    approveBy,
    runBy,
    approvalsGiven: request.approvalsGiven,
    approvalsNeeded: request.approvalsNeeded,
  };
}

export type RequestRow = ReturnType<typeof rowOf>;
