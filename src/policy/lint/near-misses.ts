import { fold, pathPattern, patternNames } from '../patterns.ts';
import { readingOf } from './covering.ts';
import type { Finding, LintRule, Witness } from './finding.ts';
import { found, placeOf } from './scope.ts';
import type { Scope, Written } from './scope.ts';

/** One pattern of a denial, ready to be compared with many paths. */
interface Denied {
  pattern: string;
  at: number;
  by: Written;
  test: (names: readonly string[]) => boolean;
  /** Of a pattern that is meant from the workspace: the same at every depth. */
  everywhere?: (names: readonly string[]) => boolean;
  foldersOnly: boolean;
}

/** A secret that the policy lets be read, and the call that shows it. */
export interface Readable {
  path: string;
  by: Written;
  /** Of the rule's patterns, the one that allows it. */
  pattern: number | undefined;
  witness: Witness;
}

interface Miss {
  rule: LintRule;
  /** Whether the denial misses the path (its names, folded) in this way. */
  missed: (names: readonly string[], denied: Denied) => boolean;
  why: string;
  fix: (pattern: string) => string;
}

/** How a denial can miss a path by a little, the likeliest first. */
const MISSES: readonly Miss[] = [
  {
    rule: 'misses-children',
    missed: (names, { foldersOnly, test }) => foldersOnly && test(names),
    why: 'it denies the folder alone',
    fix: () => 'Write kind: file, which denies the folder as well.',
  },
  {
    rule: 'misses-nested',
    missed: (names, { everywhere }) => everywhere?.(names) ?? false,
    why: 'it is meant from the workspace and does not look into other folders',
    fix: (pattern) => `Write ${JSON.stringify(anywhere(pattern))}.`,
  },
  {
    rule: 'misses-dotfiles',
    missed: (names, { test }) => names.some((name, at) => /^\../.test(name) && test(names.with(at, name.slice(1)))),
    why: 'the name begins with a dot',
    fix: (pattern) => `Write ${JSON.stringify(dotted(pattern))} as well.`,
  },
  {
    rule: 'misses-children',
    missed: (names, { pattern, test }) =>
      pattern.endsWith('/*.*') && test(names.with(names.length - 1, `${names.at(-1)}.x`)),
    why: 'the name has no extension',
    fix: (pattern) => `Write ${JSON.stringify(pattern.replace(/\*\.\*$/, '**'))}.`,
  },
  {
    rule: 'misses-variants',
    missed: (names, { test }) => {
      const last = names.at(-1) ?? '';
      const shorter = last.replace(/(.)\.[^.]+$/, '$1');
      return shorter !== last && test(names.with(names.length - 1, shorter));
    },
    why: 'the name goes on after what is written',
    fix: (pattern) => `Write ${JSON.stringify(`${pattern}*`)}.`,
  },
];

/** The same at every depth: of `tls/*.pem` the files, of `./.env` the name. */
function anywhere(pattern: string): string {
  const last = pattern.split('/').at(-1) ?? '';
  return `**/${/[^*]/.test(last) ? last : pattern.replace(/^\.\//, '')}`;
}

function dotted(pattern: string): string {
  const names = pattern.split('/');
  const at = names.findIndex((name) => !name.startsWith('*') && !name.startsWith('.'));
  const name = names[at] ?? '';
  return at < 0 ? pattern : names.with(at, name.startsWith('[') || name.startsWith('?') ? '.*' : `.${name}`).join('/');
}

/** Each path that can be read is laid to the one pattern that comes nearest to denying it. */
export function nearMisses(scope: Scope, readable: readonly Readable[]): Finding[] {
  const denied = scope.rules
    .filter(({ entry }) => entry.decision === 'deny')
    .flatMap(deniedBy)
    .toSorted((a, b) => stars(a.pattern) - stars(b.pattern));
  const findings = new Map<string, Finding>();
  for (const one of readable) {
    const finding = nearest(scope, one, denied);
    const key = finding === undefined ? '' : `${finding.rule} ${finding.line} ${finding.column}`;
    if (finding !== undefined && !findings.has(key)) findings.set(key, finding);
  }
  return [...findings.values()];
}

function deniedBy(by: Written): Denied[] {
  const foldersOnly = readingOf(by.entry).kinds.every((kind) => kind === 'folder');
  return (by.entry.when.path ?? []).map((pattern, at) => {
    const anchored = patternNames(pattern, true)[0] !== '**';
    const everywhere = anchored ? { everywhere: pathPattern(anywhere(pattern), true) } : {};
    return { pattern, at, by, test: pathPattern(pattern, true), ...everywhere, foldersOnly };
  });
}

function nearest(scope: Scope, { path, witness }: Readable, denied: readonly Denied[]): Finding | undefined {
  const names = path.split('/').map(fold);
  for (const { rule, missed, why, fix } of MISSES) {
    const one = denied.find((each) => missed(names, each));
    if (one === undefined) continue;
    return found(rule, placeOf(scope, one.by.index, 'when', 'path', one.at), {
      of: one.by.entry.id,
      message: `${JSON.stringify(one.pattern)} misses ${path}, which is allowed: ${why}.`,
      fix: fix(one.pattern),
      witness,
    });
  }
  return undefined;
}

function stars(pattern: string): number {
  return (pattern.replaceAll('**', '').match(/[*?[]/g) ?? []).length;
}
