import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

import { createApprovals } from '../../src/approvals/approvals.ts';
import { openApprovers, type Approvers } from '../../src/approvals/approvers.ts';
import { openSealKey } from '../../src/approvals/seal.ts';
import { createAuditLog } from '../../src/audit/log.ts';
import { TOOL_SCOPES } from '../../src/core/scopes.ts';
import type { Ports } from '../../src/core/tool.ts';
import { defineTool, type AnyTool } from '../../src/core/tool.ts';
import { checkedPolicy } from '../../src/policy/load.ts';
import { createHandOffs } from '../../src/hand-offs/hand-offs.ts';
import { createRedactor } from '../../src/redact/redact.ts';
import { createDispatch, type Dispatch } from '../../src/server/dispatch.ts';
import { createLimits } from '../../src/server/limits.ts';
import { createResults } from '../../src/server/results.ts';
import { NO_TRACING } from '../../src/server/tracing.ts';
import type { Services } from '../../src/server/services.ts';
import { openStore } from '../../src/store/sqlite.ts';
import type { Store } from '../../src/store/store.ts';

/** Long enough for a busy machine: a test sets its clock forward rather than wait for a dead server's claim. */
export const LEASE = 60_000;

const POLICY = `
version: 1
name: crash
environments:
  production: { namespaces: [prod] }
rules:
  - id: operate
    decision: allow
    when: { kind: workload, id: 'note/*' }
    reason: Notes may be written.
    examples: [{ tool: note, targets: [{ kind: workload, id: note/a, effect: read, at: { namespace: prod } }], expect: allow }]
  - id: production
    decision: require_approval
    when: { environment: production, effect: write }
    reason: A person confirms production.
    examples: [{ tool: note, input: { text: a }, expect: require_approval }]
`;

/** Appends a line to the effects file, durably; binds nothing, so that only the approvals keep it from happening twice. */
function noteTool(root: string): AnyTool {
  const targets = (text: string) => [
    { kind: 'workload' as const, id: `note/${text}`, effect: 'write' as const, at: { namespace: 'prod' } },
  ];
  return defineTool({
    name: 'note',
    title: 'Note',
    description: 'Write a note.',
    effect: 'write',
    needs: [],
    input: z.strictObject({ text: z.string() }),
    output: z.strictObject({ text: z.string() }),
    targets: ({ text }) => targets(text),
    plan: async ({ text }) => ({
      effect: 'write',
      targets: targets(text),
      preconditions: [],
      steps: [{ id: 'note', does: 'note it', call: ['note', text] }],
      preview: { summary: `note ${text}` },
      data: { text },
    }),
    async run({ data: { text } }, { stepDone }) {
      const file = openSync(join(root, 'effects'), 'a');
      writeSync(file, `${text}\n`);
      fsyncSync(file);
      closeSync(file);
      stepDone('note', 'noted');
      return { text };
    },
  });
}

/** What really happened: one line for each effect. */
export function effects(root: string): string[] {
  try {
    return readFileSync(join(root, 'effects'), 'utf8').split('\n').filter(Boolean);
  } catch {
    return [];
  }
}

const PRINCIPAL = { person: 'ann', agent: 'crash', client: 'tests' };

export interface Server {
  dispatch: Dispatch;
  services: Services;
  approvers: Approvers;
  store: Store;
  close(): Promise<void>;
}

interface ServerOptions {
  /** The seam that crashes it. */
  at?: (point: string) => void;
  /** Milliseconds that its clock is ahead. */
  ahead?: () => number;
  /** Milliseconds to wait for other processes' transactions. */
  patience?: number;
}

/** One server process's parts over the state in `root`; several may be open at once. */
export async function openServer(
  root: string,
  { at = () => {}, ahead = () => 0, patience = 10_000 }: ServerOptions = {},
): Promise<Server> {
  const tool = noteTool(root);
  const registry = new Map([[tool.name, tool]]);
  const policy = checkedPolicy(POLICY, 'crash.yaml', { tools: (name) => registry.get(name) });
  const store = await openStore(join(root, 'state'), { patience });
  const audit = createAuditLog({ store });
  const approvers = openApprovers(join(root, 'keys'));
  const limits = { lease: LEASE, refuseAfterDenial: 0, pendingPerPrincipal: 1000, requestsPerMinute: 10_000 };
  const clock = { wall: () => Date.now() + ahead(), steady: () => performance.now() };
  const services: Services = {
    registry,
    persona: {
      name: 'crash',
      title: 'Crash',
      description: 'For the crash tests.',
      tokenBudget: 1800,
      tools: ['note'],
      instructions: '',
      version: '1.0.0',
      upstreams: [],
      handOffs: true,
      tags: [],
      policyFile: 'crash.yaml',
      folder: '.',
    },
    policies: { current: async () => policy },
    facts: { kubernetes: { contexts: {} }, docker: { host: 'local' }, github: {}, monitoring: {}, programs: {} },
    ports: {} as Ports,
    edits: { record: async () => {}, alone: (make) => make() },
    handOffs: createHandOffs({ store, audit, workspace: '/workspace' }),
    audit,
    tracing: NO_TRACING,
    approvals: createApprovals({
      store,
      audit,
      approvers,
      sealKey: openSealKey(join(root, 'keys')),
      limits,
      clock,
      at,
    }),
    redactor: createRedactor([]),
    results: createResults(),
    limits: createLimits({ callsPerMinute: 100_000, concurrentCalls: 1000 }, () => Date.now()),
    reviewUrl: () => undefined,
    maxBytes: 8192,
    now: () => Date.now(),
    owner: `crash-${process.pid}`,
    leaseRenewal: LEASE / 3,
    draining: new AbortController().signal,
    stopping: new AbortController().signal,
    observe: () => {},
    log: () => {},
    at,
  };
  const dispatch = createDispatch(services);
  return {
    dispatch,
    services,
    approvers,
    store,
    async close() {
      await dispatch.idle();
      await audit.close();
      await store.close();
    },
  };
}

let calls = 0;
export function callTool(server: Server, tool: string, args: object): ReturnType<Dispatch['call']> {
  const id = `crash-${process.pid}-${++calls}`;
  return server.dispatch.call({
    id,
    tool,
    arguments: args,
    principal: PRINCIPAL,
    scopes: TOOL_SCOPES,
    transport: 'stdio',
    signal: new AbortController().signal,
    progress: () => {},
  });
}
