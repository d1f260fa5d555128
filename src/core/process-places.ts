import type { ParsedArguments } from './arguments.ts';
import { HoldpointError } from './errors.ts';
import type { Facts } from './facts.ts';
import type { Argument, CommandGrammar, ProgramGrammar } from './programs.ts';
import { SELECTORS } from './target.ts';
import type { Selector } from './target.ts';

/** What tells an environment. */
export type At = Partial<Record<Selector, string>>;

/**
 * Where a launch acts, and the flags that pin it there so that the program cannot understand it otherwise.
 *
 * @throws HoldpointError `unavailable` or `not_found` where a Kubernetes context is needed and there is none of that name.
 */
export function placesOf(
  program: ProgramGrammar,
  form: CommandGrammar,
  parsed: ParsedArguments,
  facts: Facts,
): { places: At[]; pinned: ParsedArguments['flags'] } {
  const given = selectorsOf(parsed);
  const acts = form.acts ?? program.acts;
  if (acts === 'local') return { places: [{ ...given, host: 'localhost' }], pinned: [] };
  if (acts === 'docker') return { places: [{ ...given, dockerHost: facts.docker.host }], pinned: [] };
  if (acts === 'github') return { places: [{ host: 'github.com', ...given }], pinned: [] };
  const known = [...form.flags, ...program.flags];
  const name = given.kubeContext ?? facts.kubernetes.current;
  const contexts = Object.keys(facts.kubernetes.contexts);
  if (name === undefined)
    throw new HoldpointError('unavailable', 'There is no current Kubernetes context.', {
      hint:
        contexts.length > 0
          ? `Name one with --context: ${contexts.slice(0, 10).join(', ')}.`
          : 'The operator configures a kubeconfig for Holdpoint.',
    });
  const context = Object.hasOwn(facts.kubernetes.contexts, name) ? facts.kubernetes.contexts[name] : undefined;
  if (!context)
    throw new HoldpointError('not_found', `There is no Kubernetes context ${JSON.stringify(name)}.`, {
      hint: `The contexts are: ${contexts.slice(0, 10).join(', ') || 'none'}.`,
    });
  const pin = (kind: Selector, value: string): ParsedArguments['flags'] => {
    const flag = known.find((each) => each.kind === kind);
    return flag && given[kind] === undefined ? [{ flag, value }] : [];
  };
  const at: At = { ...given, kubeContext: name, cluster: context.cluster };
  const pinned = pin('kubeContext', name);
  // Every namespace means the strictest of them, and which there are is not known here: a place with nothing to tell its
  // environment by counts as production.
  if (parsed.flags.some(({ flag }) => flag.kind === 'all-namespaces')) return { places: [at, {}], pinned };
  const cluster: At = { kubeContext: name, cluster: context.cluster };
  if (form.scope === 'cluster') return { places: [cluster], pinned };
  const namespace = given.namespace ?? context.namespace;
  const places = form.scope === 'either' ? [{ ...at, namespace }, cluster] : [{ ...at, namespace }];
  return { places, pinned: [...pinned, ...pin('namespace', namespace)] };
}

function selectorsOf(parsed: ParsedArguments): At {
  const at: At = {};
  for (const { flag, value } of parsed.flags) addSelector(at, flag, value);
  for (const { argument, value } of [...parsed.positionals, ...parsed.afterDashes]) addSelector(at, argument, value);
  return at;
}

function addSelector(at: At, argument: Argument, value: string | undefined): void {
  const selector = SELECTORS.find((each) => each === argument.kind);
  if (selector && value !== undefined) at[selector] = value;
}
