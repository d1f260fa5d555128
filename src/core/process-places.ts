import { refuse } from './arguments.ts';
import type { ParsedArguments } from './arguments.ts';
import { HoldpointError } from './errors.ts';
import type { Facts } from './facts.ts';
import type { Argument, CommandGrammar, ProgramGrammar } from './programs.ts';
import { readAddress } from './process-urls.ts';
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
  const told = selectorsOf(parsed);
  const acts = form.acts ?? program.acts;
  if (acts === 'local') return { places: told.map((given) => ({ ...given, host: 'localhost' })), pinned: [] };
  if (acts === 'docker') return { places: told.map((at) => ({ ...at, dockerHost: facts.docker.host })), pinned: [] };
  if (acts === 'github') return { places: told.map((given) => ({ host: 'github.com', ...given })), pinned: [] };
  if (acts === 'remote') return { places: told, pinned: [] };
  const [given = {}, second] = told;
  if (second) throw refuse('Two places are named in one command.', 'Name one context and one namespace per call.');
  refusePlugins(facts);
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

/** A kubeconfig that Holdpoint's own tools refuse is not handed to kubectl or helm either, which would run its plugins. */
function refusePlugins({ kubernetes: { refused } }: Facts): void {
  if (refused !== undefined)
    throw new HoldpointError('denied', refused.reason, { rule: 'kubeconfig', hint: refused.hint });
}

/** What the arguments tell. Never none; what names a second value of one selector is a place of its own. */
function selectorsOf({ flags, positionals, afterDashes }: ParsedArguments): At[] {
  const places: At[] = [{}];
  const add = (argument: Argument, value: string | undefined) => {
    const selector = argument.kind === 'url' ? 'host' : SELECTORS.find((each) => each === argument.kind);
    if (!selector || value === undefined) return;
    const named = argument.kind === 'url' ? readAddress(value).host : value;
    const free = places.find((at) => at[selector] === undefined);
    if (free) free[selector] = named;
    else places.push({ [selector]: named });
  };
  for (const { flag, value } of flags) add(flag, value);
  for (const { argument, value } of [...positionals, ...afterDashes]) add(argument, value);
  return places;
}
