import type { ApprovalRequest } from '../approvals/request.ts';
import { isApprovalId } from '../audit/chain.ts';
import { HoldpointError } from '../core/errors.ts';
import type { JsonObject } from '../core/json.ts';
import { nextOf, noticeOf } from './hold.ts';
import { bounded, type ResourceSource } from './resources.ts';
import type { Services } from './services.ts';

const ADDRESS = 'holdpoint://approvals';
const TEMPLATE = `${ADDRESS}/{id}`;
const SHOWN = 50;

/** The caller's own held calls: how they stand and what is missing. Looking is all there is: people decide elsewhere. */
export function approvalResources(services: Services): ResourceSource {
  const { approvals } = services;
  return {
    list: async () => [
      {
        uri: ADDRESS,
        name: 'approvals',
        title: 'Your held calls',
        description: 'Your own approval requests, newest first: state, what is missing, until when.',
        mimeType: 'application/json',
      },
    ],
    templates: [
      {
        uriTemplate: TEMPLATE,
        name: 'approval',
        description: 'One of your own approval requests: what was asked, why it waits, what is missing.',
        mimeType: 'application/json',
      },
    ],
    async read(uri, principal) {
      if (uri === ADDRESS) {
        const requests = await approvals.list({ principal, limit: SHOWN });
        return bounded({ approvals: requests.map((request) => brief(request, services)) }, services);
      }
      const id = uri.startsWith(`${ADDRESS}/`) ? uri.slice(ADDRESS.length + 1) : '';
      if (!isApprovalId(id)) return undefined;
      const request = await approvals.find(id, principal).catch((error: unknown) => {
        // Of another's request not even its being there is told.
        if (error instanceof HoldpointError && error.code === 'not_found') return undefined;
        throw error;
      });
      return request && bounded(whole(request, services), services);
    },
    async complete(_variable, begun, principal) {
      const requests = await approvals.list({ principal });
      return requests.map(({ id }) => id).filter((id) => id.startsWith(begun));
    },
  };
}

function brief(request: ApprovalRequest, services: Services): JsonObject {
  const { id, state, summary, expiresAt } = noticeOf(request, services);
  const { tool, environment, createdAt, approvalsGiven, approvalsNeeded } = request;
  return {
    id,
    state: state ?? request.state,
    summary,
    tool,
    ...(environment === null ? {} : { environment }),
    askedAt: new Date(createdAt).toISOString(),
    expiresAt,
    approvals: `${approvalsGiven} of ${approvalsNeeded}`,
    ...(request.stillNeeded.length > 0 ? { missing: request.stillNeeded } : {}),
  };
}

function whole(request: ApprovalRequest, services: Services): JsonObject {
  const { rules, reason, handOff, digest, window, decisions, note, plan, cannotBeMet } = request;
  const open = (request.checklist ?? []).filter(({ state }) => state !== 'ok');
  return {
    ...brief(request, services),
    rules,
    reason,
    ...(handOff === null ? {} : { handOff }),
    digest,
    effect: plan.effect,
    targets: plan.targets.map((target) => target.id),
    ...(cannotBeMet === undefined ? {} : { cannotBeMet }),
    ...(open.length > 0 ? { openItems: open.map((item) => `${item.phase}: ${item.says}`) } : {}),
    ...(window ? { window: { open: window.open, says: window.says } } : {}),
    decisions: decisions.map((entry) => ({ approver: entry.approver, decision: entry.decision, reason: entry.reason })),
    ...(note ? { note: JSON.parse(JSON.stringify(note)) as JsonObject } : {}),
    next: nextOf(request, services),
  };
}
