import { z } from 'zod';

import type { ApprovalRequest } from '../approvals/request.ts';
import type { Json, JsonObject } from '../core/json.ts';
import { done, held, type Answer } from './answer.ts';
import { nextOf, noticeOf, runApproved, wentStale } from './hold.ts';
import { requireScope } from './scopes.ts';
import type { ServerTool } from './server-tools.ts';
import type { Services } from './services.ts';

/** Clients give up after 60 seconds; a wait ends before. */
const MAX_WAIT_SECONDS = 45;

const input = z.strictObject({
  action: z.enum(['status', 'wait', 'run', 'cancel', 'replan']),
  id: z.string().max(80),
  waitSeconds: z.int().min(0).max(MAX_WAIT_SECONDS).optional(),
});

/** What an agent can do about its held calls. There is no way to approve in here. */
export function approvalTool(services: Services): ServerTool {
  return {
    name: 'approval',
    title: 'Follow and run held calls',
    description: 'Held calls: status, wait for a person, run once approved, cancel. Only people approve.',
    effect: 'destroy',
    input,
    async handle(raw, call) {
      const { action, id, waitSeconds } = raw as z.output<typeof input>;
      const { approvals } = services;
      // Before anything is claimed: a token that may only look leaves the approval as good as it is.
      requireScope(call, action === 'status' || action === 'wait' ? 'tools:read' : 'tools:write');
      const request = await approvals.find(id, call.principal);
      switch (action) {
        case 'status':
          return report(request, services);
        case 'wait':
          return report(
            await approvals.wait(id, call.principal, (waitSeconds ?? MAX_WAIT_SECONDS) * 1000, call.signal),
            services,
          );
        case 'cancel':
          return report(await approvals.cancel(id, call.principal), services);
        case 'run':
          if (request.state === 'pending') return held(noticeOf(request, services), nextOf(request, services));
          return request.state === 'stale' ? wentStale(request, services) : runApproved(id, call, services);
        case 'replan': {
          const { tool, input: wanted } = await approvals.staleCall(id, call.principal);
          return { instead: { tool, arguments: wanted } };
        }
      }
    },
  };
}

function report(request: ApprovalRequest, services: Services): Answer {
  const { id, state, summary, approvalsGiven, approvalsNeeded, decisions, note, outcome } = request;
  const result: JsonObject = {
    state,
    approvals: `${approvalsGiven} of ${approvalsNeeded}`,
    decisions: decisions.map((entry): Json => ({
      approver: entry.approver,
      decision: entry.decision,
      reason: entry.reason,
    })),
    ...(note ? { note: { ...note } as JsonObject } : {}),
    ...(request.follows === undefined ? {} : { follows: request.follows }),
    ...(outcome ? { outcome } : {}),
  };
  const answer = done(result, `${id} is ${state}: ${summary}`, nextOf(request, services));
  return { ...answer, envelope: { ...answer.envelope, approval: noticeOf(request, services) } };
}
