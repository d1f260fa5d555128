import { RE2JS } from 're2js';

import { HoldpointError } from '../../core/errors.ts';

const MAX_GLOB = 512;

/**
 * A test of a path from the workspace: `*`, `?` and `[…]` stay within a name, `**` spans any number of names, `{a,b}` is either,
 * a dot is nothing special.
 *
 * It becomes a regular expression for RE2JS, which takes linear time: neither a glob from an agent nor the names in a
 * repository can make matching expensive (CVE-2026-33671, CVE-2026-33672).
 *
 * @throws HoldpointError `invalid_input` for what is no glob, with what to write instead.
 */
export function globTest(glob: string): (path: string) => boolean {
  const problem = problemOf(glob);
  if (problem) throw invalidGlob(glob, problem);
  let expression: RE2JS;
  try {
    expression = RE2JS.compile(`^${globSource(glob.normalize('NFC'), true)}$`);
  } catch (cause) {
    throw invalidGlob(glob, 'write a character class as [abc] or [a-z]', cause);
  }
  return (path) => expression.test(path);
}

/** A glob as the source of a regular expression; with `braces` false, braces and commas mean themselves (.gitignore). */
export function globSource(glob: string, braces: boolean): string {
  const startsName = (at: number) => at === 0 || glob[at - 1] === '/' || (braces && /[{,]/.test(glob[at - 1] ?? ''));
  const endsName = (at: number) => at === glob.length || glob[at] === '/' || (braces && /[},]/.test(glob[at] ?? ''));
  let source = '';
  for (let at = 0; at < glob.length;) {
    const token = /^(?:\*+|\[[!^]?[^\]/]+\])/.exec(glob.slice(at))?.[0] ?? glob[at] ?? '';
    const next = at + token.length;
    const whole = startsName(at) && endsName(next);
    at = next;
    if (token === '**' && whole && glob[next] === '/') {
      source += '(?:[^/]+/)*';
      at = next + 1;
    } else if (token === '**' && whole) source += '.+';
    else if (token.startsWith('*')) source += whole ? '[^/]+' : '[^/]*';
    else if (token === '?') source += '[^/]';
    else if (token.length > 1) source += token.replace(/^\[[!^]/, '[^/').replaceAll('\\', '\\\\');
    else if (braces && token === '{') source += '(?:';
    else if (braces && token === '}') source += ')';
    else if (braces && token === ',' && isInBraces(glob, next - 1)) source += '|';
    else source += RE2JS.quote(token);
  }
  return source;
}

function isInBraces(glob: string, at: number): boolean {
  const before = glob.slice(0, at);
  return before.split('{').length > before.split('}').length;
}

function problemOf(glob: string): string | undefined {
  if (glob === '') return 'write what it should match, such as kubernetes/**/*.yaml';
  if (glob.length > MAX_GLOB) return `write at most ${MAX_GLOB} characters`;
  if (/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u.test(glob)) return 'leave out control and invisible characters';
  if (glob.includes('\\')) return 'write / between names; nothing can be escaped';
  if (glob.startsWith('!')) return 'write what should match; a glob cannot be negated';
  if (/[()|]/.test(glob)) return 'write {a,b} for alternatives; ( ) and | are no part of a glob';
  if (glob.startsWith('/')) return 'write it from the workspace, without a leading slash';
  if (/\[[^\]/]*(?:\/|$)/.test(glob)) return 'close the character class: [abc]';
  if (/\[(?![!^]?[\w. -]+\])/.test(glob)) return 'write a character class as [abc] or [a-z]';
  let depth = 0;
  for (const character of glob) {
    if (character === '{') depth++;
    if (character === '}') depth--;
    if (depth < 0 || depth > 8) return 'balance the braces: {a,b}';
  }
  if (depth > 0) return 'balance the braces: {a,b}';
  if (/\{[^,{}]*\}/.test(glob)) return 'write at least two alternatives in braces, {a,b}; ranges are not expanded';
  return undefined;
}

function invalidGlob(glob: string, hint: string, cause?: unknown): HoldpointError {
  const shown = JSON.stringify(glob.length > 100 ? `${glob.slice(0, 100)}…` : glob);
  return new HoldpointError('invalid_input', `${shown} is no glob that can be searched with.`, {
    hint: `${hint[0]?.toUpperCase()}${hint.slice(1)}.`,
    cause,
  });
}
