const MAX_ALTERNATIVES = 100;

/** Why a pattern is refused, with what to write instead. Becomes a problem with a line at load. */
export class PatternError extends Error {
  /** Whether it is refused for what matching it could cost. */
  readonly costly: boolean;

  constructor(message: string, costly = false) {
    super(message);
    this.costly = costly;
  }
}

/** Whether a slash is within braces, as in `{a/b,c}`: these are expanded first, for other braces belong to one name. */
export function bracesSpanNames(pattern: string): boolean {
  let depth = 0;
  for (const character of pattern) {
    if (character === '{') depth++;
    else if (character === '}') depth--;
    else if (character === '/' && depth !== 0) return true;
  }
  return false;
}

/** `a{b,c}` as `ab` and `ac`, nested ones too, and never more than a hundred of them. */
export function expandBraces(pattern: string): string[] {
  const open = pattern.indexOf('{');
  const before = open < 0 ? pattern : pattern.slice(0, open);
  if (before.includes('}')) throw new PatternError('it closes a brace that it never opens; write {a,b}');
  if (open < 0) return [pattern];
  const choices: string[] = [];
  let depth = 0;
  let begin = open + 1;
  let close = -1;
  for (let at = open; at < pattern.length && close < 0; at++) {
    if (pattern[at] === '{') depth++;
    else if (pattern[at] === '}') depth--;
    if ((pattern[at] === ',' && depth === 1) || depth === 0) {
      choices.push(pattern.slice(begin, at));
      begin = at + 1;
    }
    if (depth === 0) close = at;
  }
  if (close < 0) throw new PatternError('it opens a brace that it never closes; write {a,b}');
  if (choices.length < 2)
    throw new PatternError('write at least two alternatives in braces, {a,b}; ranges are not expanded');
  const rests = expandBraces(pattern.slice(close + 1));
  const expanded: string[] = [];
  for (const choice of choices.flatMap(expandBraces)) {
    for (const rest of rests) expanded.push(before + choice + rest);
    if (expanded.length > MAX_ALTERNATIVES)
      throw new PatternError(`its braces make more than ${MAX_ALTERNATIVES} patterns; write several patterns`, true);
  }
  return expanded;
}
