import { bracesSpanNames, expandBraces, PatternError } from './braces.ts';

const MAX_LENGTH = 512;
const MAX_STARS_IN_NAME = 3;
const MAX_GLOBSTARS = 8;

/**
 * A string without what file systems and DNS ignore when they compare: letter case and how accents are spelled. Upper case
 * first: that is what folds a long s or a Kelvin sign.
 */
export function fold(text: string): string {
  return text.normalize('NFC').toUpperCase().toLowerCase().normalize('NFC');
}

/** One name of a pattern: itself, `**`, or a test. */
type Part = string | ((name: string) => boolean);

/**
 * A test of a workspace path, given as its names. `*` and `?` stay within a name, `**` spans any number of names, none
 * included; braces and character classes as in shells; a dot is nothing special.
 *
 * With `restricts` (rules that deny or hold) the pattern also covers everything below what it matches, and one without a slash
 * matches at every depth, as in .gitignore (`./x` is the workspace's own `x`); the names must be given folded.
 *
 * Names are matched one by one and `**` by stepping on, so no pattern makes a path expensive (CVE-2026-33671, -33672).
 *
 * @throws PatternError
 */
export function pathPattern(pattern: string, restricts: boolean): (names: readonly string[]) => boolean {
  const whole = checked(pattern);
  const alternatives = (bracesSpanNames(whole) ? expandBraces(whole) : [whole]).map((one) => pathParts(one, restricts));
  return (names) => alternatives.some((parts) => spans(parts, names));
}

/**
 * A test of a name such as a kube context, a branch or a command: `*` is any run of characters, slashes included; braces as in
 * shells. `folds`: without regard to letter case.
 *
 * @throws PatternError
 */
export function namePattern(pattern: string, folds: boolean): (value: string) => boolean {
  if (/[?[\]!\\]/.test(pattern)) throw new PatternError('only * and {a,b} are special in a name; write the name or *');
  const form = folds ? fold : (text: string) => text.normalize('NFC');
  const alternatives = expandBraces(checked(pattern)).map((one) => form(one).split('*'));
  return (value) => {
    const formed = form(value);
    return alternatives.some((pieces) => hasInTurn(formed, pieces));
  };
}

/** Whether `text` is the pieces in turn with anything between them. */
function hasInTurn(text: string, pieces: readonly string[]): boolean {
  const first = pieces[0] ?? '';
  if (pieces.length === 1) return text === first;
  const last = pieces.at(-1) ?? '';
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false;
  let from = first.length;
  for (const piece of pieces.slice(1, -1)) {
    const found = text.indexOf(piece, from);
    if (found < 0) return false;
    from = found + piece.length;
  }
  return from <= text.length - last.length;
}

function spans(parts: readonly Part[], names: readonly string[]): boolean {
  let part = 0;
  let name = 0;
  let globstar = -1;
  let resume = 0;
  while (name < names.length) {
    const current = parts[part];
    if (current === '**') {
      if (part === parts.length - 1) return true;
      globstar = part++;
      resume = name;
    } else if (current !== undefined && fits(current, names[name] ?? '')) {
      part++;
      name++;
    } else if (globstar >= 0) {
      part = globstar + 1;
      name = ++resume;
    } else return false;
  }
  while (parts[part] === '**') part++;
  return part === parts.length;
}

function fits(part: Part, name: string): boolean {
  return typeof part === 'string' ? part === name : part(name);
}

/** The names that a path pattern is made of, braces and stars as written; with `restricts`, also what is added to them. */
export function patternNames(pattern: string, restricts: boolean): string[] {
  const anywhere = restricts && !pattern.slice(0, -1).includes('/');
  const names = pattern.replace(/^\.\//, '').replace(/\/$/, '/**').split('/');
  if (anywhere) names.unshift('**');
  if (restricts && names.at(-1) === '*' && names.at(-2) === '**') names.pop();
  if (restricts && names.at(-1) !== '**') names.push('**');
  return names.filter((name, index) => name !== '**' || names[index - 1] !== '**');
}

function pathParts(pattern: string, restricts: boolean): Part[] {
  const names = patternNames(pattern, restricts);
  if (names.filter((name) => name === '**').length > MAX_GLOBSTARS)
    throw new PatternError(`write at most ${MAX_GLOBSTARS} ** in it`, true);
  return names.map((name) => (name === '**' ? '**' : namePart(restricts ? fold(name) : name)));
}

/** What one name of a path must be, braces included. */
function namePart(pattern: string): Part {
  const alternatives = expandBraces(pattern);
  for (const alternative of alternatives) checkName(alternative);
  if (alternatives.length === 1 && !/[*?[]/.test(pattern)) return pattern;
  const plain = new Set(alternatives.filter((alternative) => !/[*?[]/.test(alternative)));
  const tests = alternatives.filter((alternative) => !plain.has(alternative)).map(compile);
  return (name) => plain.has(name) || tests.some((test) => test(name));
}

function checkName(name: string): void {
  if (name === '') throw new PatternError('write it from the workspace, without a leading or doubled slash');
  if (name === '.' || name === '..')
    throw new PatternError('write it from the workspace, without . and .. between slashes');
  if (name.includes('**')) throw new PatternError('write ** alone between slashes, or a single *');
  if ((name.match(/\*/g) ?? []).length > MAX_STARS_IN_NAME)
    throw new PatternError(`write at most ${MAX_STARS_IN_NAME} * between two slashes`, true);
  const withoutClasses = name.replace(/\[[\w.-]+\](?!\+)/g, '');
  if (/[[\]]/.test(withoutClasses))
    throw new PatternError('write a character class as [abc] or [a-z], closed, not negated and not nested');
}

/** A name with stars is its pieces in turn; with `?` or a class it is a regular expression of at most three stars. */
function compile(name: string): (name: string) => boolean {
  if (!/[?[]/.test(name)) {
    const pieces = name.split('*');
    return (text) => hasInTurn(text, pieces);
  }
  const written = name.replace(/\[[^\]]*\]|[\s\S]/gu, (part) =>
    part === '*' ? '.*' : part === '?' ? '.' : part.length > 1 && part.startsWith('[') ? part : escaped(part),
  );
  try {
    const expression = new RegExp(`^${written}$`, 'su');
    return (text) => expression.test(text);
  } catch {
    throw new PatternError(`${JSON.stringify(name)} is no pattern; write its letters, *, ? or [a-z]`);
  }
}

function escaped(character: string): string {
  return /[$^.*+?()[\]{}|/\\]/.test(character) ? `\\${character}` : character;
}

function checked(pattern: string): string {
  if (pattern === '') throw new PatternError('it is empty; write what it should match');
  if (pattern.length > MAX_LENGTH)
    throw new PatternError(`it is longer than ${MAX_LENGTH} characters; write several patterns`, true);
  if (/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u.test(pattern))
    throw new PatternError('it has control or invisible characters; leave them out');
  if (pattern.includes('\\')) throw new PatternError('write / between names; nothing can be escaped');
  if (pattern.startsWith('!'))
    throw new PatternError('patterns cannot be negated; write a rule of its own for what is excepted');
  if (/[()|"]/.test(pattern)) throw new PatternError('write {a,b} for alternatives; ( ) | and " are not patterns here');
  return pattern.normalize('NFC');
}
