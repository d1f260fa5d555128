import { RE2JS } from 're2js';

import { HoldpointError } from '../../core/errors.ts';

interface Rule {
  keeps: boolean;
  pattern: RE2JS;
}

const MAX_RULES = 1000;
const MAX_PATTERN = 1024;

/**
 * Reads a .dockerignore and says which paths (from the context, without a leading slash) it leaves out. The rules are
 * Docker's, which differ from .gitignore's: patterns count from the context's root, the last that matches decides, `!`
 * brings back even below a folder that is left out. Matching takes linear time, whatever the patterns.
 *
 * @throws HoldpointError `invalid_input` for a pattern that Docker would refuse as well.
 */
export function contextRules(text: string): (path: string) => boolean {
  const rules = text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .filter((line) => !line.startsWith('#'))
    .flatMap((line) => rule(line.trim()));
  if (rules.length > MAX_RULES) throw refused(`has more than ${MAX_RULES} patterns`);
  return (path) => {
    const parents = path.split('/').map((_part, index, parts) => parts.slice(0, index + 1).join('/'));
    let leftOut = false;
    for (const { keeps, pattern } of rules) {
      if (keeps === leftOut && parents.some((parent) => pattern.matches(parent))) leftOut = !keeps;
    }
    return leftOut;
  };
}

/** A pattern of Docker (`COPY a*.txt`, a line of .dockerignore) as a test of whole paths; null for a malformed one. */
export function pathPattern(pattern: string): ((path: string) => boolean) | null {
  try {
    const compiled = RE2JS.compile(source(cleaned(pattern)), RE2JS.DOTALL);
    return (path) => compiled.matches(path);
  } catch {
    return null;
  }
}

function rule(line: string): Rule[] {
  const keeps = line.startsWith('!');
  const written = keeps ? line.slice(1).trim() : line;
  if (written === '') {
    if (keeps) throw refused('has a line that is only "!"');
    return [];
  }
  if (written.length > MAX_PATTERN) throw refused(`has a pattern longer than ${MAX_PATTERN} characters`);
  const pattern = cleaned(written);
  // Docker drops a pattern for the context itself.
  if (pattern === '.') return [];
  try {
    return [{ keeps, pattern: RE2JS.compile(source(pattern), RE2JS.DOTALL) }];
  } catch (cause) {
    throw refused(`has the malformed pattern ${JSON.stringify(written.slice(0, 100))}`, cause);
  }
}

/** Go's filepath.Clean, then without a leading slash. */
function cleaned(pattern: string): string {
  const parts: string[] = [];
  for (const part of pattern.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else parts.push(part);
  }
  return parts.join('/') || '.';
}

/** The pattern as an expression: `*` and `?` stay inside a name, `**` spans names, `[…]` and `\` as in the expression. */
function source(pattern: string): string {
  const characters = Array.from(pattern);
  let expression = '';
  for (let index = 0; index < characters.length; index += 1) {
    const character = characters[index] ?? '';
    const next = characters[index + 1];
    if (character === '*' && next === '*') {
      index += characters[index + 2] === '/' ? 2 : 1;
      expression += index + 1 >= characters.length ? '.*' : '(?:.*/)?';
    } else if (character === '*') expression += '[^/]*';
    else if (character === '?') expression += '[^/]';
    else if (character === '\\' && next !== undefined) {
      expression += /[A-Za-z0-9]/.test(next) ? next : `\\${next}`;
      index += 1;
    } else if (character === '[') {
      const end = characters.indexOf(']', characters[index + 1] === '^' ? index + 3 : index + 2);
      if (end < 0) throw new SyntaxError('An unclosed [');
      const inside = characters.slice(index + 1, end).join('');
      expression += `[${inside.replace(/[[&~]/g, String.raw`\$&`)}]`;
      index = end;
    } else expression += /[.+(){}|$^\]]/.test(character) ? `\\${character}` : character;
  }
  return expression;
}

function refused(why: string, cause?: unknown): HoldpointError {
  return new HoldpointError('invalid_input', `The .dockerignore ${why}.`, {
    hint: 'Correct the .dockerignore of this context.',
    cause,
  });
}
