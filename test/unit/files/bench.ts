import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

import { POLICIES, SAMPLE_WORKSPACE } from '../../../src/config/locations.ts';
import type { Facts } from '../../../src/core/facts.ts';
import type { Ports } from '../../../src/core/tool.ts';
import { compilePolicy, readPolicyFile } from '../../../src/policy/load.ts';
import { loadRegistry } from '../../../src/server/registry.ts';
import { newBench, type Bench } from '../server/services.ts';
import { newWorkspace, type TestWorkspace } from './workspace.ts';

const facts: Facts = {
  kubernetes: { contexts: {} },
  docker: { host: 'local' },
  github: {},
  monitoring: {},
  programs: {},
};

export interface FilesBench extends TestWorkspace {
  bench: Bench;
  /** A call through dispatch, under the policy tta-devops-engineer. */
  call: (tool: string, args: Record<string, unknown>) => ReturnType<Bench['call']>;
  /** Approves a held call as a person would, and runs it. */
  approveAndRun: (id: string) => ReturnType<Bench['call']>;
}

/** Dispatch with the real tools, the real adapter and a shipped policy, on a copy of the sample workspace. */
export async function newFilesBench(ports: Partial<Ports> = {}): Promise<FilesBench> {
  const workspace = newWorkspace();
  cpSync(SAMPLE_WORKSPACE, workspace.dir, { recursive: true });
  const registry = await loadRegistry();
  const file = join(POLICIES, 'tta-devops-engineer.yaml');
  const policy = compilePolicy(await readPolicyFile(file), file, { tools: (name) => registry.get(name) });
  const bench = await newBench({
    registry,
    facts,
    ports: { files: workspace.files, ...ports } as unknown as Ports,
    policies: { current: async () => policy },
  });
  onTestFinished(() => bench.close());
  bench.approvers.add({ name: 'alice', person: 'ann', at: Date.now() });
  return {
    ...workspace,
    bench,
    call: (tool, args) => bench.call(tool, args),
    async approveAndRun(id) {
      const { digest } = await bench.services.approvals.find(id);
      await bench.services.approvals.decide(
        bench.approvers.sign({ id, digest, decision: 'approve', approver: 'alice', at: Date.now(), reason: 'fine' }),
      );
      return bench.call('approval', { action: 'run', id });
    },
  };
}
