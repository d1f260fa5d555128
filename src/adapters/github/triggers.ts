import type { Workflow } from './workflow.ts';

/** GitHub looks at so many changed files only. */
const MAX_PATHS = 300;
const MAX_PATTERN = 1000;

export interface Happening {
  /** `push`, `create`, `delete`, `release` … */
  event: string;
  branch?: string;
  tag?: string;
  /** The files that the pushed commits change; absent where that is not known. */
  paths?: readonly string[];
}

/**
 * Whether an event starts a workflow, by its filters for branches, tags and paths. In doubt it does. Chains are not followed:
 * what runs on `workflow_run` after another workflow, or on `schedule`, is not told by this.
 */
export function triggeredBy(workflow: Workflow, { event, branch, tag, paths }: Happening): boolean {
  if (!workflow.on.has(event)) return false;
  const filters = workflow.on.get(event);
  if (event !== 'push' || !(filters instanceof Map)) return true;
  const has = (name: string) => filters.has(name) && filters.get(name) !== null;
  const list = (name: string) => patternsOf(filters.get(name));
  const aboutBranches = has('branches') || has('branches-ignore');
  const aboutTags = has('tags') || has('tags-ignore');
  const passes = (only: string, except: string, names: readonly string[]) =>
    (!has(only) || names.some((name) => matchesList(list(only), name) !== false)) &&
    (!has(except) || names.some((name) => matchesList(list(except), name) !== true));
  if (tag !== undefined) return aboutTags ? passes('tags', 'tags-ignore', [tag]) : !aboutBranches;
  if (branch !== undefined && (aboutBranches ? !passes('branches', 'branches-ignore', [branch]) : aboutTags))
    return false;
  if (paths === undefined || paths.length === 0 || paths.length > MAX_PATHS) return true;
  return passes('paths', 'paths-ignore', paths);
}

function patternsOf(written: unknown): string[] | undefined {
  const list = Array.isArray(written) ? written : [written];
  return list.every((pattern) => typeof pattern === 'string') ? list : undefined;
}

/** Whether the last pattern that matches a name is one without `!`; undefined where a pattern cannot be understood. */
function matchesList(patterns: readonly string[] | undefined, name: string): boolean | undefined {
  let matched = false;
  for (const pattern of patterns ?? []) {
    const negative = pattern.startsWith('!');
    const fits = matches(negative ? pattern.slice(1) : pattern, name);
    if (fits === undefined) return undefined;
    if (fits) matched = !negative;
  }
  return patterns === undefined ? undefined : matched;
}

interface Part {
  fits: (letter: string) => boolean;
  /** How often it may come. */
  least: 0 | 1;
  repeats: boolean;
}

/** GitHub's patterns, letter by letter over all positions at once, so that no pattern takes long. */
function matches(pattern: string, name: string): boolean | undefined {
  const parts = partsOf(pattern);
  if (!parts) return undefined;
  let at = reach(parts, new Set([0]));
  for (const letter of name) {
    const next = new Set<number>();
    for (const index of at) {
      const part = parts[index];
      if (!part?.fits(letter)) continue;
      next.add(index + 1);
      if (part.repeats) next.add(index);
    }
    at = reach(parts, next);
  }
  return at.has(parts.length);
}

/** The positions with those that can be had by leaving parts out. */
function reach(parts: readonly Part[], from: ReadonlySet<number>): Set<number> {
  const all = new Set(from);
  for (const index of all) if (parts[index]?.least === 0) all.add(index + 1);
  return all;
}

function partsOf(pattern: string): Part[] | undefined {
  if (pattern.length > MAX_PATTERN) return undefined;
  const parts: Part[] = [];
  const letters = Array.from(pattern);
  for (let index = 0; index < letters.length; index++) {
    const letter = letters[index] ?? '';
    const last = parts.at(-1);
    if (letter === '*') {
      const double = letters[index + 1] === '*';
      if (double) index += 1;
      parts.push({ fits: double ? () => true : (each) => each !== '/', least: 0, repeats: true });
      // `**/` is also no folder at all.
      if (double && letters[index + 1] === '/' && (index < 2 || letters[index - 2] === '/')) {
        index += 1;
        parts.push({ fits: (each) => each === '/', least: 0, repeats: false });
      }
    } else if (letter === '?' || letter === '+') {
      if (!last) return undefined;
      parts[parts.length - 1] = letter === '?' ? { ...last, least: 0 } : { ...last, repeats: true };
    } else if (letter === '[') {
      const end = letters.indexOf(']', index + 1);
      const set = end === -1 ? undefined : classOf(letters.slice(index + 1, end).join(''));
      if (!set) return undefined;
      parts.push({ fits: set, least: 1, repeats: false });
      index = end;
    } else {
      const literal = letter === '\\' ? (letters[++index] ?? '\\') : letter;
      parts.push({ fits: (each) => each === literal, least: 1, repeats: false });
    }
  }
  return parts;
}

function classOf(inner: string): ((letter: string) => boolean) | undefined {
  if (!/^(?:[A-Za-z0-9_.-]|[A-Za-z0-9]-[A-Za-z0-9])+$/.test(inner)) return undefined;
  const set = new RegExp(`^[${inner.replaceAll('.', '\\.')}]$`);
  return (letter) => set.test(letter);
}
