import type { Decision } from '../../../src/core/decision.ts';
import { HoldpointError } from '../../../src/core/errors.ts';
import type { Target } from '../../../src/core/target.ts';
import type { Beside } from '../../../src/policy/beside.ts';
import { decide } from '../../../src/policy/decide.ts';
import { checkedPolicy, compilePolicy } from '../../../src/policy/load.ts';
import type { Policy } from '../../../src/policy/policy.ts';
import { standIns } from './stand-in-tools.ts';

export const someone = { person: 'ada', agent: 'devops', client: 'test' };

export interface RuleText {
  id: string;
  decision: string;
  when: object;
  reason?: string;
  [key: string]: unknown;
}

/** A policy from rules as plain data; an example that nothing is made of is added where a rule has none. */
export function policyOf(rules: readonly RuleText[], environments?: object, more: object = {}): Policy {
  const examples = [{ tool: 'view', input: { path: 'x' }, expect: 'deny' }];
  const filled = rules.map((rule) => ({ reason: `${rule.id} says so.`, examples, ...rule }));
  const content = {
    version: 1,
    name: 'sample',
    ...(environments === undefined ? {} : { environments }),
    ...more,
    rules: filled,
  };
  return compilePolicy(JSON.stringify(content), 'sample.yaml', { ...standIns, beside: oneItem });
}

/** Whatever checklist is named has one item. */
const oneItem: Beside = (_policy, folder, name) =>
  folder === 'checklists'
    ? { file: `${folder}/${name}.yaml`, text: `{ version: 1, name: ${name}, pre: [{ id: looked, says: Looked at. }] }` }
    : { known: [] };

export function file(path: string, effect: Target['effect'] = 'read'): Target {
  return { kind: 'file', id: path, effect, path };
}

export function folder(path: string): Target {
  return { kind: 'folder', id: path, effect: 'read', path };
}

export function workload(at: NonNullable<Target['at']>, effect: Target['effect'] = 'write'): Target {
  return { kind: 'workload', resource: 'deployment', id: `deployment/api in ${at.namespace ?? '?'}`, effect, at };
}

export function answer(policy: Policy, tool: string, ...targets: Target[]): Decision {
  return decide(policy, { principal: someone, tool, targets }, 0);
}

/** The message that a policy text is refused with. */
export function refusal(text: string): string {
  try {
    checkedPolicy(text, 'policies/sample.yaml', standIns);
  } catch (error) {
    if (error instanceof HoldpointError && error.code === 'invalid_input') return error.message;
    throw error;
  }
  throw new Error('the policy was accepted');
}
