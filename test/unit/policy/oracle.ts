import type { Verdict } from '../../../src/core/decision.ts';
import type { Target } from '../../../src/core/target.ts';
import type { RuleText } from './policies.ts';

/**
 * What a policy answers, worked out from its text in the slow and obvious way: globs by recursion over characters and names,
 * no compiling, nothing shared with the engine. Understands what `worlds.ts` generates.
 */
export function oracle(
  rules: readonly RuleText[],
  environments: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>,
  tool: string,
  targets: readonly Target[],
): Verdict {
  let worst: Verdict = 'allow';
  if (targets.length === 0) return 'deny';
  for (const target of targets) {
    const matching = rules.filter((rule) => fits(rule, environments, tool, target)).map(({ decision }) => decision);
    const verdict =
      matching.includes('deny') || !matching.includes('allow')
        ? 'deny'
        : matching.includes('require_approval')
          ? 'require_approval'
          : 'allow';
    if (verdict === 'deny' || worst === 'deny') worst = 'deny';
    else if (verdict === 'require_approval') worst = 'require_approval';
  }
  return worst;
}

function fits(
  { decision, when }: RuleText,
  environments: Parameters<typeof oracle>[1],
  tool: string,
  target: Target,
): boolean {
  const restricts = decision !== 'allow';
  const lists = when as Readonly<Record<string, string | readonly string[]>>;
  const isFile = target.kind === 'file' || target.kind === 'folder';
  for (const [key, written] of Object.entries(lists)) {
    const wanted = typeof written === 'string' ? [written] : written;
    if (key === 'kind') {
      const kinds = restricts && wanted.includes('file') ? [...wanted, 'folder'] : wanted;
      if (!kinds.includes(target.kind)) return false;
    } else if (key === 'effect') {
      if (!wanted.includes(target.effect)) return false;
    } else if (key === 'environment') {
      if (isFile || !wanted.includes(environmentOf(environments, target))) return false;
    } else if (key === 'path') {
      if (!isFile || target.path === undefined) return false;
      const path = target.path === '.' ? [] : target.path.split('/');
      if (!wanted.some((pattern) => pathFits(pattern, path, restricts))) return false;
    } else {
      const own = { tool, id: target.id, command: target.command, resource: target.resource, ...target.at } as Record<
        string,
        string | undefined
      >;
      const value = own[key];
      if (value === undefined || !wanted.some((pattern) => textFits(pattern, value, restricts))) return false;
    }
  }
  return true;
}

function environmentOf(environments: Parameters<typeof oracle>[1], { at = {} }: Target): string {
  const names = Object.keys(environments);
  for (const name of names)
    for (const [list, patterns] of Object.entries(environments[name] ?? {})) {
      const value = (at as Record<string, string | undefined>)[list === 'branches' ? 'branch' : list.slice(0, -1)];
      if (value !== undefined && patterns.some((pattern) => textFits(pattern, value, name === 'production')))
        return name;
    }
  return 'production';
}

function pathFits(pattern: string, path: readonly string[], restricts: boolean): boolean {
  const anchored = pattern.startsWith('./');
  const names = (anchored ? pattern.slice(2) : pattern).split('/');
  if (!restricts) return namesFit(names, path, false);
  const starts = names.length === 1 && !anchored ? path.map((_, at) => path.slice(at)) : [path];
  // Everything below what matches is covered, the thing itself included; `**/*` at the end covers the folder too, and so does
  // `*`, which is `**/*` where it restricts.
  const ends = (rest: readonly string[]) => Array.from({ length: rest.length + 1 }, (_, end) => rest.slice(0, end));
  const written = names.length === 1 && names[0] === '*' && !anchored ? ['**', '*'] : names;
  const shorter = written.at(-1) === '*' && written.at(-2) === '**' ? written.slice(0, -1) : written;
  return [...starts, ...(path.length === 0 ? [path] : [])].some((rest) =>
    ends(rest).some((head) => namesFit(shorter, head, true)),
  );
}

function namesFit(names: readonly string[], path: readonly string[], folds: boolean): boolean {
  const [name, ...rest] = names;
  if (name === undefined) return path.length === 0;
  if (name === '**') return namesFit(rest, path, folds) || (path.length > 0 && namesFit(names, path.slice(1), folds));
  return path.length > 0 && textFits(name, path[0] ?? '', folds) && namesFit(rest, path.slice(1), folds);
}

/** `*` is any characters. The generated texts are ASCII, so lower case is all there is to folding. */
function textFits(pattern: string, text: string, folds: boolean): boolean {
  if (folds) return textFits(pattern.toLowerCase(), text.toLowerCase(), false);
  if (pattern === '') return text === '';
  if (pattern.startsWith('*'))
    return textFits(pattern.slice(1), text, false) || (text !== '' && textFits(pattern, text.slice(1), false));
  return text !== '' && pattern[0] === text[0] && textFits(pattern.slice(1), text.slice(1), false);
}
