import type { FileFacts } from '../adapters/files/port.ts';
import { SEVERITIES, STRATEGIES } from './prompt-arguments.ts';
import { principalId, type Principal } from '../core/principal.ts';
import { fileTarget, folderTarget } from '../core/paths.ts';
import type { Target } from '../core/target.ts';
import { decide } from '../policy/decide.ts';
import type { Policy } from '../policy/policy.ts';
import type { Services } from './services.ts';

/** Files whose names are looked at for one completion, and how many of the caller's last calls. */
const MAX_FILES = 200;
const CALLS = 200;
/** Milliseconds that somebody who types waits. */
const WITHIN = 2000;

const WORKFLOWS = '.github/workflows/*.{yml,yaml}';
const BUILT = '{docker,kubernetes,k8s,terraform,cloudformation,helm,charts,scripts/deploy}/**/*';

interface Asking {
  policy: Policy;
  principal: Principal;
  services: Services;
  /** Whether the policy lets this caller look at it without asking, through this tool. */
  mayLook: (tool: string, target: Target) => boolean;
}

type Values = (asking: Asking) => readonly string[] | Promise<readonly string[]>;

/** By argument of a prompt: what is known of it on this machine. */
const VALUES: Readonly<Record<string, Values>> = {
  strategy: () => STRATEGIES,
  severity: () => SEVERITIES,
  environment: ({ policy }) => policy.environments.map(({ name }) => name),
  context: ({ services, mayLook }) =>
    Object.keys(services.facts.kubernetes.contexts).filter((context) =>
      mayLook('kubectl-get', podsIn({ context }, services)),
    ),
  namespace: ({ policy, services, mayLook }) =>
    [
      ...namespacesOf(policy),
      ...Object.values(services.facts.kubernetes.contexts).map(({ namespace }) => namespace),
    ].filter((namespace) => mayLook('kubectl-get', podsIn({ namespace }, services))),
  workflow: async (asking) => (await pathsLike(WORKFLOWS, asking)).map((path) => path.slice(path.lastIndexOf('/') + 1)),
  path: (asking) => pathsLike(BUILT, asking),
  service: workloadsOf,
};

/** Values that a prompt's argument may have, in no order; empty where nothing is known of it. */
export async function valuesOf(argument: string, principal: Principal, services: Services): Promise<readonly string[]> {
  const values = Object.hasOwn(VALUES, argument) ? VALUES[argument] : undefined;
  if (!values) return [];
  const policy = await services.policies.current();
  const mayLook = (tool: string, target: Target): boolean =>
    decide(policy, { principal, tool, targets: [target] }, services.now()).verdict === 'allow';
  return values({ policy, principal, services, mayLook });
}

/** What looking at the pods there would touch; a namespace or a context that is not given is the kubeconfig's own. */
function podsIn({ context, namespace }: { context?: string; namespace?: string }, { facts }: Services): Target {
  const { current, contexts } = facts.kubernetes;
  const at = context ?? current;
  const known = at === undefined ? undefined : contexts[at];
  const within = namespace ?? known?.namespace;
  return {
    kind: 'workload',
    id: `pods in ${within ?? 'default'}`,
    effect: 'read',
    resource: 'pod',
    at: {
      ...(at === undefined ? {} : { kubeContext: at }),
      ...(known ? { cluster: known.cluster } : {}),
      ...(within === undefined ? {} : { namespace: within }),
    },
  };
}

/** The namespaces that the policy writes out; patterns name none. */
function namespacesOf({ environments }: Policy): string[] {
  return environments
    .flatMap(({ selectors }) => selectors.filter(({ selector }) => selector === 'namespace'))
    .flatMap(({ patterns }) => patterns.filter((pattern) => !/[*?[\]{}!]/.test(pattern)));
}

/** The paths that match, of files that may be read. */
async function pathsLike(glob: string, { services, mayLook }: Asking): Promise<string[]> {
  if (!mayLook('file-search', folderTarget('.'))) return [];
  const permits = ({ path, real }: FileFacts): boolean =>
    [path, real].every((one) => mayLook('view', fileTarget(one, 'read')));
  const root = await services.ports.files.look('.');
  const signal = AbortSignal.any([services.draining, AbortSignal.timeout(WITHIN)]);
  const options = { recursive: true, glob, permits, limit: MAX_FILES, signal };
  const { entries } = await services.ports.files.list(root, options);
  return entries.filter(({ type }) => type === 'file').map(({ path }) => path);
}

/** The workloads that the caller has had to do with and may look at still. */
async function workloadsOf({ principal, services, mayLook }: Asking): Promise<string[]> {
  const who = services.redactor.text(principalId(principal));
  const { calls } = await services.audit.callsOf(who, { limit: CALLS });
  return calls.flatMap(({ opened }) => {
    const targets = Array.isArray(opened?.['targets']) ? (opened['targets'] as unknown as Target[]) : [];
    return targets.flatMap(({ kind, id, at, resource }) => {
      const name = /^(?:deployment|statefulset|daemonset)\/([a-z0-9][a-z0-9.-]*)/.exec(id)?.[1];
      const target: Target = { kind, id, effect: 'read', ...(resource && { resource }), ...(at && { at }) };
      return name !== undefined && kind === 'workload' && mayLook('kubectl-get', target) ? [name] : [];
    });
  });
}
