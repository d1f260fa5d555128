import { onTestFinished } from 'vitest';

import type { Facts } from '../../../src/core/facts.ts';
import type { Ports } from '../../../src/core/tool.ts';
import { loadRegistry } from '../../../src/server/registry.ts';
import { PROGRAMS } from '../processes/kit.ts';
import { newBench, type Bench } from '../server/services.ts';

/** A held call in a world of its own, and what can happen to that world before it runs. */
interface Held {
  bench: Bench;
  args: object;
  moves: Record<string, () => unknown>;
  still: Record<string, () => unknown>;
}

export interface Case {
  tool: string;
  what: string;
  /** The ids of the preconditions that it must have, in order. */
  relies: RegExp[];
  /** Each makes the approved request stale. */
  moves: readonly string[];
  /** None does. */
  still: readonly string[];
  make: () => Promise<Held>;
}

/** Everything may be done; what changes something, and every program, waits for a person. */
export const HOLD = `
version: 1
name: hold
environments: { production: { namespaces: [prod] } }
rules:
  - id: all
    decision: allow
    when: { kind: [file, folder, process, image, container, workload, workflow, repository, metric, dashboard, host, task] }
    reason: Everything may be done here.
    examples: [{ tool: x, targets: [{ kind: file, id: a, effect: read, path: a }], expect: allow }]
  - id: changes
    decision: require_approval
    when: { effect: [write, destroy] }
    reason: A person confirms changes.
    examples: [{ tool: x, targets: [{ kind: file, id: a, effect: write, path: a }], expect: require_approval }]
  - id: programs
    decision: require_approval
    when: { kind: process }
    reason: A person confirms programs.
    examples: [{ tool: x, targets: [{ kind: process, id: a, effect: read, command: x }], expect: require_approval }]
`;

const FACTS: Facts = {
  kubernetes: { contexts: {} },
  docker: { host: 'local' },
  github: {},
  monitoring: {},
  programs: PROGRAMS,
};

/** Dispatch with the real tools over these ports; everything is held. */
export async function heldBench(ports: Partial<Ports>, facts: Partial<Facts> = {}): Promise<Bench> {
  const registry = await loadRegistry();
  const bench = await newBench({ registry, ports: ports as Ports, facts: { ...FACTS, ...facts } });
  onTestFinished(() => bench.close());
  return holding(bench);
}

/** Makes a bench hold everything, with alice to approve. */
export function holding<B extends Bench>(bench: B): B {
  bench.setPolicy(HOLD);
  if (!bench.approvers.list().some(({ name }) => name === 'alice'))
    bench.approvers.add({ name: 'alice', person: 'ann', at: Date.now() });
  return bench;
}

/** Holds the call and lets alice approve it; gives the request's id. */
export async function approved(bench: Bench, tool: string, args: object): Promise<string> {
  const { envelope } = await bench.call(tool, args);
  if (envelope.status !== 'approval_required') throw new Error(JSON.stringify(envelope));
  const id = envelope.approval?.id ?? '';
  const { digest } = await bench.services.approvals.find(id);
  const signed = { id, digest, decision: 'approve', approver: 'alice', at: Date.now(), reason: 'fine' } as const;
  await bench.services.approvals.decide(bench.approvers.sign(signed));
  return id;
}
