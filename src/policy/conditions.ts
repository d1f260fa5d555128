import { EFFECTS } from '../core/effect.ts';
import { isRuntime, SELECTORS, TARGET_KINDS } from '../core/target.ts';
import type { TargetKind } from '../core/target.ts';
import type { AnyTool } from '../core/tool.ts';
import { PatternError } from './braces.ts';
import { namePattern, pathPattern } from './patterns.ts';
import { WHEN_KEYS } from './policy.ts';
import type { Condition, Subject, WhenKey } from './policy.ts';
import { didYouMean } from './problems.ts';
import type { Problem } from './problems.ts';
import type { RuleEntry, WhenEntry } from './schema.ts';

/** What the names in a rule are checked against. */
export interface Known {
  environments: readonly string[];
  tool(name: string): AnyTool | undefined;
  /** For suggestions only. */
  toolNames: readonly string[];
}

/** A problem in one key of a `when`, or in the whole of it. */
export type Report = (says: string, key?: WhenKey, index?: number, sort?: Problem['sort']) => void;

const RUNTIME_KEYS: readonly WhenKey[] = ['environment', 'command', 'resource', ...SELECTORS];

/**
 * A rule's `when` as tests, cheapest first. Rules that restrict read wider than rules that allow: patterns without regard to
 * letter case, everything below a path, and folders where files are meant.
 */
export function compileConditions(entry: RuleEntry, known: Known, report: Report): Condition[] {
  const restricts = entry.decision !== 'allow';
  if (WHEN_KEYS.every((key) => entry.when[key] === undefined))
    report('its when is empty, which would match everything; write what it is for, such as kind, effect or path');
  checkNames(entry.when, known, report);
  checkReach(entry.when, known, report);
  return WHEN_KEYS.flatMap((key) => {
    const written = entry.when[key];
    return written === undefined ? [] : [{ key, written, holds: compileKey(key, written, restricts, report) }];
  });
}

function compileKey(key: WhenKey, written: readonly string[], restricts: boolean, report: Report): Condition['holds'] {
  if (key === 'kind') {
    const kinds = new Set(restricts && written.includes('file') ? [...written, 'folder'] : written);
    return ({ target }) => kinds.has(target.kind);
  }
  if (key === 'effect') return ({ target }) => written.includes(target.effect);
  if (key === 'environment') return ({ environment }) => environment !== undefined && written.includes(environment);
  if (key === 'path') {
    const tests = compiled(pathPattern);
    return ({ path }) => path !== undefined && tests.some((test) => test(restricts ? path.folded : path.exact));
  }
  const tests = compiled(namePattern);
  return (subject) => {
    const value = nameOf(key, subject);
    return value !== undefined && tests.some((test) => test(value));
  };

  function compiled<T>(compile: (pattern: string, restricts: boolean) => T): T[] {
    return written.flatMap((pattern, index) => {
      try {
        return [compile(pattern, restricts)];
      } catch (error) {
        if (!(error instanceof PatternError)) throw error;
        report(
          `${key} ${JSON.stringify(pattern)}: ${error.message}`,
          key,
          index,
          error.costly ? 'costly-pattern' : 'bad-pattern',
        );
        return [];
      }
    });
  }
}

type NameKey = Exclude<WhenKey, 'kind' | 'effect' | 'environment' | 'path'>;

function nameOf(key: NameKey, { tool, target }: Subject): string | undefined {
  if (key === 'tool') return tool;
  return key === 'command' || key === 'resource' || key === 'id' ? target[key] : target.at?.[key];
}

/** Reports environments and tools that do not exist. */
function checkNames(when: WhenEntry, known: Known, report: Report): void {
  const { environments, toolNames } = known;
  for (const [index, name] of (when.environment ?? []).entries())
    if (!environments.includes(name))
      report(
        `unknown environment "${name}"${didYouMean(name, environments)}; write ${environments.join(', ')}`,
        'environment',
        index,
        'matches-nothing',
      );
  for (const [index, name] of (when.tool ?? []).entries())
    // `__` is in names of other servers' tools and in none of ours.
    if (!/[*{]|__/.test(name) && known.tool(name) === undefined)
      report(
        `unknown tool "${name}"${didYouMean(name, toolNames)}; write a tool of this server, or a pattern with * for tools of other servers`,
        'tool',
        index,
        'matches-nothing',
      );
}

/** Reports what no target can have together. */
function checkReach(when: WhenEntry, known: Known, report: Report): void {
  const kinds = when.kind ?? TARGET_KINDS;
  const both = when.path === undefined ? undefined : RUNTIME_KEYS.find((key) => when[key] !== undefined);
  if (both !== undefined)
    return report(
      `can match nothing: what has a path has no ${both}; write two rules`,
      both,
      undefined,
      'matches-nothing',
    );
  const none = (key: WhenKey, needs: readonly TargetKind[]) => {
    if (when[key] !== undefined && !kinds.some((kind) => needs.includes(kind)))
      report(
        `can match nothing: ${kinds.join(', ')} has no ${key}; write kind: ${needs.slice(0, 2).join(' or ')}, or leave ${key} out`,
        key,
        undefined,
        'matches-nothing',
      );
  };
  none('path', ['file', 'folder']);
  none('command', ['process']);
  const runtime = TARGET_KINDS.filter(isRuntime);
  for (const key of RUNTIME_KEYS) if (key !== 'command') none(key, runtime);
  checkEffects(when, known, report);
}

function checkEffects(when: WhenEntry, known: Known, report: Report): void {
  const tools = (when.tool ?? []).map((name) => known.tool(name));
  if (when.effect === undefined || tools.length === 0 || tools.includes(undefined)) return;
  const mildest = Math.min(...when.effect.map((effect) => EFFECTS.indexOf(effect)));
  const worst = Math.max(...tools.map((tool) => EFFECTS.indexOf(tool?.effect ?? 'read')));
  if (mildest > worst)
    report(
      `can match nothing: ${when.tool?.join(', ')} can at worst ${EFFECTS[worst]}; write effect: ${EFFECTS[worst]}`,
      'effect',
      undefined,
      'matches-nothing',
    );
}
