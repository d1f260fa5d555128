import { SELECTORS } from '../core/target.ts';
import type { Selector, Target } from '../core/target.ts';
import { PatternError } from './braces.ts';
import { namePattern } from './patterns.ts';
import type { Environment, Policy, SelectorPatterns } from './policy.ts';
import type { Problem, Source } from './problems.ts';
import type { EnvironmentEntry } from './schema.ts';

/** The policy's list for each selector of a target. */
export const LISTS = {
  kubeContext: 'kubeContexts',
  cluster: 'clusters',
  namespace: 'namespaces',
  branch: 'branches',
  workflow: 'workflows',
  githubEnvironment: 'githubEnvironments',
  host: 'hosts',
  dockerHost: 'dockerHosts',
  upstream: 'upstreams',
} as const satisfies Record<Selector, keyof EnvironmentEntry>;

const USUAL_ORDER = ['production', 'staging', 'development'];

/** What the environment of a target was told by, in words. */
export interface Placing {
  environment: string;
  why: string;
}

/**
 * The environments of a policy file, in its order, which is strictest first, and the one that a target without any counts
 * as: `production`, or the first where none has that name.
 */
export function compileEnvironments(
  entries: Readonly<Record<string, EnvironmentEntry>>,
  source: Source,
): { environments: Environment[]; unmatched: string; problems: Problem[] } {
  const names = Object.keys(entries);
  const unmatched = names.includes('production') ? 'production' : (names[0] ?? 'production');
  const problems: Problem[] = [];
  const [first] = names;
  if (first === 'staging' || first === 'development')
    problems.push({
      line: source.line(['environments']),
      says: `without production, a target that no environment matches would count as ${first}; write "production: {}" before it`,
    });
  const usual = USUAL_ORDER.filter((name) => names.includes(name));
  const listed = names.filter((name) => usual.includes(name));
  if (listed.join() !== usual.join())
    problems.push({
      line: source.line(['environments']),
      says: `environments go strictest first; write ${usual.join(', ')} in this order`,
    });
  const environments = names.map((name, index) => {
    // Letter case must not lead out of production; into a milder environment it must fit exactly.
    const folds = index <= names.indexOf(unmatched);
    const entry = entries[name] ?? {};
    const selectors = SELECTORS.flatMap((selector) => {
      const list = LISTS[selector];
      const patterns = entry[list];
      if (patterns === undefined) return [];
      const tests = patterns.flatMap((pattern, at) => {
        try {
          return [namePattern(pattern, folds)];
        } catch (error) {
          if (!(error instanceof PatternError)) throw error;
          problems.push({
            line: source.line(['environments', name, list, at]),
            path: ['environments', name, list, at],
            sort: error.costly ? 'costly-pattern' : 'bad-pattern',
            says: `environment "${name}", ${list} ${JSON.stringify(pattern)}: ${error.message}`,
          });
          return [];
        }
      });
      return [
        {
          selector,
          patterns,
          matches: (value: string) => tests.some((test) => test(value)),
        } satisfies SelectorPatterns,
      ];
    });
    if (selectors.length === 0 && name !== unmatched)
      problems.push({
        line: source.line(['environments', name]),
        path: ['environments', name],
        sort: 'matches-nothing',
        says: `environment "${name}" can match nothing; write at least one of ${Object.values(LISTS).join(', ')}`,
      });
    return { name, selectors };
  });
  return { environments, unmatched, problems };
}

/** The strictest environment that anything about a runtime target matches. */
export function place(policy: Pick<Policy, 'environments' | 'unmatched'>, target: Target): Placing {
  const at = target.at ?? {};
  for (const environment of policy.environments) {
    for (const { selector, matches } of environment.selectors) {
      const value = at[selector];
      if (value !== undefined && matches(value)) return { environment: environment.name, why: `${selector} ${value}` };
    }
  }
  const values = Object.entries(at).map(([selector, value]) => `${selector} ${value}`);
  const told = values.length === 0 ? 'nothing tells its environment' : `no environment has ${values.join(', ')}`;
  return { environment: policy.unmatched, why: `${told}, which counts as ${policy.unmatched}` };
}
