import * as fc from 'fast-check';

import { VERDICTS } from '../../../src/core/decision.ts';
import { EFFECTS } from '../../../src/core/effect.ts';
import { isRuntime, TARGET_KINDS } from '../../../src/core/target.ts';
import type { Target } from '../../../src/core/target.ts';
import type { RuleText } from './policies.ts';

export const ENVIRONMENTS = {
  production: { kubeContexts: ['prod*'], namespaces: ['*-prod', 'live'], branches: ['main'], hosts: ['shop.example'] },
  staging: { kubeContexts: ['staging'], namespaces: ['*-staging'], branches: ['stage*'] },
  development: { kubeContexts: ['kind-*'], namespaces: ['dev*'], dockerHosts: ['local'] },
};

const RUNTIME = TARGET_KINDS.filter(isRuntime);
const some = <T>(...values: T[]) => fc.uniqueArray(fc.constantFrom(...values), { minLength: 1, maxLength: 3 });

const name = fc.constantFrom('a', 'A', 'b', 'ab', '.env', '.ENV', 'secrets', 'Secrets', 'x.pem', '-');
const path = fc.oneof(
  { weight: 8, arbitrary: fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => names.join('/')) },
  { weight: 1, arbitrary: fc.constant('.') },
);
const globName = fc.constantFrom('a', 'b', '.env', 'secrets', '*', '**', '*.pem', '.e*', 'a*', '*b', 'S*s');
export const glob = fc
  .tuple(fc.constantFrom('', '', './'), fc.array(globName, { minLength: 1, maxLength: 4 }))
  .map(([start, names]) => start + names.join('/'));

const namespace = fc.constantFrom('shop-prod', 'Shop-PROD', 'live', 'shop-staging', 'dev', 'dev-1', 'DEV', 'other');
const at = fc.record(
  {
    kubeContext: fc.constantFrom('PROD-eu', 'prod', 'staging', 'kind-x', 'kind-y'),
    namespace,
    branch: fc.constantFrom('main', 'stage/1', 'feature'),
    host: fc.constantFrom('shop.example', 'other.example'),
    dockerHost: fc.constantFrom('local', 'other'),
  },
  { requiredKeys: [] },
);

export const target: fc.Arbitrary<Target> = fc.oneof(
  fc
    .record({ kind: fc.constantFrom('file' as const, 'folder' as const), effect: fc.constantFrom(...EFFECTS), path })
    .map((made) => ({ ...made, id: made.path })),
  fc
    .record(
      {
        kind: fc.constantFrom(...RUNTIME),
        id: fc.constantFrom('api', 'web', ''),
        effect: fc.constantFrom(...EFFECTS),
        command: fc.constantFrom('kubectl get', 'kubectl apply', 'psql'),
        resource: fc.constantFrom('deployment', 'secret'),
        at,
      },
      { requiredKeys: ['kind', 'id', 'effect'] },
    )
    .map((made) => made as Target),
);

export const tool = fc.constantFrom('view', 'save-file', 'remove-files', 'browser_click');

const toolPattern = fc.constantFrom('*', 'save-*', 'browser_*', '*-file*');
const effects = some(...EFFECTS);
const environments = some('production', 'staging', 'development');

/** Conditions that a policy may have: what cannot match anything does not load. */
const when: fc.Arbitrary<object> = fc.oneof(
  fc.record(
    {
      kind: some('file', 'folder'),
      effect: effects,
      path: fc.array(glob, { minLength: 1, maxLength: 2 }),
      tool: toolPattern,
    },
    { requiredKeys: ['kind', 'path'] },
  ),
  fc.record({ kind: some(...TARGET_KINDS), effect: effects, tool: toolPattern }, { requiredKeys: ['effect'] }),
  { weight: 1, arbitrary: fc.record({ environment: environments }) },
  fc.record(
    {
      kind: some(...RUNTIME),
      effect: effects,
      environment: environments,
      namespace: fc.constantFrom('*-prod', 'dev*', 'Shop-*', 'other'),
      kubeContext: fc.constantFrom('prod*', '*', 'kind-x'),
      resource: fc.constantFrom('deployment', 's*', '*'),
      id: fc.constantFrom('api', 'w*'),
      tool: toolPattern,
    },
    { requiredKeys: ['environment'] },
  ),
  fc.record(
    { kind: fc.constant('process'), command: fc.constantFrom('kubectl *', 'psql', '*get*'), environment: environments },
    { requiredKeys: ['kind', 'command'] },
  ),
);

/** Rules with ids of their own; `prefix` keeps two lists apart. */
export function rules(decisions: readonly string[], prefix: string, most = 8): fc.Arbitrary<RuleText[]> {
  return fc
    .array(fc.record({ decision: fc.constantFrom(...decisions), when }), { minLength: 1, maxLength: most })
    .map((list) => list.map((rule, index): RuleText => ({ ...rule, id: `${prefix}${index}` })));
}

/** In half of them everything is allowed but for what the rest restricts: else nearly every call would be denied. */
export const anyRules = fc
  .tuple(fc.boolean(), rules(VERDICTS, 'r'))
  .map(([open, list]): RuleText[] =>
    open ? [...list, { id: 'everything', decision: 'allow', when: { effect: [...EFFECTS] } }] : list,
  );
export const targets = fc.oneof(
  { weight: 4, arbitrary: target.map((one) => [one]) },
  { weight: 1, arbitrary: fc.array(target, { maxLength: 4 }) },
);
