import { bracesSpanNames, expandBraces } from '../braces.ts';
import { fold, namePattern, pathPattern, patternNames } from '../patterns.ts';

/** Characters for private use: no policy has them, so only a wildcard matches them. */
const ANY = '\u{E000}';

/** What stands for the wildcards of a pattern. */
interface Fill {
  star: string;
  globstar: readonly string[];
}

/** Fills that tell whether another pattern covers all that a wildcard can stand for: nothing, one, several. */
const PROBES: readonly Fill[] = ['', ANY, ANY.repeat(7)].flatMap((star) =>
  [[], [ANY], [ANY, ANY, ANY]].map((globstar) => ({ star, globstar })),
);

const LIKELY: readonly Fill[] = [
  { star: 'x', globstar: [] },
  { star: 'x', globstar: ['a'] },
  { star: 'x', globstar: ['a', 'b'] },
];

/** More paths than these are not made of one pattern's braces. */
const MOST_WORDS = 1000;
const MOST_LIKELY = 60;

/**
 * Paths that a pattern matches, as names, none for the workspace itself: enough of them to compare it with another pattern.
 * Undefined where it has too many.
 */
function pathWords(pattern: string, restricts: boolean): string[][] | undefined {
  const plain = withoutBraces(pattern, restricts, MOST_WORDS + 1);
  return plain.length > MOST_WORDS ? undefined : filledPaths(plain, PROBES);
}

/** Paths that a pattern matches and that could exist; some of them, where its braces make many. */
export function likelyPaths(pattern: string): string[][] {
  return filledPaths(withoutBraces(pattern, false, MOST_LIKELY), LIKELY).filter((names) => names.length > 0);
}

/** A path pattern with its braces written out, name by name as it is compiled; at most so many. */
function withoutBraces(pattern: string, restricts: boolean, most: number): string[][] {
  const whole = bracesSpanNames(pattern) ? expandBraces(pattern) : [pattern];
  return whole.flatMap((one) =>
    patternNames(one, restricts).reduce<string[][]>(
      (paths, name) => paths.flatMap((path) => expandBraces(name).map((choice) => [...path, choice])).slice(0, most),
      [[]],
    ),
  );
}

function filledPaths(paths: readonly string[][], by: readonly Fill[]): string[][] {
  const made = paths.flatMap((path) =>
    by.map(({ star, globstar }) =>
      path
        .flatMap((name) => (name === '**' ? globstar : [filled(name, star)]))
        .filter((name) => name !== '')
        .join('/'),
    ),
  );
  return distinct(made).map((path) => (path === '' ? [] : path.split('/')));
}

function filled(name: string, star: string): string {
  // A name cannot be empty.
  const some = name === '*' && star === '' ? ANY : star;
  return name
    .replace(/\[(.)[^\]]*\]/gu, star.includes(ANY) || star === '' ? ANY : '$1')
    .replaceAll('*', some)
    .replaceAll('?', star.startsWith('x') ? 'x' : ANY);
}

/** Names that a pattern matches: with `probe`, to compare it with another pattern, else such as could exist. */
export function nameWords(pattern: string, probe: boolean): string[] {
  return expandBraces(pattern).map((one) => one.replaceAll('*', probe ? ANY : ''));
}

/** Whether every path that `inner` matches is matched by one of `outer`. May say no where it is so; never yes where it is not. */
export function coversPath(
  outer: readonly string[],
  outerRestricts: boolean,
  inner: string,
  innerRestricts: boolean,
): boolean {
  // What restricts is matched without regard to letter case: of its names, a pattern that allows may match one spelling only.
  if (innerRestricts && !outerRestricts) return false;
  if (innerRestricts === outerRestricts && outer.includes(inner)) return true;
  const tests = outer.map((pattern) => pathTest(pattern, outerRestricts));
  const words = wordsOf(inner, innerRestricts);
  return (
    words !== undefined &&
    words.every((names) => {
      const form = outerRestricts ? names.folded : names.exact;
      return tests.some((test) => test(form));
    })
  );
}

/** The same of names. */
export function coversName(
  outer: readonly string[],
  outerRestricts: boolean,
  inner: string,
  innerRestricts: boolean,
): boolean {
  if (innerRestricts && !outerRestricts) return false;
  const tests = outer.map((pattern) => nameTest(pattern, outerRestricts));
  return nameWords(inner, true).every((word) => tests.some((test) => test(word)));
}

// Comparing every two rules of a large policy asks for the same pattern many times.
export const pathTest = remembered(pathPattern);
const nameTest = remembered(namePattern);
const wordsOf = remembered((pattern: string, restricts: boolean) =>
  pathWords(pattern, restricts)?.map((exact) => ({ exact, folded: exact.map(fold) })),
);

const MOST_REMEMBERED = 5000;

function remembered<T>(make: (pattern: string, flag: boolean) => T): (pattern: string, flag: boolean) => T {
  const made = new Map<string, T>();
  return (pattern, flag) => {
    const key = `${flag}${pattern}`;
    if (made.has(key)) return made.get(key) as T;
    if (made.size >= MOST_REMEMBERED) made.clear();
    const value = make(pattern, flag);
    made.set(key, value);
    return value;
  };
}

export function distinct<T>(values: readonly T[]): T[] {
  return [...new Set(values)];
}
