import { join } from 'node:path';

import { POLICIES } from '../../../src/config/locations.ts';
import { loadPrograms } from '../../../src/config/programs.ts';
import type { Verdict } from '../../../src/core/decision.ts';
import { loadPolicy } from '../../../src/policy/load.ts';
import type { Policy } from '../../../src/policy/policy.ts';
import { loadRegistry } from '../../../src/server/registry.ts';
import { answer, file } from './policies.ts';

const [registry, programs] = await Promise.all([loadRegistry(), loadPrograms()]);
export const options = {
  tools: (name: string) => registry.get(name),
  toolNames: [...registry.keys()],
  facts: { programs },
};

export const SHIPPED = ['devops', 'tta-devops-engineer', 'orchestra-devops', 'battra-devops', 'pdlc-devops'] as const;

/** Loading runs every example of every rule through the real tools. */
export const load = (name: string) => loadPolicy(join(POLICIES, `${name}.yaml`), options);

/** What reading, writing and removing a file are answered. */
export type Access = readonly [read: Verdict, write: Verdict, remove: Verdict];
export const READ_WRITE: Access = ['allow', 'allow', 'require_approval'];
export const READ_ONLY: Access = ['allow', 'deny', 'deny'];
export const CLOSED: Access = ['deny', 'deny', 'deny'];

export function access(policy: Policy, path: string): Access {
  return [
    answer(policy, 'view', file(path, 'read')).verdict,
    answer(policy, 'save-file', file(path, 'write')).verdict,
    answer(policy, 'remove-files', file(path, 'destroy')).verdict,
  ];
}
