import { EFFECTS } from '../../core/effect.ts';
import type { Effect } from '../../core/effect.ts';
import { isRuntime, SELECTORS } from '../../core/target.ts';
import type { Selector, Target, TargetKind } from '../../core/target.ts';
import type { RuleEntry } from '../schema.ts';
import { valuesOf } from './calls.ts';
import { readingOf } from './covering.ts';
import { PLACED_BY } from './nothing.ts';
import { distinct, likelyPaths, nameWords } from './samples.ts';
import type { Scope } from './scope.ts';

/** What could be called: a tool and the one thing it touches. */
export interface Candidate {
  tool: string;
  target: Target;
}

/** Stands for a tool of another server, where none of ours does such a thing. */
const FOREIGN = 'a-tool-of-another-server';

const TOOLS: Readonly<Partial<Record<TargetKind, readonly string[]>>> = {
  file: ['remove-files', 'save-file'],
  workload: ['kubectl-rollout'],
  image: ['docker-build', 'docker-push'],
  process: ['launch-process'],
  workflow: ['gh-workflow-run', 'gh-run'],
  repository: ['git', 'github-api'],
  metric: ['alerts'],
};

const COMMANDS = ['kubectl apply', 'terraform apply', 'helm upgrade', 'docker push', 'aws', 'psql', 'anything'];
const RESOURCES = ['deployment', 'secret', 'merge', 'push', 'anything'];

type Values = 'tool' | 'command' | 'resource' | 'id';

/**
 * Targets that an allowing rule may let through: of each of its kinds, done to with each of its effects, in every place that
 * the policy's own names lead to. Lazily, the likeliest first: who looks for one stops at the first.
 */
export function* candidates(scope: Scope, entry: RuleEntry, effects: readonly Effect[]): Generator<Candidate> {
  const wanted = (entry.when.effect ?? EFFECTS).filter((effect) => effects.includes(effect));
  const named = (key: Values, usual: readonly string[]) => {
    const own = (entry.when[key] ?? [])
      .flatMap((pattern) => nameWords(pattern.replaceAll('*', 'x'), false))
      .slice(0, 6);
    return own.length > 0 ? own : usual;
  };
  for (const kind of readingOf(entry).kinds) {
    for (const effect of wanted.toReversed()) {
      const tools = entry.when.tool === undefined ? toolsFor(scope, kind, effect) : named('tool', []);
      const ids = named('id', ['api']);
      for (const tool of tools) {
        if (!isRuntime(kind)) {
          for (const path of pathsOf(entry)) yield { tool, target: { kind, id: path, effect, path } };
          continue;
        }
        const commands = kind === 'process' ? named('command', COMMANDS) : [undefined];
        const resources = kind === 'process' || kind === 'host' ? [undefined] : named('resource', RESOURCES);
        for (const id of ids)
          for (const command of commands)
            for (const resource of resources)
              for (const at of placesOf(scope, entry, kind))
                yield {
                  tool,
                  target: { kind, id, effect, at, ...(command && { command }), ...(resource && { resource }) },
                };
      }
    }
  }
}

/** Ours that can do it, and one of another server. */
function toolsFor({ options }: Scope, kind: TargetKind, effect: Effect): string[] {
  const able = (TOOLS[kind] ?? []).filter((name) => {
    const tool = options.tools(name);
    return tool !== undefined && EFFECTS.indexOf(tool.effect) >= EFFECTS.indexOf(effect);
  });
  return [...able, FOREIGN];
}

function pathsOf({ when }: RuleEntry): string[] {
  const written = when.path?.flatMap((pattern) => likelyPaths(pattern).slice(0, 6)) ?? [['x'], ['a', 'x.txt']];
  return distinct(written.map((names) => names.join('/'))).slice(0, 60);
}

/** Nothing that tells a place, what nobody listed, and each name of each environment; with the rule's own names. */
function placesOf(scope: Scope, { when }: RuleEntry, kind: TargetKind): NonNullable<Target['at']>[] {
  const selectors = PLACED_BY[kind] ?? SELECTORS;
  const own: Partial<Record<Selector, string>> = {};
  for (const selector of SELECTORS) {
    const [value] = (when[selector] ?? []).flatMap((pattern) => nameWords(pattern.replaceAll('*', 'x'), false));
    if (value !== undefined) own[selector] = value;
  }
  const elsewhere = Object.fromEntries(
    selectors.slice(0, 3).map((selector) => [selector, `a-${selector.toLowerCase()}-nobody-listed`]),
  );
  const production = selectors.flatMap((selector) => valuesOf(scope, selector).map((value) => ({ [selector]: value })));
  const milder = scope.policy.environments
    .filter(({ name }) => name !== scope.policy.unmatched)
    .flatMap((environment) =>
      environment.selectors
        .filter(({ selector }) => selectors.includes(selector))
        .slice(0, 1)
        .map(({ selector, patterns }) => ({
          [selector]: (patterns[0] ?? '').replace(/\{([^,}]*)[^}]*\}/g, '$1').replaceAll('*', 'x'),
        })),
    );
  return [elsewhere, ...production, {}, ...milder].map((at) => ({ ...at, ...own }));
}
