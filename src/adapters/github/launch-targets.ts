import type { Effect } from '../../core/effect.ts';
import type { Selector, Target } from '../../core/target.ts';
import { clean } from './text.ts';
import { workflowStem, type WorkflowInput } from './workflow.ts';

/** No name of an environment on GitHub is longer. */
const MAX_NAME = 255;

/** What names of inputs say that their values tell an environment, and as what. */
const TELLING: readonly [RegExp, Selector][] = [
  [/namespace/i, 'namespace'],
  [/cluster/i, 'cluster'],
  [/context/i, 'kubeContext'],
  [/env|stage|tier|target/i, 'githubEnvironment'],
];

interface Launched {
  path: string;
  ref?: string;
  repository?: string;
}

/** What an act on runs touches, by what of workflow (file, or its name) and branch is known. */
export function workflowTarget(
  id: string,
  effect: Effect,
  { workflow, branch }: { workflow?: string | undefined; branch?: string | undefined },
): Target {
  const at = {
    ...(branch === undefined ? {} : { branch }),
    ...(workflow === undefined ? {} : { workflow: workflowStem(workflow) }),
  };
  return { kind: 'workflow', id, effect, at };
}

/** A target of a launch; its id says which run it is of and by what it was told. */
export function targetAt(launch: Launched, at: NonNullable<Target['at']>): Target {
  const { branch: _branch, workflow: _workflow, ...more } = at;
  const told = Object.values(more).map((value) => ` (${clean(value, MAX_NAME)})`);
  return { kind: 'workflow', id: `${nameOf(launch)}${told.join('')}`, effect: 'write', at };
}

/**
 * What cannot be known. Nothing is in `at`, so that it counts as production whatever a policy's patterns are: an expression
 * such as `${{ vars.staging }}` would match `*staging*`.
 */
export function unresolved(launch: Launched, what: string): Target {
  const id = `${nameOf(launch)} (${clean(what, MAX_NAME)}: not known before it runs)`;
  return { kind: 'workflow', id, effect: 'write', at: {} };
}

/** The selector that an input's value is for by its type or name; undefined for other inputs. */
function selectorOf(name: string, declared: WorkflowInput | undefined): Selector | undefined {
  if (declared?.type === 'boolean' || declared?.type === 'number') return undefined;
  if (declared?.type === 'environment') return 'githubEnvironment';
  return TELLING.find(([words]) => words.test(name))?.[1];
}

/** How a switch is written that is on. */
const ON = /^(?:true|yes|y|on|1|enabled?)$/i;

/** A switch that is on says with its name what it switches: `production: true`, `deployToProd: yes`. */
function switchTargets(launch: Launched, base: NonNullable<Target['at']>, name: string): Target[] {
  return name
    .replace(/([\p{Ll}\d])(?=\p{Lu})/gu, '$1-')
    .split(/[_-]+/)
    .filter(Boolean)
    .map((word) => targetAt(launch, { ...base, githubEnvironment: word }));
}

/** What one input of a launch names. Any text may be an environment's name; one that says it is one counts by itself too. */
export function inputTargets(
  launch: Launched,
  base: NonNullable<Target['at']>,
  name: string,
  value: string | null,
  declared: WorkflowInput | undefined,
): Target[] {
  const selector = selectorOf(name, declared);
  if (value === null) {
    if (selector !== undefined) return [unresolved(launch, `inputs.${name}`)];
    // A switch that nobody knows may be on.
    return ['boolean', 'choice'].includes(declared?.type ?? '') ? switchTargets(launch, base, name) : [];
  }
  if (value === '' || value === 'false') return [];
  const switched = ON.test(value) ? switchTargets(launch, base, name) : [];
  if (value === 'true' || declared?.type === 'number') return switched;
  return [
    ...switched,
    ...(value.length > MAX_NAME ? [] : [targetAt(launch, { ...base, githubEnvironment: value })]),
    ...(selector === undefined ? [] : [targetAt(launch, { [selector]: value.slice(0, MAX_NAME) })]),
  ];
}

function nameOf({ path, ref, repository }: Launched): string {
  return `${workflowStem(path)}${ref === undefined ? '' : ` at ${ref}`}${repository === undefined ? '' : ` of ${repository}`}`;
}
