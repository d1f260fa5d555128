import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { createApprovals, type Approvals } from '../../../src/approvals/approvals.ts';
import { openApprovers, type Approvers } from '../../../src/approvals/approvers.ts';
import type { Limits } from '../../../src/approvals/asking.ts';
import type { GlassEvent } from '../../../src/approvals/break-glass.ts';
import type { EvidenceSource } from '../../../src/approvals/evidence.ts';
import type { ApprovalRequest, Hold, VisiblePlan } from '../../../src/approvals/request.ts';
import { openSealKey } from '../../../src/approvals/seal.ts';
import { mayMove, STATES, type State } from '../../../src/approvals/states.ts';
import type { AuditRecord } from '../../../src/audit/chain.ts';
import { createAuditLog, type AuditLog } from '../../../src/audit/log.ts';
import { storeSource, tailAudit } from '../../../src/audit/read.ts';
import { verifyAudit } from '../../../src/audit/verify.ts';
import type { ApprovalTerms } from '../../../src/core/decision.ts';
import type { Json } from '../../../src/core/json.ts';
import type { Plan } from '../../../src/core/plan.ts';
import type { Principal } from '../../../src/core/principal.ts';
import { openStore } from '../../../src/store/sqlite.ts';
import type { Store } from '../../../src/store/store.ts';

export const MINUTE = 60_000;
export const LIMITS: Limits = {
  lease: MINUTE,
  refuseAfterDenial: 10 * MINUTE,
  pendingPerPrincipal: 20,
  requestsPerMinute: 100,
};
export const AGENT: Principal = { person: 'ann', agent: 'devops', client: 'editor' };
export const SECRET = 'the stored content of a file';

export const TERMS: ApprovalTerms = {
  approvals: 1,
  approveWithin: 60 * MINUTE,
  runWithin: 30 * MINUTE,
  channel: 'out-of-band',
  requesterMayApprove: true,
  approvers: [],
  reasonRequired: false,
  signature: 'any',
  checklists: [],
  windows: [],
};

export function planOf(name: string, data: Json = { content: SECRET }): Plan {
  return {
    effect: 'destroy',
    targets: [{ kind: 'file', id: name, effect: 'destroy', path: name }],
    preconditions: [{ id: `file:${name}`, says: `the content of ${name}`, value: 'sha256:1' }],
    steps: [{ id: 'remove', does: `remove ${name}`, call: { remove: name } }],
    preview: { summary: `Remove ${name}`, text: 'unredacted' },
    data,
  };
}

function shownOf({ data: _data, ...plan }: Plan): VisiblePlan {
  return { ...plan, preview: { ...plan.preview, text: 'as people see it' } };
}

export function holdOf(
  name = 'docker/Dockerfile',
  changes: Partial<Hold> & { terms?: Partial<ApprovalTerms> } = {},
): Hold {
  const { terms, ...rest } = changes;
  return {
    principal: AGENT,
    persona: 'devops',
    tool: 'remove-files',
    schemaHash: 'sha256:schema',
    input: { paths: [name], content: SECRET },
    plan: planOf(name),
    shown: shownOf(planOf(name)),
    policyDigest: 'sha256:policy',
    decision: {
      verdict: 'require_approval',
      environment: 'production',
      rules: ['destruction'],
      reason: 'A person confirms every deletion.',
      handOff: 'architect',
      terms: { ...TERMS, ...terms },
      targets: [],
    },
    callId: 'call-1',
    ...rest,
  };
}

export interface World {
  root: string;
  keys: string;
  approvers: Approvers;
  /** What the clocks say; `wall` may be set at will. */
  time: { wall: number; steady: number };
  /** Both clocks go on. */
  pass(ms: number): void;
  server(options?: {
    limits?: Partial<Limits>;
    at?: (point: string) => void;
    evidence?: EvidenceSource;
    alarm?: (event: GlassEvent) => void;
    /** Puts something between the approvals and the store. */
    wrap?: (store: Store) => Store;
  }): Promise<Server>;
  end(): Promise<void>;
}

export interface Server {
  store: Store;
  audit: AuditLog;
  approvals: Approvals;
  /** Signs and decides as an approver without a passphrase. */
  decide(
    request: ApprovalRequest,
    approver: string,
    decision?: 'approve' | 'deny',
    reason?: string,
  ): Promise<ApprovalRequest>;
  /** Requests, approves, and returns the approved request. */
  approved(name?: string): Promise<ApprovalRequest>;
  kinds(id: string): Promise<string[]>;
  verify(): ReturnType<typeof verifyAudit>;
}

/** One state and keys directory with the approvers alice and bob, on which any number of servers can be opened. */
export function world(): World {
  const root = mkdtempSync(join(tmpdir(), 'holdpoint-approvals-'));
  const keys = join(root, 'keys');
  const approvers = openApprovers(keys);
  for (const [name, person] of [
    ['alice', 'ann'],
    ['bob', 'ben'],
  ] as const)
    approvers.add({ name, person, at: 0 });
  const time = { wall: Date.UTC(2026, 0, 1), steady: 0 };
  const servers: Server[] = [];
  return {
    root,
    keys,
    approvers,
    time,
    pass(ms) {
      time.wall += ms;
      time.steady += ms;
    },
    async server({ limits, at, evidence, alarm, wrap = (store: Store) => store } = {}) {
      const store = wrap(await openStore(join(root, 'state')));
      const audit = createAuditLog({ store, now: () => time.wall });
      const clock = { wall: () => time.wall, steady: () => time.steady };
      const approvals = createApprovals({
        store,
        audit,
        approvers,
        sealKey: openSealKey(keys),
        clock,
        limits: { ...LIMITS, ...limits },
        at,
        evidence,
        alarm,
      });
      const decide: Server['decide'] = async (
        { id, digest },
        approver,
        decision = 'approve',
        reason = decision === 'deny' ? 'too risky' : '',
      ) => approvals.decide(approvers.sign({ id, digest, decision, approver, at: await approvals.now(), reason }));
      const server: Server = {
        store,
        audit,
        approvals,
        decide,
        approved: async (name) => decide(await approvals.request(holdOf(name)), 'bob'),
        kinds: async (id) =>
          (await tailAudit(store, 1000, { about: id })).map(({ kind }) => kind.replace('approval.', '')),
        verify: async () => verifyAudit(await storeSource(store)),
      };
      servers.push(server);
      return server;
    },
    async end() {
      for (const { audit, store } of servers) {
        await audit.close();
        await store.close();
      }
      rmSync(root, { recursive: true, force: true });
    },
  };
}

/**
 * The state that the audit log alone gives a request, its records read in the order in which they were committed.
 *
 * @throws Error where a record does not follow from the one before it by a legal move.
 */
export async function stateByLog(store: Store, id: string): Promise<State> {
  const rows = await store.query<{ record: string }>(
    'SELECT record FROM audit_records WHERE approval = ? ORDER BY rowid',
    [id],
  );
  let state: State | undefined;
  for (const { record } of rows) {
    const { kind, data } = JSON.parse(record) as AuditRecord;
    const name = kind.replace('approval.', '');
    const to =
      name === 'requested' ? 'pending' : name === 'released' ? 'approved' : STATES.find((each) => each === name);
    if (to === undefined) continue;
    if (state === undefined ? to !== 'pending' : data['from'] !== state || !mayMove(state, to))
      throw new Error(`${id}: ${kind} from ${JSON.stringify(data['from'])}, but it was ${state}`);
    state = to;
  }
  if (state === undefined) throw new Error(`The log knows nothing of ${id}.`);
  return state;
}

/** Every byte below a folder, as one text. */
export function bytesBelow(folder: string): string {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files.map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1')).join('\n');
}
