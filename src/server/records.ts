import type { DecisionRecord, Purpose, RecordsPort, RunRecord } from '../adapters/workflow/port.ts';
import type { Approvals } from '../approvals/approvals.ts';
import type { Approvers } from '../approvals/approvers.ts';
import type { ApprovalRequest, SignedDecision } from '../approvals/request.ts';
import { standingOf } from '../approvals/standing.ts';
import type { State } from '../approvals/states.ts';
import type { AuditLog } from '../audit/log.ts';
import { recentCalls, writerOfRequest, writersFor, type LoggedCall } from '../audit/calls.ts';
import type { JsonObject } from '../core/json.ts';
import type { Principal } from '../core/principal.ts';
import type { Target } from '../core/target.ts';
import type { Store } from '../store/store.ts';

interface Sources {
  store: Store;
  audit: Pick<AuditLog, 'flush'>;
  approvals: Pick<Approvals, 'list'>;
  approvers: Pick<Approvers, 'list'>;
  /** The real path of the workspace whose facts these are. */
  workspace: string;
  redact: (text: string) => string;
}

/** States that an approved request can be in. */
const APPROVED: readonly State[] = ['approved', 'claimed', 'acting', 'done', 'failed', 'unknown'];

/** A request with the approvals that count: what stands in the store without a signature that verifies is left out. */
interface Approved {
  request: ApprovalRequest;
  approvals: SignedDecision[];
}

/** The ledger, for tools to read: what this person's agents did in this workspace, and what people approved of it. */
export function createRecords({ store, audit, approvals, approvers, workspace, redact }: Sources): RecordsPort {
  /** This person's requests of this workspace that people have approved, newest first. */
  const approved = async ({ person }: Principal): Promise<Approved[]> => {
    await audit.flush();
    const [writers, requests] = [await writersFor(store, workspace), await approvals.list({ states: APPROVED })];
    const known = approvers.list();
    const own = requests
      .filter(({ principal }) => principal.person === person)
      .flatMap((request): Approved[] => {
        const {
          stillNeeded,
          approvals: counting,
          breakGlass,
        } = standingOf(request, request.digest, request.decisions, known);
        if (stillNeeded.length === 0) return [{ request, approvals: counting }];
        return breakGlass ? [{ request, approvals: [breakGlass] }] : [];
      });
    const here = await Promise.all(own.map(({ request }) => writerOfRequest(store, request.id)));
    return own.filter((_, index) => writers.has(here[index] ?? ''));
  };

  return {
    async runs(tools, limit, who) {
      await audit.flush();
      const [writers, requests] = [await writersFor(store, workspace), await approved(who)];
      const byId = new Map(requests.map(({ request }) => [request.id, request]));
      const isTheirs = (data: JsonObject) => {
        const { principal, approval } = data;
        if (typeof approval === 'string') return byId.has(approval);
        return typeof principal === 'string' && principal.split('/')[0] === encodeURIComponent(who.person);
      };
      const found = await recentCalls(
        store,
        ({ writer, data }) => writers.has(writer) && tools.includes(textIn(data, 'tool')) && isTheirs(data),
        limit,
      );
      return found.flatMap((call) => runOf(call, byId, redact));
    },

    async decisions(who) {
      return (await approved(who)).map((each) => decisionOf(each, redact));
    },
  };
}

function decisionOf({ request, approvals }: Approved, redact: (text: string) => string): DecisionRecord {
  const { id, digest, tool, plan, summary, environment, principal, createdAt } = request;
  return {
    id,
    digest,
    tool,
    does: plan.steps.map(({ does }) => redact(does)),
    summary: redact(summary),
    environment: environment ?? 'none',
    targets: plan.targets,
    purpose: purposeOf(tool, summary, plan.targets),
    askedBy: `${principal.person} (${principal.agent})`,
    askedAt: new Date(createdAt).toISOString(),
    approvals: approvals.map(({ approver, at, key, reason, breakGlass }) => ({
      approver,
      at: new Date(at).toISOString(),
      key,
      reason: redact(reason),
      alone: breakGlass === true,
    })),
  };
}

function runOf(
  { opened, closed }: LoggedCall,
  requests: ReadonlyMap<string, ApprovalRequest>,
  redact: (text: string) => string,
): RunRecord[] {
  const { data, callId, time } = opened;
  const status = closed?.data['status'];
  // A dry run ends as planned, and did nothing; what failed before it ran did nothing either.
  if (status === 'planned' || status === 'denied' || status === 'stale' || status === 'approval_required') return [];
  const request = typeof data['approval'] === 'string' ? requests.get(data['approval']) : undefined;
  const targets = request?.plan.targets ?? targetsIn(data);
  const [tool, summary] = [textIn(data, 'tool'), textIn(data, 'summary')];
  const said = JSON.stringify([summary, data['input'] ?? null, request?.plan.steps ?? null]);
  return [
    {
      callId: callId ?? '',
      tool,
      summary: redact(summary),
      environment: request?.environment ?? (typeof data['environment'] === 'string' ? data['environment'] : 'none'),
      targets,
      purpose: purposeOf(tool, summary, targets),
      at: time,
      result: status === 'done' ? 'done' : status === undefined ? 'unknown' : 'failed',
      digests: [...new Set([...said.matchAll(/sha256:[0-9a-f]{64}/g)].map(([digest]) => digest))].slice(0, 5),
      ...(request ? { approval: request.id } : {}),
    },
  ];
}

function textIn(data: JsonObject, key: string): string {
  const value = data[key];
  return typeof value === 'string' ? value : '';
}

function targetsIn(data: JsonObject): Target[] {
  const targets = Array.isArray(data['targets']) ? data['targets'] : [];
  return targets as unknown as Target[];
}

/** Programs that bring a version to where it runs; what else a program changes is no deployment. */
const DEPLOYING =
  /^(?:ansible-playbook|aws ecs update-service|docker (?:compose|service|stack)|helm (?:install|upgrade)|kubectl (?:apply|set)|shuttle deploy|terraform apply)\b/;

/** Told by Holdpoint's own words for a plan, which begin with what it does; a name in them that an agent chose comes later. */
function purposeOf(tool: string, summary: string, targets: readonly Target[]): Purpose {
  if (tool === 'kubectl-rollout' && summary.startsWith('go back to an earlier revision of ')) return 'rollback';
  if (tool === 'kubectl-rollout' && summary.startsWith('set images of ')) return 'deployment';
  const changed = targets.filter(({ effect }) => effect !== 'read');
  if (tool === 'gh-workflow-run')
    return changed.some(({ at }) => /\b(?:rollback|revert)/i.test(at?.workflow ?? '')) ? 'rollback' : 'deployment';
  const deploys = tool === 'launch-process' && changed.some(({ command }) => DEPLOYING.test(command ?? ''));
  return deploys ? 'deployment' : 'other';
}
