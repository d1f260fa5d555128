import { isRuntime, SELECTORS } from '../../core/target.ts';
import type { Selector, TargetKind } from '../../core/target.ts';
import { expandBraces } from '../braces.ts';
import { namePattern } from '../patterns.ts';
import { readingOf } from './covering.ts';
import { LISTS } from '../environments.ts';
import { coversName } from './samples.ts';
import { found, placeOf } from './scope.ts';
import type { Check, Scope, Written } from './scope.ts';
import type { Finding } from './finding.ts';

/** What the targets of our tools are placed by. A process may be placed by anything that its flags name. */
export const PLACED_BY: Readonly<Partial<Record<TargetKind, readonly Selector[]>>> = {
  image: ['dockerHost', 'host'],
  container: ['dockerHost'],
  workload: ['kubeContext', 'cluster', 'namespace'],
  workflow: ['workflow', 'branch', 'githubEnvironment', 'namespace', 'cluster', 'kubeContext'],
  repository: ['branch'],
  metric: ['host', 'namespace', 'cluster', 'kubeContext'],
  dashboard: ['host', 'namespace', 'cluster', 'kubeContext'],
  host: ['host'],
  task: ['host'],
  upstream: ['upstream', 'host', 'namespace', 'cluster', 'kubeContext'],
};

/** Kubernetes kinds as people write them, and as a target has them. */
const PLURALS =
  /^(pod|deployment|statefulset|daemonset|replicaset|job|cronjob|service|secret|configmap|node|namespace|event|volume|role|rolebinding)s$|^(ingress)es$|^(po|deploy|sts|ds|rs|svc|cm|ns|ing|cj)$/i;

/** Files whose names have capitals wherever they are. */
const CAPITALS = [
  'Dockerfile',
  'Makefile',
  'Jenkinsfile',
  'Containerfile',
  'Vagrantfile',
  'Procfile',
  'README.md',
  'LICENSE',
  'CODEOWNERS',
  'Cargo.toml',
  'Chart.yaml',
];

/** Names that have no capitals in the systems they come from. */
const LOWER: readonly ('namespace' | 'host' | 'dockerHost' | 'resource' | 'command')[] = [
  'namespace',
  'host',
  'dockerHost',
  'resource',
  'command',
];

/** Rules that load and still can match nothing, and spellings that only an exact comparison misses. */
export const rulesThatMatchNothing: Check = (scope) =>
  scope.rules.flatMap((written) => [
    ...foreignSelectors(scope, written),
    ...plurals(scope, written),
    ...otherEnvironment(scope, written),
    ...letterCase(scope, written),
    ...withoutChildren(scope, written),
  ]);

function foreignSelectors(scope: Scope, { entry, index }: Written): Finding[] {
  const { when } = entry;
  // Tools of other servers may place what they touch by anything.
  if (when.kind === undefined || when.tool?.some((tool) => scope.options.tools(tool) === undefined)) return [];
  const kinds = readingOf(entry).kinds.filter(isRuntime);
  return SELECTORS.flatMap((selector) => {
    if (when[selector] === undefined || kinds.length === 0) return [];
    if (kinds.some((kind) => PLACED_BY[kind]?.includes(selector) ?? true)) return [];
    const instead = [...new Set(kinds.flatMap((kind) => PLACED_BY[kind] ?? []))].join(', ');
    return [
      found('matches-nothing', placeOf(scope, index, 'when', selector), {
        of: entry.id,
        message: `It can match nothing: ${kinds.join(', ')} never has a ${selector}.`,
        fix: `Write ${instead}, or leave ${selector} out.`,
      }),
    ];
  });
}

function plurals(scope: Scope, { entry, index }: Written): Finding[] {
  if (!readingOf(entry).kinds.includes('workload')) return [];
  return (entry.when.resource ?? []).flatMap((pattern, at) => {
    const wrong = expandBraces(pattern).filter((one) => PLURALS.test(one));
    if (wrong.length === 0) return [];
    return [
      found('matches-nothing', placeOf(scope, index, 'when', 'resource', at), {
        of: entry.id,
        message: `It can match nothing as ${wrong.join(', ')}: a workload's resource is the kind in the singular, written out.`,
        fix: 'Write it as deployment, secret or service.',
      }),
    ];
  });
}

/** An environment together with a name that always means a stricter one. */
function otherEnvironment(scope: Scope, { entry, index }: Written): Finding[] {
  const { policy } = scope;
  const named = entry.when.environment;
  if (named === undefined) return [];
  const first = policy.environments.findIndex(({ name }) => named.includes(name));
  for (const environment of policy.environments.slice(0, Math.max(first, 0))) {
    for (const { selector, patterns } of environment.selectors) {
      const asked = entry.when[selector];
      if (asked === undefined || named.includes(environment.name)) continue;
      if (asked.every((pattern) => coversName(patterns, true, pattern, false)))
        return [
          found('matches-nothing', placeOf(scope, index, 'when', selector), {
            of: entry.id,
            message: `It can match nothing: what has the ${selector} ${asked.join(', ')} is in ${environment.name}, never in ${named.join(', ')}.`,
            fix: `Write environment: ${environment.name}, or another ${selector}.`,
          }),
        ];
    }
  }
  return [];
}

function letterCase(scope: Scope, { entry, index }: Written): Finding[] {
  // What restricts ignores letter case.
  if (entry.decision !== 'allow') return [];
  const names = LOWER.flatMap((key) =>
    (entry.when[key] ?? []).flatMap((pattern, at) =>
      pattern === pattern.toLowerCase()
        ? []
        : [
            found('letter-case', placeOf(scope, index, 'when', key, at), {
              of: entry.id,
              message: `${JSON.stringify(pattern)} allows nothing: a rule that allows matches exactly, and a ${key} is written in lower case.`,
              fix: `Write ${JSON.stringify(pattern.toLowerCase())}.`,
            }),
          ],
    ),
  );
  const paths = (entry.when.path ?? []).flatMap((pattern, at) => {
    const name = pattern.split('/').at(-1) ?? '';
    const meant = capital(name);
    return meant === undefined
      ? []
      : [
          found('letter-case', placeOf(scope, index, 'when', 'path', at), {
            of: entry.id,
            message: `${JSON.stringify(pattern)} misses ${meant}: a rule that allows matches exactly.`,
            fix: `Write ${JSON.stringify(`${pattern.slice(0, pattern.length - name.length)}${meant}`)}.`,
          }),
        ];
  });
  return [...names, ...paths];
}

/** How a name is really written, where it has capitals that are missing here. */
function capital(name: string): string | undefined {
  return CAPITALS.find((each) => each !== name && each.toLowerCase() === name.toLowerCase());
}

/** `docker` in a rule that allows is one file of that name, not what is in the folder. */
function withoutChildren(scope: Scope, { entry, index }: Written): Finding[] {
  if (entry.decision !== 'allow' || !readingOf(entry).kinds.includes('file') || entry.when.kind?.includes('folder'))
    return [];
  const paths = entry.when.path ?? [];
  return paths.flatMap((pattern, at) => {
    const name = pattern.split('/').at(-1) ?? '';
    if (
      /[*?[{.A-Z]/.test(name) ||
      name === '' ||
      capital(name) !== undefined ||
      paths.some((other) => other.startsWith(`${pattern}/`))
    )
      return [];
    return [
      found('allow-misses-children', placeOf(scope, index, 'when', 'path', at), {
        of: entry.id,
        message: `${JSON.stringify(pattern)} allows a file of that name only: a rule that allows does not reach into folders.`,
        fix: `Write ${JSON.stringify(`${pattern}/**`)} if it is a folder.`,
      }),
    ];
  });
}

/** Letter case in the lists of milder environments, which compare exactly. */
export const environmentsLetterCase: Check = (scope) => {
  const strict = scope.policy.environments.findIndex(({ name }) => name === scope.policy.unmatched);
  return scope.policy.environments.slice(strict + 1).flatMap(({ name, selectors }) =>
    selectors.flatMap(({ selector, patterns }) =>
      selector !== 'namespace' && selector !== 'host'
        ? []
        : patterns.flatMap((pattern, at) =>
            pattern === pattern.toLowerCase() || namePattern(pattern, false)(pattern.toLowerCase())
              ? []
              : [
                  found('letter-case', scope.source.place(['environments', name, LISTS[selector], at]), {
                    of: name,
                    message: `${JSON.stringify(pattern)} matches nothing: ${name} compares exactly, and a ${selector} is written in lower case.`,
                    fix: `Write ${JSON.stringify(pattern.toLowerCase())}.`,
                  }),
                ],
          ),
    ),
  );
};
