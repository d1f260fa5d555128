import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';

import { createApprovals } from '../../../src/approvals/approvals.ts';
import { openApprovers, type Approvers } from '../../../src/approvals/approvers.ts';
import { openSealKey } from '../../../src/approvals/seal.ts';
import { createAuditLog } from '../../../src/audit/log.ts';
import type { Effect } from '../../../src/core/effect.ts';
import { TOOL_SCOPES } from '../../../src/core/scopes.ts';
import type { Ports } from '../../../src/core/tool.ts';
import { defineTool, type AnyTool } from '../../../src/core/tool.ts';
import { checkedPolicy } from '../../../src/policy/load.ts';
import type { Policy } from '../../../src/policy/policy.ts';
import { createHandOffs } from '../../../src/hand-offs/hand-offs.ts';
import { createRedactor } from '../../../src/redact/redact.ts';
import { createDispatch, type Dispatch } from '../../../src/server/dispatch.ts';
import { createLimits } from '../../../src/server/limits.ts';
import { createResults } from '../../../src/server/results.ts';
import { NO_TRACING } from '../../../src/server/tracing.ts';
import type { Call, Services } from '../../../src/server/services.ts';
import { openStore } from '../../../src/store/sqlite.ts';
import type { Store } from '../../../src/store/store.ts';

/** A world of named values, each in a namespace, and a tool that reads or changes one. */
interface World {
  values: Map<string, string>;
  /** How often `run` of the tool has done something. */
  runs: string[];
  /** Called inside `run`, before the change. */
  during: () => Promise<void>;
}

export const POLICY = `
version: 1
name: sample
environments:
  production: { namespaces: [prod] }
  development: { namespaces: [dev] }
rules:
  - id: operate
    decision: allow
    when: { kind: workload, id: 'value/*' }
    reason: Values may be operated.
    examples: [{ tool: value, targets: [{ kind: workload, id: value/a, effect: read, at: { namespace: dev } }], expect: allow }]
  - id: production
    decision: require_approval
    when: { environment: production, effect: [write, destroy] }
    reason: A person confirms production.
    handOff: architect
    examples: [{ tool: value, targets: [{ kind: workload, id: value/a, effect: write, at: { namespace: prod } }], expect: require_approval }]
  - id: secret
    decision: deny
    when: { kind: workload, id: 'value/secret*' }
    reason: Not yours.
    handOff: credential-manager
    examples: [{ tool: value, targets: [{ kind: workload, id: value/secret, effect: read, at: { namespace: dev } }], expect: deny }]
`;

function valueTool(world: World): AnyTool {
  const effectOf = (to: string | undefined): Effect => (to === undefined ? 'read' : 'write');
  return defineTool({
    name: 'value',
    title: 'Value',
    description: 'Read or set a value.',
    effect: 'write',
    needs: [],
    input: z.strictObject({ name: z.string(), namespace: z.string(), to: z.string().optional() }),
    output: z.strictObject({ value: z.string(), was: z.string().optional() }),
    targets: ({ name, namespace, to }) => [
      { kind: 'workload', id: `value/${name}`, effect: effectOf(to), at: { namespace } },
    ],
    async plan({ name, namespace, to }) {
      const was = world.values.get(name) ?? '';
      return {
        effect: effectOf(to),
        targets: [{ kind: 'workload', id: `value/${name}`, effect: effectOf(to), at: { namespace } }],
        preconditions: to === undefined ? [] : [{ id: `value:${name}`, says: `the value of ${name}`, value: was }],
        steps: to === undefined ? [] : [{ id: 'set', does: `set ${name}`, call: ['set', name, to] }],
        preview: {
          summary: to === undefined ? `read ${name}` : `set ${name} to ${to}`,
          text: `-${was}\n+${to ?? was}`,
        },
        data: { name, to: to ?? null },
      };
    },
    async run({ data: { name, to } }, { stepDone }) {
      await world.during();
      const was = world.values.get(name) ?? '';
      if (to === null) return { value: was };
      world.runs.push(`${name}=${to}`);
      world.values.set(name, to);
      stepDone('set', 'ok');
      return { value: to, was };
    },
  });
}

export interface Bench {
  world: World;
  services: Services;
  dispatch: Dispatch;
  approvers: Approvers;
  store: Store;
  setPolicy(text: string): void;
  call(tool: string, args: unknown, over?: Partial<Call>): ReturnType<Dispatch['call']>;
  /** Records of the audit log, oldest first. */
  audit(): Promise<{ kind: string; callId: string | null; data: Record<string, unknown> }[]>;
  close(): Promise<void>;
}

export const PRINCIPAL = { person: 'ann', agent: 'devops', client: 'tests' };

/** Dispatch over a real store, real approvals, a real policy, and a small world. */
export async function newBench(over: Partial<Services> = {}): Promise<Bench> {
  const root = mkdtempSync(join(tmpdir(), 'holdpoint-dispatch-'));
  const world: World = { values: new Map([['a', '1']]), runs: [], during: async () => {} };
  const tool = valueTool(world);
  const registry = new Map([[tool.name, tool]]);
  const load = (text: string): Policy => checkedPolicy(text, 'sample.yaml', { tools: (name) => registry.get(name) });
  let policy = load(POLICY);
  const store = await openStore(join(root, 'state'));
  const audit = createAuditLog({ store });
  const approvers = openApprovers(join(root, 'keys'));
  const services: Services = {
    registry,
    persona: {
      name: 'devops',
      title: 'DevOps',
      description: 'A sample persona.',
      tokenBudget: 1800,
      tools: ['value'],
      instructions: '',
      version: '1.0.0',
      upstreams: [],
      handOffs: true,
      tags: [],
      policyFile: 'sample.yaml',
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
      limits: { lease: 60_000, refuseAfterDenial: 600_000, pendingPerPrincipal: 20, requestsPerMinute: 1000 },
    }),
    redactor: createRedactor(['hunter2-known']),
    results: createResults(),
    limits: createLimits({ callsPerMinute: 100_000, concurrentCalls: 1000 }, () => Date.now()),
    reviewUrl: () => undefined,
    maxBytes: 8192,
    now: () => Date.now(),
    owner: 'tests',
    leaseRenewal: 20_000,
    draining: new AbortController().signal,
    stopping: new AbortController().signal,
    observe: () => {},
    log: () => {},
    at: () => {},
    ...over,
  };
  const dispatch = createDispatch(services);
  let calls = 0;
  return {
    world,
    services,
    dispatch,
    approvers,
    store,
    setPolicy(text) {
      policy = load(text);
    },
    call: (name, args, given = {}) =>
      dispatch.call({
        id: `call-${++calls}`,
        tool: name,
        arguments: args,
        principal: PRINCIPAL,
        scopes: TOOL_SCOPES,
        transport: 'stdio',
        signal: new AbortController().signal,
        progress: () => {},
        ...given,
      }),
    async audit() {
      await audit.flush();
      const rows = await store.query<{ record: string }>('SELECT record FROM audit_records ORDER BY seq');
      return rows.map(
        ({ record }) => JSON.parse(record) as { kind: string; callId: string | null; data: Record<string, unknown> },
      );
    },
    async close() {
      await dispatch.idle();
      // A test may have broken the store on purpose.
      await audit.close().catch(() => {});
      await store.close();
      rmSync(root, { recursive: true, force: true });
    },
  };
}
